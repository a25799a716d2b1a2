"""Metrics: each once, as additive sums and as a value of the sums."""
