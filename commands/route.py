"""`sniper route`: trades over several pools, quoted and placed."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    YesOption,
    reads,
    require_fields,
    writes,
)
from commands.order_columns import PLACED
from commands.trading import LiveOption, WaitOption
from sniper_cli.output import Column, Format, confirm, emit, format_of, note

app = typer.Typer(
    help="Find the best way of one token into another over several pools.", no_args_is_help=True
)

VERDICTS = {"as quoted": "good"}


def _lines(legs: list[dict[str, Any]]) -> str:
    return "\n".join(
        f"{leg['share_bps'] / 100:g} %: "
        + ", ".join(f"{hop['symbol_in']} to {hop['symbol_out']} in {hop['pool']}" for hop in leg["hops"])
        for leg in legs
    )


def _call(call: dict[str, str]) -> str:
    return f"to {call['to']}, {len(call['data']) // 2 - 1} bytes, {call['value']} wei; the data with --json"


ROUTE = (
    Column("token_in"),
    Column("symbol_in"),
    Column("token_out"),
    Column("symbol_out"),
    Column("amount_in", exact=True),
    Column("amount_out", exact=True),
    Column("least_out", exact=True),
    Column("slippage_bps"),
    Column("single_out", exact=True),
    Column("gain_bps"),
    Column("gas"),
    Column("gas_cost", exact=True),
    Column("gas_counted"),
    Column("simulated_out", exact=True),
    Column("simulation", style=lambda words: VERDICTS.get(words, "warn")),
    Column("pools_seen"),
    Column("block_number"),
    Column("block_hash"),
    Column("router"),
    Column("holder"),
    Column("legs", show=_lines),
    Column("call", show=_call),
)
HOPS = (
    Column("leg", right=True, priority=0),
    Column("share", right=True, priority=0),
    Column("protocol", priority=1),
    Column("fee", right=True, priority=2),
    Column("pool", priority=1),
    Column("amount_in", "in", exact=True, right=True, priority=0),
    Column("symbol_in", "", priority=0),
    Column("amount_out", "out", exact=True, right=True, priority=0),
    Column("symbol_out", "", priority=0),
)

POOLS = (
    Column("protocol", priority=0),
    Column("exchange", priority=2),
    Column("fee", right=True, priority=0),
    Column("pool", priority=0),
    Column("depth0", "depth", exact=True, right=True, priority=1),
    Column("symbol0", "", priority=0),
    Column("depth1", "depth", exact=True, right=True, priority=1),
    Column("symbol1", "", priority=0),
    Column("token0", in_table=False),
    Column("token1", in_table=False),
    Column("block_number", in_table=False),
)


def _hops(legs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a hop; a leg's number and share stand at its first."""
    return [
        {**hop, "leg": place if hop is leg["hops"][0] else "", "share": f"{leg['share_bps'] / 100:g} %"}
        for place, leg in enumerate(legs, start=1)
        for hop in leg["hops"]
    ]


@app.command()
@reads
def quote(
    token_in: Annotated[
        str, typer.Argument(metavar="TOKEN_IN", help="What is given: an address, or the coin: ETH.")
    ],
    token_out: Annotated[str, typer.Argument(metavar="TOKEN_OUT", help="What is wanted.")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much is given, in whole units.")],
    split: Annotated[
        bool, typer.Option("--split/--no-split", help="Divide the amount over several paths, or use one.")
    ] = True,
    via: Annotated[
        list[str] | None,
        typer.Option("--via", metavar="TOKEN", help="The route may also lead through this token's pools."),
    ] = None,
    hops: Annotated[int, typer.Option("--hops", min=1, max=3, help="Pools in a row, at most.")] = 3,
    slippage_bps: Annotated[
        int | None,
        typer.Option("--slippage-bps", min=0, max=10_000, help="How much less may come out than quoted."),
    ] = None,
    holder: Annotated[
        str | None,
        typer.Option("--holder", metavar="WHO", help="Who would trade: a wallet, or an address."),
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Quote the best route of one token into another, over pools of V2, V3 and v4, and try it without sending it.

    The amount is divided over several paths where that brings more, gas counted. With a holder (the profile's wallet,
    or --holder) the transaction stands under `call`. Nothing is sent.

    Examples:
        $ sniper route quote ETH 0x5FbDB2315678afecb367f032d93F642f64180aa3 0.5
        $ sniper route quote 0x5FbDB2315678afecb367f032d93F642f64180aa3 ETH 1000 --no-split --json --fields amount_out
    """
    from sniper_cli.routing.answering import RouteQuestion, quote_route

    found = quote_route(
        RouteQuestion(token_in, token_out, amount, tuple(via or ()), holder, split, hops, slippage_bps),
        profile,
    )
    fmt = format_of(output, json)
    if fmt is Format.TABLE and fields is None:
        emit(_hops(found["legs"]), fmt=fmt, columns=HOPS)
        note("")
    emit(found, fmt=fmt, fields=fields, columns=ROUTE)


@app.command()
@writes
def swap(
    token_in: Annotated[
        str, typer.Argument(metavar="TOKEN_IN", help="What is given: the coin (ETH), or a token's address.")
    ],
    token_out: Annotated[
        str, typer.Argument(metavar="TOKEN_OUT", help="What is wanted: a token, or the coin.")
    ],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much is given, in whole units.")],
    via: Annotated[
        list[str] | None,
        typer.Option("--via", metavar="TOKEN", help="The route may also lead through this token's pools."),
    ] = None,
    slippage_bps: Annotated[
        int | None,
        typer.Option("--slippage-bps", min=0, max=10_000, help="How much less may come out than quoted."),
    ] = None,
    client_id: Annotated[
        str | None,
        typer.Option("--client-id", metavar="KEY", help="The same key is the same order, however often."),
    ] = None,
    live: LiveOption = False,
    wait: WaitOption = 30,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Buy or sell a token along the best route over several pools, as an order like any other.

    One of the two is the chain's coin. The amount is divided over several paths where that brings more, gas counted.

    Examples:
        $ sniper route swap ETH 0x5FbDB2315678afecb367f032d93F642f64180aa3 0.5 --dry-run
        $ sniper route swap 0x5FbDB2315678afecb367f032d93F642f64180aa3 ETH 1000 --client-id out-of-it --yes
    """
    require_fields(PLACED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.routed import SwapRequest, swap

    request = SwapRequest(token_in, token_out, amount, tuple(via or ()), slippage_bps, client_id)
    with open_context(profile) as context:
        placed = asyncio.run(
            swap(
                context,
                request,
                lambda question: confirm(question, yes=yes),
                tell=lambda words: note(words, "warn"),
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(placed, columns=PLACED, fmt=format_of(output, json), fields=fields)


@app.command()
@reads
def pools(
    tokens: Annotated[
        list[str],
        typer.Argument(
            metavar="TOKEN…", help="Addresses, or the coin's name; the coin is always among them."
        ),
    ],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the pools between any two of some tokens and the coin: what routes are made of.

    A V3 or v4 pool's depth is what its present range of prices is like; beyond it there may be more or less.

    Examples:
        $ sniper route pools 0x5FbDB2315678afecb367f032d93F642f64180aa3
        $ sniper route pools 0x5FbDB2315678afecb367f032d93F642f64180aa3 --json --fields pool,depth0,depth1
    """
    from sniper_cli.routing.answering import list_pools

    found = list_pools(tuple(tokens), profile)
    emit(found, fmt=format_of(output, json), fields=fields, columns=POOLS, empty="there is no pool")
