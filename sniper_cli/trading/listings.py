"""Instruments as the desk needs them at hand, with both assets: read once a process, and again when a new one comes."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec

from state.accounts import Asset, Instrument, VenueKind
from state.writing import Writer

QUERY = (
    "SELECT i.id, i.venue, i.symbol, i.tick, i.lot, i.minimum_notional, i.maximum_notional, "
    "b.id, b.symbol, b.name, b.decimals, q.id, q.symbol, q.name, q.decimals, i.pool, i.terms "
    "FROM instrument i JOIN asset b ON b.id = i.base_asset JOIN asset q ON q.id = i.quote_asset"
)


class Listing(msgspec.Struct, frozen=True):
    """What can be traded, in what steps and between what bounds. `scale`: 10^(base decimals), for notionals."""

    id: str
    venue: VenueKind
    symbol: str
    tick: Decimal | None
    lot: int | None
    minimum_notional: int | None
    maximum_notional: int | None
    base: Asset
    quote: Asset
    pool: str | None
    base_id: str = ""
    quote_id: str = ""
    """The assets' ids once more: an attribute of a table's row costs more than the check that needs it."""
    terms: dict[str, Any] = msgspec.field(default_factory=dict)

    def notional(self, quantity: int, price: Decimal) -> int:
        """Quote units that so many base units are worth at a price, rounded down."""
        return int((self.base.amount(quantity) * price).scaleb(self.quote.decimals))

    @property
    def instrument(self) -> Instrument:
        """The table's row, for those who take one."""
        return Instrument(
            id=self.id,
            venue=self.venue,
            symbol=self.symbol,
            base_asset=self.base.id,
            quote_asset=self.quote.id,
            tick=self.tick,
            lot=self.lot,
            minimum_notional=self.minimum_notional,
            maximum_notional=self.maximum_notional,
            pool=self.pool,
            terms=self.terms,
        )


class Listings:
    """The instruments that this process has met."""

    def __init__(self) -> None:
        self._known: dict[str, Listing] = {}

    def get(self, instrument_id: str) -> Listing | None:
        """An instrument, if it has been read."""
        return self._known.get(instrument_id)

    def require(self, writer: Writer, instrument_ids: Iterable[str]) -> None:
        """Read what is not known yet; an instrument that is in no table stays unknown."""
        for instrument_id in set(instrument_ids):
            if instrument_id not in self._known:
                row = writer.row(f"{QUERY} WHERE i.id = ?", (instrument_id,))
                if row is not None:
                    self._known[instrument_id] = read_listing(row)

    def forget(self, instrument_id: str) -> None:
        """Read it again when it is next asked for."""
        self._known.pop(instrument_id, None)


def read_listing(row: tuple[object, ...]) -> Listing:
    """A row of `QUERY`."""
    identifier, venue, symbol, tick, lot, least, most, *rest = row
    base, quote, pool, terms = rest[:4], rest[4:8], rest[8], rest[9]
    return Listing(
        str(identifier),
        VenueKind(str(venue)),
        str(symbol),
        None if tick is None else Decimal(str(tick)),
        None if lot is None else int(str(lot)),
        None if least is None else int(str(least)),
        None if most is None else int(str(most)),
        Asset(id=str(base[0]), symbol=str(base[1]), name=str(base[2]), decimals=int(str(base[3]))),
        Asset(id=str(quote[0]), symbol=str(quote[1]), name=str(quote[2]), decimals=int(str(quote[3]))),
        None if pool is None else str(pool),
        str(base[0]),
        str(quote[0]),
        # SQLite gives the text, Postgres' driver the object.
        msgspec.json.decode(terms) if isinstance(terms, str) else dict(terms or {}),  # type: ignore[call-overload]
    )
