"""Three nodes of one chain that lag, freeze and die in turn while Sniper buys launches. `python -m tests.chaos 100`."""
