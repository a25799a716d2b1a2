"""One folder a paper: card, network, task."""
