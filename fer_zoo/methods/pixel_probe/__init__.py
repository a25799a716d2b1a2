"""One linear layer on the pixels: what a score is worth that no picture of a face is needed for."""
