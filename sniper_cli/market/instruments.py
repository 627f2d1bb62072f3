"""What the simulated market trades, in whole ticks and lots.

Every lot at every tick is a whole number of quote units (lot · tick is a multiple of 10^base decimals), so a
trade's notional is exact and nothing is ever rounded but the fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches

from sniper_cli.errors import NotFound

QUOTE = "USDT"
QUOTE_DECIMALS = 6
BASE_DECIMALS = 8
"""Of every base asset on paper, whatever it has on its own chain."""
TEN_TO_BASE = 100_000_000

MINIMUM_NOTIONAL = 5 * 10**QUOTE_DECIMALS
"""Quote units; what large exchanges ask for."""
MAXIMUM_NOTIONAL = 5_000_000 * 10**QUOTE_DECIMALS
"""Quote units; a single order above it is taken for a slip of the finger, as venues do."""
MAXIMUM_DEPTHS = 2_000
"""The greatest quantity of one order, in levels of the book: what guards an order at a price near zero."""


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
    minimum_notional: int = MINIMUM_NOTIONAL
    maximum_notional: int = MAXIMUM_NOTIONAL

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
    def maximum_lots(self) -> int:
        """The greatest quantity of one order."""
        return MAXIMUM_DEPTHS * self.depth_lots

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
        _spec("BNB", "BNB", "850", "0.01", "0.001", 60, "10"),
        _spec("ADA", "Cardano", "0.6", "0.00001", "0.1", 90, "12000"),
        _spec("TRX", "TRON", "0.3", "0.00001", "0.1", 55, "20000"),
        _spec("AVAX", "Avalanche", "25", "0.001", "0.01", 95, "250"),
        _spec("LINK", "Chainlink", "16", "0.001", "0.01", 85, "350"),
        _spec("SUI", "Sui", "2.5", "0.0001", "0.1", 110, "3000"),
        _spec("TON", "Toncoin", "3", "0.0001", "0.01", 75, "1200"),
        _spec("HBAR", "Hedera", "0.18", "0.00001", "1", 105, "40000"),
        _spec("DOT", "Polkadot", "4", "0.0001", "0.01", 90, "1200"),
        _spec("LTC", "Litecoin", "95", "0.01", "0.001", 75, "40"),
        _spec("BCH", "Bitcoin Cash", "480", "0.01", "0.001", 85, "6"),
        _spec("XLM", "Stellar", "0.3", "0.00001", "1", 85, "20000"),
        _spec("UNI", "Uniswap", "7", "0.0001", "0.01", 100, "500"),
        _spec("AAVE", "Aave", "220", "0.01", "0.001", 95, "10"),
        _spec("NEAR", "NEAR Protocol", "2.4", "0.0001", "0.1", 105, "1500"),
        _spec("APT", "Aptos", "3.5", "0.0001", "0.01", 105, "1000"),
        _spec("ATOM", "Cosmos Hub", "3.2", "0.0001", "0.01", 90, "1000"),
        _spec("ARB", "Arbitrum", "0.4", "0.00001", "0.1", 110, "8000"),
        _spec("FIL", "Filecoin", "2", "0.0001", "0.01", 100, "1500"),
    )
}
"""By id, `paper:BTC/USDT`. A new line is a new instrument; changing one changes every seed's history."""


def find_spec(instrument_id: str) -> Spec:
    """An instrument of the simulated market by its id.

    Raises NotFound with the near match.
    """
    spec = INSTRUMENTS.get(instrument_id)
    if spec is None:
        raise unknown(instrument_id)
    return spec


def spec_named(text: str) -> Spec | None:
    """The instrument that a person means: `paper:BTC/USDT`, `btc/usdt`, `BTC-USDT`, `BTCUSDT`, or only `btc`."""
    wanted = text.strip().upper().removeprefix("PAPER:").replace("-", "/").replace("_", "/")
    for spec in INSTRUMENTS.values():
        if wanted in (spec.symbol, spec.base, f"{spec.base}{QUOTE}"):
            return spec
    return None


def unknown(text: str) -> NotFound:
    """The error for a name that the simulated market does not know, with the symbol that is most like it."""
    wanted = text.removeprefix("paper:")
    # The quote is the same everywhere and would make everything alike: the base, or the coin's name, decides.
    names = {name.upper(): spec.symbol for spec in INSTRUMENTS.values() for name in (spec.base, spec.name)}
    near = get_close_matches(wanted.upper().partition("/")[0], names, n=1)
    meant = f"; did you mean {names[near[0]]!r}?" if near else ""
    return NotFound(f"the simulated market has no {wanted}{meant}", hint="sniper market list")
