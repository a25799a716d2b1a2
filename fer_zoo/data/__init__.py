"""Data: index, image sources, data set, data module, transforms, detection, protocols, checks."""
