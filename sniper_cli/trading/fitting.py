"""The numbers of a request, made to fit an instrument: prices to its tick, quantities to its lot.

Only where `--round` asks for it; and what was rounded is said in a note, so that nobody agrees to another number than
he typed. A number that does not fit is left to the checks, which name the nearest ones.
"""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.errors import UsageProblem
from sniper_cli.market.quantisation import TradingRules, fit, floor_to, nearest_to, passive_price
from sniper_cli.trading.amounts import trimmed, whole
from sniper_cli.trading.listings import Listing
from sniper_cli.trading.requests import Ground
from sniper_cli.trading.words import HELP, read_number
from state.accounts import Asset
from state.orders import Side


class Fitting:
    """Reads the numbers of one request."""

    def __init__(self, ground: Ground, side: Side, *, rounds: bool) -> None:
        self.ground, self.listing, self.side = ground, ground.listing, side
        self.rounds = rounds
        self.notes: list[str] = []
        """What the person should know before agreeing."""

    def price(self, text: str | None, option: str) -> Decimal | None:
        """A limit; rounded so that it is no worse."""
        if text is None:
            return None
        price = read_number(text, option)
        tick = self.listing.tick
        if not self.rounds or not tick:
            return price
        return self._rounded(option, price, max(tick, passive_price(self.side, price, tick)))

    def nearest(self, text: str | None, option: str) -> Decimal | None:
        """A price that only has to be reached."""
        if text is None:
            return None
        price = read_number(text, option)
        return self._rounded(option, price, self.to_tick(price)) if self.rounds else price

    def to_tick(self, price: Decimal) -> Decimal:
        tick = self.listing.tick
        return price if not tick else max(tick, nearest_to(price, tick))

    def _rounded(self, option: str, typed: Decimal, taken: Decimal) -> Decimal:
        if typed != taken:
            self.notes.append(f"{option} {trimmed(typed):f} was rounded to {trimmed(taken):f}")
        return taken

    def quantity(self, text: str | None, price: Decimal | None) -> int | None:
        """Base units; to the nearest that the instrument takes at the price, or at the market."""
        if text is None:
            return None
        if not self.rounds:
            return self.units(text, self.listing.base, "--quantity")
        typed = read_number(text, "--quantity", self.ground.units)
        listing, near = self.listing, price or self.ground.reference
        if not listing.lot or not listing.tick or near is None:
            return listing.base.units(floor_to(typed, listing.base.amount(1)))
        found = fit(_rules(listing), near, typed, self.side, at_market=price is None)
        if found.nearest is None:
            raise UsageProblem(f"no quantity fits at {near:f}: {found.violations[0]}", hint=HELP)
        return listing.base.units(self._rounded("--quantity", typed, found.nearest[1]))

    def units(self, text: str, asset: Asset, option: str) -> int:
        number = read_number(text, option, self.ground.units)
        try:
            return asset.units(number)
        except ValueError as error:
            raise UsageProblem(str(error), hint="--round takes the nearest that fits") from error

    def display(self, text: str | None) -> int | None:
        """What an iceberg shows, one lot at least."""
        if text is None:
            return None
        if not self.rounds or not self.listing.lot:
            return self.units(text, self.listing.base, "--display")
        lot = whole(self.listing.base, self.listing.lot)
        shown = max(lot, floor_to(read_number(text, "--display", self.ground.units), lot))
        return self.listing.base.units(shown)


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
