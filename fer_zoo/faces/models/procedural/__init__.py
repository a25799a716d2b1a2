"""The head made by code alone."""
