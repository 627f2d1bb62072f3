"""Sniper's domain: everything that it knows and does, free of screens."""

__version__ = "0.1.0"
