"""The demo: a staged market on a local chain, and Sniper at work in it.

cast.py says which tokens there are, plan.py when they are launched, traders.py who trades them; staging.py is the
process that does it all by signed transactions; truth.py is what it writes down and Sniper never reads.
"""
