"""From what was typed to the orders that it means: one order, an entry with its exits, a pair, a ladder.

A line of a file and a command line say the same things under the same names, so both are read here. Nothing is sent
and nothing is rounded that was not asked to be; what a person may have meant otherwise is said in notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sniper_cli.errors import UsageProblem
from sniper_cli.market.quantisation import floor_to
from sniper_cli.moments import parse_future
from sniper_cli.trading.amounts import shown, trimmed, whole
from sniper_cli.trading.families import Family
from sniper_cli.trading.fitting import Fitting
from sniper_cli.trading.intents import NO_TERMS, Condition, OrderIntent, Terms
from sniper_cli.trading.laddering import NoLadder
from sniper_cli.trading.requests import Ground, OrderRequest
from sniper_cli.trading.shaping import Shaping
from sniper_cli.trading.words import HELP, read_number, read_side, read_time_in_force, read_trail, read_type
from state.identifiers import new_id
from state.orders import RESTING, OrderType, Side, TimeInForce
from state.writing import instant, micros

FAR = 20
"""A limit so many percent beyond the market is worth a word."""
ABSURD = 50
"""A limit so many percent beyond the market, where it would trade at once, is taken for a slip."""


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
        self.side = read_side(request.side, request.instrument)
        self.fitting = Fitting(ground, self.side, rounds=request.round)
        self.notes = self.fitting.notes
        self.kind = self._kind()

    def read(self) -> Asked:
        self._refuse_mixtures()
        entry = self._entry()
        self._mind_the_distance(entry)
        try:
            family = Shaping(self.request, self.fitting).family(entry)
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
        price = self.fitting.price(request.price, "--price")
        terms = self._terms()
        tif = self._time_in_force(terms)
        quantity = self.fitting.quantity(request.quantity, price or terms.trigger_price)
        return OrderIntent(
            ground.account_id,
            self.listing.id,
            self.side,
            request.client_id or f"cli-{new_id().hex}",
            self.kind,
            tif,
            quantity,
            None
            if request.budget is None
            else self.fitting.units(request.budget, self.listing.quote, "--budget"),
            price,
            max_slippage_bps=request.slippage_bps,
            reason={"origin": "command"},
            terms=None if terms == NO_TERMS else terms,
            strategy=request.strategy,
        )

    def _terms(self) -> Terms:
        request = self.request
        trigger = self.fitting.nearest(request.trigger, "--trigger")
        trail, trail_bps = (None, None) if request.trail is None else read_trail(request.trail, "--trail")
        return Terms(
            trigger_price=trigger,
            trail_amount=self.fitting.to_tick(trail) if request.round and trail is not None else trail,
            trail_bps=trail_bps,
            activation_price=self.fitting.nearest(request.activation, "--activation"),
            display=self.fitting.display(request.display),
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
                f"--price {price:f} is {away} {where} the market's {shown(reference)}: it {verb} at once, at the "
                "market, so the price looks like a slip",
                hint="leave --price out to trade at the market, or check it",
            )
        if beyond >= FAR:
            self.notes.append(
                f"the limit is {away} {where} the market's {shown(reference)}: it trades at once"
            )
        elif -beyond >= FAR and entry.time_in_force in RESTING:
            self.notes.append(
                f"the limit is {away} {where} the market's {shown(reference)}: it may wait for long"
            )
