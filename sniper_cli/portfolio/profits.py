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

    A line is made when it is asked for: a year by day and strategy has two thousand, and a screen shows fifty.
    """
    accounts = [account] if account is not None else list(standing.purses)
    sums: dict[Key, Sums] = defaultdict(Sums)
    for owner in accounts:
        if "instrument" in by.parts:
            _add_instruments(reader, standing, sums, by, owner, (since, until))
        else:
            _add_strategies(reader, sums, by, owner, (since, until))
        if by is By.DAY:
            for day, asset, amount in costs(reader, owner):
                if _within(day, since, until):
                    sums[str(day), None, None, asset].costs -= amount
    if until is None or until >= standing.now.date():
        _add_unrealised(standing, sums, by, accounts)
    for key in sorted(sums, key=lambda key: (key[0] or "", key[3], sums[key].net), reverse=True):
        yield _line(standing, key, sums[key])


def _within(day: date, since: date | None, until: date | None) -> bool:
    return (since is None or day >= since) and (until is None or day <= until)


def _span(since: date | None, until: date | None) -> tuple[str, tuple[str, ...]]:
    """The condition on days, and its values."""
    bounds = [(" AND day >= ?", since), (" AND day <= ?", until)]
    given = [(condition, str(day)) for condition, day in bounds if day is not None]
    return "".join(condition for condition, _ in given), tuple(day for _, day in given)


def _add_strategies(
    reader: Reader,
    sums: dict[Key, Sums],
    by: By,
    account: str,
    span: tuple[date | None, date | None],
) -> None:
    condition, values = _span(*span)
    names = reader.columns(StrategyDay, f"day, strategy, quote_asset, {STRATEGY_SUMS}")
    query = f"SELECT {names} FROM strategy_day WHERE account_id = ?{condition}"  # noqa: S608
    for day, strategy, quote, *amounts in reader.stream(query, (account, *values)):
        key = (
            day if "day" in by.parts else None,
            (strategy or BY_HAND) if "strategy" in by.parts else None,
            None,
            quote,
        )
        sums[key].add(amounts)


def _add_instruments(
    reader: Reader,
    standing: Standing,
    sums: dict[Key, Sums],
    by: By,
    account: str,
    span: tuple[date | None, date | None],
) -> None:
    """Of instruments the days know no sides: what was traded, both ways, is their volume."""
    condition, values = _span(*span)
    names = reader.columns(InstrumentDay, f"day, instrument_id, {INSTRUMENT_SUMS}")
    query = f"SELECT {names} FROM instrument_day WHERE account_id = ?{condition}"  # noqa: S608
    for day, instrument, realised, fees, notional, quantity, fills in reader.stream(
        query, (account, *values)
    ):
        key = (day if "day" in by.parts else None, None, instrument, standing.pairs[instrument].quote)
        one = sums[key]
        one.realised += int(realised)
        one.fees += int(fees)
        one.bought += int(notional)
        one.quantity += int(quantity)
        one.fills += fills


def _add_unrealised(standing: Standing, sums: dict[Key, Sums], by: By, accounts: list[str]) -> None:
    today = str(standing.now.date())
    for held in standing.held:
        if held.account not in accounts:
            continue
        key = (
            today if "day" in by.parts else None,
            (held.strategy or BY_HAND) if "strategy" in by.parts else None,
            held.pair.id if "instrument" in by.parts else None,
            held.pair.quote,
        )
        one = sums[key]
        one.unrealised = (one.unrealised or 0) + held.unrealised


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
