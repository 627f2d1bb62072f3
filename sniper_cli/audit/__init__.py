"""The journal as people use it: read, verified, exported, and written to by acts outside the order path."""
