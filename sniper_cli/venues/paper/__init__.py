"""Paper trading: real orders against the simulated market, with fees, depth and play money."""

from sniper_cli.venues.paper.accounts import OPENING_DEPOSIT, ensure_account, ensure_instruments
from sniper_cli.venues.paper.matching import Conditions, FeeSchedule
from sniper_cli.venues.paper.venue import PaperVenue

__all__ = [
    "OPENING_DEPOSIT",
    "Conditions",
    "FeeSchedule",
    "PaperVenue",
    "ensure_account",
    "ensure_instruments",
]
