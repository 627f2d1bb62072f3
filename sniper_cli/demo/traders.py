"""What the other traders do with a launch: a pure function of the planned launch and the seed.

A pool of R coins whose traders put X in prices its token (1 + X/R)² as high (constant product, fees apart); a holder
who sells x tokens into a pool of T prices it 1 / (1 + x/T)². The sizes below follow from that:

- SOAR   X = 0.52 R   price · 2.3   past a take-profit of 60 %
- SWING  X = 0.17 R   price · 1.37, then all sold again: below any trailing stop that woke
- FADE   x = 0.43 T   price · 0.49  past a stop-loss of 30 %
- LURE   X = 0.15 R   price · 1.32  until the liquidity goes

Nobody trades in the first seconds, where Sniper's own purchase stands with the slippage that it allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from random import Random

from sniper_cli.demo.plan import PlannedLaunch, Script

CROWD = 8
"""How many other traders there are."""
QUIET_MS = 2_500
"""From the opening to the first trade."""
ALL = 10_000


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


@dataclass(frozen=True, slots=True)
class PlannedTrade:
    """One trade of one trader; traders are numbered from 0, and `WHALE` is the launch's large holder."""

    at_ms: int
    trader: int
    side: Side
    wei: int = 0
    """Coins to buy for."""
    share_bps: int = 0
    """… or the share of the trader's holding to sell."""


WHALE = -1


def plan_trades(launch: PlannedLaunch, seed: int) -> list[PlannedTrade]:
    """The trades of a launch, in the order of time."""
    chance = Random(f"trades:{seed}:{launch.index}")  # noqa: S311 - theatre, not cryptography
    crowd = chance.sample(range(CROWD), CROWD)
    start = launch.opened_ms + QUIET_MS
    trades = _SCRIPTS[launch.script](launch, start, crowd, chance)
    if launch.role.kind == "second_sell":
        trades = [*_bait_sale(launch, crowd[-1]), *trades]
    return sorted(trades, key=lambda trade: trade.at_ms)


def _buys(
    launch: PlannedLaunch, times: list[int], crowd: list[int], share_pct: float, chance: Random
) -> list[PlannedTrade]:
    """Purchases that together put a share of the pool's coins in, in uneven parts."""
    weights = [chance.randint(70, 130) for _ in times]
    total = launch.pool_wei * round(share_pct * 100) // 10_000
    return [
        PlannedTrade(at, crowd[count % len(crowd)], Side.BUY, wei=total * weight // sum(weights))
        for count, (at, weight) in enumerate(zip(times, weights, strict=True))
    ]


def _times(start: int, count: int, every: int, chance: Random) -> list[int]:
    return [start + number * every + chance.randint(0, every // 4) for number in range(count)]


def _soar(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    buys = _buys(launch, _times(start, 8, 1_400, chance), crowd, 52, chance)
    taken = [
        PlannedTrade(buys[-1].at_ms + pause, crowd[number], Side.SELL, share_bps=ALL)
        for number, pause in ((0, 4_000), (1, 7_000))
    ]
    return buys + taken


def _swing(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    swingers = crowd[:3]
    buys = _buys(launch, _times(start, 3, 1_500, chance), swingers, 17, chance)
    turn = buys[-1].at_ms + 2_800
    sells = [
        PlannedTrade(turn + number * 1_600, trader, Side.SELL, share_bps=ALL)
        for number, trader in enumerate(swingers)
    ]
    return buys + sells


def _fade(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    buys = _buys(launch, [start], crowd, 1, chance)
    pieces = 8
    # The nth of eight equal pieces is 1/8, 1/7 … of what is left, and the last is all of it.
    sells = [
        PlannedTrade(at, WHALE, Side.SELL, share_bps=ALL // (pieces - number))
        for number, at in enumerate(_times(start + 1_000, pieces, 1_500, chance))
    ]
    return buys + sells


def _rest(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    """Small trades, each bought and sold again: the price stays within two per cent."""
    trades = []
    for number, at in enumerate(_times(start, 8, 5_000, chance)):
        trader = crowd[number]
        trades += _buys(launch, [at], [trader], 0.6, chance)
        trades.append(PlannedTrade(at + 3_000, trader, Side.SELL, share_bps=ALL))
    return trades


def _lure(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    return _buys(launch, _times(start, 4, 1_200, chance), crowd, 15, chance)


def _bait(launch: PlannedLaunch, start: int, crowd: list[int], chance: Random) -> list[PlannedTrade]:
    return _buys(launch, _times(start, chance.randint(1, 3), 2_000, chance), crowd, 4, chance)


def _bait_sale(launch: PlannedLaunch, trader: int) -> list[PlannedTrade]:
    """The accomplice takes the one sale that works, two blocks after the listing."""
    return [
        PlannedTrade(launch.opened_ms + 300, trader, Side.BUY, wei=launch.pool_wei // 100),
        PlannedTrade(launch.opened_ms + 2_100, trader, Side.SELL, share_bps=ALL),
    ]


_SCRIPTS = {
    Script.SOAR: _soar,
    Script.SWING: _swing,
    Script.FADE: _fade,
    Script.REST: _rest,
    Script.LURE: _lure,
    Script.BAIT: _bait,
}
