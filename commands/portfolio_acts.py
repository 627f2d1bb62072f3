"""What `sniper portfolio` does: rebalance, prove and rebuild the books, write fills to a file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from commands.options import (
    AccountOption,
    AllOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    UntilOption,
    YesOption,
    reads,
    require_fields,
    writes,
)
from commands.portfolio_columns import EXPORTED, REBALANCE, REBUILT, VERIFIED
from commands.trading import LiveOption, WaitOption
from sniper_cli.output import Format, confirm, cut, emit, format_of, note, stderr_is_terminal


class Shape(StrEnum):
    """What a file of fills may be."""

    csv = "csv"
    parquet = "parquet"


@writes
def rebalance(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Weights in percent: BTC/USDT=50. The settings' if none.",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="A file with a target a line: BTC/USDT,50.")
    ] = None,
    band: Annotated[
        str | None,
        typer.Option("--band", metavar="PCT", help="Leave alone what is so near; the settings' if none."),
    ] = None,
    to_edge: Annotated[bool, typer.Option("--to-edge", help="Trade to the edge of the band only.")] = False,
    sell_others: Annotated[bool, typer.Option("--sell-others", help="Sell what has no target, too.")] = False,
    beyond_bps: Annotated[
        int, typer.Option("--beyond-bps", min=0, max=1000, help="How far beyond the best price, in 1/100 %.")
    ] = 20,
    client_id: Annotated[
        str | None, typer.Option("--client-id", metavar="KEY", help="The same key is the same orders.")
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
    """Trade the account back to its target weights, as one batch; --dry-run shows drifts, orders and costs.

    Examples:
        $ sniper portfolio rebalance BTC/USDT=50 ETH/USDT=30 --dry-run
        $ sniper portfolio rebalance BTC/USDT=50 ETH/USDT=30 --band 2 --yes
    """
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.trading.rebalancing import rebalance, wish_of

    require_fields(REBALANCE, fields)
    with open_context(profile) as context:
        wish = wish_of(
            context.settings.portfolio, targets or [], file, band=band, to_edge=to_edge, sell_others=sell_others,
            beyond_bps=beyond_bps, client_id=client_id,
        )  # fmt: skip
        lines = asyncio.run(
            rebalance(
                context,
                wish,
                lambda question: confirm(question, yes=yes),
                show=lambda rows: emit(rows, columns=REBALANCE, fmt=format_of(output, json), fields=fields),
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    if not any(line.client_order_id for line in lines):
        note("every weight is within its band: nothing to do", "dim")


@reads
def verify(
    limit: LimitOption = 50,
    all_: AllOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Prove the books: tell the journal again and compare every table with it, and the tables with one another.

    Broken, it exits 1 and names table, key, field and both values of each difference.

    Examples:
        $ sniper portfolio verify
        $ sniper portfolio verify --json --fields whole,differences,found
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import as_error, verification

    with open_context(profile) as context:
        tell = (lambda done, of: note(f"record {done:,} of {of:,}", "dim")) if stderr_is_terminal() else None
        found = verification(context, tell)
    row = {**found, "found": cut(found["found"], limit=limit, everything=all_)}
    emit(row, columns=VERIFIED, fmt=format_of(output, json), fields=fields)
    if not found["whole"]:
        raise as_error(found)


@writes
def rebuild(
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Write the tables of orders, fills, positions, lots and cash anew from the journal, in one transaction.

    Marks and exit rules are kept. Other processes wait meanwhile; start those that trade again afterwards.

    Examples:
        $ sniper portfolio rebuild --dry-run
        $ sniper portfolio rebuild --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import rebuild as write_anew
    from sniper_cli.portfolio.reading import verification

    require_fields(REBUILT, fields)
    with open_context(profile) as context:
        before = verification(context, None)
        told = {**before, "whole": before["whole"], "dry_run": dry_run}
        if not dry_run:
            rows = sum(before["rows"].values())
            confirm(f"Write {rows:,} rows anew from {before['records']:,} records of the journal?", yes=yes)
            told = {**write_anew(context, before["differences"]), "dry_run": False}
        emit(told, columns=REBUILT, fmt=format_of(output, json), fields=fields)


@reads
def export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="Where to write; stdout without it.", show_default=False),
    ] = None,
    shape: Annotated[Shape | None, typer.Option("--format", help="By the file's ending if none.")] = None,
    account: AccountOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    reversed_too: Annotated[
        bool, typer.Option("--reversed", help="Also fills that a reorganisation took back.")
    ] = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Write all fills as CSV or Parquet; --fields chooses the columns, -o how the command tells what it wrote.

    Examples:
        $ sniper portfolio export --fields at,instrument,side,quantity,notional
        $ sniper portfolio export fills.csv --since 2026-01-01
    """
    from sniper_cli.context import open_context
    from sniper_cli.portfolio.reading import export_fills
    from sniper_cli.trading.reading import settle

    with open_context(profile) as context:
        settle(context)
        done = export_fills(
            context, file, shape=shape.value if shape is not None else None, account=account, since=since, until=until,
            fields=fields, reversed_too=reversed_too,
        )  # fmt: skip
    if file is not None:
        emit(done, columns=EXPORTED, fmt=format_of(output, json))
