"""A thousand open positions: what closing each would bring in this second, and whether an exit rule of one fires."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from statistics import median
from uuid import uuid4

from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.sniping.exits import ExitRules
from sniper_cli.sniping.thresholds import Watchlist
from state.positions import Position
from state.writing import micros

POSITIONS, ROUNDS = 1_000, 101
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def measure() -> dict[str, str]:
    """Medians over a hundred seconds, each with new books; the first one fills caches and does not count."""
    positions, marks, watchlist = _positions(), PaperMarks(SimulatedMarket(7)), Watchlist()
    held = [(position.instrument_id, position.quantity) for position in positions]
    marking, deciding = [], []
    for second in range(ROUNDS):
        now = NOON + timedelta(seconds=second)
        begun = time.perf_counter()
        values = marks.at(now).closings(held)
        marked = time.perf_counter()
        moment = micros(now)
        for position, value in zip(positions, values, strict=True):
            position.mark_value = value
            position.exit_rules = {**position.exit_rules, "liquidity": "1"}
        marked_in = time.perf_counter()
        fired = [position for position in positions if watchlist.fires(position, moment)]
        ended = time.perf_counter()
        marking.append(marked - begun)
        deciding.append(ended - marked_in)
        assert not fired
    both = [first + second for first, second in zip(marking[1:], deciding[1:], strict=True)]
    return {
        f"marks of {POSITIONS:,} positions, the books of {len(INSTRUMENTS)} instruments drawn": _ms(
            marking[1:]
        ),
        "their exit rules at these marks": _ms(deciding[1:]),
        "one revaluation": f"{_ms(both)}, p99 {sorted(both)[len(both) * 99 // 100] * 1000:.2f} ms",
    }


def _positions() -> list[Position]:
    chance, names = random.Random(7), list(INSTRUMENTS)
    rules = ExitRules(Decimal(60), Decimal(30), Decimal(15), Decimal(12), 3_600_000).as_json()
    rules["entry_liquidity"] = "1"
    market = PaperMarks(SimulatedMarket(7)).at(NOON)
    found = []
    for number in range(POSITIONS):
        spec = INSTRUMENTS[names[number % len(names)]]
        quantity = chance.randrange(1, 4 * spec.depth_lots) * spec.lot_units
        worth = market.closing(spec.id, quantity)
        found.append(
            Position(
                account_id=uuid4(),
                instrument_id=spec.id,
                quantity=quantity,
                spent=worth,
                mark_value=worth,
                peak_value=worth,
                opened_at=NOON,
                exit_rules=dict(rules),
            )
        )
    return found


def _ms(times: list[float]) -> str:
    return f"{median(times) * 1000:.2f} ms"
