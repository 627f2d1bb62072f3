"""When which token is launched: a pure function of a seed.

Launches come in acts of fourteen, lasting 11.5 intervals (just under a minute at the usual five seconds). The order of
the classes is the same in each act of a seed, so *any* fourteen launches in a row hold the whole variety:

- four honest tokens (one of them taxed, one opening late) under four scripts: its price soars, swings, fades, rests,
- one rug pull, all five within the first ten places, so that each has time to play out within a minute,
- eight traps, each another one: they are dealt in turn from the twelve there are,
- one token taxed above the usual policy.

Most are listed on Uniswap V2, some on V3, fewer on v4; each act has honest tokens without a tax on all three. A token
that keeps a part of each transfer cannot be sold to a pool of V3 at all, so nobody honest lists one there: taxed ones
are on V2 and v4. Pools of V3 and v4 span all prices, or are a launchpad's: tokens only, in one range from the price on.

Times are milliseconds after the start of the staging.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from random import Random

from sniper_cli.chains.exchange import Protocol
from sniper_cli.demo.cast import (
    HONEST,
    LATE_OPENING,
    OVERTAXED,
    RUG_PULL,
    TAXED,
    TRAPS,
    Role,
    TokenName,
    token_names,
)

WEI = 10**18
ACT = 14
"""Launches in an act."""
ACT_INTERVALS = 11.5
"""… which lasts so many intervals: a minute holds it whole, with its last launch judged."""
FIRST_MS = 1_200
"""When the first token is launched: the block before is needed to deploy it."""
LAST_MS = 4_000
"""No launch so shortly before the end: it could not even be judged."""
JITTER_MS = 500
TAX_EXCHANGES = (Protocol.V2, Protocol.V2, Protocol.V4)
"""Where a taxed token may be listed."""
TRAP_EXCHANGES = (*[Protocol.V2] * 5, *[Protocol.V3] * 2, Protocol.V4)
"""Where an act's eight traps are listed, in an order of its own."""
FEES = {
    Protocol.V2: (3000,),
    Protocol.V3: (500, 3000, 3000, 10_000, 10_000),
    Protocol.V4: (500, 3000, 10_000),
}
"""To choose from, in hundredths of a basis point; launches like the dear ones."""


class Script(StrEnum):
    """What other traders make of a token's price."""

    SOAR = "soar"
    """More than doubles: a take-profit's day."""
    SWING = "swing"
    """Rises by a third and comes back: what trailing stops are for."""
    FADE = "fade"
    """A large holder sells until half is left: a stop-loss."""
    REST = "rest"
    """Hardly moves: left by time."""
    LURE = "lure"
    """A rug pull: rises a little until the liquidity goes."""
    BAIT = "bait"
    """A trap, or a tax: a few buy, and stay."""


@dataclass(frozen=True, slots=True)
class PlannedLaunch:
    """One launch. Accounts are numbered by `index`: every launch has a deployer of its own."""

    index: int
    at_ms: int
    role: Role
    script: Script
    name: TokenName
    supply: int
    listed: int
    """How many token units go into the pool; the rest is with a large holder, or with the deployer."""
    pool_wei: int
    taxes: tuple[int, int] | None
    pair_first: bool
    """The pair is created by a transaction of its own, and stands empty for a block or two."""
    listed_ms: int
    """When the liquidity is added; `at_ms` unless the pair came first."""
    opened_ms: int
    """When trading opens; `listed_ms` unless the role opens late."""
    pulled_ms: int | None
    """When the deployer takes the liquidity back."""
    burns_liquidity: bool
    """The pool's shares, or its position, go to nobody: the honest way to list."""
    protocol: Protocol = Protocol.V2
    fee: int = 3000
    tokens_only: bool = False
    """As launchpads list: the position holds no coins but those that buyers bring. `pool_wei` then says the price, and
    how deep the pool is: purchases move its price just as they would if so many coins lay in it."""


def plan_launches(
    seed: int,
    duration: float,
    *,
    interval: float = 5.0,
    start_index: int = 0,
    protocols: Collection[Protocol] = tuple(Protocol),
) -> list[PlannedLaunch]:
    """The launches of so many seconds. Another `start_index` continues the same seed with further tokens.

    What would be listed on a protocol that the chain has not is listed on V2.
    """
    spacing_ms = interval * 1000 * ACT_INTERVALS / ACT
    end_ms = duration * 1000 - LAST_MS
    score = _Score(seed)
    launches = []
    for count in range(int(end_ms / spacing_ms) + 2):
        index = start_index + count
        chance = Random(f"launch:{seed}:{index}")  # noqa: S311 - theatre, not cryptography
        drift_ms = round(chance.uniform(-1, 1) * min(JITTER_MS, spacing_ms / 3))
        at_ms = FIRST_MS + round(count * spacing_ms) + (drift_ms if count else 0)
        if at_ms < end_ms or not count:
            planned = _launch(score, index, at_ms, chance)
            launches.append(planned if planned.protocol in protocols else on_v2(planned))
    return launches


def on_v2(launch: PlannedLaunch) -> PlannedLaunch:
    """The same launch, listed on V2."""
    return replace(launch, protocol=Protocol.V2, fee=FEES[Protocol.V2][0], tokens_only=False)


class _Score:
    """What a seed decides once: the order of the classes within an act, and the order of the traps."""

    def __init__(self, seed: int) -> None:
        chance = Random(f"score:{seed}")  # noqa: S311 - theatre, not cryptography
        self._seed = seed
        self._protocols: dict[int, list[Protocol]] = {}
        self.names = token_names(seed)
        self.traps = chance.sample(TRAPS, len(TRAPS))
        self.places = _places(chance)
        self._trap_places = [place for place, cast in enumerate(self.places) if cast is None]

    def role_at(self, index: int) -> tuple[Role, Script]:
        """The role and the script of a launch."""
        act, place = divmod(index, ACT)
        if (cast := self.places[place]) is not None:
            return cast
        dealt = act * len(self._trap_places) + self._trap_places.index(place)
        return self.traps[dealt % len(self.traps)], Script.BAIT

    def protocol_at(self, index: int) -> Protocol:
        """Where a launch is listed."""
        act, place = divmod(index, ACT)
        if act not in self._protocols:
            roles = [self.role_at(act * ACT + each)[0] for each in range(ACT)]
            chance = Random(f"protocols:{self._seed}:{act}")  # noqa: S311 - theatre, not cryptography
            self._protocols[act] = _protocols(roles, chance)
        return self._protocols[act][place]


def _places(chance: Random) -> list[tuple[Role, Script] | None]:
    """An act's fourteen places; none stands for a trap."""
    scripts = [Script.SOAR, Script.SWING, Script.FADE]
    chance.shuffle(scripts)
    late, taxed, honest = scripts
    buyable = [(LATE_OPENING, late), (TAXED, taxed), (HONEST, honest), (RUG_PULL, Script.LURE)]
    chance.shuffle(buyable)
    if buyable[-1][0] is LATE_OPENING:
        buyable.reverse()
    # What opens late and what is left by time must come early, so that their time can pass within a minute.
    buyable.insert(chance.randrange(2), (HONEST, Script.REST))
    places: list[tuple[Role, Script] | None] = []
    for cast in buyable:
        pair: list[tuple[Role, Script] | None] = [cast, None]
        chance.shuffle(pair)
        places += pair
    rest: list[tuple[Role, Script] | None] = [(OVERTAXED, Script.BAIT), None, None, None]
    chance.shuffle(rest)
    return places + rest


def _protocols(roles: list[Role], chance: Random) -> list[Protocol]:
    """Where each of an act's tokens is listed."""
    honest = chance.sample(list(Protocol), len(Protocol))
    traps = chance.sample(TRAP_EXCHANGES, len(TRAP_EXCHANGES))
    found = []
    for role in roles:
        if role is RUG_PULL:
            found.append(chance.choice(list(Protocol)))
        elif role in TRAPS:
            found.append(traps.pop())
        else:
            found.append(chance.choice(TAX_EXCHANGES) if role.taxing else honest.pop())
        if role.taxing and found[-1] is Protocol.V3:
            found[-1] = Protocol.V2
    return found


def _launch(score: _Score, index: int, at_ms: int, chance: Random) -> PlannedLaunch:
    role, script = score.role_at(index)
    supply = chance.choice((1, 5, 10, 100, 420, 1_000)) * 1_000_000 * WEI
    held_back = 30 if script is Script.FADE else chance.choice((0, 5, 10))
    bad_or_thin = role.bad and role is not RUG_PULL
    pair_first = chance.random() < 0.25 and role is not LATE_OPENING and index % ACT != 0
    listed_ms = at_ms + (chance.randint(1_200, 2_400) if pair_first else 0)
    opened_ms = listed_ms + (chance.randint(2_500, 5_500) if role is LATE_OPENING else 0)
    protocol = score.protocol_at(index)
    return PlannedLaunch(
        index=index,
        at_ms=at_ms,
        role=role,
        script=script,
        name=score.names[index % len(score.names)],
        supply=supply,
        listed=supply * (100 - held_back) // 100,
        pool_wei=chance.randint(3_000, 9_000 if bad_or_thin else 16_000) * WEI // 1_000,
        taxes=chance.choice(role.taxes) if role.taxes else None,
        pair_first=pair_first,
        listed_ms=listed_ms,
        opened_ms=opened_ms,
        pulled_ms=listed_ms + chance.randint(8_000, 11_000) if role is RUG_PULL else None,
        burns_liquidity=not role.bad and chance.random() < 0.7,
        protocol=protocol,
        fee=chance.choice(FEES[protocol]),
        # Where a large holder sells, there must be coins that nobody brought.
        tokens_only=protocol is not Protocol.V2 and script is not Script.FADE and chance.random() < 0.5,
    )
