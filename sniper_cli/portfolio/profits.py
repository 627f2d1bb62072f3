"""Profit and loss by day, strategy and instrument: what was realised and what it cost, from the day sums.

The day sums are kept with every fill, so a year of a million orders is two thousand rows here and not two million
fills. Realised profit is before fees; fees are those of the venue in the quote asset. What the account paid beside its
trades (gas, interest, funding) belongs to no instrument and stands with the days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from heapq import merge
from itertools import groupby
from typing import Any

from sniper_cli.portfolio.standing import Standing
from sniper_cli.trading.amounts import trimmed, whole
from state.accounts import Asset, Movement
from state.projections import InstrumentDay, StrategyDay
from state.reading import Reader
from state.writing import day_of, read_micros

COSTS = (Movement.GAS, Movement.INTEREST, Movement.FUNDING, Movement.FEE)
"""What an account pays, or gets, without a trade."""

BY_HAND = "by hand"
"""The strategy of what a person did."""


class By(StrEnum):
    """What a line of a profit and loss is of."""

    DAY = "day"
    STRATEGY = "strategy"
    INSTRUMENT = "instrument"
    DAY_STRATEGY = "day-strategy"
    DAY_INSTRUMENT = "day-instrument"

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.value.split("-"))


@dataclass(slots=True)
class Totals:
    """What an account has realised and paid since it was opened, by quote asset."""

    realised: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    fees: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    """Of trades, and everything else that was paid."""


@dataclass(slots=True)
class Sums:
    """What one line adds up, in units of its quote asset."""

    realised: int = 0
    fees: int = 0
    bought: int = 0
    sold: int = 0
    fills: int = 0
    wins: int = 0
    won: int = 0
    losses: int = 0
    lost: int = 0
    costs: int = 0
    quantity: int = 0
    """Base units traded, both ways; only of an instrument."""
    unrealised: int | None = None

    @property
    def net(self) -> int:
        """What is left of it."""
        return self.realised - self.fees - self.costs

    def add(self, row: Sequence[Any]) -> None:
        """Add a row of the first nine, in their order."""
        realised, fees, bought, sold, fills, wins, won, losses, lost = row
        self.realised += int(realised)
        self.fees += int(fees)
        self.bought += int(bought)
        self.sold += int(sold)
        self.fills += fills
        self.wins += wins
        self.won += int(won)
        self.losses += losses
        self.lost += int(lost)


@dataclass(frozen=True, slots=True)
class ProfitLine:
    """A line of a profit and loss, in whole units of its currency."""

    day: date | None
    strategy: str | None
    instrument: str | None
    currency: str
    realised: Decimal
    fees: Decimal
    costs: Decimal | None
    """Gas, interest and funding; only of days."""
    net: Decimal
    """Realised less fees and costs."""
    unrealised: Decimal | None
    """Of what is open now: with today's line, or with its strategy or instrument."""
    bought: Decimal | None
    sold: Decimal | None
    volume: Decimal
    price: Decimal | None
    """What a unit was traded at on average, by volume; only of an instrument."""
    fills: int
    wins: int | None
    losses: int | None
    hit_rate: Decimal | None
    profit_factor: Decimal | None


Key = tuple[str | None, str | None, str | None, str]
"""Day, strategy, instrument and quote asset of a line."""

STRATEGY_SUMS = "realised, fees, bought, sold, fills, wins, won, losses, lost"
INSTRUMENT_SUMS = "realised, fees, notional, quantity, fills"


def totals(reader: Reader, account: str) -> Totals:
    """Everything that an account has realised and paid."""
    found = Totals()
    query = "SELECT quote_asset, realised, fees FROM strategy_day WHERE account_id = ?"
    for quote, realised, fees in reader.stream(query, (account,)):
        found.realised[quote] += int(realised)
        found.fees[quote] += int(fees)
    for _, asset, amount in costs(reader, account):
        found.fees[asset] -= amount
    return found


def costs(reader: Reader, account: str) -> Iterator[tuple[date, str, int]]:
    """(day, asset, amount) of what an account paid (negative) or got without a trade."""
    assets = [row[0] for row in reader.rows("SELECT asset_id FROM balance WHERE account_id = ?", (account,))]
    query = (
        "SELECT at, amount FROM ledger_entry WHERE account_id = ? AND asset_id = ? AND movement = ? "
        # A trade's fee is in its day's sums: of fees only what has a reference of its own is meant.
        "AND (reference < 'record:' OR reference >= 'record;')"
    )
    for asset in assets:
        for movement in COSTS:
            for at, amount in reader.rows(query, (account, asset, movement.value)):
                yield day_of(read_micros(at)), asset, int(amount)


def profits(
    reader: Reader,
    standing: Standing,
    by: By,
    *,
    account: str | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Iterator[ProfitLine]:
    """The lines of a profit and loss: days newest first, strategies and instruments by their net result.

    A line is made when it is asked for, and its day read then: a year by day and instrument has nine thousand.
    """
    accounts = [account] if account is not None else list(standing.purses)
    bounds = since, until
    add = _add_instrument if "instrument" in by.parts else _add_strategy
    rows = merge(*(_rows(reader, by, owner, bounds) for owner in accounts), key=_day_first, reverse=True)
    beside = _beside(reader, standing, by, accounts, bounds)
    if "day" not in by.parts:
        sums: dict[Key, Sums] = defaultdict(Sums)
        for row in (*rows, *beside):
            add(standing, sums, by, row)
        yield from _lines(standing, sums)
        return
    for _, of_day in groupby(merge(rows, beside, key=_day_first, reverse=True), key=_day_first):
        sums = defaultdict(Sums)
        for row in of_day:
            add(standing, sums, by, row)
        yield from _lines(standing, sums)


Row = tuple[Any, ...]
"""A day in words, then a row of its table; or a key and what is added beside the trades."""


def _day_first(row: Row) -> str:
    return str(row[0])


def _lines(standing: Standing, sums: dict[Key, Sums]) -> Iterator[ProfitLine]:
    for key in sorted(sums, key=lambda key: (key[3], sums[key].net), reverse=True):
        yield _line(standing, key, sums[key])


def _rows(reader: Reader, by: By, account: str, bounds: tuple[date | None, date | None]) -> Iterator[Row]:
    """An account's day sums, the newest first: who looks at a page reads no further."""
    condition, values = _span(*bounds)
    if "instrument" in by.parts:
        names = reader.columns(InstrumentDay, f"day, instrument_id, {INSTRUMENT_SUMS}")
        table = "instrument_day"
    else:
        names = reader.columns(StrategyDay, f"day, strategy, quote_asset, {STRATEGY_SUMS}")
        table = "strategy_day"
    query = f"SELECT {names} FROM {table} WHERE account_id = ?{condition} ORDER BY day DESC"  # noqa: S608
    return reader.stream(query, (account, *values), size=500)


def _beside(
    reader: Reader,
    standing: Standing,
    by: By,
    accounts: Sequence[str],
    bounds: tuple[date | None, date | None],
) -> list[Row]:
    """What stands in no day sum: other costs, of days; and what is open now, with today."""
    found: list[Row] = []
    if by is By.DAY:
        for owner in accounts:
            for day, asset, amount in costs(reader, owner):
                if _within(day, *bounds):
                    found.append((str(day), (None, None, asset), Beside(costs=-amount)))
    today = standing.now.date()
    if _within(today, None, bounds[1]):
        for held in standing.held:
            if held.account in accounts:
                key = (
                    (held.strategy or BY_HAND) if "strategy" in by.parts else None,
                    held.pair.id if "instrument" in by.parts else None,
                    held.pair.quote,
                )
                found.append((str(today), key, Beside(unrealised=held.unrealised)))
    return sorted(found, key=_day_first, reverse=True)


@dataclass(frozen=True, slots=True)
class Beside:
    """Something that is added to a line without a trade."""

    costs: int = 0
    unrealised: int | None = None


def _add_beside(sums: dict[Key, Sums], by: By, row: Row) -> None:
    day, (strategy, instrument, quote), what = row
    one = sums[day if "day" in by.parts else None, strategy, instrument, quote]
    one.costs += what.costs
    if what.unrealised is not None:
        one.unrealised = (one.unrealised or 0) + what.unrealised


def _within(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or day >= since) and (until is None or day <= until)


def _span(since: date | None, until: date | None) -> tuple[str, tuple[str, ...]]:
    """The condition on days, and its values."""
    bounds = [(" AND day >= ?", since), (" AND day <= ?", until)]
    given = [(condition, str(day)) for condition, day in bounds if day is not None]
    return "".join(condition for condition, _ in given), tuple(day for _, day in given)


def _add_strategy(_: Standing, sums: dict[Key, Sums], by: By, row: Row) -> None:
    if isinstance(row[2], Beside):
        _add_beside(sums, by, row)
        return
    day, strategy, quote, *amounts = row
    key = (
        day if "day" in by.parts else None,
        (strategy or BY_HAND) if "strategy" in by.parts else None,
        None,
        quote,
    )
    sums[key].add(amounts)


def _add_instrument(standing: Standing, sums: dict[Key, Sums], by: By, row: Row) -> None:
    """Of instruments the days know no sides: what was traded, both ways, is their volume."""
    if isinstance(row[2], Beside):
        _add_beside(sums, by, row)
        return
    day, instrument, realised, fees, notional, quantity, fills = row
    one = sums[day if "day" in by.parts else None, None, instrument, standing.pairs[instrument].quote]
    one.realised += int(realised)
    one.fees += int(fees)
    one.bought += int(notional)
    one.quantity += int(quantity)
    one.fills += fills


def _line(standing: Standing, key: Key, one: Sums) -> ProfitLine:
    day, strategy, instrument, quote = key
    unit = standing.assets[quote]
    sided = instrument is None
    return ProfitLine(
        day=None if day is None else date.fromisoformat(day),
        strategy=strategy,
        instrument=None if instrument is None else standing.pairs[instrument].symbol,
        currency=unit.symbol,
        realised=whole(unit, one.realised),
        fees=whole(unit, one.fees),
        costs=whole(unit, one.costs) if day is not None and strategy is None and sided else None,
        net=whole(unit, one.net),
        unrealised=None if one.unrealised is None else whole(unit, one.unrealised),
        bought=whole(unit, one.bought) if sided else None,
        sold=whole(unit, one.sold) if sided else None,
        volume=whole(unit, one.bought + one.sold),
        price=None if instrument is None else _average(standing, instrument, one),
        fills=one.fills,
        wins=one.wins if sided else None,
        losses=one.losses if sided else None,
        hit_rate=share(one.wins, one.wins + one.losses),
        profit_factor=share(one.won, one.lost),
    )


def _average(standing: Standing, instrument: str, one: Sums) -> Decimal | None:
    pair = standing.pairs[instrument]
    return unit_price(standing.assets[pair.base], standing.assets[pair.quote], one.quantity, one.bought)


def unit_price(base: Asset, quote: Asset, quantity: int, notional: int) -> Decimal | None:
    """Quote per whole base, to twelve digits; None of nothing."""
    if not quantity:
        return None
    price = Decimal(notional).scaleb(-quote.decimals) / Decimal(quantity).scaleb(-base.decimals)
    digits = Decimal(1).scaleb(price.adjusted() - 11)
    return trimmed(price.quantize(digits)) if price else Decimal(0)


def share(part: int, of: int) -> Decimal | None:
    """A quotient to four digits after the point; None of nothing."""
    return (Decimal(part) / Decimal(of)).quantize(Decimal("0.0001")) if of else None
