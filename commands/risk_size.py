"""`sniper risk size`: how much to order, by a method, with every figure that led to it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from commands.options import (
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    complete_instruments,
    reads,
)
from sniper_cli.output import Column, Format, emit, format_of


class Method(StrEnum):
    """Ways to decide a size; those of `sniper_cli.risk.methods`, whose module is not needed for a help text."""

    fixed = "fixed"
    fixed_fractional = "fixed_fractional"
    atr = "atr"
    volatility_target = "volatility_target"
    kelly = "kelly"
    kelly_continuous = "kelly_continuous"
    optimal_f = "optimal_f"
    risk_parity = "risk_parity"


SIZE = (
    Column("account"),
    Column("instrument"),
    Column("method"),
    Column("quantity", exact=True),
    Column("base"),
    Column("notional", exact=True),
    Column("at_risk", exact=True),
    Column("quote"),
    Column("price", exact=True),
    Column("stop", exact=True),
    Column("equity", exact=True),
    Column("bound_by"),
    Column("figures", show=lambda figures: "\n".join(f"{name} {value}" for name, value in figures.items())),
    Column("refusals", show="\n".join, style=lambda reasons: "bad" if reasons else None),
    Column("command"),
)


@reads
def size(
    instrument: Annotated[str, typer.Argument(help="A symbol.", autocompletion=complete_instruments)],
    method: Annotated[Method, typer.Option("--method", help="How to decide.")] = Method.fixed_fractional,
    stop: Annotated[
        str | None, typer.Option("--stop", metavar="PRICE", help="Where it is left at a loss.")
    ] = None,
    risk: Annotated[
        str | None,
        typer.Option("--risk", metavar="SHARE", help="Of the equity, lost at the stop or at one range: 1%."),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option("--price", metavar="PRICE", help="Where it will be bought; the market's if none."),
    ] = None,
    quantity: Annotated[
        str | None, typer.Option("--quantity", metavar="AMOUNT", help="fixed: so much.")
    ] = None,
    notional: Annotated[
        str | None, typer.Option("--notional", metavar="AMOUNT", help="fixed: for so much money.")
    ] = None,
    atr: Annotated[
        str | None,
        typer.Option("--atr", metavar="PRICE", help="atr: the average true range; that of 14 days if none."),
    ] = None,
    stop_multiple: Annotated[
        str | None,
        typer.Option("--stop-multiple", metavar="N", help="atr: the stop stands so many ranges away: 2."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="SHARE", help="volatility_target: a year's volatility: 20%."),
    ] = None,
    volatility: Annotated[
        str | None,
        typer.Option("--volatility", metavar="SHARE", help="A year's; that of the last 60 days if none."),
    ] = None,
    max_leverage: Annotated[
        str | None,
        typer.Option("--max-leverage", metavar="N", help="volatility_target: at most so many times: 1."),
    ] = None,
    win_rate: Annotated[
        str | None,
        typer.Option("--win-rate", metavar="SHARE", help="kelly: the chance; of closed positions if none."),
    ] = None,
    win_multiple: Annotated[
        str | None, typer.Option("--win-multiple", metavar="N", help="kelly: what a win brings of the stake.")
    ] = None,
    loss_multiple: Annotated[
        str | None,
        typer.Option("--loss-multiple", metavar="N", help="kelly: what a loss takes of the stake: 1."),
    ] = None,
    drift: Annotated[
        str | None,
        typer.Option("--drift", metavar="SHARE", help="kelly_continuous: a year's; of 60 days if none."),
    ] = None,
    fraction: Annotated[
        str | None, typer.Option("--fraction", metavar="SHARE", help="Of Kelly's stake or optimal f: 0.5.")
    ] = None,
    cap: Annotated[
        str | None, typer.Option("--cap", metavar="SHARE", help="Of the equity, whatever Kelly says: 25%.")
    ] = None,
    trades: Annotated[
        str | None, typer.Option("--trades", metavar="A,B", help="optimal_f: results of one unit each.")
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option("--with", metavar="A,B", help="risk_parity: the portfolio's other instruments."),
    ] = None,
    invested: Annotated[
        str | None,
        typer.Option("--invested", metavar="SHARE", help="risk_parity: of the equity, in all: 100%."),
    ] = None,
    max_fraction: Annotated[
        str | None,
        typer.Option("--max-fraction", metavar="SHARE", help="Never more than this of the equity."),
    ] = None,
    max_risk: Annotated[
        str | None, typer.Option("--max-risk", metavar="SHARE", help="Never lose more than this at the stop.")
    ] = None,
    account: Annotated[
        str | None,
        typer.Option("--account", metavar="NAME", help="For this account; the profile's if none is named."),
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Say how much to buy, by a method, cut to lots, money and limits; with every figure. Exit 6 if nothing may be.

    Examples:
        $ sniper risk size BTC/USDT --stop 80000 --price 90000 --risk 1%
        $ sniper risk size ETH/USDT --method volatility_target --target 15% --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.errors import OrderRefused
    from sniper_cli.risk.suggesting import Wish, suggest

    wish = Wish(
        instrument, method.value, account, price, stop, risk, quantity, notional, atr, stop_multiple, target,
        volatility, max_leverage, win_rate, win_multiple, loss_multiple, drift, fraction, cap, _list(trades),
        _list(beside), invested, max_fraction, max_risk,
    )  # fmt: skip
    with open_context(profile) as context:
        found = suggest(context, wish)
    emit(found, columns=SIZE, fmt=format_of(output, json), fields=fields)
    if found.refusals:
        raise OrderRefused("; ".join(found.refusals), hint="sniper risk size --help")


def _list(text: str | None) -> list[str]:
    return [one.strip() for one in (text or "").split(",") if one.strip()]
