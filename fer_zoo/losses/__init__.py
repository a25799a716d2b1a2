"""Losses: each a pure function of outputs and targets, chosen by name."""
