"""The desk's list of endpoints: added to, taken from, switched on and off. Every act is journalled, secrets by name."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import col

from sniper_cli.endpoints.addresses import WS_SCHEMES, checked, filled, secrets_in
from sniper_cli.endpoints.assembly import FIRST, Listed, find_in, further_nodes
from sniper_cli.endpoints.checking import Checked, check
from sniper_cli.endpoints.listing import not_found
from sniper_cli.errors import NetworkError, UsageProblem, WrongChain
from state import journal
from state.endpoints import Endpoint, EndpointKind, EndpointReading, endpoints, find_endpoint

if TYPE_CHECKING:
    from sqlmodel import Session

    from sniper_cli.context import Context

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
RESERVED = (FIRST, "devnet")


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint to add, as it was typed."""

    name: str
    url: str
    kind: EndpointKind = EndpointKind.NODE
    ws_url: str = ""
    chain_id: int | None = None
    venue: str | None = None
    weight: int = 1
    per_second: str | None = None
    style: str | None = None
    """How a relay is spoken to: `flashbots` or `protect`."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What was done to an endpoint."""

    name: str
    kind: str
    url: str
    chain_id: int | None
    enabled: bool
    act: str
    """`added`, `removed`, `enabled`, `disabled`, or `nothing` where it was so already."""
    dry_run: bool
    latency_ms: Decimal | None = None
    archive_blocks: int | None = None
    simulates: bool | None = None
    websocket: bool | None = None
    pending: bool | None = None
    id: UUID | None = None


def add(context: Context, wanted: Wanted, *, look: bool = True, dry_run: bool = False) -> Kept:
    """Put an endpoint on the list. `look`: only if it answers, is of the right chain and can be used.

    Raises UsageProblem, SecretMissing, NetworkError, WrongChain.
    """
    listed = _as_listed(context, wanted)
    found = asyncio.run(_look(context, listed)) if look else None
    if wanted.kind is EndpointKind.NODE and found is not None and found.chain_id is not None:
        listed = _with_chain(listed, found.chain_id)
    if not dry_run:
        listed = context.database.transact(lambda session: _insert(session, listed, context.actor))
    return _kept(listed, "added", dry_run, found)


def remove(context: Context, name: str, *, dry_run: bool = False) -> Kept:
    """Take an endpoint off the list. Raises NotFound."""

    def work(session: Session) -> Kept:
        row = _row(session, context, name)
        kept = _kept(Listed.of(row), "removed", dry_run)
        if not dry_run:
            session.execute(sa.delete(EndpointReading).where(col(EndpointReading.endpoint_id) == row.id))
            session.delete(row)
            journal.append(session, "endpoint.removed", row.name, _data(row), actor=context.actor)
        return kept

    return _in(context, work, dry_run)


def switch(context: Context, name: str, *, on: bool, dry_run: bool = False) -> Kept:
    """Let an endpoint be used, or not. Raises NotFound."""

    def work(session: Session) -> Kept:
        row = _row(session, context, name)
        if row.enabled == on:
            return _kept(Listed.of(row), "nothing", dry_run)
        act = "enabled" if on else "disabled"
        if not dry_run:
            row.enabled = on
            session.add(row)
            journal.append(session, f"endpoint.{act}", row.name, _data(row), actor=context.actor)
        listed = Listed.of(row)
        return Kept(listed.name, listed.kind, listed.url, listed.chain_id, on, act, dry_run, id=row.id)

    return _in(context, work, dry_run)


def _in(context: Context, work: Any, dry_run: bool) -> Kept:
    if dry_run:
        with context.database.read() as session:
            kept: Kept = work(session)
            return kept
    done: Kept = context.database.transact(work)
    return done


def _as_listed(context: Context, wanted: Wanted) -> Listed:
    """What was typed, if it holds. Raises UsageProblem."""
    if not NAME.fullmatch(wanted.name) or wanted.name in RESERVED:
        raise UsageProblem(
            f"{wanted.name!r} cannot be an endpoint's name: lower-case letters, digits, . _ -, at most 40",
            hint="sniper endpoints add --help",
        )
    with context.database.read() as session:
        taken = find_endpoint(session, wanted.name) is not None
    if taken or wanted.name in [each.name for each in further_nodes(context.resolved, None)]:
        raise UsageProblem(f"there is an endpoint {wanted.name!r} already", hint="sniper endpoints list")
    if wanted.ws_url:
        checked(wanted.ws_url, schemes=WS_SCHEMES)
    chain = wanted.chain_id
    if chain is None and wanted.kind is not EndpointKind.REST:
        chain = context.settings.chain.chain_id
    return Listed(
        name=wanted.name,
        kind=wanted.kind.value,
        url=checked(wanted.url),
        ws_url=wanted.ws_url,
        chain_id=chain,
        venue=wanted.venue,
        weight=wanted.weight,
        terms=_terms(wanted),
        origin="list",
    )


def _terms(wanted: Wanted) -> dict[str, str]:
    """What there is to know beside the address. Raises UsageProblem."""
    terms = {} if wanted.per_second is None else {"per_second": _rate(wanted.per_second)}
    if wanted.style is None:
        return terms
    if wanted.kind is not EndpointKind.RELAY:
        raise UsageProblem("only a relay has a style", hint="sniper endpoints add --help")
    return terms | {"style": wanted.style}


def _rate(text: str) -> str:
    try:
        rate = Decimal(text)
    except InvalidOperation:
        rate = Decimal(-1)
    if not rate.is_finite() or rate <= 0:
        raise UsageProblem(
            f"{text!r} is no number of calls a second above 0", hint="sniper endpoints add --help"
        )
    return f"{rate:f}"


async def _look(context: Context, listed: Listed) -> Checked:
    """What it can do. Raises NetworkError where it cannot be used, WrongChain, SecretMissing."""
    for name in secrets_in(listed.url) + secrets_in(listed.ws_url):
        find_in(context.settings.secrets, context.paths, name)
    filled(listed.url, lambda name: find_in(context.settings.secrets, context.paths, name))
    found = await check(context, listed)
    if found.chain_id is not None and listed.chain_id not in (None, found.chain_id):
        raise WrongChain(
            f"{listed.name} serves chain {found.chain_id}, not {listed.chain_id}",
            hint=f"sniper endpoints add {listed.name} … --chain {found.chain_id}",
            served=found.chain_id,
            expected=listed.chain_id,
        )
    if not found.reachable:
        raise NetworkError(
            f"{listed.name} does not answer: {found.problem}",
            hint=f"sniper endpoints add {listed.name} … --no-check",
        )
    return found


def _with_chain(listed: Listed, chain_id: int) -> Listed:
    from dataclasses import replace

    return replace(listed, chain_id=chain_id)


def _insert(session: Session, listed: Listed, actor: str) -> Listed:
    row = Endpoint(
        name=listed.name,
        kind=EndpointKind(listed.kind),
        url=listed.url,
        ws_url=listed.ws_url,
        chain_id=listed.chain_id,
        venue=listed.venue,
        weight=listed.weight,
        terms=listed.terms,
    )
    session.add(row)
    journal.append(session, "endpoint.added", row.name, _data(row), actor=actor)
    return Listed.of(row)


def _row(session: Session, context: Context, name: str) -> Endpoint:
    row = find_endpoint(session, name)
    if row is not None:
        return row
    if name in RESERVED or name in [each.name for each in further_nodes(context.resolved, None)]:
        raise UsageProblem(
            f"{name} stands in the settings, not on the list", hint="sniper config show endpoints.nodes"
        )
    raise not_found(name, [each.name for each in endpoints(session)])


def _data(row: Endpoint) -> dict[str, Any]:
    """For the journal. The URL is as it is stored: secrets by their name."""
    return {
        "kind": row.kind.value,
        "url": row.url,
        "ws_url": row.ws_url,
        "chain_id": row.chain_id,
        "venue": row.venue,
        "weight": row.weight,
        "enabled": row.enabled,
        "terms": dict(row.terms or {}),
    }


def _kept(listed: Listed, act: str, dry_run: bool, found: Checked | None = None) -> Kept:
    return Kept(
        name=listed.name,
        kind=listed.kind,
        url=listed.url,
        chain_id=listed.chain_id,
        enabled=listed.enabled,
        act=act,
        dry_run=dry_run,
        latency_ms=found.latency_ms if found else None,
        archive_blocks=found.archive_blocks if found else None,
        simulates=found.simulates if found else None,
        websocket=found.websocket if found else None,
        pending=found.pending if found else None,
        id=listed.id,
    )
