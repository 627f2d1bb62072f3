"""How much to order of an instrument, by a method, for an account as it stands: with every figure, ready to be placed.

What a person does not say is taken from where it can be known (`sniper_cli.risk.history`): the price, the range and the
volatility from the market's candles, chances and results from the account's own closed positions. What the limits in
force and the money at hand leave room for cuts the size before it is shown, so that what is suggested also passes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING

from sqlmodel import Session

from sniper_cli.books.projector import catch_up
from sniper_cli.errors import UsageProblem
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.risk import methods as ways
from sniper_cli.risk.gate import BPS, Gate
from sniper_cli.risk.growth import NoStake
from sniper_cli.risk.history import YEAR, Candles, covariance, results_of_a_unit, shares_won
from sniper_cli.risk.report import read_gate
from sniper_cli.risk.setting import account_named, instrument_named
from sniper_cli.risk.sizing import Caps, SizedOrder, TradeRules, size_order
from sniper_cli.risk.stakes import exact
from sniper_cli.trading.amounts import trimmed
from sniper_cli.trading.listings import Listing, Listings
from sniper_cli.venues.paper.matching import SLIPPAGE_BPS
from state.accounts import Account, Asset, Instrument, VenueKind
from state.columns import utc_now
from state.writing import Writer

if TYPE_CHECKING:
    from sniper_cli.context import Context

HINT = "sniper risk size --help"
FEE_BPS = 10
"""What the cash at hand must have room for beside the notional."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was typed; nothing where it is to be found out."""

    instrument: str
    method: str = "fixed_fractional"
    account: str | None = None
    price: str | None = None
    stop: str | None = None
    risk: str | None = None
    quantity: str | None = None
    notional: str | None = None
    atr: str | None = None
    stop_multiple: str | None = None
    target: str | None = None
    volatility: str | None = None
    max_leverage: str | None = None
    win_rate: str | None = None
    win_multiple: str | None = None
    loss_multiple: str | None = None
    drift: str | None = None
    fraction: str | None = None
    cap: str | None = None
    trades: Sequence[str] = ()
    beside: Sequence[str] = ()
    """The other instruments of a portfolio of equal risk."""
    invested: str | None = None
    max_fraction: str | None = None
    max_risk: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A size, and how it came about."""

    account: str
    instrument: str
    method: str
    quantity: Decimal
    notional: Decimal
    at_risk: Decimal | None
    price: Decimal
    stop: Decimal | None
    equity: Decimal
    base: str
    quote: str
    bound_by: str
    """What decided: the method, a cap, or the limit that leaves the least room."""
    figures: dict[str, str] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    command: str | None = None
    """Places it."""


def suggest(context: Context, wish: Wish) -> Suggestion:
    """A size for the account as it stands. Raises UsageProblem, NotFound."""
    catch_up(context.database)
    with context.database.read() as session:
        account = account_named(session, wish.account or context.account_name)
        instrument = instrument_named(session, wish.instrument)
        gate = read_gate(session, context.database, account, context.settings)
        writer = Writer(context.database, session=session)
        desk = _Sizing(context, session, wish, account, instrument, gate, writer)
        return desk.suggestion()


@dataclass(slots=True)
class _Sizing:
    """One suggestion on its way."""

    context: Context
    session: Session
    wish: Wish
    account: Account
    instrument: Instrument
    gate: Gate
    writer: Writer

    def suggestion(self) -> Suggestion:
        listing = self._listing()
        base, quote = listing.base, listing.quote
        price, stop = self._price(), _decimal(self.wish.stop, "--stop")
        gate = self.gate
        equity = gate.book.cash.get(gate.asset.id, 0) + gate.whole.value
        room, narrow = self._room(listing, price)
        caps = Caps(
            fraction=_share(self.wish.max_fraction, "--max-fraction"),
            notional=room,
            risk=_share(self.wish.max_risk, "--max-risk"),
        )
        rules = TradeRules.of(self.instrument, base, quote)
        try:
            method = self._method()
        except NoStake as problem:
            raise UsageProblem(str(problem), hint=HINT) from problem
        sized = size_order(method, equity=equity, price=price, rules=rules, stop=stop, caps=caps)
        return self._told(sized, base, quote, price, stop, equity, narrow)

    def _told(
        self,
        sized: SizedOrder,
        base: Asset,
        quote: Asset,
        price: Decimal,
        stop: Decimal | None,
        equity: int,
        narrow: str,
    ) -> Suggestion:
        quantity = trimmed(base.amount(sized.quantity))
        place = f"sniper order place buy {self.instrument.symbol} --quantity {quantity:f}"
        if self.wish.price is not None:
            place += f" --type limit --price {trimmed(price):f}"
        return Suggestion(
            account=self.account.name,
            instrument=self.instrument.symbol,
            method=sized.method,
            quantity=quantity,
            notional=trimmed(quote.amount(sized.notional)),
            at_risk=None if sized.at_risk is None else trimmed(quote.amount(sized.at_risk)),
            price=trimmed(price),
            stop=None if stop is None else trimmed(stop),
            equity=trimmed(quote.amount(equity)),
            base=base.symbol,
            quote=quote.symbol,
            bound_by=narrow if sized.bound_by == "max_notional" else sized.bound_by,
            figures=sized.figures,
            refusals=tuple(refusal.sentence for refusal in sized.refusals),
            command=place if sized.fits else None,
        )

    def _listing(self) -> Listing:
        listings = Listings()
        listings.require(self.writer, [self.instrument.id])
        listing = listings.get(self.instrument.id)
        assert listing is not None
        return listing

    # -- room -----------------------------------------------------------------------------------------------------

    def _room(self, listing: Listing, price: Decimal) -> tuple[int, str]:
        """Quote units at the price that the money at hand and the limits leave, and which of them leaves the least.

        Money is needed for the worst price that the order may take; what is at stake is valued at the market's.
        """
        gate, name = self.gate, self.instrument.id
        unit = exact(price) * 10**listing.quote.decimals / 10**listing.base.decimals
        dear = unit / self._worst_unit(unit)
        rate = gate.whole.rate(name)
        valued = Fraction(1) if rate is None else unit / Fraction(*rate)
        rooms: dict[str, Fraction] = {}
        if not gate.book.margin:
            rooms["funds"] = _without_fees(gate.book.available(listing.quote.id)) * dear
        plan = gate.plan(name, None, listing)
        if plan.order_notional is not None:
            rooms["order_notional"] = plan.order_notional * dear
        if plan.order_quantity is not None:
            rooms["order_quantity"] = plan.order_quantity * unit
        up = gate.whole.cells[name].up if name in gate.whole.cells else 0
        equity = 0 if gate.equity is None else gate.equity.now()
        for line in plan.lines:
            gross = line.exposure.gross
            if line.position_quantity is not None:
                held, _, buying, _, _ = line.exposure.claims(name)
                rooms[line.position_quantity[0]] = (line.position_quantity[1] - held - buying) * unit
            if line.position_notional is not None:
                rooms[line.position_notional[0]] = (line.position_notional[1] - up) * valued
            if line.concentration is not None:
                rooms[line.concentration[0]] = (equity * line.concentration[1] // BPS - up) * valued
            if line.gross is not None:
                rooms[line.gross[0]] = (line.gross[1] - gross) * valued
            if line.leverage is not None:
                rooms[line.leverage[0]] = (equity * line.leverage[1] // line.leverage[2] - gross) * valued
            if line.total_spend is not None:
                spent = line.exposure.basis + line.entering()
                rooms[line.total_spend[0]] = _without_fees(line.total_spend[1] - spent) * dear
        least = min(rooms, key=lambda which: rooms[which])
        return max(0, floor(rooms[least])), least

    def _worst_unit(self, unit: Fraction) -> Fraction:
        """Quote units for a base unit at the worst price: that of a limit is its own, at market it is the venue's."""
        spec = INSTRUMENTS.get(self.instrument.id)
        if self.wish.price is not None or spec is None:
            return unit
        ask = self._candles.market.book(spec.id, utc_now()).asks[0].ticks
        return Fraction(ask * (BPS + SLIPPAGE_BPS) // BPS * spec.tick_of_lot, spec.lot_units)

    # -- what is known ----------------------------------------------------------------------------------------------

    @property
    def _candles(self) -> Candles:
        return Candles(SimulatedMarket(self.context.settings.market_seed), utc_now())

    def _price(self) -> Decimal:
        given = _decimal(self.wish.price, "--price")
        if given is not None:
            return given
        if self.account.venue is not VenueKind.PAPER:
            raise UsageProblem("a price must be given where none can be looked up", hint=f"{HINT}: --price")
        return self._candles.price(self.instrument.id)

    # -- methods ------------------------------------------------------------------------------------------------------

    def _method(self) -> ways.Method:
        wish = self.wish
        makers = {
            "fixed": self._fixed,
            "fixed_fractional": self._fractional,
            "atr": self._turtle,
            "volatility_target": self._target,
            "kelly": self._kelly,
            "kelly_continuous": self._drift,
            "optimal_f": self._vince,
            "risk_parity": self._parity,
        }
        maker = makers.get(wish.method.replace("-", "_"))
        if maker is None:
            raise UsageProblem(f"there is no method {wish.method!r}", hint=f"methods: {', '.join(makers)}")
        return maker()

    def _fixed(self) -> ways.Method:
        quantity, notional = (
            _decimal(self.wish.quantity, "--quantity"),
            _decimal(self.wish.notional, "--notional"),
        )
        if (quantity is None) == (notional is None):
            raise UsageProblem("a fixed size is either --quantity or --notional", hint=HINT)
        return ways.Fixed(quantity=quantity, notional=notional)

    def _fractional(self) -> ways.Method:
        if self.wish.stop is None:
            raise UsageProblem("this method risks the way to a stop: name it", hint=f"{HINT}: --stop")
        return ways.FixedFractional(
            _share(self.wish.risk, "--risk") or Decimal("0.01"), Decimal(FEE_BPS) / BPS
        )

    def _turtle(self) -> ways.Method:
        return ways.AtrUnit(
            _decimal(self.wish.atr, "--atr") or self._candles.average_true_range(self.instrument.id),
            _share(self.wish.risk, "--risk") or Decimal("0.01"),
            _decimal(self.wish.stop_multiple, "--stop-multiple") or Decimal(2),
        )

    def _target(self) -> ways.Method:
        volatility = _share(self.wish.volatility, "--volatility")
        if volatility is None:
            volatility = self._candles.volatility(self.instrument.id)
        return ways.TargetVolatility(
            _share(self.wish.target, "--target") or Decimal("0.2"),
            volatility,
            _decimal(self.wish.max_leverage, "--max-leverage") or Decimal(1),
        )

    def _kelly(self) -> ways.Method:
        wish = self.wish
        chance = _share(wish.win_rate, "--win-rate")
        won, lost = (
            _decimal(wish.win_multiple, "--win-multiple"),
            _decimal(wish.loss_multiple, "--loss-multiple"),
        )
        if chance is None:
            results = shares_won(self.session, self.account, self.instrument)
            wins, losses = [one for one in results if one > 0], [-one for one in results if one < 0]
            if not wins or not losses:
                raise UsageProblem("of these positions all won, or all lost: that is no chance", hint=HINT)
            chance = Decimal(len(wins)) / len(results)
            won, lost = sum(wins, Decimal(0)) / len(wins), sum(losses, Decimal(0)) / len(losses)
        if won is None:
            raise UsageProblem("a chance to win needs what a win brings", hint=f"{HINT}: --win-multiple")
        return ways.KellyBet(
            float(chance), float(won), float(lost or 1), *self._parts(), at_stop=self.wish.stop is not None
        )

    def _drift(self) -> ways.Method:
        sigma, drift = (
            _share(self.wish.volatility, "--volatility"),
            _share(self.wish.drift, "--drift", signed=True),
        )
        if sigma is None:
            sigma = self._candles.volatility(self.instrument.id)
        if drift is None:
            drift = self._candles.drift(self.instrument.id)
        return ways.KellyDrift(float(drift), float(sigma), 0.0, *self._parts())

    def _parts(self) -> tuple[Decimal, Decimal]:
        """How much of a Kelly fraction to bet, and never more than this."""
        fraction = _share(self.wish.fraction, "--fraction") or ways.HALF
        return fraction, _share(self.wish.cap, "--cap") or ways.KELLY_CAP

    def _vince(self) -> ways.Method:
        trades = [_number(one, "--trades") for one in self.wish.trades]
        if not trades:
            listing = self._listing()
            trades = results_of_a_unit(
                self.session, self.account, self.instrument, listing.base, listing.quote
            )
        return ways.VinceF(trades, _share(self.wish.fraction, "--fraction") or ways.HALF)

    def _parity(self) -> ways.Method:
        if not self.wish.beside:
            raise UsageProblem(
                "risk parity shares risk with others: name them", hint=f"{HINT}: --with ETH/USDT"
            )
        others = [instrument_named(self.session, name).id for name in self.wish.beside]
        names = list(dict.fromkeys([self.instrument.id, *others]))
        returns = [self._candles.returns(name) for name in names]
        cov = [[covariance(one, other) * YEAR for other in returns] for one in returns]
        return ways.RiskShare(cov, 0, _share(self.wish.invested, "--invested") or Decimal(1))


def _without_fees(units: int) -> int:
    """What a purchase may come to if so much is there for it and its fees; ten units are for their rounding."""
    return (units - 10) * BPS // (BPS + FEE_BPS)


def _number(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text.strip())
    except InvalidOperation as error:
        raise UsageProblem(f"{option} {text!r} is no number", hint=HINT) from error
    if not number.is_finite():
        raise UsageProblem(f"{option} {text!r} is no number", hint=HINT)
    return number


def _decimal(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    number = _number(text, option)
    if number <= 0:
        raise UsageProblem(f"{option} must be above zero, not {text}", hint=HINT)
    return number


def _share(text: str | None, option: str, *, signed: bool = False) -> Decimal | None:
    """`1%` and `0.01` are the same."""
    if text is None:
        return None
    number = _number(text.removesuffix("%"), option)
    if number <= 0 and not signed:
        raise UsageProblem(f"{option} must be above zero, not {text}", hint=HINT)
    return number / 100 if text.endswith("%") else number


__all__ = ["Suggestion", "Wish", "suggest"]
