"""From what was typed to the orders that it means: one order, an entry with its exits, a pair, a ladder.

A line of a file and a command line say the same things under the same names, so both are read here. Nothing is sent
and nothing is rounded that was not asked to be; what a person may have meant otherwise is said in notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from sniper_cli.errors import UsageProblem
from sniper_cli.market.quantisation import TradingRules, fit, floor_to, nearest_to, passive_price
from sniper_cli.moments import parse_duration, parse_future
from sniper_cli.trading import families
from sniper_cli.trading.amounts import spelled, trimmed, whole
from sniper_cli.trading.families import Exit, Family
from sniper_cli.trading.intents import NO_TERMS, Condition, OrderIntent, Terms
from sniper_cli.trading.laddering import NoLadder, SizedIn, Spacing, dca_ladder, equal_slices, grid_prices
from sniper_cli.trading.listings import Listing
from sniper_cli.trading.words import (
    HELP,
    Units,
    read_level,
    read_number,
    read_side,
    read_time_in_force,
    read_trail,
    read_type,
)
from state.accounts import Asset
from state.identifiers import new_id
from state.orders import RESTING, OrderType, Side, TimeInForce
from state.writing import instant, micros

FAR = 20
"""A limit so many percent beyond the market is worth a word."""
ABSURD = 50
"""A limit so many percent beyond the market, where it would trade at once, is taken for a slip."""
LONGEST = 1_000
"""Orders of one ladder at most."""


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What was typed, word for word. A file's columns have these names."""

    side: str = ""
    instrument: str = ""
    quantity: str | None = None
    budget: str | None = None
    type: str | None = None
    price: str | None = None
    trigger: str | None = None
    trail: str | None = None
    activation: str | None = None
    time_in_force: str | None = None
    expires: str | None = None
    post_only: bool = False
    reduce_only: bool = False
    display: str | None = None
    take_profit: str | None = None
    stop_loss: str | None = None
    stop_limit: str | None = None
    stop_trail: str | None = None
    or_stop: str | None = None
    starts: str | None = None
    after: str | None = None
    if_above: str | None = None
    if_below: str | None = None
    if_position: str | None = None
    if_instrument: str | None = None
    times: int | None = None
    every: str | None = None
    steps: int | None = None
    step: str | None = None
    step_scale: str | None = None
    size_scale: str | None = None
    grid_low: str | None = None
    grid_high: str | None = None
    grid_levels: int | None = None
    grid_spacing: str | None = None
    grid_from_stock: bool = False
    round: bool = False
    slippage_bps: int | None = None
    strategy: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order is asked for on: the account, the instrument, the price now, and where to look names up."""

    account_id: UUID
    listing: Listing
    reference: Decimal | None
    """The middle price now; none where nobody knows it."""
    now: int
    on_chain: bool = False
    instrument: Callable[[str], str] = str
    """The id of an instrument that somebody names."""
    order: Callable[[str], str] = str
    """The key of an order at work that somebody names."""

    @property
    def units(self) -> Units:
        return Units(self.listing.base.symbol, self.listing.quote.symbol)


@dataclass(slots=True)
class Asked:
    """What a request means."""

    family: Family
    notes: list[str] = field(default_factory=list)
    """What the person should know before agreeing."""


def read(request: OrderRequest, ground: Ground) -> Asked:
    """The orders that a request means. Raises UsageProblem, NotFound."""
    return _Reader(request, ground).read()


class _Reader:
    def __init__(self, request: OrderRequest, ground: Ground) -> None:
        self.request, self.ground = request, ground
        self.listing = ground.listing
        self.notes: list[str] = []
        self.side = read_side(request.side, request.instrument)
        self.kind = self._kind()

    def read(self) -> Asked:
        self._refuse_mixtures()
        entry = self._entry()
        self._mind_the_distance(entry)
        try:
            family = self._family(entry)
        except NoLadder as error:
            raise UsageProblem(str(error), hint=HELP) from error
        return Asked(family, self.notes)

    def _kind(self) -> OrderType:
        request = self.request
        if request.type is not None:
            kind = read_type(request.type)
            if kind is OrderType.MARKET and request.price is not None:
                raise UsageProblem(
                    "a market order has no price; --slippage-bps bounds what it may take",
                    hint=f"--type limit --price {request.price}",
                )
            return kind
        if request.trail is not None:
            return OrderType.TRAILING_STOP
        if request.trigger is not None:
            return OrderType.STOP if request.price is None else OrderType.STOP_LIMIT
        return OrderType.MARKET if request.price is None else OrderType.LIMIT

    def _refuse_mixtures(self) -> None:
        """A request is one thing: a single order, a bracket, a pair, or one kind of ladder."""
        request = self.request
        shapes = {
            "--grid-low and --grid-high (a grid)": request.grid_low
            or request.grid_high
            or request.grid_levels,
            "--steps (an averaging ladder)": request.steps or request.step,
            "--times and --every (slices over time)": request.times or request.every,
            "--or-stop (a pair)": request.or_stop,
            "--take-profit or --stop-loss (a bracket)": request.take_profit
            or request.stop_loss
            or request.stop_trail,
        }
        found = [name for name, given in shapes.items() if given]
        if len(found) > 1:
            raise UsageProblem(f"one thing at a time: {' or '.join(found)}", hint=HELP)
        if request.stop_limit is not None and request.stop_loss is None:
            raise UsageProblem(
                "--stop-limit is the limit of --stop-loss; a stop limit order has --trigger and --price",
                hint=HELP,
            )
        if request.quantity is not None and request.budget is not None:
            raise UsageProblem("either --quantity or --budget, not both", hint=HELP)
        if request.quantity is None and request.budget is None:
            raise UsageProblem(
                f"how much? --quantity in {self.listing.base.symbol}"
                + (f", or --budget in {self.listing.quote.symbol}" if self.side is Side.BUY else ""),
                hint=f"sniper order place {self.side.value} {self.listing.symbol} --quantity AMOUNT",
            )
        if self.side is Side.SELL and request.budget is not None and request.grid_low is None:
            raise UsageProblem(
                f"a sale says how much to sell, in {self.listing.base.symbol}{self._worth(request.budget)}",
                hint=f"sniper order place sell {self.listing.symbol} --quantity AMOUNT",
            )

    def _worth(self, budget: str) -> str:
        """What a sum would be in base units, for whoever thought in money."""
        if not self.ground.reference or not self.listing.lot:
            return ""
        lot = whole(self.listing.base, self.listing.lot)
        amount = floor_to(read_number(budget, "--budget", self.ground.units) / self.ground.reference, lot)
        return f": {budget} {self.listing.quote.symbol} is about {trimmed(amount):f} {self.listing.base.symbol} now"

    # -- the order itself ---------------------------------------------------------------------------------------

    def _entry(self) -> OrderIntent:
        request, ground = self.request, self.ground
        price = self._price(request.price, "--price")
        terms = self._terms()
        tif = self._time_in_force(terms)
        quantity = self._quantity(price or terms.trigger_price)
        return OrderIntent(
            ground.account_id,
            self.listing.id,
            self.side,
            request.client_id or f"cli-{new_id().hex}",
            self.kind,
            tif,
            quantity,
            None if request.budget is None else self._units(request.budget, self.listing.quote, "--budget"),
            price,
            max_slippage_bps=request.slippage_bps,
            reason={"origin": "command"},
            terms=None if terms == NO_TERMS else terms,
            strategy=request.strategy,
        )

    def _terms(self) -> Terms:
        request = self.request
        trigger = self._nearest(request.trigger, "--trigger")
        trail, trail_bps = (None, None) if request.trail is None else read_trail(request.trail, "--trail")
        return Terms(
            trigger_price=trigger,
            trail_amount=self._to_tick(trail) if request.round and trail is not None else trail,
            trail_bps=trail_bps,
            activation_price=self._nearest(request.activation, "--activation"),
            display=self._display(),
            post_only=request.post_only,
            reduce_only=request.reduce_only,
            expires_at=None if request.expires is None else self._moment(request.expires),
            starts_at=None if request.starts is None else self._moment(request.starts),
            condition=self._condition(),
            after=None if request.after is None else self.ground.order(request.after),
            # A chain's plan takes it from the intent; the paper market has no plan, and looks at the terms.
            slippage_bps=None if self.ground.on_chain else request.slippage_bps,
        )

    def _time_in_force(self, terms: Terms) -> TimeInForce:
        if self.request.time_in_force is not None:
            tif = read_time_in_force(self.request.time_in_force)
            if terms.expires_at is not None and tif is TimeInForce.GTC:
                raise UsageProblem(
                    "good till cancelled has no end; with --expires it is good till a date",
                    hint="--time-in-force gtd",
                )
            return tif
        if terms.expires_at is not None:
            return TimeInForce.GTD
        # A pool keeps no resting orders: unless somebody asks for it, a limit there bounds what trades at once.
        if self.ground.on_chain and self.kind is OrderType.LIMIT and terms == NO_TERMS:
            return TimeInForce.IOC
        return TimeInForce.GTC

    def _moment(self, text: str) -> int:
        return micros(parse_future(text, now=instant(self.ground.now)))

    def _condition(self) -> Condition | None:
        request = self.request
        if not (request.if_above or request.if_below or request.if_position):
            if request.if_instrument:
                raise UsageProblem(
                    "--if-instrument says whose price or position; what must it be?",
                    hint=f"--if-instrument {request.if_instrument} --if-above PRICE",
                )
            return None
        return Condition(
            None if request.if_instrument is None else self.ground.instrument(request.if_instrument),
            None if request.if_above is None else read_number(request.if_above, "--if-above"),
            None if request.if_below is None else read_number(request.if_below, "--if-below"),
            None if request.if_position is None else request.if_position.strip().lower(),
        )

    def _display(self) -> int | None:
        text = self.request.display
        if text is None:
            return None
        if not self.request.round or not self.listing.lot:
            return self._units(text, self.listing.base, "--display")
        lot = whole(self.listing.base, self.listing.lot)
        shown = max(lot, floor_to(read_number(text, "--display", self.ground.units), lot))
        return self.listing.base.units(shown)

    # -- numbers ------------------------------------------------------------------------------------------------

    def _price(self, text: str | None, option: str) -> Decimal | None:
        if text is None:
            return None
        price = read_number(text, option)
        tick = self.listing.tick
        if not self.request.round or not tick:
            return price
        return self._rounded(option, price, max(tick, passive_price(self.side, price, tick)))

    def _nearest(self, text: str | None, option: str) -> Decimal | None:
        if text is None:
            return None
        price = read_number(text, option)
        return self._rounded(option, price, self._to_tick(price)) if self.request.round else price

    def _to_tick(self, price: Decimal) -> Decimal:
        tick = self.listing.tick
        return price if not tick else max(tick, nearest_to(price, tick))

    def _rounded(self, option: str, typed: Decimal, taken: Decimal) -> Decimal:
        if typed != taken:
            self.notes.append(f"{option} {trimmed(typed):f} was rounded to {trimmed(taken):f}")
        return taken

    def _quantity(self, price: Decimal | None) -> int | None:
        text = self.request.quantity
        if text is None:
            return None
        if not self.request.round:
            return self._units(text, self.listing.base, "--quantity")
        typed = read_number(text, "--quantity", self.ground.units)
        listing, near = self.listing, price or self.ground.reference
        if not listing.lot or not listing.tick or near is None:
            return listing.base.units(floor_to(typed, listing.base.amount(1)))
        found = fit(_rules(listing), near, typed, self.side, at_market=price is None)
        if found.nearest is None:
            raise UsageProblem(f"no quantity fits at {near:f}: {found.violations[0]}", hint=HELP)
        return listing.base.units(self._rounded("--quantity", typed, found.nearest[1]))

    def _units(self, text: str, asset: Asset, option: str) -> int:
        number = read_number(text, option, self.ground.units)
        try:
            return asset.units(number)
        except ValueError as error:
            raise UsageProblem(str(error), hint="--round takes the nearest that fits") from error

    def _mind_the_distance(self, entry: OrderIntent) -> None:
        """Say it when a limit is far from the market; take it for a slip where it would trade at once and is absurd."""
        price, reference = entry.limit_price, self.ground.reference
        if price is None or not reference or self.kind is not OrderType.LIMIT:
            return
        percent = (price - reference) * 100 / reference
        beyond = percent if self.side is Side.BUY else -percent
        away, where = f"{abs(percent):.0f} %", "above" if percent > 0 else "below"
        if beyond >= ABSURD:
            verb = "buys" if self.side is Side.BUY else "sells"
            raise UsageProblem(
                f"--price {price:f} is {away} {where} the market's {_shown(reference)}: it {verb} at once, at the "
                "market, so the price looks like a slip",
                hint="leave --price out to trade at the market, or check it",
            )
        if beyond >= FAR:
            self.notes.append(
                f"the limit is {away} {where} the market's {_shown(reference)}: it trades at once"
            )
        elif -beyond >= FAR and entry.time_in_force in RESTING:
            self.notes.append(
                f"the limit is {away} {where} the market's {_shown(reference)}: it may wait for long"
            )

    # -- families -----------------------------------------------------------------------------------------------

    def _family(self, entry: OrderIntent) -> Family:
        request = self.request
        if request.grid_low or request.grid_high or request.grid_levels:
            return self._grid(entry)
        if request.steps or request.step:
            return self._average(entry)
        if request.times or request.every:
            return self._schedule(entry)
        if request.or_stop is not None:
            return self._pair(entry)
        if request.take_profit or request.stop_loss or request.stop_trail:
            return self._bracket(entry)
        return Family(entry)

    def _bracket(self, entry: OrderIntent) -> Family:
        request, buys = self.request, self.side is Side.BUY
        base = entry.limit_price or (entry.terms or NO_TERMS).trigger_price or self.ground.reference
        profit = stop = None
        if request.take_profit is not None:
            price = read_level(request.take_profit, "--take-profit", base, above=buys)
            profit = Exit(self._exit_price(request.take_profit, price))
            self._mind_the_side("--take-profit", profit.price, base, above=buys)
        if request.stop_trail is not None:
            if request.stop_loss is not None:
                raise UsageProblem("either --stop-loss or --stop-trail, not both", hint=HELP)
            amount, bps = read_trail(request.stop_trail, "--stop-trail")
            stop = Exit(trail_amount=amount, trail_bps=bps)
        elif request.stop_loss is not None:
            price = read_level(request.stop_loss, "--stop-loss", base, above=not buys)
            limit = None
            if request.stop_limit is not None:
                limit = self._exit_price(
                    request.stop_limit, read_level(request.stop_limit, "--stop-limit", price, above=not buys)
                )
            stop = Exit(self._exit_price(request.stop_loss, price), limit)
            self._mind_the_side("--stop-loss", stop.price, base, above=not buys)
        return families.bracket(entry, take_profit=profit, stop_loss=stop)

    def _exit_price(self, text: str, price: Decimal) -> Decimal:
        """A price that was reckoned from a percentage has no say in its digits: it goes to the tick."""
        return self._to_tick(price) if text.strip().endswith("%") or self.request.round else price

    def _mind_the_side(
        self, option: str, price: Decimal | None, base: Decimal | None, *, above: bool
    ) -> None:
        if price is None or base is None or ((price > base) if above else (price < base)):
            return
        what = "purchase" if self.side is Side.BUY else "sale"
        where = "above" if above else "below"
        other = "--stop-loss" if option == "--take-profit" else "--take-profit"
        raise UsageProblem(
            f"{option} of a {what} lies {where} its price, and {price:f} does not lie {where} {_shown(base)}; "
            f"were {option} and {other} swapped?",
            hint=HELP,
        )

    def _pair(self, entry: OrderIntent) -> Family:
        assert self.request.or_stop is not None
        if entry.type is not OrderType.LIMIT:
            raise UsageProblem(
                "--or-stop stands beside a limit order", hint="--price PRICE --or-stop TRIGGER"
            )
        trigger = self._nearest(self.request.or_stop, "--or-stop")
        first = entry.terms or NO_TERMS
        second = msgspec.structs.replace(
            entry,
            client_order_id=f"{entry.client_order_id}/or",
            type=OrderType.STOP,
            limit_price=None,
            terms=Terms(trigger_price=trigger, reduce_only=first.reduce_only, expires_at=first.expires_at),
        )
        return families.one_cancels_other(entry, second)

    def _schedule(self, entry: OrderIntent) -> Family:
        request = self.request
        if request.times is None or request.every is None:
            raise UsageProblem("slices over time say how many and how often", hint="--times 10 --every 1h")
        count, apart = (
            _count(request.times, "--times"),
            int(parse_duration(request.every).total_seconds()) * 1_000_000,
        )
        if apart <= 0:
            raise UsageProblem("--every must be longer than nothing", hint="--every 1h")
        first = (entry.terms or NO_TERMS).starts_at or self.ground.now
        if entry.quantity is not None:
            lot = self.listing.lot or 1
            if entry.quantity % lot:
                raise UsageProblem(
                    f"--quantity must be a multiple of {spelled(self.listing.base, lot)}", hint="--round"
                )
            amounts = [lots * lot for lots in equal_slices(entry.quantity // lot, count)]
        else:
            amounts = list(equal_slices(entry.budget or 0, count))
        if not all(amounts):
            raise UsageProblem(f"so little cannot be cut into {count}", hint="fewer --times, or more")
        return families.schedule(entry, [first + number * apart for number in range(count)], amounts)

    def _average(self, entry: OrderIntent) -> Family:
        request, listing = self.request, self.listing
        if request.steps is None or request.step is None:
            raise UsageProblem(
                "an averaging ladder says how many steps and how far", hint="--steps 4 --step 1.5"
            )
        price = entry.limit_price or self.ground.reference
        if price is None or self.kind not in (OrderType.MARKET, OrderType.LIMIT):
            raise UsageProblem("an averaging ladder begins at the market or at a --price", hint=HELP)
        by_quantity, given = entry.quantity is not None, entry.quantity or entry.budget or 0
        size = (listing.base if by_quantity else listing.quote).amount(given)
        ladder = dca_ladder(
            price,
            size,
            size,
            _count(request.steps, "--steps"),
            read_number(request.step.rstrip("%"), "--step"),
            step_scale=Decimal(1)
            if request.step_scale is None
            else read_number(request.step_scale, "--step-scale"),
            volume_scale=Decimal(1)
            if request.size_scale is None
            else read_number(request.size_scale, "--size-scale"),
            side=self.side,
            sized_in=SizedIn.BASE if by_quantity else SizedIn.QUOTE,
            tick=listing.tick,
            lot=None if not listing.lot else whole(listing.base, listing.lot),
        )
        return families.average(
            entry, [(step.price, int(step.quantity.scaleb(listing.base.decimals))) for step in ladder.steps]
        )

    def _grid(self, entry: OrderIntent) -> Family:
        request, listing, reference = self.request, self.listing, self.ground.reference
        if not request.grid_low or not request.grid_high or not request.grid_levels:
            raise UsageProblem(
                "a grid says its lowest and highest price and how many prices it has",
                hint="--grid-low 50000 --grid-high 60000 --grid-levels 11",
            )
        if reference is None or self.kind is not OrderType.MARKET:
            raise UsageProblem("a grid has its own prices: no --type and no --price", hint=HELP)
        spacing = _spacing(request.grid_spacing)
        low, high = read_number(request.grid_low, "--grid-low"), read_number(request.grid_high, "--grid-high")
        prices = grid_prices(low, high, _count(request.grid_levels, "--grid-levels"), spacing, listing.tick)
        if len(set(prices)) < len(prices):
            raise UsageProblem("between two prices of the grid there is no tick", hint="fewer --grid-levels")
        quantities = [self._of_gap(entry, price) for price in prices[:-1]]
        family = families.grid(entry, prices, quantities, reference, from_stock=request.grid_from_stock)
        if not family.legs:
            raise UsageProblem(
                f"all of the grid lies above the market's {_shown(reference)}: there is nothing to buy in it",
                hint="--grid-from-stock sells what is owned",
            )
        return family

    def _of_gap(self, entry: OrderIntent, price: Decimal) -> int:
        """The quantity of a gap's orders: as it was given, or what the budget of each buys at its lower price."""
        lot = self.listing.lot or 1
        if entry.quantity is not None:
            return entry.quantity
        lots = int(self.listing.quote.amount(entry.budget or 0) / (price * self.listing.base.amount(lot)))
        if not lots:
            raise NoLadder(
                f"{self.request.budget} {self.listing.quote.symbol} does not pay for one lot at {price:f}"
            )
        return lots * lot


def _rules(listing: Listing) -> TradingRules[Decimal]:
    least, most = listing.minimum_notional, listing.maximum_notional
    assert listing.tick is not None
    assert listing.lot is not None
    return TradingRules(
        tick=listing.tick,
        lot=listing.base.amount(listing.lot),
        minimum_notional=None if least is None else listing.quote.amount(least),
        maximum_notional=None if most is None else listing.quote.amount(most),
    )


def _count(number: int, option: str) -> int:
    if not 1 <= number <= LONGEST:
        raise UsageProblem(f"{option} is between 1 and {LONGEST}, not {number}", hint=HELP)
    return number


def _spacing(text: str | None) -> Spacing:
    word = (text or Spacing.ARITHMETIC).strip().lower()
    if word not in list(Spacing):
        raise UsageProblem(f"there is no spacing {text!r}", hint="--grid-spacing arithmetic, or geometric")
    return Spacing(word)


def _shown(price: Decimal) -> str:
    return f"{trimmed(price):f}"


def with_client_id(request: OrderRequest, client_id: str) -> OrderRequest:
    """A request under a name of its own, where it has none."""
    return request if request.client_id else replace(request, client_id=client_id)


__all__ = ["Any", "Asked", "Ground", "OrderRequest", "read", "with_client_id"]
