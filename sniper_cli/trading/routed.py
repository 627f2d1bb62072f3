"""A swap over several pools as an order: the token against the coin, placed, sent and booked as any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sniper_cli.chains.exchange import exchanges_from
from sniper_cli.errors import ConfigurationError, UsageProblem
from sniper_cli.routing.tokens import address_meant
from sniper_cli.settings.model import Mode
from sniper_cli.trading.families import Family
from sniper_cli.trading.placing import Placed, place
from sniper_cli.trading.requests import OrderRequest

if TYPE_CHECKING:
    from sniper_cli.context import Context


@dataclass(frozen=True, slots=True)
class SwapRequest:
    """What was typed: tokens by address, or the coin by its name; the amount in whole units of what is given."""

    token_in: str
    token_out: str
    amount: str
    via: tuple[str, ...] = ()
    slippage_bps: int | None = None
    client_id: str | None = None


async def swap(
    context: Context,
    request: SwapRequest,
    agree: Callable[[str], None],
    *,
    tell: Callable[[str], None] = lambda _: None,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> Placed:
    """Rehearse, have it agreed to, place and follow. Raises as `placing.place` does, ConfigurationError on paper."""
    if context.settings.mode is Mode.PAPER:
        raise ConfigurationError(
            f"the profile {context.profile!r} trades on paper, and routes are on a chain",
            hint="sniper route swap … --profile devnet",
        )
    exchanges = exchanges_from(context.settings.chain, context.paths)
    (given, pays_coin), (wanted, takes_coin) = (
        address_meant(word, exchanges) for word in (request.token_in, request.token_out)
    )
    if pays_coin == takes_coin:
        raise UsageProblem(
            f"one of the two must be {exchanges.coin} itself: the books keep every token against it",
            hint=f"two swaps: sniper route swap TOKEN_IN {exchanges.coin} …, then {exchanges.coin} TOKEN_OUT …",
        )
    asked = OrderRequest(
        side="buy" if pays_coin else "sell",
        instrument=wanted if pays_coin else given,
        budget=request.amount if pays_coin else None,
        quantity=None if pays_coin else request.amount,
        slippage_bps=request.slippage_bps,
        client_id=request.client_id,
    )
    others = [address_meant(word, exchanges)[0] for word in (*context.settings.chain.bases, *request.via)]

    def shape(family: Family) -> Family:
        head = msgspec.structs.replace(
            family.head,
            route=tuple(dict.fromkeys(others)),
            reason={"origin": "command", "route": "several pools"},
        )
        return Family(head)

    return await place(
        context, asked, agree, tell=tell, dry_run=dry_run, live=live, wait_seconds=wait_seconds, shape=shape
    )
