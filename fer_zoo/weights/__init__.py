"""Weights that ship, a folder each, and the two commands that make them: `pack` and `score`."""
