"""Routes on a chain: which pools lie between two tokens, what they pay together, and the transaction that says so."""
