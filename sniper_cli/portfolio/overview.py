"""What there is, account by account: equity, cash by currency, positions net and by lot, and how good the marks are.

Equity is what would be there if everything were closed now: cash, coins that belong to no position at the middle
price, and positions at their marks. What nobody prices in the reporting currency is left out of the sums and named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sniper_cli.errors import NotFound
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.portfolio.profits import Totals, totals, unit_price
from sniper_cli.portfolio.standing import Held, HeldLot, Purse, Standing, is_called, read_standing
from sniper_cli.trading.amounts import whole
from state.accounts import Asset
from state.columns import utc_now
from state.database import Database
from state.reading import snapshot

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An account in its own reporting currency."""

    account: str
    venue: str
    currency: str
    equity: Decimal
    cash: Decimal
    positions: Decimal
    reserved: Decimal
    available: Decimal
    unrealised: Decimal
    realised: Decimal
    fees: Decimal
    open_positions: int
    open_orders: int


@dataclass(frozen=True, slots=True)
class BalanceLine:
    """An asset of an account."""

    account: str
    asset: str
    asset_id: str
    amount: Decimal
    in_positions: Decimal
    reserved: Decimal
    value: Decimal | None
    """In the reporting currency; None where nobody prices it."""


@dataclass(frozen=True, slots=True)
class LotLine:
    """An open lot."""

    id: UUID
    opened_at: datetime
    quantity: Decimal
    remaining: Decimal
    cost: Decimal
    """Of what remains."""
    price: Decimal | None
    """What a unit cost."""
    unrealised: Decimal


@dataclass(frozen=True, slots=True)
class PositionLine:
    """An open position; money in the instrument's quote asset."""

    id: UUID
    account: str
    instrument: str
    quote: str
    side: str
    quantity: Decimal
    cost: Decimal
    price: Decimal | None
    """What a unit cost."""
    value: Decimal
    unrealised: Decimal
    unrealised_pct: Decimal | None
    weight_pct: Decimal | None
    """Its share of the equity."""
    strategy: str | None
    source: str
    marked_at: datetime | None
    age: timedelta | None
    stale: bool
    opened_at: datetime
    lots: tuple[LotLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything, in one reporting currency."""

    at: datetime
    currency: str
    equity: Decimal
    cash: Decimal
    positions_value: Decimal
    reserved: Decimal
    available: Decimal
    unrealised: Decimal
    realised: Decimal
    fees: Decimal
    stale: int
    """Positions whose mark is too old to trade by."""
    unpriced: tuple[str, ...]
    """What is in no sum, because nobody prices it in the currency."""
    accounts: tuple[AccountLine, ...]
    balances: tuple[BalanceLine, ...]
    positions: tuple[PositionLine, ...]


def overview(
    database: Database,
    marks: PaperMarks,
    *,
    account: str | None = None,
    home: str = "paper",
    currency: str | None = None,
    lots: bool = False,
    now: datetime | None = None,
) -> Portfolio:
    """The portfolio of one account or of all. `home`: the account whose currency counts where none is named.

    Raises NotFound for an account or a currency that is none.
    """
    with snapshot(database) as reader:
        standing = read_standing(reader, marks, now or utc_now(), lots=lots, currency=currency, claims=True)
        purses = [standing.purse(account)] if account else list(standing.purses.values())
        earned = {purse.id: totals(reader, purse.id) for purse in purses}
    return _Sums(standing, purses, earned, _currency(standing, purses, currency, home)).portfolio()


def _currency(standing: Standing, purses: list[Purse], wanted: str | None, home: str) -> Asset:
    """The asset to reckon in: the one named, else the home account's, else the first account's."""
    if wanted is None:
        chosen = next((purse for purse in purses if purse.name == home), purses[0] if purses else None)
        if chosen is None:
            raise NotFound("there is no account yet", hint="sniper account create paper")
        return standing.assets[chosen.currency]
    named = [asset for asset in standing.assets.values() if is_called(asset, wanted)]
    if not named:
        known = sorted({asset.symbol for asset in standing.assets.values()})
        raise NotFound(f"there is no asset {wanted!r}", hint=f"assets: {', '.join(known[:12])}")
    venues = {purse.venue for purse in purses}
    return next((asset for asset in named if asset.id.split(":")[0] in venues), named[0])


class _Sums:
    """The figures of some accounts in one currency."""

    def __init__(
        self, standing: Standing, purses: list[Purse], earned: dict[str, Totals], currency: Asset
    ) -> None:
        self.standing = standing
        self.purses = purses
        self.earned = earned
        self.currency = currency
        self.unpriced: set[str] = set()
        self.lines = {purse.id: self._account(purse) for purse in purses}

    def portfolio(self) -> Portfolio:
        standing, unit = self.standing, self.currency
        held = [one for one in standing.held if one.account in self.lines]
        cash = positions = reserved = 0
        for purse in self.purses:
            more_cash, more_positions, unpriced = standing.worth(purse.id, unit.id)
            cash, positions = cash + more_cash, positions + more_positions
            self.unpriced.update(f"{standing.assets[asset].symbol} of {purse.name}" for asset in unpriced)
            reserved += self._reserved(purse, unit.id)
        unrealised = sum(self._into(one.unrealised, one.pair.quote, unit) for one in held)
        realised = sum(
            self._into(u, a, unit) for p in self.purses for a, u in self.earned[p.id].realised.items()
        )
        fees = sum(self._into(u, a, unit) for p in self.purses for a, u in self.earned[p.id].fees.items())
        equity = cash + positions
        lines = [self._position(one, equity) for one in held]
        return Portfolio(
            at=standing.now,
            currency=unit.symbol,
            equity=whole(unit, equity),
            cash=whole(unit, cash),
            positions_value=whole(unit, positions),
            reserved=whole(unit, reserved),
            available=whole(unit, cash - reserved),
            unrealised=whole(unit, unrealised),
            realised=whole(unit, realised),
            fees=whole(unit, fees),
            stale=sum(line.stale for line in lines),
            unpriced=tuple(sorted(self.unpriced)),
            accounts=tuple(self.lines[purse.id] for purse in self.purses),
            balances=tuple(line for purse in self.purses for line in self._balances(purse)),
            positions=tuple(sorted(lines, key=lambda line: abs(line.weight_pct or Decimal(0)), reverse=True)),
        )

    def _into(self, units: int, asset: str, target: Asset) -> int:
        """Units in another asset; nothing, and said so elsewhere, where nobody prices it."""
        return self.standing.rates.convert(units, asset, target.id) or 0

    def _reserved(self, purse: Purse, target: str) -> int:
        claims = ((a, u) for (owner, a), u in self.standing.reserved.items() if owner == purse.id)
        return sum(self.standing.rates.convert(units, asset, target) or 0 for asset, units in claims)

    def _account(self, purse: Purse) -> AccountLine:
        standing = self.standing
        unit = standing.assets[purse.currency]
        cash, positions, _ = standing.worth(purse.id, unit.id)
        reserved, earned, held = self._reserved(purse, unit.id), self.earned[purse.id], standing.of(purse.id)
        return AccountLine(
            account=purse.name,
            venue=purse.venue,
            currency=unit.symbol,
            equity=whole(unit, cash + positions),
            cash=whole(unit, cash),
            positions=whole(unit, positions),
            reserved=whole(unit, reserved),
            available=whole(unit, cash - reserved),
            unrealised=whole(unit, sum(self._into(one.unrealised, one.pair.quote, unit) for one in held)),
            realised=whole(unit, sum(self._into(u, a, unit) for a, u in earned.realised.items())),
            fees=whole(unit, sum(self._into(u, a, unit) for a, u in earned.fees.items())),
            open_positions=len(held),
            open_orders=standing.working.get(purse.id, 0),
        )

    def _balances(self, purse: Purse) -> Iterator[BalanceLine]:
        standing = self.standing
        loose = standing.loose(purse.id)
        mine = sorted(
            (asset, units) for (owner, asset), units in standing.balances.items() if owner == purse.id
        )
        for asset_id, units in mine:
            if not units and asset_id not in loose:
                continue
            asset = standing.assets[asset_id]
            value = standing.rates.convert(units, asset_id, self.currency.id)
            yield BalanceLine(
                account=purse.name,
                asset=asset.symbol,
                asset_id=asset_id,
                amount=whole(asset, units),
                in_positions=whole(asset, units - loose.get(asset_id, 0)),
                reserved=whole(asset, standing.reserved.get((purse.id, asset_id), 0)),
                value=None if value is None else whole(self.currency, value),
            )

    def _position(self, one: Held, equity: int) -> PositionLine:
        standing = self.standing
        base, quote = standing.assets[one.pair.base], standing.assets[one.pair.quote]
        value = standing.rates.convert(one.mark.value, quote.id, self.currency.id)
        return PositionLine(
            id=UUID(one.id),
            account=standing.purses[one.account].name,
            instrument=one.pair.symbol,
            quote=quote.symbol,
            side="long" if one.quantity >= 0 else "short",
            quantity=whole(base, one.quantity),
            cost=whole(quote, one.basis),
            price=unit_price(base, quote, abs(one.quantity), one.basis),
            value=whole(quote, one.mark.value),
            unrealised=whole(quote, one.unrealised),
            unrealised_pct=percent(one.unrealised, one.basis),
            weight_pct=None if value is None else percent(value, equity),
            strategy=one.strategy,
            source=one.mark.source.value,
            marked_at=one.mark.at,
            age=one.mark.age(standing.now),
            stale=one.mark.stale(standing.now),
            opened_at=one.opened,
            lots=tuple(_lot(one, lot, base, quote) for lot in one.lots),
        )


def _lot(one: Held, lot: HeldLot, base: Asset, quote: Asset) -> LotLine:
    """A lot's share of the position's mark, by its units."""
    share = one.mark.value * lot.remaining // abs(one.quantity)
    gain = share - lot.cost_left if one.quantity >= 0 else share + lot.cost_left
    return LotLine(
        id=UUID(lot.id),
        opened_at=lot.at,
        quantity=whole(base, lot.quantity),
        remaining=whole(base, lot.remaining),
        cost=whole(quote, lot.cost_left),
        price=unit_price(base, quote, lot.quantity, lot.cost),
        unrealised=whole(quote, gain),
    )


def percent(part: int, whole_: int) -> Decimal | None:
    """A share in percent, to a hundredth; None of nothing."""
    return (Decimal(part) * 100 / Decimal(whole_)).quantize(CENT) if whole_ else None
