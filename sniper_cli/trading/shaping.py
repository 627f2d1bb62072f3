"""The family of orders that a request means around its entry: exits, a pair, slices over time, a ladder, a grid."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from sniper_cli.errors import UsageProblem
from sniper_cli.moments import parse_duration
from sniper_cli.trading import families
from sniper_cli.trading.amounts import shown, spelled, whole
from sniper_cli.trading.families import Exit, Family
from sniper_cli.trading.fitting import Fitting
from sniper_cli.trading.intents import NO_TERMS, OrderIntent, Terms
from sniper_cli.trading.laddering import NoLadder, SizedIn, Spacing, dca_ladder, equal_slices, grid_prices
from sniper_cli.trading.requests import OrderRequest
from sniper_cli.trading.words import HELP, read_level, read_number, read_trail
from state.orders import OrderType, Side

LONGEST = 1_000
"""Orders of one ladder at most."""


class Shaping:
    """One request, whose entry has been read."""

    def __init__(self, request: OrderRequest, fitting: Fitting) -> None:
        self.request, self.fitting = request, fitting
        self.ground, self.listing, self.side = fitting.ground, fitting.listing, fitting.side

    def family(self, entry: OrderIntent) -> Family:
        """The entry with what belongs to it. Raises UsageProblem, NoLadder."""
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
        return self.fitting.to_tick(price) if text.strip().endswith("%") or self.fitting.rounds else price

    def _mind_the_side(
        self, option: str, price: Decimal | None, base: Decimal | None, *, above: bool
    ) -> None:
        if price is None or base is None or ((price > base) if above else (price < base)):
            return
        what = "purchase" if self.side is Side.BUY else "sale"
        where = "above" if above else "below"
        other = "--stop-loss" if option == "--take-profit" else "--take-profit"
        raise UsageProblem(
            f"{option} of a {what} lies {where} its price, and {price:f} does not lie {where} {shown(base)}; "
            f"were {option} and {other} swapped?",
            hint=HELP,
        )

    def _pair(self, entry: OrderIntent) -> Family:
        assert self.request.or_stop is not None
        if entry.type is not OrderType.LIMIT:
            raise UsageProblem(
                "--or-stop stands beside a limit order", hint="--price PRICE --or-stop TRIGGER"
            )
        trigger = self.fitting.nearest(self.request.or_stop, "--or-stop")
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
        if price is None or entry.type not in (OrderType.MARKET, OrderType.LIMIT):
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
        if reference is None or entry.type is not OrderType.MARKET:
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
                f"all of the grid lies above the market's {shown(reference)}: there is nothing to buy in it",
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


def _count(number: int, option: str) -> int:
    if not 1 <= number <= LONGEST:
        raise UsageProblem(f"{option} is between 1 and {LONGEST}, not {number}", hint=HELP)
    return number


def _spacing(text: str | None) -> Spacing:
    word = (text or Spacing.ARITHMETIC).strip().lower()
    if word not in list(Spacing):
        raise UsageProblem(f"there is no spacing {text!r}", hint="--grid-spacing arithmetic, or geometric")
    return Spacing(word)
