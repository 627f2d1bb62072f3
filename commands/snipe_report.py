"""`sniper snipe report` and `follow-up`: what sniping came to, and what was not bought did afterwards."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import (
    AccountOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    SinceOption,
    UntilOption,
    reads,
    require_fields,
    writes,
)
from sniper_cli.output import Column, Format, emit, format_of


def _counts(counts: dict[str, int]) -> str:
    return "\n".join(f"{count:>5}  {name.replace('_', ' ')}" for name, count in counts.items())


def _exits(tallies: Any) -> str:
    return "\n".join(
        f"{one['count']:>5}  {one['rule'].replace('_', ' ')}: {one['won']} won, {one['profit']}"
        for one in tallies
    )


def _accounts(tallies: Any) -> str:
    return "\n".join(
        f"{one['account']}: {one['bought']} bought, {one['closed']} closed, {one['won']} won, {one['profit']}"
        for one in tallies
    )


def _spread(found: Any) -> str:
    if not found["count"]:
        return ""
    return f"p50 {found['p50']}, p95 {found['p95']}, worst {found['worst']} of {found['count']}"


REPORT = (
    Column("since"),
    Column("until"),
    Column("seen"),
    Column("by_protocol", show=_counts),
    Column("by_source", show=_counts),
    Column("decisions", show=_counts),
    Column("refused_by", show=_counts),
    Column("bought"),
    Column("open"),
    Column("closed"),
    Column("won"),
    Column("win_rate_pct", header="win rate %", exact=True),
    Column("spent", exact=True),
    Column("received", exact=True),
    Column("gas", exact=True),
    Column("profit", exact=True),
    Column("by_account", show=_accounts),
    Column("exits", show=_exits),
    Column("verdict_us", show=_spread),
    Column("buy_sent_us", show=_spread),
    Column("blocks_after_launch", show=_spread),
    Column("hindsight", show=_counts),
    Column("stuck_exits"),
    Column("stuck_now"),
)
HINDSIGHT = {"right": "good", "wrong": "bad"}
FOLLOWED = (
    Column("launch_id", exact=True, priority=2),
    Column("symbol", priority=0),
    Column("token", priority=2),
    Column("age", right=True, priority=1),
    Column("decision", priority=1),
    Column("before", priority=1),
    Column("now", priority=0),
    Column("classification", priority=1),
    Column("hindsight", priority=0, style=HINDSIGHT.get),
    Column("liquidity_before", exact=True, in_table=False),
    Column("liquidity", exact=True, in_table=False),
    Column("reasons", show="; ".join, elastic=True, priority=2),
)


@reads
def report(
    since: SinceOption = None,
    until: UntilOption = None,
    account: AccountOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Report what sniping came to: seen, refused and why, bought, exits with profit after gas, speed, hindsight.

    Examples:
        $ sniper snipe report --since 24h
        $ sniper snipe report --since 2026-01-01 --json --fields exits,profit,by_account,hindsight
    """
    from dataclasses import asdict
    from types import SimpleNamespace

    from sniper_cli.context import open_context
    from sniper_cli.moments import parse_moment
    from sniper_cli.sniping.telling import report as count
    from sniper_cli.trading.lookup import find_account_named

    with open_context(profile) as context, context.database.read() as session:
        found = count(
            session,
            since=parse_moment(since) if since else None,
            until=parse_moment(until) if until else None,
            account_id=find_account_named(session, account).id if account else None,
        )
    emit(SimpleNamespace(**asdict(found)), fmt=format_of(output, json), fields=fields, columns=REPORT)


@writes
def follow_up(
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")] = 50,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Judge launches that were not bought again, once they are old enough, to learn whether that was right.

    A running sniper does so by itself, one a block. Nothing is traded.

    Examples:
        $ sniper snipe follow-up -p devnet --dry-run
        $ sniper snipe follow-up -p devnet --limit 10 --json
    """
    require_fields(FOLLOWED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.sniping.follow_up import follow_up as look

    with open_context(profile) as context:
        found = asyncio.run(look(context, limit=limit, dry_run=dry_run))
    emit(found, columns=FOLLOWED, fmt=format_of(output, json), fields=fields, empty="no launch is due")
