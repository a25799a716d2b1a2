"""Prediction tables in, numbers and pictures out."""
