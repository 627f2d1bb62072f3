"""Bringing an account back to its target weights: planned, rehearsed, agreed to, placed as one batch.

The orders go through the desk like all others, the sales before the purchases that they pay for. At the simulated
market they are limit orders that take at once what is there up to a price a little beyond the best one, so that a
thin book leaves the rest undone instead of paying anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import OrderRefused, PartlyDone, UsageProblem
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.market.simulated import SimulatedMarket, step_of
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.portfolio.standing import Purse, Standing, read_standing
from sniper_cli.portfolio.targets import HINT, Stand, Trade, parse_targets, trades
from sniper_cli.trading.amounts import trimmed, whole
from sniper_cli.trading.assembly import OpenDesk, open_desk, resolve_instrument
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper.matching import BPS
from sniper_cli.venues.paper.venue import PaperVenue
from state.accounts import VenueKind
from state.columns import utc_now
from state.identifiers import new_id
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.reading import snapshot

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.settings.model import PortfolioSettings

BEYOND_BPS = 20
"""How far beyond the best price an order of a rebalancing goes, if nothing else is said."""
CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class RebalanceLine:
    """An instrument on its way to its target."""

    instrument: str
    target_pct: Decimal
    weight_pct: Decimal
    drift_pct: Decimal
    action: str
    why: str
    quantity: Decimal
    limit_price: Decimal | None
    notional: Decimal
    """At the middle price."""
    cost: Decimal
    """Fee and distance from the middle price, at the present book."""
    weight_after_pct: Decimal
    quote: str
    client_order_id: str | None = None
    order_id: str | None = None
    state: str | None = None
    explanation: str | None = None
    filled_quantity: Decimal | None = None
    filled_notional: Decimal | None = None
    replayed: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for."""

    targets: Mapping[str, Decimal]
    """By whatever the instruments are called."""
    band: Decimal
    to_edge: bool = False
    sell_others: bool = False
    beyond_bps: int = BEYOND_BPS
    client_id: str | None = None


def wish_of(
    settings: PortfolioSettings,
    targets: Sequence[str],
    file: Path | None = None,
    *,
    band: str | None = None,
    to_edge: bool = False,
    sell_others: bool = False,
    beyond_bps: int = BEYOND_BPS,
    client_id: str | None = None,
) -> Wish:
    """What was typed: the targets named, else the file's, else the settings'. Raises UsageProblem."""
    if targets and file is not None:
        raise UsageProblem("targets are named, and a file of them too", hint=HINT)
    lines: Sequence[str] = targets or settings.targets
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise UsageProblem(f"{file} cannot be read: {error.strerror}", hint=HINT) from error
    return Wish(
        parse_targets(lines),
        settings.band_pct if band is None else _band(band),
        to_edge,
        sell_others,
        beyond_bps,
        client_id,
    )


def _band(text: str) -> Decimal:
    try:
        band = Decimal(text)
    except InvalidOperation as error:
        raise UsageProblem(f"--band {text!r} is no number", hint=HINT) from error
    if not band.is_finite() or not 0 <= band <= 50:
        raise UsageProblem(f"--band is between 0 and 50 percentage points, not {text}", hint=HINT)
    return band


async def rebalance(
    context: Context,
    wish: Wish,
    agree: Callable[[str], None],
    *,
    show: Callable[[list[RebalanceLine]], None] = lambda _: None,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> list[RebalanceLine]:
    """Plan, rehearse, have it agreed to and place. `show` gets the lines also where some orders were refused.

    Raises UsageProblem, NotFound, OrderRefused (nothing was taken), PartlyDone, NetworkError, LiveNotConfirmed.
    """
    async with open_desk(context, live=live) as opened:
        await opened.desk.refresh(opened.account.id)
        plan = await _plan(context, opened, wish)
        lines = await _place(plan, agree, context.profile, dry_run=dry_run, wait_seconds=wait_seconds)
    show(lines)
    _raise_unless_placed(lines)
    return lines


async def _place(
    plan: Plan, agree: Callable[[str], None], profile: str, *, dry_run: bool, wait_seconds: float
) -> list[RebalanceLine]:
    known = plan.placed_before()
    if known:
        return [plan.told(line, order, replayed=True) for line, order in known]
    intents, desk = plan.intents(), plan.opened.desk
    if not intents:
        return plan.lines(dry_run=dry_run)
    if dry_run:
        rehearsal = await desk.submit(intents, dry_run=True)
        return plan.with_orders([outcome.order for outcome in rehearsal], dry_run=True)
    agree(plan.question(profile))
    outcomes = await desk.submit(intents)
    orders = [await plan.opened.settled(outcome.order, wait_seconds) for outcome in outcomes]
    return plan.with_orders(orders, dry_run=False)


def _raise_unless_placed(lines: Sequence[RebalanceLine]) -> None:
    asked = [line for line in lines if line.client_order_id is not None]
    refused = [line for line in asked if line.state == OrderState.REFUSED.value]
    if not refused:
        return
    reasons = "; ".join(f"{line.instrument}: {line.explanation}" for line in refused)
    details = [{"instrument": line.instrument, "state": line.state, "order": line.order_id} for line in asked]
    if len(refused) == len(asked):
        raise OrderRefused(
            f"no order was taken: {reasons}", hint="sniper order list --state refused", orders=details
        )
    raise PartlyDone(
        f"{len(refused)} of {len(asked)} orders were refused: {reasons}",
        hint="sniper order list --state refused",
        orders=details,
    )


async def _plan(context: Context, opened: OpenDesk, wish: Wish) -> Plan:
    if not wish.targets and not wish.sell_others:
        raise UsageProblem("no targets are named, and the settings have none", hint=HINT)
    targets: dict[str, Decimal] = {}
    for text, weight in wish.targets.items():
        instrument, _, _ = await resolve_instrument(opened, text)
        targets[instrument.id] = weight
    market = (
        opened.venue.market
        if isinstance(opened.venue, PaperVenue)
        else SimulatedMarket(context.settings.market_seed)
    )
    marks = PaperMarks(market)
    with snapshot(context.database) as reader:
        standing = read_standing(reader, marks, utc_now(), claims=True)
    purse = standing.purse(opened.account.name)
    if wish.sell_others:
        targets = {held.pair.id: Decimal(0) for held in standing.of(purse.id)} | targets
    return Plan(opened, wish, standing, purse, marks, targets)


class Plan:
    """The trades that bring an account to its targets, as figures, as words and as intents."""

    def __init__(
        self,
        opened: OpenDesk,
        wish: Wish,
        standing: Standing,
        purse: Purse,
        marks: PaperMarks,
        targets: Mapping[str, Decimal],
    ) -> None:
        self.opened = opened
        self.wish = wish
        self.standing = standing
        self.purse = purse
        self.marks = marks
        self.key = wish.client_id or f"rebalance-{new_id().hex}"
        self.unit = standing.assets[purse.currency]
        self.fee_bps = marks.fee_bps if purse.venue == VenueKind.PAPER else 0
        cash, positions, _ = standing.worth(purse.id, purse.currency)
        self.equity = cash + positions
        self.stands = {name: self._stand(name) for name in targets}
        free = standing.balances.get((purse.id, purse.currency), 0) - standing.reserved.get(
            (purse.id, purse.currency), 0
        )
        self.trades = trades(
            list(self.stands.values()), targets, self.equity, free, wish.band, to_edge=wish.to_edge
        )

    # -- figures ------------------------------------------------------------------------------------------------

    def _stand(self, name: str) -> Stand:
        pair = self.standing.pairs[name]
        if pair.quote != self.purse.currency:
            raise UsageProblem(
                f"{pair.symbol} is not priced in {self.unit.symbol}, the account's currency", hint=HINT
            )
        held = self.standing.balances.get((self.purse.id, pair.base), 0)
        spec = INSTRUMENTS.get(name)
        if spec is not None:
            return self._paper_stand(spec, held)
        rate = self.standing.rates.between(pair.base, pair.quote)
        if rate is None:
            raise UsageProblem(
                f"nobody knows a price of {pair.symbol}", hint=f"sniper market show {pair.symbol}"
            )
        price = (rate.over, rate.under)
        return Stand(name, held, price, 1, 1, price, price)

    def _paper_stand(self, spec: Spec, held: int) -> Stand:
        buying, selling = (self.limit(spec, side) for side in (Side.BUY, Side.SELL))
        fee = self.fee_bps
        return Stand(
            spec.id,
            held,
            self.marks.rate(spec.id) or (0, 1),
            spec.lot_units,
            spec.minimum_notional,
            (buying * spec.tick_of_lot * (BPS + fee) + BPS, spec.lot_units * BPS),
            (max(1, selling * spec.tick_of_lot * (BPS - fee)), spec.lot_units * BPS),
        )

    def limit(self, spec: Spec, side: Side) -> int:
        """The worst price in ticks that an order takes."""
        book = self.marks.market.path(spec.id).book(step_of(self.standing.now))
        if side is Side.BUY:
            return book.asks[0].ticks * (BPS + self.wish.beyond_bps) // BPS
        return max(1, -(-book.bids[0].ticks * (BPS - self.wish.beyond_bps) // BPS))

    # -- intents ------------------------------------------------------------------------------------------------

    def client_id(self, one: Trade) -> str:
        return f"{self.key}-{self.standing.pairs[one.instrument].symbol}"

    def intents(self) -> list[OrderIntent]:
        """One order for each trade, the sales first."""
        return [self._intent(one) for one in self.trades if one.quantity]

    def _intent(self, one: Trade) -> OrderIntent:
        side = Side.BUY if one.quantity > 0 else Side.SELL
        spec, stand = INSTRUMENTS.get(one.instrument), self.stands[one.instrument]
        reason = {
            "origin": "rebalance",
            "plan": self.key,
            "target_pct": str(one.target),
            "weight_pct": str(one.weight.quantize(CENT)),
        }
        common = OrderIntent(self.opened.account.id, one.instrument, side, self.client_id(one), reason=reason)
        if spec is not None:
            return _changed(
                common,
                type=OrderType.LIMIT,
                time_in_force=TimeInForce.IOC,
                quantity=abs(one.quantity),
                limit_price=spec.price(self.limit(spec, side)),
            )
        if side is Side.SELL:
            return _changed(common, quantity=-one.quantity)
        return _changed(common, budget=one.quantity * stand.buying[0] // stand.buying[1])

    def placed_before(self) -> list[tuple[RebalanceLine, AnyOrder]]:
        """The orders of this plan's name that stand already."""
        if self.wish.client_id is None:
            return []
        found: list[tuple[RebalanceLine, AnyOrder]] = []
        for line, one in zip(self.lines(dry_run=False), self.trades, strict=True):
            order = self.opened.desk.find_order(self.opened.account.id, self.client_id(one))
            if order is not None:
                found.append((line, order))
        return found

    # -- words --------------------------------------------------------------------------------------------------

    def lines(self, *, dry_run: bool) -> list[RebalanceLine]:
        """A line for each instrument with a target."""
        return [self._line(one, dry_run=dry_run) for one in self.trades]

    def _line(self, one: Trade, *, dry_run: bool) -> RebalanceLine:
        pair, stand = self.standing.pairs[one.instrument], self.stands[one.instrument]
        base, quote = self.standing.assets[pair.base], self.standing.assets[pair.quote]
        spec = INSTRUMENTS.get(one.instrument)
        side = Side.BUY if one.quantity > 0 else Side.SELL
        middle = self._middle(one)
        after = Decimal(stand.worth + middle) * 100 / Decimal(self.equity)
        return RebalanceLine(
            instrument=pair.symbol,
            target_pct=trimmed(one.target),
            weight_pct=one.weight.quantize(CENT),
            drift_pct=one.drift.quantize(CENT),
            action=side.value if one.quantity else "keep",
            why=one.why,
            quantity=whole(base, abs(one.quantity)),
            limit_price=spec.price(self.limit(spec, side)) if spec is not None and one.quantity else None,
            notional=whole(quote, abs(middle)),
            cost=whole(quote, self._cost(one, middle)),
            weight_after_pct=after.quantize(CENT),
            quote=quote.symbol,
            client_order_id=self.client_id(one) if one.quantity else None,
            dry_run=dry_run,
        )

    def _middle(self, one: Trade) -> int:
        """What is traded, at the middle price; negative for a sale."""
        over, under = self.stands[one.instrument].middle
        return one.quantity * over // under

    def _cost(self, one: Trade, middle: int) -> int:
        """What a trade costs against the middle price: spread, depth and fee. On a chain only its plan knows."""
        if not one.quantity or one.instrument not in INSTRUMENTS:
            return 0
        # A purchase takes from the book what closing a short position would take.
        return -middle - self.marks.closing(one.instrument, -one.quantity)

    def question(self, profile: str) -> str:
        """What the person agrees to."""
        words = []
        for one, line in zip(self.trades, self.lines(dry_run=False), strict=True):
            if one.quantity:
                worst = f" at {line.limit_price} or better" if line.limit_price is not None else ""
                words.append(f"{line.action} {line.quantity:f} of {line.instrument}{worst}")
        cost = sum((line.cost for line in self.lines(dry_run=False)), Decimal(0))
        return f"On {profile}: {'; '.join(words)}; costs about {trimmed(cost):f} {self.unit.symbol}?"

    def with_orders(self, orders: Iterable[AnyOrder], *, dry_run: bool) -> list[RebalanceLine]:
        """The lines with what became of their orders."""
        found = {order.client_order_id: order for order in orders}
        return [
            self.told(line, found[line.client_order_id]) if line.client_order_id is not None else line
            for line in self.lines(dry_run=dry_run)
        ]

    def told(self, line: RebalanceLine, order: AnyOrder, *, replayed: bool = False) -> RebalanceLine:
        """A line with its order."""
        pair = self.standing.pairs[order.instrument_id]
        return replace(
            line,
            client_order_id=order.client_order_id,
            order_id=None if line.dry_run else str(order.id),
            state=order.state.value,
            explanation=order.explanation,
            filled_quantity=whole(self.standing.assets[pair.base], order.filled_quantity),
            filled_notional=whole(self.standing.assets[pair.quote], order.filled_notional),
            replayed=replayed,
        )


def _changed(intent: OrderIntent, **fields: object) -> OrderIntent:
    return msgspec.structs.replace(intent, **fields)


__all__ = ["BEYOND_BPS", "RebalanceLine", "Wish", "rebalance", "wish_of"]
