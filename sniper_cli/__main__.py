"""`python -m sniper_cli` is `sniper`."""

from sniper_cli.entry import run

run()
