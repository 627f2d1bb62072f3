"""The launch sniper: see a new pool, prove the token, buy, and leave by rules."""
