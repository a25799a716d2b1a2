"""`ict`: the head of ICT-FaceKit's light model, read from its own files."""
