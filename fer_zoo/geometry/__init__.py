"""Batched tensor geometry: rotations, cameras, the rasteriser, normals, light."""
