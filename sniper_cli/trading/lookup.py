"""Finding what a person names: an id, the tail of one as tables show it, a symbol, a client order id."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.errors import NotFound, UsageProblem
from state.accounts import Account, Asset, Instrument, LedgerEntry, VenueKind
from state.identifiers import SHORT
from state.orders import Order
from state.positions import Position
from state.transactions import ChainTransaction

if TYPE_CHECKING:
    from state.launches import Launch

T = TypeVar("T")

TAIL = re.compile(r"[0-9a-f]{4,32}")
NEWEST = 50_000
"""Rows whose tails are looked at first: 20 ms, where a million take half a second."""


def find_order(session: Session, text: str) -> Order:
    """An order by id, tail or client order id. Raises NotFound, UsageProblem when several match."""
    named = _named(session, text)
    if len(named) == 1:
        return named[0]
    return _one(session, Order, text, "order", "sniper order list --all")


def find_position(session: Session, text: str) -> Position:
    """A position by id or tail. Raises NotFound, UsageProblem."""
    return _one(session, Position, text, "position", "sniper position list --all")


def find_account_named(session: Session, name: str) -> Account:
    """An account by its name. Raises NotFound."""
    found = session.exec(select(Account).where(Account.name == name)).first()
    if found is None:
        raise NotFound(f"there is no account {name!r}", hint="sniper account list")
    return found


def find_transaction(session: Session, text: str) -> ChainTransaction:
    """A transaction of ours by its hash, its id or its id's tail. Raises NotFound, UsageProblem."""
    if text.lower().startswith("0x"):
        named = session.exec(select(ChainTransaction).where(ChainTransaction.tx_hash == text.lower())).all()
        if len(named) == 1:
            return named[0]
    return _one(session, ChainTransaction, text, "transaction of ours", "sniper tx list --all")


def find_entry(session: Session, text: str) -> LedgerEntry:
    """A ledger entry by id or tail. Raises NotFound, UsageProblem."""
    return _one(session, LedgerEntry, text, "entry of the ledger", "sniper cash list")


def find_subject(session: Session, text: str) -> Order | Launch | Position:
    """Whatever has this id or tail: an order, a launch, a position; a launch also by its token or pool."""
    from state.launches import Launch

    launch = session.exec(
        select(Launch).where(sa.or_(col(Launch.token) == text.lower(), col(Launch.pool) == text.lower()))
    ).first()
    if launch is not None:
        return launch
    named = _named(session, text)
    found: list[Order | Launch | Position] = [*named] if len(named) == 1 else []
    for model in (Order, Launch, Position):
        if not found:
            found += _matching(session, model, text)
    if not found:
        raise NotFound(f"there is no order, launch or position {text!r}", hint="sniper order list --all")
    if len(found) > 1:
        raise _ambiguous(text, [row.id for row in found])
    return found[0]


def find_instrument(session: Session, text: str, venue: VenueKind) -> Instrument:
    """An instrument of a venue by id, symbol (`BTC/USDT`, `btc-usdt`, `BTCUSDT`), base, name, token or pool.

    Raises NotFound with the near match.
    """
    query = select(Instrument, Asset.name).where(Instrument.venue == venue, Asset.id == Instrument.base_asset)
    rows = [(row, _names(row, name)) for row, name in session.exec(query).all()]
    wanted = text.strip().lower()
    for spelling in (wanted, wanted.replace("-", "/").replace("_", "/")):
        for row, names in rows:
            if spelling in names:
                return row
    meant = ""
    symbols = {name: row.symbol for row, names in rows for name in names}
    # The quote is the same everywhere and would make everything alike: the base decides.
    near = get_close_matches(wanted.partition("/")[0], symbols, n=1) or get_close_matches(
        wanted, symbols, n=1
    )
    if near:
        meant = f"; did you mean {symbols[near[0]]!r}?"
    raise NotFound(f"there is no instrument {text!r} on {venue.value}{meant}", hint="sniper market list")


def _names(row: Instrument, name: str) -> set[str]:
    base = row.base_asset.rsplit(":", 1)[1]
    known = {row.id, row.symbol, row.symbol.replace("/", ""), row.pool or "", base}
    # On a chain anybody calls a token what they like: only the simulated market's names can be trusted.
    return {word.lower() for word in (known | {name} if row.venue is VenueKind.PAPER else known) if word}


def _named(session: Session, text: str) -> list[Order]:
    """Orders with this client order id; by account, as the index has them, or a million orders would be looked at."""
    accounts = col(Order.account_id).in_(select(Account.id))
    return list(session.exec(select(Order).where(accounts, Order.client_order_id == text)).all())


def _one(session: Session, model: type[T], text: str, what: str, hint: str) -> T:
    found = _matching(session, model, text)
    if not found:
        raise NotFound(f"there is no {what} {text!r}", hint=hint)
    if len(found) > 1:
        raise _ambiguous(text, [row.id for row in found])
    row: T = found[0]
    return row


def _matching(session: Session, model: type[Any], text: str) -> list[Any]:
    digits = text.lower().replace("-", "")
    if not TAIL.fullmatch(digits):
        return []
    if len(digits) == 32:
        row = session.get(model, UUID(digits))
        return [] if row is None else [row]
    if len(digits) >= SHORT:
        # A tail as tables show it is that of one row, and most often of a late one: no need to look at all.
        newest = select(model.id).order_by(sa.desc(model.id)).limit(NEWEST).subquery()
        ids = session.exec(select(newest.c.id).where(_ends(newest.c.id, digits))).all()
        if ids:
            return [session.get(model, ids[0])]
    return list(session.exec(select(model).where(_ends(model.id, digits)).limit(5)).all())


def _ends(identifier: Any, digits: str) -> Any:
    """SQLite keeps 32 digits, Postgres prints dashes; without them both end alike."""
    return sa.func.replace(sa.cast(identifier, sa.String), "-", "").like(f"%{digits}")


def _ambiguous(text: str, ids: list[UUID]) -> UsageProblem:
    return UsageProblem(f"{text!r} fits several ids", hint=f"one of: {', '.join(str(i) for i in ids)}")
