"""The limits alone: what an order costs before the wire, with none set, with six, with every one there is."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from sniper_cli.books.book import Book
from sniper_cli.books.holdings import BookedPosition
from sniper_cli.books.loading import Pairs, load_book
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.risk.compiling import compile_gate
from sniper_cli.risk.gate import Gate
from sniper_cli.risk.kinds import KINDS
from sniper_cli.risk.limits import Limit
from sniper_cli.trading.checks import Proposal
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.trading.listings import Listings
from sniper_cli.venues.paper import PaperVenue, ensure_account
from state import schema
from state.accounts import Account
from state.database import Database
from state.limits import LimitScope
from state.orders import Side
from state.writing import Writer

ORDERS = 20_000
RUNS = 5
POSITIONS = tuple(INSTRUMENTS)
SIX = (
    "order_notional",
    "position_notional",
    "gross_exposure",
    "open_orders",
    "daily_loss",
    "orders_per_second",
)
NOW = 1_795_176_000_000_000  # 2026-11-20T12:00:00Z


def measure() -> dict[str, str]:
    results = {}
    with tempfile.TemporaryDirectory() as folder, Database(f"sqlite:///{Path(folder)}/risk.db") as database:
        schema.upgrade(database)
        account = ensure_account(database)
        for title, names in (
            ("only the collar", ()),
            ("with six limits", SIX),
            ("with all limits", tuple(KINDS)),
        ):
            with _gate(database, account, names) as (gate, proposals):
                results[f"an order {title}"] = _each(gate, proposals)
                results[f"… when the book changes between two, {title}"] = _each(gate, proposals, stir=True)
        with _gate(database, account, SIX, thousand=True) as (gate, _):
            results["a new second's prices for 1,000 positions"] = _repriced(gate)
    return results


@contextmanager
def _gate(
    database: Database, account: Account, names: Sequence[str], *, thousand: bool = False
) -> Iterator[tuple[Gate, list[Proposal]]]:
    """A gate over a book with a position in each instrument, and orders in all of them."""
    writer = Writer(database)
    book = load_book(writer, account.id.hex, Pairs(writer))
    _hold(book, 1_000 if thousand else len(POSITIONS))
    limits = [_wide(name, account) for name in names]
    gate = compile_gate(writer, book, account, None, now=NOW, proposed=limits)
    market = SimulatedMarket(7)
    rates = {name: PaperVenue(market).rate(name) for name in POSITIONS}
    gate.begin(NOW, lambda name: rates.get(name.partition("#")[0]))
    listings = Listings()
    listings.require(writer, POSITIONS)
    yield gate, _proposals(account, listings)
    writer.close()


def _wide(name: str, account: Account) -> Limit:
    """A limit that nothing here reaches."""
    unit = {"base": "BTC", "money": "USDT"}.get(KINDS[name].unit.value, "")
    terms = {"members": list(POSITIONS[:2])} if name == "correlated_exposure" else {}
    part = "majors" if terms else ""
    number = Decimal(9_999) if name in ("drawdown", "collar") else Decimal(10**9)
    return Limit(LimitScope.ACCOUNT, str(account.id), name, number, unit, part, terms=terms)


def _hold(book: Book, count: int) -> None:
    for place in range(count):
        name = POSITIONS[place % len(POSITIONS)]
        instrument = name if place < len(POSITIONS) else f"{name}#{place}"
        book.positions[instrument] = BookedPosition(f"{place:032x}", instrument, 0, 10**6, basis=10**6)


def _proposals(account: Account, listings: Listings) -> list[Proposal]:
    found = []
    for place in range(ORDERS):
        spec = INSTRUMENTS[POSITIONS[place % len(POSITIONS)]]
        quantity = 10 * spec.lot_units
        intent = OrderIntent(
            account.id, spec.id, Side.SELL if place % 3 == 0 else Side.BUY, f"{place:08}", quantity=quantity
        )
        listing = listings.get(spec.id)
        assert listing is not None
        middle = spec.start_ticks
        notional = spec.notional(middle, 10)
        found.append(Proposal(intent, listing, quantity, notional, middle, middle, spec.tick, NOW))
    return found


def _each(gate: Gate, proposals: Sequence[Proposal], *, stir: bool = False) -> str:
    examine, book = gate.examine, gate.book
    times = []
    for _ in range(RUNS):
        begun = time.perf_counter()
        if stir:
            for proposal in proposals:
                gate.moved(proposal.intent.instrument_id)
                examine(book, proposal)
        else:
            for proposal in proposals:
                examine(book, proposal)
        times.append(time.perf_counter() - begun)
    _, failed = examine(book, proposals[1])
    return f"{sorted(times)[RUNS // 2] / len(proposals) * 1e6:.2f} µs" + (" (refused)" if failed else "")


def _repriced(gate: Gate) -> str:
    times = []
    for second in range(1, RUNS + 1):
        begun = time.perf_counter()
        gate.begin(NOW + second * 1_000_000, gate.exposures[0].marks)
        gate.exposures[0].renew()
        times.append(time.perf_counter() - begun)
    return f"{sorted(times)[RUNS // 2] * 1000:.2f} ms"
