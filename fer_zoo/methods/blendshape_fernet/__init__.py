"""BlendshapeFERNet: emotion from an image stream and a stream that knows blendshapes or action units."""
