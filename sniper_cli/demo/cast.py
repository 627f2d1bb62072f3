"""The cast: every kind of token that the staged market launches, and what becomes of one who buys it.

`bad` is the truth that verdicts are held against: who buys and holds loses for sure. All traps and rug pulls are bad. A
taxed token is not, however high the tax: it says what it takes and takes no more, so refusing it is a matter of
policy, not of truth.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from random import Random

from eth_abi.abi import encode


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of token."""

    kind: str
    contract: str
    bad: bool
    fate: str
    """What happens to one who buys and holds."""
    taxes: tuple[tuple[int, int], ...] = ()
    """Pairs of buy and sell tax to choose from, in basis points."""
    taxing: bool = False
    """Keeps a part of what is transferred, from its first day."""


HONEST = Role("honest", "Token", bad=False, fate="can sell at any time")
TAXED = Role(
    "taxed",
    "Taxed",
    bad=False,
    fate="can sell at any time, at a tax within the usual policy of 10 %",
    taxes=((200, 200), (100, 300), (300, 500), (400, 400), (0, 500), (300, 700)),
    taxing=True,
)
OVERTAXED = Role(
    "overtaxed",
    "Taxed",
    bad=False,
    fate="can sell at any time, at a tax above the usual policy of 10 %",
    taxes=((1_500, 1_500), (500, 2_500), (1_200, 2_000), (200, 3_000), (2_000, 2_000)),
    taxing=True,
)
LATE_OPENING = Role("late_opening", "NotOpen", bad=False, fate="can sell at any time, once trading is open")
RUG_PULL = Role("rug_pull", "Token", bad=True, fate="the deployer takes the pool's coins away within seconds")
TRAPS = (
    Role("sell_tax", "Sell99", bad=True, fate="loses 99 % to a tax on selling"),
    Role("auto_blacklist", "AutoBlacklist", bad=True, fate="is blacklisted by the very purchase"),
    Role("whitelist_sell", "WhitelistSell", bad=True, fate="is not among those who may sell"),
    Role(
        "tax_flip",
        "TaxFlip",
        bad=True,
        fate="loses 99 % to a tax that appears after twenty blocks",
        taxing=True,
    ),
    Role("sim_aware_gas", "SimAwareGas", bad=True, fate="cannot sell where gas costs anything"),
    Role(
        "sim_aware_coinbase", "SimAwareCoinbase", bad=True, fate="cannot sell in a block that has a proposer"
    ),
    Role("fake_transfer", "FakeTransfer", bad=True, fate="sells, it seems, but nothing moves"),
    Role("partial_sell", "PartialSell", bad=True, fate="can never sell more than half of what is left"),
    Role("second_sell", "SecondSell", bad=True, fate="comes after the one sale that works"),
    Role("dust_sells", "DustSells", bad=True, fate="can sell in crumbs only"),
    Role("gas_grief", "GasGrief", bad=True, fate="pays 5.7 million gas to sell"),
    Role("approve_trap", "ApproveTrap", bad=True, fate="approves a router that then may not collect"),
)
CAST = (HONEST, TAXED, OVERTAXED, LATE_OPENING, RUG_PULL, *TRAPS)
ROLES = {role.kind: role for role in CAST}

FIRST_NAMES = (
    "Moon", "Turbo", "Golden", "Pixel", "Quiet", "Cosmic", "Velvet", "Lucky", "Solar", "Arctic", "Neon",
    "Brave", "Paper", "Tiny", "Royal", "Sleepy", "Hyper", "Coral", "Silver", "Gentle", "Rapid", "Noble",
    "Misty", "Jolly", "Amber", "Cobalt", "Humble", "Electric", "Sunny", "Midnight", "Wild", "Ginger",
    "Frosty", "Atomic", "Polar", "Ruby", "Hazel", "Urban", "Clever", "Daring",
)  # fmt: skip
LAST_NAMES = (
    "Otter", "Badger", "Falcon", "Panda", "Lynx", "Heron", "Gecko", "Walrus", "Puffin", "Tapir", "Yak",
    "Beaver", "Raven", "Corgi", "Hedgehog", "Marmot", "Ferret", "Toad", "Swan", "Bison", "Koala", "Weasel",
    "Magpie", "Donut", "Pickle", "Waffle", "Noodle", "Pretzel", "Mango", "Biscuit", "Rocket", "Lantern",
    "Compass", "Harbor", "Orbit", "Anchor", "Kite", "Piston", "Comet", "Glacier", "Meadow", "Canyon", "Tulip",
    "Cactus", "Maple", "Clover", "Bamboo", "Pebble", "Ribbon", "Bottle", "Wagon", "Fiddle", "Trumpet",
    "Banjo", "Marble", "Button", "Castle", "Bridge", "Tower", "Garden",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TokenName:
    """What a token calls itself on the chain: drawn without looking at its kind."""

    name: str
    symbol: str


def token_names(seed: int) -> tuple[TokenName, ...]:
    """All 2,400 names in this seed's order."""
    pairs = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    Random(f"names:{seed}").shuffle(pairs)  # noqa: S311 - theatre, not cryptography
    return tuple(TokenName(f"{first} {last}", symbol_of(first, last)) for first, last in pairs)


def symbol_of(first: str, last: str) -> str:
    """A ticker as launchers make them: `Moon Otter` is MOTR, an initial and a noun without vowels or doubles."""
    symbol = first[0] + last[0].upper()
    for letter in last[1:].upper():
        if letter not in "AEIOU" and letter != symbol[-1]:
            symbol += letter
    return symbol[:5]


@cache
def _bytecodes() -> dict[str, str]:
    """The creation code of each of the cast's contracts; read once."""
    artifact = json.loads(files("sniper_cli.demo").joinpath("tokens.json").read_text(encoding="utf-8"))
    return {name: built["bytecode"] for name, built in artifact["contracts"].items()}


def creation_code(role: Role, name: TokenName, supply: int, taxes: Sequence[int] = ()) -> str:
    """What to send to no address to deploy a token of this role."""
    types = ["string", "string", "uint256", *["uint256"] * len(taxes)]
    return _bytecodes()[role.contract] + encode(types, [name.name, name.symbol, supply, *taxes]).hex()
