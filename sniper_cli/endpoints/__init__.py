"""Pools of whatever is addressed by a URL: a chain's nodes, a venue's REST hosts.

One endpoint fails in more ways than it works: it dies, freezes, lags, lies about its chain, sheds load. Each file here
holds one answer to that (`breaker`, `budget`, `latency`, `spreading`, `hedging`, `quorum`, `health`), `pool` puts them
together, `nodes` and `rest` speak the protocols.
"""
