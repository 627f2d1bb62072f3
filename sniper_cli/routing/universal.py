"""A route that leads through pools of v4, as one `execute` of Uniswap's UniversalRouter.

It trades in pools of all three protocols, each run of hops of one protocol by one command, on what the one before left
with the router. The chain's coin stands in V2 and V3 wrapped, in v4 mostly by itself: between two such pools the router
wraps or unwraps it. Coins that come out are unwrapped at the very end even where a pool of v4 paid them plainly: plain
coins leave no log, and what a trade brought must be told by the chain to the wei. So nobody's coin, left with the
router, is counted as ours or missed: an unwrapping tells of all that it hands out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools import universal
from sniper_cli.pools.pool import ZERO_ADDRESS, Pool
from sniper_cli.pools.universal import ROUTER_ITSELF, WHOLE_BALANCE, WHOLE_DELTA
from sniper_cli.pools.words import WORD, byte_string, words
from sniper_cli.pricing.routes import Hop
from sniper_cli.pricing.splitting import Leg, Split

if TYPE_CHECKING:
    from sniper_cli.routing.calls import Errand

Command = tuple[str, str]
"""Its byte, and its input."""


@dataclass(slots=True)
class _Run:
    """Hops in a row that one command trades."""

    protocol: Protocol
    hops: list[Hop]
    enters: str
    """The currency that goes in; the zero address is the coin itself."""
    leaves: str


def route_data(split: Split, known: Mapping[str, Pool], errand: Errand) -> str:
    """The calldata of a route."""
    legs = [(leg, _runs(leg, known)) for leg in split.legs]
    token_out = split.legs[0].path.tokens[-1]
    commands: list[Command] = []
    wrapping = sum(leg.amount_in for leg, runs in legs if runs[0].enters != ZERO_ADDRESS)
    if errand.coin_in and wrapping:
        commands.append((universal.WRAP, words(ROUTER_ITSELF, wrapping)))
    gathered = errand.coin_out or len(legs) > 1 or legs[0][1][-1].leaves != token_out
    to, least = (ROUTER_ITSELF, 0) if gathered else (errand.owner, errand.least)
    for leg, runs in legs:
        commands += _leg_commands(leg, runs, known, to, least, paid=errand.coin_in)
    if errand.coin_out:
        commands.append((universal.UNWRAP, words(errand.owner, errand.least)))
    elif gathered:
        commands.append((universal.SWEEP, words(token_out, errand.owner, errand.least)))
    if errand.coin_in:
        # What a V3 pool could not take comes back; a v4 pool that cannot take all has the whole reverted.
        commands.append((universal.UNWRAP, words(errand.owner, 0)))
    return universal.execute(errand.deadline, *commands)


def is_universal_route(data: str) -> bool:
    """Whether calldata is such a transaction: more commands than the one of a trade in one v4 pool.

    With a pool of the wrapped coin such a trade has more of them, too, and moves what a route's would.
    """
    if not is_universal(data):
        return False
    spoken = "0x" + data[len(universal.EXECUTE) :]
    return abi.word(spoken, abi.word(spoken, 0) // WORD) > 1


def is_universal(data: str) -> bool:
    """Whether calldata is for the UniversalRouter."""
    return data.startswith(universal.EXECUTE)


def currency_of(pool: Pool, token: str) -> str:
    """What a pool knows a token of a route by: the coin is the zero address where the pool has it unwrapped."""
    plain = token == pool.exchange.wrapped and ZERO_ADDRESS in pool.currencies
    return ZERO_ADDRESS if plain else token


def _runs(leg: Leg, known: Mapping[str, Pool]) -> list[_Run]:
    """A leg's hops, those together that one command trades."""
    runs: list[_Run] = []
    for hop in leg.path.hops:
        pool = known[hop.pool]
        enters, leaves = (currency_of(pool, token) for token in (hop.token_in, hop.token_out))
        if runs and runs[-1].protocol is pool.protocol and runs[-1].leaves == enters:
            runs[-1].hops.append(hop)
            runs[-1].leaves = leaves
        else:
            runs.append(_Run(pool.protocol, [hop], enters, leaves))
    return runs


def _leg_commands(
    leg: Leg, runs: list[_Run], known: Mapping[str, Pool], to: str, least: int, *, paid: bool
) -> Iterator[Command]:
    """One leg's runs, the last one paying to `to`; `paid`: the router has the coins already, as the runs want them."""
    amount, users = leg.amount_in, not paid
    here = runs[0].enters if paid else leg.path.tokens[0]
    for run in runs:
        if run.enters != here:
            if users:
                yield universal.TAKE_IN, words(here, ROUTER_ITSELF, amount)
                users = False
            yield _into(run.enters)
        last = run is runs[-1]
        whither, at_least = (to, least) if last else (ROUTER_ITSELF, 0)
        yield _command(run, known, amount, at_least, whither, users=users)
        amount, users, here = WHOLE_BALANCE, False, run.leaves
    if here != leg.path.tokens[-1]:
        yield _into(leg.path.tokens[-1])


def _into(currency: str) -> Command:
    """All coins of the router's, unwrapped or wrapped."""
    if currency == ZERO_ADDRESS:
        return universal.UNWRAP, words(ROUTER_ITSELF, 0)
    return universal.WRAP, words(ROUTER_ITSELF, WHOLE_BALANCE)


def _command(
    run: _Run, known: Mapping[str, Pool], amount: int, least: int, to: str, *, users: bool
) -> Command:
    """The trade of a run; `users`: paid by the sender through Permit2, else by the router."""
    if run.protocol is Protocol.V2:
        path = (run.hops[0].token_in, *(hop.token_out for hop in run.hops))
        return universal.V2_SWAP, words(to, amount, least, 5 * WORD, users, len(path), *path)
    if run.protocol is Protocol.V3:
        packed = v3_path(run.hops, known)
        return universal.V3_SWAP, words(to, amount, least, 5 * WORD, users) + byte_string(packed)
    swaps = [
        (
            universal.SWAP_EXACT_IN,
            universal.swap_words(
                known[hop.pool],
                least if hop is run.hops[-1] else 0,
                zero_for_one=currency_of(known[hop.pool], hop.token_in) == known[hop.pool].currencies[0],
            ),
        )
        for hop in run.hops
    ]
    return universal.V4_SWAP, universal.plan(
        (universal.SETTLE, words(run.enters, amount, users)),
        *swaps,
        (universal.TAKE, words(run.leaves, to, WHOLE_DELTA)),
    )


def v3_path(hops: list[Hop] | tuple[Hop, ...], known: Mapping[str, Pool]) -> str:
    """Tokens with the fees of the pools between them, packed: what V3's routers take."""
    return hops[0].token_in[2:] + "".join(f"{known[hop.pool].fee:06x}{hop.token_out[2:]}" for hop in hops)
