"""Can this token be sold again, and at what tax: proved by simulation, never by trust.

judge.judge               one token in its pool, for a purchase of one size → SafetyReport
judge.require_pool        the deepest pool of a token, for whoever knows only the token
methods.judge_by_best     by the best method that the node offers: itself, a fork beside it, one call
holding.check_holding     can what is held still be sold, from the account that holds it
holders.simulate_holders  can those who hold it already sell
capabilities.probe        does this node simulate well enough to prove anything
policy.SafetyPolicy       the limits that a token is held against
"""
