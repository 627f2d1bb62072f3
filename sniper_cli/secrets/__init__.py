"""Secrets: where they come from, and the wallets that they open. Nothing here is ever printed or logged."""
