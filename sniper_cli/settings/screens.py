"""How the dashboard behaves on this machine."""

from __future__ import annotations

from sniper_cli.settings.kinds import Table


class ScreenSettings(Table):
    """The dashboard. What it shows is the state; this is only how."""

    bell: bool = True
    """Ring the terminal's bell, once for each exit that does not get out."""
