"""Measuring a model: retrieval of held-out classes, and whether its parts mean what they should."""
