"""The endpoints of a profile as a person sees them: what is listed, and how each was found a moment ago."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import col, select

from sniper_cli.endpoints.addresses import shown
from sniper_cli.endpoints.assembly import FIRST, Listed, further_nodes, listed_in
from sniper_cli.errors import NotFound
from sniper_cli.settings.tables import near
from state.columns import utc_now
from state.endpoints import EndpointReading

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from state.database import Database

FRESH = timedelta(seconds=10)
"""A reading older than five of its periods is of a process that has ended, or hangs."""


@dataclass(frozen=True, slots=True)
class EndpointLine:
    """One endpoint, and what a running process last found about it."""

    name: str
    kind: str
    state: str
    head: int | None
    lag: int | None
    age_seconds: Decimal | None
    """How long its head has not moved."""
    p50_ms: Decimal | None
    p95_ms: Decimal | None
    p99_ms: Decimal | None
    calls: int
    errors: int
    error_pct: Decimal | None
    breaker: str | None
    trouble: str
    chain_id: int | None
    url: str
    ws_url: str
    weight: int
    per_second: str | None
    enabled: bool
    origin: str
    """`settings`, `devnet`, or the desk's own `list`."""
    observer: str | None
    """Host and process of whoever found this."""
    seen_at: datetime | None
    id: UUID | None


def endpoint_lines(
    context: Context, *, kind: str | None = None, now: datetime | None = None
) -> list[EndpointLine]:
    """All endpoints of the profile, those of other chains, relays and REST hosts included; or those of one kind."""
    readings = latest_readings(context.database)
    moment = now or utc_now()
    listed = [each for each in all_listed(context) if kind in (None, each.kind)]
    return [_line(each, readings.get(each.reading_id), moment) for each in listed]


def all_listed(context: Context) -> list[Listed]:
    """Whatever is listed: the chain's first node, the settings' others, the desk's list."""
    resolved = context.resolved
    listed = further_nodes(resolved, None) + listed_in(context.database)
    first = _first(context, alone=not listed)
    return ([] if first is None else [first]) + listed


def find_listed(context: Context, name: str) -> Listed:
    """One endpoint by its name. Raises NotFound with the nearest name."""
    listed = all_listed(context)
    found = next((each for each in listed if each.name == name), None)
    if found is None:
        raise not_found(name, [each.name for each in listed])
    return found


def not_found(name: str, names: list[str]) -> NotFound:
    """The error for an endpoint that is not there."""
    meant = near(name, names)
    return NotFound(
        f"there is no endpoint {name!r}" + (f"; did you mean {meant!r}?" if meant else ""),
        hint="sniper endpoints list",
        endpoint=name,
        near=meant,
        endpoints=names,
    )


def latest_readings(database: Database) -> dict[UUID, EndpointReading]:
    """The newest reading of every endpoint, whoever made it."""
    with database.read() as session:
        rows = session.exec(select(EndpointReading).order_by(col(EndpointReading.at))).all()
        session.expunge_all()
    return {row.endpoint_id: row for row in rows}


def _first(context: Context, *, alone: bool) -> Listed | None:
    from sniper_cli.chains.devnet.record import read_record
    from sniper_cli.endpoints.assembly import first_of_settings
    from sniper_cli.settings.model import Mode

    chain = context.settings.chain
    if context.settings.mode is Mode.PAPER:
        return None
    record = read_record(context.paths.data)
    named = chain.wrapped and chain.factory and chain.router
    if record is not None and record.chain_id == chain.chain_id and not named:
        return Listed("devnet", "node", record.http_url, record.ws_url, record.chain_id, origin="devnet")
    if alone:
        return Listed(FIRST, "node", chain.rpc_url, chain.ws_url, chain.chain_id)
    return first_of_settings(context.resolved)


def _line(listed: Listed, reading: EndpointReading | None, now: datetime) -> EndpointLine:
    fresh = reading is not None and now - reading.at <= FRESH and listed.enabled
    figures: Mapping[str, Any] = reading.figures if reading is not None and fresh else {}
    state = reading.state if reading is not None and fresh else "unknown"
    bps = figures.get("error_bps")
    return EndpointLine(
        name=listed.name,
        kind=listed.kind,
        state=state if listed.enabled else "disabled",
        head=reading.head if reading is not None and fresh else None,
        lag=figures.get("lag"),
        age_seconds=_thousandth(figures.get("age_ms")),
        p50_ms=_thousandth(figures.get("p50_us")),
        p95_ms=_thousandth(figures.get("p95_us")),
        p99_ms=_thousandth(figures.get("p99_us")),
        calls=int(figures.get("calls") or 0),
        errors=int(figures.get("errors") or 0),
        error_pct=None if bps is None else Decimal(bps) / 100,
        breaker=figures.get("breaker"),
        trouble=str(figures.get("trouble") or ""),
        chain_id=listed.chain_id,
        url=shown(listed.url),
        ws_url=shown(listed.ws_url),
        weight=listed.weight,
        per_second=str(listed.terms["per_second"]) if listed.terms.get("per_second") else None,
        enabled=listed.enabled,
        origin=listed.origin,
        observer=reading.observer if reading is not None else None,
        seen_at=reading.at if reading is not None else None,
        id=listed.id,
    )


def _thousandth(whole: int | None) -> Decimal | None:
    return None if whole is None else Decimal(whole) / 1000
