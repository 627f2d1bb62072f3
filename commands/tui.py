"""`sniper tui`: the live dashboard of a profile."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from commands.options import ProfileOption, runs

app = typer.Typer()


class Panel(StrEnum):
    """What the dashboard shows first."""

    LAUNCHES = "launches"
    POSITIONS = "positions"
    ORDERS = "orders"
    EVENTS = "events"


ScreenOption = Annotated[Panel, typer.Option("--screen", help="The panel that has the keys first.")]


@app.command()
@runs
def tui(profile: ProfileOption = None, screen: ScreenOption = Panel.LAUNCHES) -> None:
    """Open the live dashboard.

    It shows the profile's launches, positions, orders and journal as they change, whoever changes them; ? tells its
    keys. Everything it does is also a command, and it shows which before it does it.

    Examples:
        $ sniper tui
        $ sniper -p devnet tui --screen positions
    """
    from sniper_cli.context import open_context
    from sniper_cli.screens import open_screen, require_terminal

    require_terminal()
    with open_context(profile, shows_everything=False) as context:  # the screen tells how far it is
        open_screen("dashboard", context, panel=screen.value)
