"""`sniper snipe`: launches watched, judged, bought and left."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Annotated, Any

import typer

from commands import snipe_report, snipe_scan
from commands.options import (
    AfterOption,
    AllOption,
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    LimitOption,
    ProfileOption,
    SinceOption,
    WatchOption,
    YesOption,
    complete_launches,
    reads,
    runs,
    watched,
)
from sniper_cli.output import Column, Format, cut, emit, format_of, note

app = typer.Typer(
    help="Watch for launches, prove that they can be sold again, buy and exit.", no_args_is_help=True
)

VERDICTS = {"safe": "good", "unsafe": "bad", "not_proven": "warn", "pending": "dim"}
OUTCOMES = {"pass": "good", "fail": "bad", "not_proven": "warn"}


def _lines(checks: list[dict[str, Any]]) -> str:
    """The checks of a report, a line each."""
    return "\n".join(
        " ".join(
            part
            for part in (
                f"{each['outcome'].replace('_', ' '):<10}",
                each["name"],
                f"{each['figure']} (limit {each['limit']})"
                if each["figure"] and each["limit"]
                else each["figure"] or "",
                f"- {each['detail']}" if each["detail"] else "",
            )
            if part
        )
        for each in checks
    )


LAUNCHES = (
    Column("id", exact=True, priority=0, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("seen_at", priority=2),
    Column("symbol", priority=0),
    Column("verdict", priority=0, style=VERDICTS.get),
    Column("classification", priority=2),
    Column("decision", priority=1),
    Column("source", priority=3),
    Column("protocol", priority=3),
    Column("latency_us", right=True, priority=3),
    Column("liquidity", exact=True, right=True, in_table=False),
    Column("block_number", right=True, priority=3),
    Column("token", priority=2),
    Column("pool", in_table=False),
    Column("vanished_at", priority=3),
    Column("reasons", value=lambda launch: list(launch.reasons), show="; ".join, elastic=True, priority=1),
)
LAUNCH = (
    *LAUNCHES,
    Column("name"),
    Column("decimals"),
    Column("tx_hash"),
    Column("judged_at"),
    Column("order_id", exact=True),
    Column("checks", value=lambda launch: launch.report.get("checks") or [], show=_lines),
    Column("warnings", value=lambda launch: list(launch.report.get("warnings") or ()), show="\n".join),
    Column("groups", value=lambda launch: launch.report.get("groups") or {}, in_table=False),
    Column("report", in_table=False),
)
WEIGHTS = {"refuse": "bad", "warn": "warn", "ignore": "dim"}
LINES = (
    Column("group", priority=0),
    Column("name", "line", priority=0),
    Column("outcome", priority=0, show=lambda outcome: outcome.replace("_", " "), style=OUTCOMES.get),
    Column("weight", priority=1, style=WEIGHTS.get),
    Column("figure", right=True, priority=1),
    Column("limit", right=True, priority=3),
    Column("detail", elastic=True, priority=1),
)
EVIDENCE = (
    Column("line", priority=0),
    Column("what", priority=1),
    Column("sender", priority=2),
    Column("to", priority=3),
    Column("data", elastic=True, priority=1),
    Column("result", elastic=True, priority=0),
    Column("block", right=True, priority=2),
)
LEVELS = (
    Column("line", priority=0),
    Column("cautious", priority=0),
    Column("standard", priority=0),
    Column("daring", priority=0),
    Column("in_force", priority=0),
    Column("about", elastic=True, priority=1),
)
REPORT = (
    Column("token"),
    Column("pool"),
    Column("symbol"),
    Column("name"),
    Column("verdict", style=VERDICTS.get),
    Column("classification"),
    Column("reasons", value=lambda report: list(report["reasons"]), show="\n".join),
    Column("buy_tax_bps"),
    Column("sell_tax_bps"),
    Column("buy_gas"),
    Column("sell_gas"),
    Column("liquidity", exact=True),
    Column("expected_quantity", exact=True),
    Column("decimals"),
    Column("block_number"),
    Column("block_hash"),
    Column("simulations"),
    Column("method"),
    Column("level"),
    Column("stake", show=lambda stake: stake["words"]),
    Column("warnings", value=lambda report: list(report["warnings"]), show="\n".join),
    Column("checks", in_table=False),
    Column("figures", in_table=False),
    Column("groups", in_table=False),
)


def _of(report: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A dossier's lines, and the evidence of those that did not pass."""
    lines = [line for group in report["groups"].values() for line in group]
    proofs = [
        {"line": line["name"], **each}
        for line in lines
        if line["outcome"] != "pass"
        for each in line["evidence"]
    ]
    return lines, proofs


@app.command()
@runs
def run(
    amount: Annotated[str | None, typer.Option("--amount", metavar="COINS", help="Coins per launch.")] = None,
    duration: Annotated[
        str | None,
        typer.Option("--duration", metavar="TIME", help="For how long: 60s, 2h; until ^C if not given."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Agree to trade with real money, on a live profile.")
    ] = False,
    close: Annotated[bool, typer.Option("--close", help="Sell everything when the run ends.")] = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    json: JsonOption = False,
) -> None:
    """Watch for launches, judge each, buy what is proven safe, and leave by the exit rules.

    A run that was killed is taken up where it ended: nothing is bought twice, no position is forgotten.
    --dry-run watches and judges and buys nothing. ^C ends it in order; positions stay open unless --close is given.

    Examples:
        $ sniper snipe run --profile devnet --dry-run --duration 2s
        $ sniper snipe run --profile devnet --amount 0.05 --duration 2s
    """
    from sniper_cli.sniping.session import RunRequest, run_session

    request = RunRequest(
        profile=profile,
        amount=amount,
        duration=duration,
        live=live,
        close_at_end=close,
        yes=yes,
        dry_run=dry_run,
        as_json=json,
    )
    code = run_session(request)
    if code:
        raise typer.Exit(code)


@app.command()
@reads
def check(
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="The token's address.")],
    level: Annotated[
        str | None,
        typer.Option(
            "--level",
            metavar="LEVEL",
            help="Weigh it as cautious, standard or daring; else as the settings say.",
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool", metavar="POOL", help="In this pool, by its address or v4 id; else in the deepest."
        ),
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Compile a token's dossier: trades, owner powers, liquidity, deployer, name; each line with its evidence.

    Nothing is sent. Exits 0 if the level in force would buy it, 6 if not.

    Examples:
        $ sniper snipe check 0x5FbDB2315678afecb367f032d93F642f64180aa3
        $ sniper snipe check 0x5FbDB2315678afecb367f032d93F642f64180aa3 --level cautious --json --fields verdict,reasons
    """
    from sniper_cli.errors import Exit
    from sniper_cli.sniping.checking import check_token

    report = check_token(token, profile, level=level, pool=pool)
    fmt = format_of(output, json)
    if fmt is Format.TABLE and fields is None:
        lines, proofs = _of(report)
        emit(lines, fmt=fmt, columns=LINES)
        note("")
        if proofs:
            emit(proofs, fmt=fmt, columns=EVIDENCE)
            note("")
    emit(report, fmt=fmt, fields=fields, columns=REPORT)
    if report["verdict"] != "safe":
        raise typer.Exit(Exit.REFUSED)


@app.command()
@reads
def levels(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List what each line of a dossier weighs: at the three ready-made levels, and in the profile.

    `refuse, warn`: refused where it failed, warned of where it is not proven.

    Examples:
        $ sniper snipe levels
        $ sniper snipe levels --json --fields line,standard,in_force
    """
    from sniper_cli.sniping.checking import level_lines

    emit(level_lines(profile), fmt=format_of(output, json), fields=fields, columns=LEVELS)


@app.command()
@reads
def launches(
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", metavar="VERDICT", help="Only safe, unsafe, not_proven or pending."),
    ] = None,
    since: SinceOption = None,
    limit: LimitOption = 50,
    after: AfterOption = None,
    all_: AllOption = False,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the launches seen, newest first: verdict, decision and reasons.

    Examples:
        $ sniper snipe launches --limit 20
        $ sniper snipe launches --verdict unsafe --json --fields token,reasons
    """
    from sniper_cli.context import open_context
    from sniper_cli.moments import parse_moment
    from sniper_cli.sniping import reading

    moment = parse_moment(since) if since else None
    wanted = reading.verdict_named(verdict)
    with open_context(profile) as context:

        def show(fmt: Format) -> None:
            with context.database.read() as session:
                found = reading.launches(
                    session, limit=None if all_ else limit + 1, after=after, since=moment, verdict=wanted
                )
            rows: list[Any] = cut(found, limit=limit, everything=all_, cursor=lambda launch: launch.id)
            emit(rows, fmt=fmt, fields=fields, columns=LAUNCHES, empty="no launch has been seen")

        watched(watch, format_of(output, json), show)


@app.command()
@reads
def show(
    launch: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A launch's id, its tail, its token or pool.", autocompletion=complete_launches
        ),
    ],
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one launch: what was found out about its token, check by check, and what was decided.

    Examples:
        $ sniper snipe show 0x5FbDB2315678afecb367f032d93F642f64180aa3
        $ sniper snipe show 0x5FbDB2315678afecb367f032d93F642f64180aa3 --json --fields verdict,checks
    """
    from sniper_cli.context import open_context
    from sniper_cli.sniping.reading import launch_named

    with open_context(profile) as context, context.database.read() as session:
        found = launch_named(session, launch)
    # A row of a table iterates over its fields, which would be taken for a list.
    emit(SimpleNamespace(**found.model_dump()), fmt=format_of(output, json), fields=fields, columns=LAUNCH)


app.command("report")(snipe_report.report)
app.command("scan")(snipe_scan.scan)
app.command("follow-up")(snipe_report.follow_up)
