"""EVM plumbing: nodes, calls, fees, the stream of blocks, and a chain of one's own.

Knows chains and nothing of orders or accounts. Addresses and hashes are lower-case hex strings everywhere
in here, amounts are integers of wei or of a token's base units. This file imports nothing.
"""
