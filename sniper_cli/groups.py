"""The command groups by name. A group's module is imported when somebody enters it, not before.

Root help, "did you mean" and completion of the names import nothing: 22 groups of heavy modules take 1 463 ms
eagerly and 117 ms this way.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lazy:
    """One group or single command: its name, the module that holds its `app`, its line of help and its panel."""

    name: str
    help: str
    panel: str

    @property
    def module(self) -> str:
        return f"commands.{self.name}"


START, TRADE, ANSWER, HOUSE = "Start here", "Trade", "Look and answer for it", "Keep house"

GROUPS: tuple[Lazy, ...] = (
    Lazy(
        "demo", "Snipe launches on a local chain that is staged for you: the main job in one command.", START
    ),
    Lazy("init", "Make the home, the database and the configuration file.", START),
    Lazy("doctor", "Check everything Sniper stands on, and say what repairs it.", START),
    Lazy("tui", "Open the live dashboard.", START),
    Lazy("snipe", "Watch for launches, prove that they can be sold again, buy and exit.", TRADE),
    Lazy("market", "See prices, books, trades and candles.", TRADE),
    Lazy("order", "Place, change, watch and cancel orders.", TRADE),
    Lazy("route", "Find the best way of one token into another over several pools.", TRADE),
    Lazy("position", "See what is held, what it cost and what it is worth.", TRADE),
    Lazy("tx", "See transactions that wait, raise their bids, and end them under their nonces.", TRADE),
    Lazy(
        "portfolio",
        "See what there is and what was earned, bring it back to its weights, and prove the books.",
        TRADE,
    ),
    Lazy("cash", "Deposit, withdraw and transfer money, and see every movement.", TRADE),
    Lazy("account", "List accounts, open paper ones, and set their rules.", TRADE),
    Lazy("risk", "Limits, what-ifs, sizes and the kill switch.", TRADE),
    Lazy("wallet", "Keep the keys that sign on a chain.", TRADE),
    Lazy("explain", "Tell the whole story of an order or a launch.", ANSWER),
    Lazy("audit", "Read, verify and export the hash-chained journal of every act.", ANSWER),
    Lazy("config", "Show, change and validate the settings.", HOUSE),
    Lazy("profile", "List, choose, create and delete profiles.", HOUSE),
    Lazy("db", "Upgrade and inspect the database.", HOUSE),
    Lazy("chain", "See the chains that Sniper knows, and the exchanges on them.", HOUSE),
    Lazy("endpoints", "Keep nodes, relays and hosts: list, add, check and watch them.", HOUSE),
    Lazy("devnet", "Install and run the local chain.", HOUSE),
    Lazy("help", "Topics: exit codes, formats, environment, the man page.", HOUSE),
)
