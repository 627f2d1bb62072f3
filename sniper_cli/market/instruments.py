"""What the simulated market trades, in whole ticks and lots.

Every lot at every tick is a whole number of quote units (lot · tick is a multiple of 10^base decimals), so a
trade's notional is exact and nothing is ever rounded but the fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from sniper_cli.errors import NotFound

QUOTE = "USDT"
QUOTE_DECIMALS = 6
BASE_DECIMALS = 8
"""Of every base asset on paper, whatever it has on its own chain."""
TEN_TO_BASE = 100_000_000

MINIMUM_NOTIONAL = 5 * 10**QUOTE_DECIMALS
"""Quote units; what large exchanges ask for."""


@dataclass(frozen=True, slots=True)
class Spec:
    """An instrument of the simulated market, and the character of its price."""

    base: str
    name: str
    start: Decimal
    """What the price wanders around."""
    tick: Decimal
    lot: Decimal
    volatility_pct: int
    """A year's, of the logarithm of the price."""
    depth: Decimal
    """Base units of liquidity that one level of the book holds, roughly."""

    @property
    def symbol(self) -> str:
        return f"{self.base}/{QUOTE}"

    @property
    def id(self) -> str:
        return f"paper:{self.symbol}"

    @property
    def base_asset(self) -> str:
        return f"paper:{self.base}"

    @property
    def quote_asset(self) -> str:
        return f"paper:{QUOTE}"

    @property
    def tick_units(self) -> int:
        """Quote units of one tick, for one whole base coin."""
        return int(self.tick.scaleb(QUOTE_DECIMALS))

    @property
    def lot_units(self) -> int:
        """Base units of one lot."""
        return int(self.lot.scaleb(BASE_DECIMALS))

    @property
    def start_ticks(self) -> int:
        return int(self.start / self.tick)

    @property
    def depth_lots(self) -> int:
        return int(self.depth / self.lot)

    @property
    def tick_of_lot(self) -> int:
        """Quote units that one lot costs at a price of one tick: whole, and so is every notional."""
        return self.lot_units * self.tick_units // TEN_TO_BASE

    def notional(self, ticks: int, lots: int) -> int:
        """Quote units that so many lots cost at a price."""
        return lots * ticks * self.tick_of_lot

    def price(self, ticks: int) -> Decimal:
        """A price in ticks as quote per base."""
        return ticks * self.tick


def _spec(base: str, name: str, start: str, tick: str, lot: str, volatility_pct: int, depth: str) -> Spec:
    return Spec(base, name, Decimal(start), Decimal(tick), Decimal(lot), volatility_pct, Decimal(depth))


INSTRUMENTS: dict[str, Spec] = {
    spec.id: spec
    for spec in (
        _spec("BTC", "Bitcoin", "90000", "0.01", "0.0001", 55, "0.5"),
        _spec("ETH", "Ether", "3000", "0.01", "0.001", 70, "12"),
        _spec("SOL", "Solana", "150", "0.01", "0.01", 90, "200"),
        _spec("XRP", "XRP", "2", "0.0001", "1", 85, "15000"),
        _spec("DOGE", "Dogecoin", "0.2", "0.00001", "1", 100, "120000"),
    )
}
"""By id, `paper:BTC/USDT`. A new line is a new instrument; changing one changes every seed's history."""


def find_spec(instrument_id: str) -> Spec:
    """An instrument of the simulated market by its id.

    Raises NotFound.
    """
    spec = INSTRUMENTS.get(instrument_id)
    if spec is None:
        known = ", ".join(one.symbol for one in INSTRUMENTS.values())
        raise NotFound(
            f"the simulated market has no {instrument_id.removeprefix('paper:')}: it trades {known}",
            hint="sniper order place --help",
        )
    return spec
