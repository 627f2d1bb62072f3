"""Loads that are killed in the middle, and what must hold afterwards. `python -m tests.crash` runs a hundred rounds."""
