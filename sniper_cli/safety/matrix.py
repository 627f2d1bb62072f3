"""The ways in which a purchase might be sold again: what waits, who else trades, what the block is like.

A token that means harm needs a difference between what is tried and what is done. So what the desk does not choose
is varied from scenario to scenario: the sender and his purse, the proposer, the base fee, the random number, the gas
limit, the bid, the hour, the length of the jump, the block of the purchase, the other traders, the price. Whoever
reads this list to shut between its moments finds that some moments are drawn anew for each judgement.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from sniper_cli.safety.simulation import fresh_address
from sniper_cli.safety.trades import GENEROUS_GAS

ALL = 10_000

CROWD = 8
CROWD_STEP = 5
"""Blocks between the other traders: no long silence, and together to the fortieth block after the purchase."""
CROWD_SHARE_BPS = 300
"""What each of them buys, of the pool's coins: together the price rises by more than half."""
RUSH, RUSH_BLOCKS, RUSH_SHARE_BPS = 40, 4, 40
"""A market that has come to life: so many buyers in so many blocks, each for so little of the pool's coins."""
AFTER_RUSH = 64
"""… and the block of our sale, long after it: some doors wait for both, the crowd and the time."""

NEXT_BLOCK, TWO_BLOCKS, SAME_BLOCK = "sell_next_block", "sell_two_blocks", "sell_same_block"
MINUTES, HOUR, DAY, WEEK, YEAR = (
    "sell_after_30_blocks",
    "sell_after_an_hour",
    "sell_after_a_day",
    "sell_after_a_week",
    "sell_after_a_year",
)
IN_PARTS, CROWDED, FALLEN = "sell_in_parts", "sell_after_others", "sell_after_a_fall"
LITTLE_BY_LITTLE, RUSHED, AGAIN = "sell_little_by_little", "sell_after_a_rush", "sell_after_a_trial"
LATE = "sell_as_latecomer"
SOARED, CRASHED = "sell_after_a_rise", "sell_after_a_crash"
IN_HASTE, AS_SENT = "sell_in_haste", "sell_as_sent"
AS_SENT_LATER, AS_SENT_NEXT_DAY = "sell_as_sent_later", "sell_as_sent_next_day"
LARGER = "larger_purchase"

SELLERS = 4
"""Who bought just before us and leaves just after: the price falls below the one we paid."""
SELLERS_KEEP_BPS = 2000
"""They keep a fifth, so that a taxed purchase suffices for what they sell."""
FALLEN_SHARE_BPS = 6500
"""Of what the purchase brought without them before it; with them it brings a fifth less."""
TRIAL = 100
"""A trial purchase is this fraction of the real one, and comes long before it."""
TRIAL_BLOCKS, TRIAL_SHARE_BPS = 33, 9500

FAR = 50_400
"""A week of Ethereum's blocks. Real nodes refuse to jump so far (geth: 256), a development chain and a fork do not."""
FAR_OFF = (
    (300, 3600),
    (700, 9000),
    (1500, 18_000),
    (3200, 39_000),
    (7200, 86_400),
    (16_000, 200_000),
    (33_000, 400_000),
)
"""Moments on the way there."""
HOUR_SECONDS, DAY_SECONDS = 3600, 86_400
YEAR_SECONDS = 400 * DAY_SECONDS

COIN = 10**18
COMFORT, FORTUNE = 40 * COIN, 9_000 * COIN
BUSY_PCT, QUIET_PCT = 400, 40
"""The base fee of a panic, as far as the bid reaches, and of a quiet Sunday, of the next block's. At 250 one judgement
in ten missed a door that shuts at twice the listing's fee: the fee of a later block drifts."""
SOARED_PCT, CRASHED_PCT = 400, 25
"""The pool's coins after a rise and after a crash, of what they were."""

MOMENTS = (
    (5, 0), (12, 0), (19, 0), (28, 0), (40, 0), (54, 0), (69, 0), (84, 0), (99, 3 * HOUR_SECONDS),
    (114, 8 * HOUR_SECONDS), (130, 13 * HOUR_SECONDS), (146, 19 * HOUR_SECONDS), (160, 32 * HOUR_SECONDS),
    (175, 56 * HOUR_SECONDS), (190, 83 * HOUR_SECONDS), (204, 101 * HOUR_SECONDS), (218, 130 * HOUR_SECONDS),
    (232, 167 * HOUR_SECONDS),
)  # fmt: skip
"""When a holding is sold little by little: no gap of sixteen blocks, all hours of a day, all days of a week."""
JITTER = 5


@dataclass(frozen=True, slots=True)
class Leg:
    """One sale: how many blocks (and, at the least, seconds) after the purchase, and what share of what is left."""

    blocks: int
    seconds: int = 0
    share_bps: int = ALL


@dataclass(frozen=True, slots=True)
class Scenario:
    """Buy, wait, sell; what is special about the circumstances."""

    name: str
    legs: tuple[Leg, ...]
    gas: int
    buy_gas: int | None = None
    """The gas limit of the purchase, where it is another than the sale's."""
    urgent: bool = False
    unlimited: bool = False
    """Approved without limit, as by hand: a token that minds means no good, though the desk approves what it sells."""
    other_proposer: bool = False
    crowd: bool = False
    """Others buy between our purchase and our sale."""
    rush: bool = False
    """Very many do, and one of them just before our sale, in its block."""
    late: bool = False
    """Very many have bought before us."""
    fall: bool = False
    """Others buy before us and sell between our purchase and our sale."""
    trial: bool = False
    """The same account has bought a little before."""
    delay: int = 0
    """Blocks that the purchase is mined later than the next."""
    coins_pct: int = 100
    """What trades that are not simulated have made of the pool's coins when we sell."""
    fee_pct: int = 100
    """The base fee of the sale, of the next block's."""
    purse: int | None = None
    """What the account owns besides; none for a person's pocket, 0 for hardly the fees."""
    sender: str = field(default_factory=fresh_address)


def matrix(gas: int, *, prices: Collection[int] = ()) -> list[Scenario]:
    """The scenarios that every token must pass. Jumps stay below the 256 blocks that real nodes simulate.

    `gas` is the most that a sale may use; the first scenario gives more, to learn what it does use. To the
    `prices`, of SOARED_PCT and CRASHED_PCT, the pool's price is moved without trades.
    """
    parts = (Leg(2, share_bps=4000), Leg(3, share_bps=5000), Leg(4))
    found = [
        Scenario(TWO_BLOCKS, (Leg(2),), max(GENEROUS_GAS, 2 * gas)),
        Scenario(NEXT_BLOCK, (Leg(1),), gas, purse=0),
        Scenario(SAME_BLOCK, (Leg(0),), gas),
        Scenario(MINUTES, (Leg(30),), gas, other_proposer=True, purse=COMFORT + secrets.randbelow(COMFORT)),
        Scenario(
            IN_HASTE, (Leg(3),), gas, urgent=True, unlimited=True, other_proposer=True, fee_pct=BUSY_PCT
        ),
        Scenario(HOUR, (Leg(101, HOUR_SECONDS),), gas, delay=2, purse=FORTUNE + secrets.randbelow(FORTUNE)),
        Scenario(DAY, (Leg(200, DAY_SECONDS),), gas, other_proposer=True, fee_pct=QUIET_PCT),
        Scenario(WEEK, _far_off(), gas),
        Scenario(YEAR, (Leg(240, YEAR_SECONDS),), gas),
        Scenario(IN_PARTS, parts, gas),
        Scenario(LITTLE_BY_LITTLE, _moments(), gas),
        Scenario(CROWDED, (Leg(CROWD * CROWD_STEP + 1),), gas, crowd=True),
        Scenario(RUSHED, (Leg(AFTER_RUSH, 2 * HOUR_SECONDS),), gas, rush=True),
        Scenario(LATE, (Leg(2, share_bps=FALLEN_SHARE_BPS),), gas, late=True, delay=RUSH_BLOCKS),
        Scenario(FALLEN, (Leg(3, share_bps=FALLEN_SHARE_BPS),), gas, fall=True),
        Scenario(AGAIN, (Leg(2, share_bps=TRIAL_SHARE_BPS),), gas, trial=True, delay=TRIAL_BLOCKS),
    ]
    if SOARED_PCT in prices:
        found.append(Scenario(SOARED, (Leg(37),), gas, coins_pct=SOARED_PCT))
    if CRASHED_PCT in prices:
        found.append(Scenario(CRASHED, (Leg(58, 2 * HOUR_SECONDS),), gas, coins_pct=CRASHED_PCT))
    return found


def _far_off() -> tuple[Leg, ...]:
    """A little at each moment on the way, and then nearly all."""
    return (*(Leg(blocks, seconds, 500) for blocks, seconds in FAR_OFF), Leg(FAR, 7 * DAY_SECONDS))


def _moments() -> tuple[Leg, ...]:
    """Equal parts, each at its moment or a little later."""
    left = len(MOMENTS)
    return tuple(
        Leg(
            blocks + secrets.randbelow(JITTER),
            seconds + secrets.randbelow(HOUR_SECONDS),
            ALL // (left - index),
        )
        if seconds
        else Leg(blocks + secrets.randbelow(JITTER), 0, ALL // (left - index))
        for index, (blocks, seconds) in enumerate(MOMENTS)
    )
