"""An account's course, day by day: what it was worth at each day's end, and what was paid in and out meanwhile.

It is worked out from the day sums, not from fills: the cash of a day is what was paid in, sold and bought until then,
the coins are those that each instrument's last trade left. Prices at a day's end come from the simulated market,
which knows every second of the past. A chain's pools are not asked for theirs: there a position counts at cost on
past days, the day says that it does, and only the last one has the present marks.

Positions are valued at the middle price here, also today: what closing would bring differs by the spread and the
fee, and a course made of both would jump at its end.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from sniper_cli.market.simulated import step_of
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.portfolio.profits import costs
from sniper_cli.portfolio.rates import Price, Rates
from sniper_cli.portfolio.standing import Purse, Standing
from state.accounts import Movement
from state.projections import InstrumentDay, StrategyDay
from state.reading import Reader
from state.writing import day_of, read_micros

FLOWS = (Movement.DEPOSIT, Movement.WITHDRAWAL, Movement.TRANSFER)
"""Money of the owner's: neither profit nor loss."""
OTHERS = (*FLOWS, Movement.GAS, Movement.INTEREST, Movement.FUNDING, Movement.ADJUSTMENT, Movement.FEE)
ONE_DAY = timedelta(days=1)


@dataclass(slots=True)
class Day:
    """One day in units of the reporting asset, at its end or, of today, now."""

    day: date
    cash: int = 0
    positions: int = 0
    paid_in: int = 0
    paid_out: int = 0
    realised: int = 0
    fees: int = 0
    """Of trades, and gas, interest and funding."""
    fills: int = 0
    unpriced: tuple[str, ...] = ()
    """Instruments that count at cost, for nobody knows their price at that day's end."""

    @property
    def equity(self) -> int:
        return self.cash + self.positions

    @property
    def flow(self) -> int:
        """Paid in less paid out."""
        return self.paid_in - self.paid_out


@dataclass(slots=True)
class Holding:
    """An instrument at a day's end."""

    quantity: int
    basis: int


@dataclass(slots=True)
class Sources:
    """What the tables say of an account's days."""

    trades: dict[date, dict[str, list[int]]] = field(default_factory=lambda: defaultdict(dict))
    """By day and quote asset: sold less bought, realised, fees, fills."""
    held: dict[date, dict[str, Holding]] = field(default_factory=lambda: defaultdict(dict))
    flows: dict[date, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    others: dict[date, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """Every movement that is no trade, flows included."""

    @property
    def first(self) -> date | None:
        return min((*self.trades, *self.held, *self.others), default=None)


def course(
    reader: Reader, standing: Standing, purse: Purse, marks: PaperMarks, *, until: date | None = None
) -> list[Day]:
    """Every day of an account from its first movement to `until` (today); empty before anything happened."""
    sources = read_sources(reader, purse.id)
    last = min(until or standing.now.date(), standing.now.date())
    return list(_walk(reader, standing, purse, marks, sources, last)) if sources.first is not None else []


def read_sources(reader: Reader, account: str) -> Sources:
    """Day sums and movements of an account."""
    found = Sources()
    names = reader.columns(StrategyDay, "day, quote_asset, bought, sold, realised, fees, fills")
    query = f"SELECT {names} FROM strategy_day WHERE account_id = ?"  # noqa: S608
    for day, quote, bought, sold, realised, fees, fills in reader.stream(query, (account,)):
        sums = found.trades[date.fromisoformat(day)].setdefault(quote, [0, 0, 0, 0])
        for place, amount in enumerate((int(sold) - int(bought), int(realised), int(fees), fills)):
            sums[place] += amount
    names = reader.columns(InstrumentDay, "day, instrument_id, held, basis")
    query = f"SELECT {names} FROM instrument_day WHERE account_id = ?"  # noqa: S608
    for day, instrument, held, basis in reader.stream(query, (account,)):
        found.held[date.fromisoformat(day)][instrument] = Holding(int(held), int(basis))
    for day, asset, movement, amount in _movements(reader, account):
        found.others[day].append((asset, amount))
        if movement in FLOWS:
            found.flows[day].append((asset, amount))
    return found


def _movements(reader: Reader, account: str) -> Iterator[tuple[date, str, Movement, int]]:
    """Everything that moved without a trade. By the ledger's index: of a million entries most are trades."""
    query = (
        "SELECT at, amount FROM ledger_entry WHERE account_id = ? AND asset_id = ? AND movement = ? "
        "AND (reference < 'record:' OR reference >= 'record;')"
    )
    assets = [row[0] for row in reader.rows("SELECT asset_id FROM balance WHERE account_id = ?", (account,))]
    for asset in assets:
        for movement in OTHERS:
            for at, amount in reader.rows(query, (account, asset, movement.value)):
                yield day_of(read_micros(at)), asset, movement, int(amount)


def _walk(
    reader: Reader, standing: Standing, purse: Purse, marks: PaperMarks, sources: Sources, last: date
) -> Iterator[Day]:
    first = sources.first
    assert first is not None
    cash = _opening(standing, purse, sources)
    held: dict[str, Holding] = {}
    paid: dict[date, list[tuple[str, int]]] = defaultdict(list)
    for day, asset, amount in costs(reader, purse.id):
        paid[day].append((asset, -amount))
    today = first
    while today <= last:
        for quote, (net, _, fees, _) in sources.trades.get(today, {}).items():
            cash[quote] += net - fees
        for asset, amount in sources.others.get(today, ()):
            cash[asset] += amount
        held |= sources.held.get(today, {})
        held = {instrument: one for instrument, one in held.items() if one.quantity}
        yield _value(standing, purse, marks, sources, today, cash, held, paid.get(today, []))
        today += ONE_DAY


def _opening(standing: Standing, purse: Purse, sources: Sources) -> dict[str, int]:
    """What the account must have had before its first day: nothing, unless fees were paid in a third asset or coins
    were sold that no position held."""
    cash: dict[str, int] = defaultdict(int)
    cash |= standing.loose(purse.id)
    for quotes in sources.trades.values():
        for quote, (net, _, fees, _) in quotes.items():
            cash[quote] -= net - fees
    for movements in sources.others.values():
        for asset, amount in movements:
            cash[asset] -= amount
    return cash


def end_of(day: date, now: datetime) -> datetime:
    """The last second of a day in UTC, or of today the present one."""
    end = datetime.combine(day + ONE_DAY, time(), UTC) - timedelta(seconds=1)
    return min(end, now)


def _value(
    standing: Standing,
    purse: Purse,
    marks: PaperMarks,
    sources: Sources,
    today: date,
    cash: dict[str, int],
    held: dict[str, Holding],
    paid: list[tuple[str, int]],
) -> Day:
    target = purse.currency
    rates = rates_at(
        standing, marks, {asset for asset, units in cash.items() if units}, end_of(today, standing.now)
    )
    found = Day(today)
    unpriced = []
    for asset, units in cash.items():
        found.cash += rates.convert(units, asset, target) or 0
    for instrument, one in held.items():
        value, known = worth_of(standing, marks, instrument, one, today)
        found.positions += rates.convert(value, standing.pairs[instrument].quote, target) or 0
        if not known:
            unpriced.append(standing.pairs[instrument].symbol)
    for asset, amount in sources.flows.get(today, ()):
        value = rates.convert(amount, asset, target) or 0
        if value >= 0:
            found.paid_in += value
        else:
            found.paid_out -= value
    for quote, (_, realised, fees, fills) in sources.trades.get(today, {}).items():
        found.realised += rates.convert(realised, quote, target) or 0
        found.fees += rates.convert(fees, quote, target) or 0
        found.fills += fills
    found.fees += sum(rates.convert(amount, asset, target) or 0 for asset, amount in paid)
    found.unpriced = tuple(sorted(unpriced))
    return found


def worth_of(
    standing: Standing, marks: PaperMarks, instrument: str, one: Holding, day: date
) -> tuple[int, bool]:
    """Quote units of a holding at a day's end at the middle price, and whether anybody knows that price."""
    rate = marks.rate(instrument, step_of(end_of(day, standing.now)))
    if rate is not None:
        return one.quantity * rate[0] // rate[1], True
    if day == standing.now.date():
        held = next((held for held in standing.held if held.pair.id == instrument), None)
        if held is not None and held.mark.at is not None:
            return held.mark.value, True
    return (one.basis if one.quantity >= 0 else -one.basis), False


def rates_at(standing: Standing, marks: PaperMarks, assets: set[str], moment: datetime) -> Rates:
    """The simulated market's prices of some assets at a moment; today the present rates."""
    if moment == standing.now:
        return standing.rates
    rates = Rates()
    for pair in standing.pairs.values():
        if pair.base in assets and (rate := marks.rate(pair.id, step_of(moment))) is not None:
            rates.add(Price(pair.base, pair.quote, *rate, moment))
    return rates
