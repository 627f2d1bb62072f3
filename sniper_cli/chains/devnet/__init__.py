"""A chain of one's own: anvil on loopback with the real Uniswap V2 contracts, from npm at pinned versions.

packages.py says what is fetched, install.py fetches it, anvil.py runs it, deploy.py puts the exchange on it,
record.py remembers where it is. This file imports nothing.
"""
