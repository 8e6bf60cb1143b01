"""Commands that rebuild what the repository ships; not needed to use it."""
