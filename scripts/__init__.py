"""Commands that rebuild what the repository ships, and publish it; not needed to use it."""
