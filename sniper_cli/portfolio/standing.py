"""What stands in the tables at one moment: accounts, balances, open positions, claims of working orders.

Read once, straight from the driver, for whatever is worked out from it: an overview, a day's equity, the orders that
bring a portfolio back to its weights. Amounts are base units as they stand; nothing is valued here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from sniper_cli.errors import NotFound
from sniper_cli.portfolio.marks import Mark, PaperMarks, Source, knows, unrealised
from sniper_cli.portfolio.rates import Price, Rates
from state.accounts import Account, Asset, Instrument
from state.orders import WORKING
from state.positions import Lot, Position
from state.reading import Reader
from state.writing import instant, read_hex, read_micros

AT_WORK = "state IN (" + ", ".join(f"'{state.value}'" for state in sorted(WORKING)) + ")"
"""As the index of what is at work says it: only then does it serve a query. What is held has no claim yet."""


@dataclass(frozen=True, slots=True)
class Purse:
    """One account."""

    id: str
    """32 hexadecimal digits."""
    name: str
    venue: str
    currency: str
    """The asset id that its figures are in."""
    lot_method: str
    margin: Decimal
    opened: datetime
    tenant: str = "main"
    chain_id: int | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One instrument."""

    id: str
    symbol: str
    base: str
    quote: str
    lot: int | None


@dataclass(frozen=True, slots=True)
class HeldLot:
    """An open lot of a position."""

    id: str
    quantity: int
    remaining: int
    cost: int
    at: datetime

    @property
    def cost_left(self) -> int:
        """What of its cost is still in it."""
        return self.cost - self.cost * (self.quantity - self.remaining) // self.quantity


@dataclass(slots=True)
class Held:
    """An open position with its mark."""

    id: str
    account: str
    pair: Pair
    quantity: int
    basis: int
    spent: int
    received: int
    fees: int
    realised: int
    strategy: str | None
    opened: datetime
    mark: Mark
    lots: list[HeldLot] = field(default_factory=list)

    @property
    def unrealised(self) -> int:
        return unrealised(self.quantity, self.basis, self.mark.value)


@dataclass(slots=True)
class Standing:
    """Everything that stands at a moment."""

    now: datetime
    assets: dict[str, Asset]
    pairs: dict[str, Pair]
    purses: dict[str, Purse]
    balances: dict[tuple[str, str], int]
    reserved: dict[tuple[str, str], int]
    """Quote units that working purchases may still take, by account and asset."""
    working: dict[str, int]
    """Orders at work, by account."""
    held: list[Held]
    rates: Rates

    def purse(self, name: str) -> Purse:
        """An account by its name. Raises NotFound."""
        found = next((purse for purse in self.purses.values() if purse.name == name), None)
        if found is None:
            known = ", ".join(sorted(purse.name for purse in self.purses.values())) or "none yet"
            raise NotFound(f"there is no account {name!r}; there are: {known}", hint="sniper account list")
        return found

    def of(self, account: str) -> list[Held]:
        """An account's open positions."""
        return [held for held in self.held if held.account == account]

    def loose(self, account: str) -> dict[str, int]:
        """What an account holds of each asset apart from what its positions do."""
        units = {asset: amount for (owner, asset), amount in self.balances.items() if owner == account}
        for held in self.of(account):
            units[held.pair.base] = units.get(held.pair.base, 0) - held.quantity
        return {asset: amount for asset, amount in units.items() if amount}

    def worth(self, account: str, target: str) -> tuple[int, int, list[str]]:
        """Cash and positions in units of an asset, and the assets that nobody prices in it."""
        cash = positions = 0
        unpriced = []
        for asset, units in self.loose(account).items():
            value = self.rates.convert(units, asset, target)
            if value is None:
                unpriced.append(asset)
            else:
                cash += value
        for held in self.of(account):
            value = self.rates.convert(held.mark.value, held.pair.quote, target)
            if value is None:
                unpriced.append(held.pair.base)
            else:
                positions += value
        return cash, positions, sorted(set(unpriced))


def read_standing(
    reader: Reader,
    marks: PaperMarks,
    now: datetime,
    *,
    claims: bool = False,
    lots: bool = False,
    currency: str | None = None,
) -> Standing:
    """Read everything, with marks of this moment where the simulated market knows the instrument.

    `claims`: also what working orders may take, which looks at every one of them. `currency`: an asset by its symbol
    or id that shall be priced, too, though nobody holds any.
    """
    marks.at(now)
    assets = read_assets(reader)
    pairs = read_pairs(reader)
    held = _read_held(reader, marks, pairs, now)
    if lots:
        _read_lots(reader, held)
    balances = {
        (account, asset): int(amount)
        for account, asset, amount in reader.stream(
            f"SELECT {_hex(reader, 'account_id')}, asset_id, amount FROM balance"  # noqa: S608
        )
    }
    reserved, working = _read_claims(reader, pairs) if claims else ({}, {})
    wanted = {asset for _, asset in balances}
    if currency is not None:
        wanted.update(asset.id for asset in assets.values() if is_called(asset, currency))
    return Standing(
        now,
        assets,
        pairs,
        {purse.id: purse for purse in read_purses(reader)},
        balances,
        reserved,
        working,
        held,
        Rates([*_middle_prices(marks, pairs.values(), wanted, now), *_marked_prices(held)]),
    )


def is_called(asset: Asset, text: str) -> bool:
    """Whether a person means this asset."""
    return text.strip().lower() in (asset.symbol.lower(), asset.id.lower())


def read_assets(reader: Reader) -> dict[str, Asset]:
    """Every asset by its id."""
    return {
        row[0]: Asset(id=row[0], symbol=row[1], name=row[2], decimals=row[3])
        for row in reader.rows("SELECT id, symbol, name, decimals FROM asset")
    }


def read_pairs(reader: Reader) -> dict[str, Pair]:
    """Every instrument by its id."""
    names = reader.columns(Instrument, "id, symbol, base_asset, quote_asset, lot")
    return {row[0]: Pair(*row) for row in reader.rows(f"SELECT {names} FROM instrument")}  # noqa: S608


def read_purses(reader: Reader) -> list[Purse]:
    """Every account, the oldest first."""
    names = reader.columns(
        Account,
        "id, name, venue, reporting_asset, lot_method, margin, created_at, tenant_id, chain_id, address",
    )
    return [
        Purse(key, name, venue, currency, method, Decimal(margin), instant(read_micros(opened)), *elsewhere)
        for key, name, venue, currency, method, margin, opened, *elsewhere in reader.rows(
            f"SELECT {names} FROM account ORDER BY id"  # noqa: S608
        )
    ]


def _read_held(reader: Reader, marks: PaperMarks, pairs: dict[str, Pair], now: datetime) -> list[Held]:
    names = reader.columns(
        Position,
        "id, account_id, instrument_id, quantity, basis, spent, received, fees, realised, strategy, opened_at, "
        "mark_value, marked_at",
    )
    query = f"SELECT {names} FROM position WHERE state = 'open' ORDER BY id"  # noqa: S608
    found = []
    for key, account, instrument, *amounts, strategy, opened, value, marked in reader.stream(query):
        quantity, basis, spent, received, fees, realised = (int(amount) for amount in amounts)
        if knows(instrument):
            mark = Mark(marks.closing(instrument, quantity), Source.MARKET, now)
        elif value is not None:
            mark = Mark(int(value), Source.POOL, None if marked is None else instant(read_micros(marked)))
        else:
            mark = Mark(basis if quantity >= 0 else -basis, Source.COST)
        found.append(
            Held(
                key,
                account,
                pairs[instrument],
                quantity,
                basis,
                spent,
                received,
                fees,
                realised,
                strategy,
                instant(read_micros(opened)),
                mark,
            )
        )
    return found


def _read_lots(reader: Reader, held: list[Held]) -> None:
    positions = {one.id: one for one in held}
    names = reader.columns(Lot, "position_id, id, quantity, remaining, cost, opened_at")
    query = f"SELECT {names} FROM lot WHERE position_id IN ({{keys}}) AND remaining <> '0'"  # noqa: S608
    for key, lot, *amounts, at in reader.by_keys(query, list(positions)):
        quantity, remaining, cost = (int(amount) for amount in amounts)
        positions[key].lots.append(HeldLot(lot, quantity, remaining, cost, instant(read_micros(at))))
    for one in held:
        one.lots.sort(key=lambda lot: lot.id)


def _read_claims(reader: Reader, pairs: dict[str, Pair]) -> tuple[dict[tuple[str, str], int], dict[str, int]]:
    """What working purchases may still take, and how many orders are at the venue."""
    reserved: dict[tuple[str, str], int] = defaultdict(int)
    working: dict[str, int] = defaultdict(int)
    query = (
        "SELECT account_id, instrument_id, side, reserved, filled_notional "  # noqa: S608
        f"FROM \"order\" WHERE {AT_WORK} AND state <> 'held'"
    )
    for account, instrument, side, held, filled in reader.stream(query):
        owner = read_hex(account)
        working[owner] += 1
        if side == "buy" and (left := int(held) - int(filled)) > 0:
            reserved[owner, pairs[instrument].quote] += left
    return reserved, working


def _middle_prices(
    marks: PaperMarks, pairs: Iterable[Pair], wanted: set[str], now: datetime
) -> Iterable[Price]:
    """The simulated market's prices of what is held."""
    for pair in pairs:
        if pair.base in wanted and (rate := marks.rate(pair.id)) is not None:
            yield Price(pair.base, pair.quote, *rate, now)


def _marked_prices(held: Iterable[Held]) -> Iterable[Price]:
    """What the marks of positions elsewhere say about a unit of what they hold."""
    for one in held:
        if one.mark.source is Source.POOL and one.quantity > 0:
            yield Price(one.pair.base, one.pair.quote, one.mark.value, one.quantity, one.mark.at)


def _hex(reader: Reader, name: str) -> str:
    return name if reader.on_sqlite else f"replace({name}::text, '-', '')"
