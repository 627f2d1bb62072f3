"""What the market commands ask for: the market of a profile, its instruments by name, candles since a moment.

The simulated market needs no database and no network, so nothing is opened for it but the settings. Instruments of
other venues stand in the database, once something has been traded or listed there.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sniper_cli.errors import NotFound, UsageProblem
from sniper_cli.market.candles import Candle, Interval
from sniper_cli.market.instruments import Spec, spec_named, unknown
from sniper_cli.market.simulated import step_of
from sniper_cli.market.views import Market, Quote, this_second
from sniper_cli.moments import parse_moment

if TYPE_CHECKING:
    from sqlmodel import Session


def open_market(profile: str | None) -> Market:
    """The simulated market of a profile's seed. Raises UnknownProfile, ConfigurationError."""
    from sniper_cli.settings import load

    return Market(load(profile).settings.market_seed)


def quotes(profile: str | None, *, after: str | None = None) -> list[Quote]:
    """Every instrument there is: the simulated market's, then those of other venues by venue and symbol.

    Raises NotFound for an `after` that is none of them.
    """
    found = [*open_market(profile).quotes(this_second()), *quotes_elsewhere(profile)]
    if after is None:
        return found
    place = next((number for number, each in enumerate(found, 1) if _is_called(each, after)), None)
    if place is None:
        raise unknown(after)
    return found[place:]


def quote(profile: str | None, text: str) -> Quote:
    """One instrument by whatever a person calls it. Raises NotFound with the near match."""
    spec = spec_named(text)
    if spec is not None:
        return open_market(profile).quote(spec, this_second())
    elsewhere = quotes_elsewhere(profile)
    found = next((each for each in elsewhere if _is_called(each, text)), None)
    if found is not None:
        return found
    near = get_close_matches(text.upper(), [each.instrument for each in elsewhere], n=1)
    if near:
        raise NotFound(
            f"there is no instrument {text!r}; did you mean {near[0]!r}?", hint="sniper market list"
        )
    raise unknown(text)


def simulated(profile: str | None, text: str) -> Spec:
    """An instrument that has a book, a tape and candles. Raises NotFound with the near match."""
    spec = spec_named(text)
    if spec is not None:
        return spec
    if any(_is_called(each, text) for each in quotes_elsewhere(profile)):
        raise NotFound(
            f"{text} is not in the simulated market, and no other shows its book and candles",
            hint=f"sniper market show {text}",
        )
    raise unknown(text)


def quotes_elsewhere(profile: str | None) -> list[Quote]:
    """The instruments of other venues that the database knows; none before there is a database."""
    from sniper_cli.context import open_context
    from sniper_cli.errors import SchemaMissing

    try:
        context = open_context(profile)
    except SchemaMissing:
        return []
    with context, context.database.read() as session:
        return _rows_elsewhere(session)


def _rows_elsewhere(session: Session) -> list[Quote]:
    from sqlmodel import col, select

    from state.accounts import Asset, Instrument, VenueKind

    rows = session.exec(
        select(Instrument)
        .where(Instrument.venue != VenueKind.PAPER)
        .order_by(col(Instrument.venue), col(Instrument.symbol), col(Instrument.id))
    ).all()
    assets = {asset.id: asset for asset in session.exec(select(Asset)).all()} if rows else {}
    found = []
    for row in rows:
        base, quoted = assets[row.base_asset], assets[row.quote_asset]
        found.append(
            Quote(
                instrument=row.symbol,
                id=row.id,
                venue=row.venue.value,
                name=base.name,
                tick=row.tick,
                lot=None if row.lot is None else base.amount(row.lot),
                minimum=None if row.minimum_notional is None else quoted.amount(row.minimum_notional),
            )
        )
    return found


def _is_called(found: Quote, text: str) -> bool:
    wanted = text.strip().lower()
    pool = found.id.rsplit(":", 1)[-1].lower()
    spec = spec_named(text)
    return wanted in (found.id.lower(), found.instrument.lower(), pool) or (
        spec is not None and spec.id == found.id
    )


@dataclass(frozen=True, slots=True)
class Stretch:
    """The candles to show, and how many there would be."""

    candles: list[Candle]
    of: int


def stretch(
    market: Market,
    spec: Spec,
    interval: Interval,
    *,
    limit: int,
    since: str | None = None,
    everything: bool = False,
    now: int | None = None,
) -> Stretch:
    """The last `limit` candles, or those since a moment, the latest of them if there are more than the limit.

    Raises UsageProblem for what is no time and for too many.
    """
    last = this_second() if now is None else now
    if since is None and everything:
        raise UsageProblem(
            "the simulated market has no beginning: --all needs --since",
            hint=f"sniper market candles {spec.symbol} --interval {interval} --since 1d --all",
        )
    if since is None:
        return Stretch(market.latest(spec, interval, last, limit), limit)
    first = min(step_of(parse_moment(since)), last)
    count = last // interval.seconds - first // interval.seconds + 1
    if count > limit and not everything:
        return Stretch(market.latest(spec, interval, last, limit), count)
    return Stretch(market.candles(spec, interval, first, last), count)
