"""`sniper endpoints`: the nodes, relays and hosts that Sniper talks to, and how each is doing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    WatchOption,
    YesOption,
    complete_endpoints,
    reads,
    require_fields,
    watched,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of

app = typer.Typer(help="Keep nodes, relays and hosts: list, add, check and watch them.", no_args_is_help=True)


class Kind(StrEnum):
    """What an endpoint is."""

    node = "node"
    relay = "relay"
    rest = "rest"


class RelayStyle(StrEnum):
    """How a relay is spoken to."""

    flashbots = "flashbots"
    protect = "protect"


GOOD = ("healthy",)
FAINT = ("unknown", "disabled")
SIGNS = {"healthy": "●", "lagging": "◐", "half_open": "◐", "unknown": "○", "disabled": "–"}
"""A sign beside the word, for eyes that see no colour; anything else is broken."""


def _state(value: str) -> str:
    return f"{SIGNS.get(value, '✘')} {value.replace('_', ' ')}"


def _state_style(value: str) -> str:
    return "good" if value in GOOD else "dim" if value in FAINT else "warn" if value in SIGNS else "bad"


def _yes(value: bool | None) -> str:
    return "–" if value is None else "yes" if value else "no"


def _one(value: Any) -> str:
    return f"{float(value):.1f}"


ENDPOINTS = (
    Column("name", priority=0),
    Column("kind", priority=4),
    Column("state", show=_state, style=_state_style, priority=0),
    Column("head", right=True, priority=1),
    Column("lag", right=True, priority=1),
    Column("age_seconds", "age s", show=_one, exact=True, right=True, priority=2),
    Column("p50_ms", "p50 ms", show=_one, exact=True, right=True, priority=2),
    Column("p95_ms", "p95 ms", show=_one, exact=True, right=True, priority=1),
    Column("p99_ms", "p99 ms", show=_one, exact=True, right=True, priority=5),
    Column("calls", right=True, in_table=False),
    Column("errors", right=True, in_table=False),
    Column("error_pct", "errors %", show=_one, exact=True, right=True, priority=3),
    Column("breaker", priority=4),
    Column("url", priority=2, elastic=True),
    Column("chain_id", in_table=False),
    Column("ws_url", in_table=False),
    Column("weight", in_table=False),
    Column("per_second", exact=True, in_table=False),
    Column("enabled", in_table=False),
    Column("origin", priority=6),
    Column("trouble", in_table=False),
    Column("observer", in_table=False),
    Column("seen_at", in_table=False),
    Column("id", exact=True, in_table=False),
)
CHECKED = (
    Column("name", priority=0),
    Column("kind", priority=4),
    Column("reachable", show=_yes, style=lambda value: "good" if value else "bad", priority=0),
    Column("chain_id", right=True, priority=2),
    Column("expected_chain_id", in_table=False),
    Column("head", right=True, priority=2),
    Column("lag", right=True, priority=1),
    Column("latency_ms", "ms", show=_one, exact=True, right=True, priority=1),
    Column("archive_blocks", "archive", right=True, priority=3),
    Column("simulates", show=_yes, priority=2),
    Column("pending", show=_yes, priority=3),
    Column("websocket", show=_yes, priority=2),
    Column("problem", style=lambda _: "bad", priority=1, elastic=True),
    Column("url", in_table=False),
    Column("id", exact=True, in_table=False),
)
KEPT = (
    Column("name"),
    Column("kind"),
    Column("url"),
    Column("chain_id"),
    Column("enabled"),
    Column("act"),
    Column("latency_ms", exact=True),
    Column("archive_blocks"),
    Column("simulates"),
    Column("websocket"),
    Column("pending"),
    Column("id", exact=True),
    Column("dry_run"),
)
NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="An endpoint.", autocompletion=complete_endpoints)
]
KindOption = Annotated[Kind | None, typer.Option("--kind", help="Only of this kind.")]


@app.command("list")
@reads
def list_(
    kind: KindOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the endpoints with what a running Sniper found about each in the last seconds.

    Examples:
        $ sniper endpoints list
        $ sniper endpoints list --json --fields name,state,head,lag
    """
    _show(profile, kind, fields, format_of(output, json))


@app.command()
@reads
def watch(
    kind: KindOption = None,
    every: WatchOption = 1.0,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Watch the endpoints live, until ^C.

    Examples:
        $ sniper endpoints watch
        $ sniper endpoints watch --watch 5 --json --fields name,state,lag
    """
    watched(every or 1.0, format_of(output, json), lambda fmt: _show(profile, kind, fields, fmt))


def _show(profile: str | None, kind: Kind | None, fields: str | None, fmt: Format) -> None:
    from sniper_cli.context import open_context
    from sniper_cli.endpoints.listing import endpoint_lines

    with open_context(profile) as context:
        lines = endpoint_lines(context, kind=None if kind is None else kind.value)
        emit(lines, columns=ENDPOINTS, fmt=fmt, fields=fields, empty="no endpoint – sniper endpoints add")


@app.command()
@reads
def check(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Only this one.", autocompletion=complete_endpoints),
    ] = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Ask every endpoint now: chain, head, latency, archive, simulation, waiting transactions, WebSocket.

    Exits 8 if some cannot be used, 5 if none can.

    Examples:
        $ sniper endpoints check
        $ sniper endpoints check alchemy --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.endpoints.reporting import check_now, raise_for

    require_fields(CHECKED, fields)
    with open_context(profile) as context:
        found = check_now(context, name)
        emit(found, columns=CHECKED, fmt=format_of(output, json), fields=fields, empty="no endpoint")
    raise_for(found)


@app.command()
@writes
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Its address; {secret:NAME} stands for a key in it.")
    ],
    kind: Annotated[Kind, typer.Option("--kind", help="What it is.")] = Kind.node,
    ws_url: Annotated[
        str, typer.Option("--ws-url", metavar="URL", help="Its WebSocket, where that is elsewhere.")
    ] = "",
    chain: Annotated[
        int | None, typer.Option("--chain", min=1, metavar="ID", help="Its chain; else the profile's.")
    ] = None,
    venue: Annotated[
        str | None, typer.Option("--venue", metavar="NAME", help="Whose API it is, for a REST host.")
    ] = None,
    weight: Annotated[
        int, typer.Option("--weight", min=1, max=1000, help="Its share where spread by weight.")
    ] = 1,
    rate: Annotated[
        str | None, typer.Option("--rate", metavar="N", help="At most so many calls a second.")
    ] = None,
    style: Annotated[
        RelayStyle | None,
        typer.Option("--style", help="How a relay is spoken to: signed requests, or as a plain node."),
    ] = None,
    look: Annotated[
        bool, typer.Option("--check/--no-check", help="Add it only if it answers and is of the chain.")
    ] = True,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Add a node, a relay or a REST host to the desk's list; what runs takes it at its next start.

    Examples:
        $ sniper endpoints add alchemy 'https://eth-mainnet.g.alchemy.com/v2/{secret:alchemy}' --dry-run
        $ sniper endpoints add second http://10.0.0.7:8545 --rate 25 --no-check
    """
    from sniper_cli.context import open_context
    from sniper_cli.endpoints.keeping import Wanted
    from sniper_cli.endpoints.keeping import add as add_endpoint
    from state.endpoints import EndpointKind

    require_fields(KEPT, fields)
    with open_context(profile) as context:
        wanted = Wanted(name, url, EndpointKind(kind.value), ws_url, chain, venue, weight, rate, style)
        done = add_endpoint(context, wanted, look=look, dry_run=dry_run)
        emit(done, columns=KEPT, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def remove(
    name: NameArgument,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Take an endpoint off the list.

    Examples:
        $ sniper endpoints remove second --dry-run
        $ sniper endpoints remove second --yes
    """
    from sniper_cli.context import open_context
    from sniper_cli.endpoints.keeping import remove as remove_endpoint

    require_fields(KEPT, fields)
    with open_context(profile) as context:
        done = remove_endpoint(context, name, dry_run=True)
        if not dry_run:
            confirm(f"Take {name} ({done.url}) off the list?", yes=yes)
            done = remove_endpoint(context, name)
        emit(done, columns=KEPT, fmt=format_of(output, json), fields=fields)


@app.command()
@writes
def enable(
    name: NameArgument,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Let an endpoint be used again.

    Examples:
        $ sniper endpoints enable second
        $ sniper endpoints enable second --dry-run --json
    """
    _switch(name, profile, fields, format_of(output, json), on=True, dry_run=dry_run)


@app.command()
@writes
def disable(
    name: NameArgument,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Keep an endpoint on the list and use it no more.

    Examples:
        $ sniper endpoints disable second
        $ sniper endpoints disable second --dry-run --json
    """
    _switch(name, profile, fields, format_of(output, json), on=False, dry_run=dry_run)


def _switch(
    name: str, profile: str | None, fields: str | None, fmt: Format, *, on: bool, dry_run: bool
) -> None:
    from sniper_cli.context import open_context
    from sniper_cli.endpoints.keeping import switch

    require_fields(KEPT, fields)
    with open_context(profile) as context:
        emit(switch(context, name, on=on, dry_run=dry_run), columns=KEPT, fmt=fmt, fields=fields)
