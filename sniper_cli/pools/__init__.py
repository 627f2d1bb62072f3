"""Pools on a chain: which one it is, what state it is in, and how one trades in it; all protocols alike."""
