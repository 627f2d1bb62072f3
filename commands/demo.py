"""`sniper demo`: the main job in one command, on a chain of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from commands.options import JsonOption, runs

app = typer.Typer()

DurationOption = Annotated[str, typer.Option("--duration", metavar="TIME", help="For how long: 60s, 5m.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Which market is staged.")]
PlainOption = Annotated[bool, typer.Option("--plain", help="One line an event, also in a terminal.")]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", metavar="FOLDER", help="Keep everything here; a demo killed there goes on there."),
]
PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, metavar="N", help="The chain's port; 0: any.")
]


@app.command()
@runs
def demo(
    duration: DurationOption = "60s",
    seed: SeedOption = 7,
    plain: PlainOption = False,
    home: HomeOption = None,
    port: PortOption = 0,
    json: JsonOption = False,
) -> None:
    """Snipe launches on a local chain that is staged for you: the main job in one command.

    A market of honest tokens, honeypots and rug pulls is staged on a chain of its own. Sniper watches it, proves by
    simulation what can be sold again, buys, and leaves by rules; at the end ledger and chain are equal to the wei.
    The home is thrown away unless --home or SNIPER_HOME names one. ^C ends it early, in order; a second ^C at once.

    Examples:
        $ sniper demo --duration 10s --plain
        $ sniper demo --duration 10s --seed 11 --json
    """
    from sniper_cli.demo.show import show
    from sniper_cli.moments import parse_duration

    code = show(
        seconds=parse_duration(duration).total_seconds(),
        seed=seed,
        home=home,
        port=port,
        plain=plain,
        as_json=json,
    )
    if code:
        raise typer.Exit(code)
