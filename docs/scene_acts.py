"""The evening's launches as plain values: what each token is, what the judge says, what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sniper_cli.settings.chains import ChainSettings
from sniper_cli.settings.model import ExitSettings, Mode, Settings, SnipingSettings
from state.launches import Decision, Source, Verdict

NOW = datetime(2026, 3, 14, 20, 15, 42, 400_000, tzinfo=UTC)
CHAIN = 31337
COIN = 10**18
GWEI = 10**9
HEAD = 214
NATIVE = f"evm:{CHAIN}:native"
ACTOR = "sniper@demo"
STAKE = COIN // 10
SETTINGS = Settings(
    mode=Mode.DEVNET,
    chain=ChainSettings(chain_id=CHAIN, block_seconds=Decimal(1)),
    sniping=SnipingSettings(exits=ExitSettings(max_age_seconds=60)),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One launch of the evening. Taxes in basis points, worths in thousandths of what was paid."""

    symbol: str
    name: str
    kind: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    taxes: tuple[int, int] = (0, 0)
    pool: int = 12
    worth: int | None = None
    peak: int | None = None
    exit_rule: str | None = None
    decision: Decision | None = None
    protocol: str = "uniswap_v2"
    fee: int | None = None
    hooks: str = ""
    source: Source = Source.LOG
    vanished: bool = False
    dossier: bool = False

    @property
    def coins(self) -> int:
        """What the pool holds, in wei."""
        return self.pool * COIN if self.pool else COIN * 4 // 10


SAFE, UNSAFE, UNPROVEN = Verdict.SAFE, Verdict.UNSAFE, Verdict.NOT_PROVEN
ACTS: tuple[Act, ...] = (
    Act("ORBIT", "Orbit Protocol", "ok", SAFE, taxes=(0, 0), pool=15, worth=1618, exit_rule="take_profit"),
    Act(
        "FROGE",
        "Froge",
        "honeypot",
        UNSAFE,
        ("selling fails however it is tried: TransferHelper: TRANSFER_FROM_FAILED",),
        (0, 10000),
        10,
    ),
    Act(
        "GLINT",
        "Glint",
        "ok",
        SAFE,
        taxes=(300, 300),
        pool=20,
        worth=1094,
        peak=1262,
        exit_rule="trailing_stop",
    ),
    Act(
        "SAFEMARS",
        "Safe Mars",
        "tax",
        UNSAFE,
        ("sell tax 90.00 % however it is tried is over the limit of 10.00 %",),
        (500, 9000),
        9,
    ),
    Act("TIDAL", "Tidal", "ok", SAFE, taxes=(0, 0), pool=8, worth=672, exit_rule="stop_loss"),
    Act(
        "LOCKET",
        "Locket",
        "time_trap",
        UNSAFE,
        ("selling fails two blocks after buying: not now",),
        (0, 0),
        12,
    ),
    Act("RUGBY", "Rugby", "ok", SAFE, taxes=(0, 0), pool=14, worth=1007, exit_rule="liquidity_pending"),
    Act(
        "MAXWELL",
        "Maxwell",
        "partial_sell",
        UNSAFE,
        ("selling fails however it is tried: only 1% at once",),
        (0, 0),
        11,
    ),
    Act("EMBER", "Ember", "ok", SAFE, taxes=(100, 200), pool=18, worth=1604, exit_rule="take_profit"),
    Act(
        "COOLIO",
        "Coolio",
        "cooldown",
        UNSAFE,
        ("selling fails in parts (part 2 of 3): cooldown",),
        (0, 0),
        10,
    ),
    Act(
        "DUSTY",
        "Dusty Pool",
        "no_liquidity",
        UNSAFE,
        ("the pool holds 0.4 ETH, less than the 1 ETH asked for",),
        (0, 0),
        0,
    ),
    Act("KITE", "Kite", "ok", SAFE, taxes=(0, 0), pool=16, worth=1013, exit_rule="time"),
    Act(
        "GASSY",
        "Gassy",
        "gas_grief",
        UNSAFE,
        ("a sale takes 9,412,880 gas, over the limit of 2,000,000",),
        (0, 0),
        13,
    ),
    Act(
        "PHANTOM",
        "Phantom",
        "honeypot",
        UNSAFE,
        ("a sale however it is tried brings 100.00 % less than the pool's price",),
        (0, 10000),
        12,
    ),
    Act("WAVE", "Wave", "ok", SAFE, taxes=(0, 0), pool=12, worth=1488, peak=1502),
    Act(
        "NEMO",
        "Nemo",
        "unknown",
        UNPROVEN,
        ("selling after 200 blocks and a day could not be tried: the node refused",),
        (0, 0),
        10,
        source=Source.SCAN,
    ),
    Act("ARROW", "Arrow", "ok", SAFE, taxes=(200, 200), pool=22, worth=1131, peak=1209),
    Act(
        "SECOND",
        "Second Helping",
        "second_sell",
        UNSAFE,
        ("selling fails in parts (part 2 of 3): revert without a reason",),
        (0, 0),
        9,
        protocol="uniswap_v3",
        fee=500,
        vanished=True,
    ),
    Act(
        "LUMEN",
        "Lumen",
        "ok",
        SAFE,
        taxes=(0, 0),
        pool=17,
        worth=1042,
        peak=1060,
        protocol="uniswap_v3",
        fee=3000,
        dossier=True,
    ),
    Act(
        "WHALE",
        "Whale Only",
        "ok",
        SAFE,
        taxes=(0, 0),
        pool=25,
        decision=Decision.SKIPPED,
        reasons=("5 of 5 positions are open",),
        protocol="uniswap_v4",
        fee=10_000,
        hooks="0x6a1f4d3f0e2c5b7988e1d0c3b2a5f4e6d7c80080",
        dossier=True,
    ),
    Act(
        "MIMIC",
        "Mimic",
        "honeypot",
        UNSAFE,
        ("selling fails in the next block: blacklisted",),
        (0, 10000),
        12,
    ),
    Act("QUARTZ", "Quartz", "ok", SAFE, taxes=(0, 0), pool=14, worth=767, peak=1005),
    Act(
        "OPENING",
        "Opening Soon",
        "launch_tax",
        UNSAFE,
        ("sell tax 45.00 % in the next block is over the limit of 10.00 %",),
        (500, 4500),
        10,
    ),
    Act("PIXEL", "Pixel", "ok", SAFE, taxes=(0, 0), pool=12, worth=996, peak=996, source=Source.PENDING),
    Act("DRIFT", "Drift", "pending", Verdict.PENDING, pool=11),
)
EVERY = timedelta(seconds=5)


def received_for(act: Act) -> int:
    """Tokens that the stake bought, tax paid."""
    return 987_158 * COIN * (10_000 - act.taxes[0]) // 10_000 // max(act.pool, 1)


def hashed(kind: str, number: int) -> str:
    return "0x" + hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()


def address_of(kind: str, number: int) -> str:
    return hashed(kind, number)[:42]
