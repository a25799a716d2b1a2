"""Face models, a folder each: `card.py` and what builds it."""
