"""The dossier of one token, for a command; and what the levels weigh."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import NotFound, UsageProblem
from sniper_cli.sniping.launches import exact

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchanges
    from sniper_cli.chains.node import Node
    from sniper_cli.context import Context
    from sniper_cli.pools.pool import Pool
    from sniper_cli.safety.dossier import Dossier
    from sniper_cli.sniping.stakes import Stake

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
POOL = re.compile(r"0x(?:[0-9a-fA-F]{40}|[0-9a-fA-F]{64})")
"""v4's pools have no address; 32 bytes name them."""
V4_ID = 66


def check_token(
    token: str, profile: str | None, *, level: str | None = None, pool: str | None = None
) -> dict[str, Any]:
    """Compile a token's dossier on the profile's chain, at a level other than the settings' if one is named.

    Raises UsageProblem, NotFound, ConfigurationError, NetworkError.
    """
    from sniper_cli.context import open_context
    from sniper_cli.safety.levels import LEVELS

    if not ADDRESS.fullmatch(token):
        raise UsageProblem(
            f"{token!r} is no address: 0x and 40 hexadecimal digits", hint="sniper snipe launches"
        )
    if pool is not None and not POOL.fullmatch(pool):
        raise UsageProblem(
            f"{pool!r} is no pool: 0x and 40 hexadecimal digits, of a v4 pool 64",
            hint="sniper snipe launches",
        )
    if level is not None and level not in LEVELS:
        raise UsageProblem(
            f"there is no level {level!r}: {', '.join(LEVELS)}", hint="sniper snipe levels", level=level
        )
    with open_context(profile, needs_schema=False) as context:
        dossier = asyncio.run(_compile(context, token.lower(), level, pool))
        stake = _stake(context, dossier.report.liquidity)
    plain: dict[str, Any] = exact(dossier.as_json() | {"stake": stake.as_json()})
    return plain


def _stake(context: Context, liquidity: int | None) -> Stake:
    """What a launch with such a pool would be bought for now, and why so much."""
    from sniper_cli.sniping.stakes import purse_of, stake_of
    from state.accounts import find_account
    from state.schema import SchemaState, status

    purse = None
    if status(context.database).state is SchemaState.CURRENT:
        with context.database.read() as session:
            account = find_account(session, context.account_name)
            purse = None if account is None else purse_of(session, account)
    return stake_of(context.settings.sniping, purse, liquidity)


async def _compile(context: Context, token: str, level: str | None, pool: str | None) -> Dossier:
    from sniper_cli.chains.exchange import exchanges_from
    from sniper_cli.safety.deployers import history_in
    from sniper_cli.safety.dossier import Extras, compile_dossier
    from sniper_cli.safety.levels import level_named
    from sniper_cli.safety.policy import SafetyPolicy
    from sniper_cli.safety.sidecar import SideCar
    from sniper_cli.sniping.second_opinions import second_opinions
    from sniper_cli.sniping.station import address_of
    from sniper_cli.trading.assembly import open_market
    from state.schema import SchemaState, status

    settings = context.settings.sniping
    exchanges = exchanges_from(context.settings.chain, context.paths)
    kept = status(context.database).state is SchemaState.CURRENT
    asked = second_opinions(context.resolved, context.paths, context.database if kept else None)
    async with (
        open_market(context) as (node, _),
        SideCar(exchanges.chain_id) as side_car,
        asked as opinions,
    ):
        place = await _place(context, node, exchanges, token, pool)
        history = history_in(context.database, exchanges.chain_id, besides=place.id) if kept else None
        return await compile_dossier(
            node,
            place,
            amount=int(settings.amount * 10**18),
            policy=SafetyPolicy.from_settings(settings, block_seconds=context.settings.chain.block_seconds),
            # A level named here is asked about as it is, without the profile's own weights.
            level=level_named(level) if level else level_named(settings.level, settings.policy),
            sender=address_of(context),
            extras=Extras(history, opinions.asked, side_car),
        )


async def _place(context: Context, node: Node, exchanges: Exchanges, token: str, pool: str | None) -> Pool:
    """The pool that is named, or the token's deepest. Raises NotFound, NetworkError."""
    from sniper_cli.pools.finding import find_made, find_pools
    from sniper_cli.safety.judge import require_pool
    from sniper_cli.venues.evm.instruments import first_pool

    if pool is None:
        return await require_pool(node, exchanges, token)
    known = _launched(context, exchanges, pool.lower())
    if known is not None:
        return known
    found = await find_pools(node, exchanges, token)
    named = next((each for each in found if each.id == pool.lower()), None)
    if named is None and len(pool) == V4_ID:
        made = await find_made(node, exchanges, pool.lower())
        if made is None or made.token != token.lower():
            raise NotFound(
                f"no v4 pool of {token} has the id {pool}", hint=f"sniper snipe check {token}", pool=pool
            )
        named = made
    # What no factory knows is judged all the same: the dossier says whose it is not.
    return named or first_pool(exchanges, token, pool.lower())


def _launched(context: Context, exchanges: Exchanges, pool: str) -> Pool | None:
    """The pool of a launch on record: a v4 pool's terms stand nowhere else."""
    from sniper_cli.venues.evm.instruments import launched_pool
    from state.launches import find_launch
    from state.schema import SchemaState, status

    if status(context.database).state is not SchemaState.CURRENT:
        return None
    with context.database.read() as session:
        launch = find_launch(session, exchanges.chain_id, pool)
        return None if launch is None else launched_pool(launch, exchanges)


def level_lines(profile: str | None) -> list[dict[str, str]]:
    """What each line weighs at each level, and in the profile: `refuse`, or `refuse, warn` where not proven differs."""
    from sniper_cli.context import open_context
    from sniper_cli.safety.levels import LEVELS, WEIGHTS, Weight, level_named
    from sniper_cli.settings.keys import descriptions

    def spelled(weights: tuple[Weight, Weight]) -> str:
        return ", ".join(dict.fromkeys(weight.value for weight in weights))

    with open_context(profile, needs_schema=False) as context:
        settings = context.settings.sniping
        own = level_named(settings.level, settings.policy)
    ready = {name: level_named(name) for name in LEVELS}
    words = descriptions()
    return [
        {"line": line}
        | {name: spelled(level.weights[line]) for name, level in ready.items()}
        | {"in_force": spelled(own.weights[line]), "about": words.get(f"sniping.policy.{line}", "")}
        for line in WEIGHTS
    ]
