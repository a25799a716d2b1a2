"""Data sets of drawn faces: their settings, labels, images, and folders that keep them."""
