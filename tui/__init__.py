"""The terminal screens: they show what `sniper_cli.monitoring` reads and ask `sniper_cli`'s services to act."""
