"""Pictures as users hand them in, read and judged."""
