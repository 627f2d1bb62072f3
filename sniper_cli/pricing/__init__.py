"""Exact pool mathematics: whole base units in, whole base units out, rounded as the contracts round."""
