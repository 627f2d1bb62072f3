"""A past to read: a year of orders and fills on a paper account, told through the books as the desk tells them.

    python -m tests.benchmarks.history sqlite:////tmp/past.db --orders 1000000

Of a hundred orders 80 are filled in two or three trades, 10 cancelled, 5 refused; 5 rest. Two fills an order come of
that. Everything is drawn from a seed but the ids, which are the time's.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Moved
from sniper_cli.books.holdings import BookedOrder
from sniper_cli.books.projector import Projector
from sniper_cli.books.records import Books, Page
from sniper_cli.books.trades import tell_fill
from sniper_cli.market.instruments import INSTRUMENTS, Spec
from sniper_cli.trading.recording import told
from sniper_cli.venues.paper import ensure_account
from sniper_cli.venues.paper.accounts import QUOTE_ASSET
from state import schema
from state.accounts import Movement
from state.columns import utc_now
from state.database import Database
from state.identifiers import new_key
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.writing import micros

DAY = 86_400 * 10**6
BATCH = 1000
STRATEGIES = (None, "grid", "momentum", "pairs", "rebalance")
CHECKS = '[["instrument"],["kill_switch"],["quantity"],["minimum_notional",9000000,5000000],["funds",9000000,90000000]]'
REASON = '{"origin":"strategy"}'
FEE_BPS = 10
DEPOSIT = 100_000 * 10**6


@dataclass(slots=True)
class Past:
    """What is to be made: how many orders, over how many days, ending when, drawn from which seed."""

    orders: int = 1_000_000
    days: int = 365
    seed: int = 7
    until: int = 0
    batch: int = BATCH
    defer: bool = False
    """Leave the rows to the projector, as a bulk desk does: the records are committed alone and followed afterwards."""


@dataclass(slots=True)
class Course:
    """An instrument's price on its way through the year."""

    spec: Spec
    ticks: int

    def step(self, chance: random.Random) -> int:
        self.ticks = max(10, self.ticks * chance.randrange(9_980, 10_021) // 10_000)
        return self.ticks


def make(database: Database, past: Past) -> UUID:
    """Write the past into a database with a schema; the account that has it."""
    account = ensure_account(database, "paper", deposit=Decimal(0))
    books = Books(database, actor="benchmark", defer_above=0 if past.defer else None)
    projector = Projector(database)
    chance = random.Random(past.seed)
    courses = [Course(spec, spec.start_ticks) for spec in INSTRUMENTS.values()]
    end = past.until or micros(utc_now())
    pace = past.days * DAY // max(1, past.orders)
    begin = end - pace * past.orders
    books.turn(account.id, lambda page: _deposit(page, begin), kind="desk.cash")
    for first in range(0, past.orders, past.batch):
        count = min(past.batch, past.orders - first)

        def work(page: Page, first: int = first, count: int = count) -> None:
            for number in range(first, first + count):
                _order(page, chance, courses, number, begin + number * pace)

        books.turn(account.id, work)
        if past.defer:
            projector.step()
    projector.catch_up()
    projector.close()
    books.close()
    return account.id


def _deposit(page: Page, at: int) -> None:
    move_cash(page, QUOTE_ASSET, Movement.DEPOSIT, DEPOSIT, reference="opening", at=at - 1)


def _order(page: Page, chance: random.Random, courses: list[Course], number: int, at: int) -> None:
    course = courses[chance.randrange(len(courses))]
    spec, ticks = course.spec, course.step(chance)
    position = page.book.positions.get(spec.id)
    held = 0 if position is None else position.quantity // spec.lot_units
    worth = max(1, 50 * 10**6 // (ticks * spec.tick_of_lot))
    lots = worth + chance.randrange(3 * worth)
    side = Side.SELL if held and (held > 12 * worth or chance.random() < 0.5) else Side.BUY
    if side is Side.SELL:
        lots = min(lots, held)
    lot = chance.randrange(100)
    state = OrderState.REFUSED if lot < 5 else OrderState.OPEN
    order = BookedOrder(
        new_key(),
        f"past-{number:010d}",
        spec.id,
        side,
        OrderType.LIMIT,
        TimeInForce.GTC,
        lots * spec.lot_units,
        None,
        spec.price(ticks),
        state,
        spec.notional(ticks, lots) * 1001 // 1000 + 10
        if side is Side.BUY and state is OrderState.OPEN
        else 0,
        at,
        CHECKS,
        REASON,
        explanation="funds: not enough" if state is OrderState.REFUSED else None,
        strategy=STRATEGIES[chance.randrange(len(STRATEGIES))],
        seq=page.seq,
        account_key=page.book.account_key,
    )
    page.book.add(order)
    page.append(told(order))
    if state is OrderState.REFUSED or lot < 10:
        return
    if lot < 20:
        page.add(Moved(order.key, OrderState.CANCELLED.value, at + 60_000_000, "cancelled by request"))
        return
    _fills(page, chance, order, spec, ticks, lots, at)


def _fills(
    page: Page, chance: random.Random, order: BookedOrder, spec: Spec, ticks: int, lots: int, at: int
) -> None:
    pieces = min(lots, 2 + chance.randrange(2))
    for index in range(pieces):
        part = lots * (index + 1) // pieces - lots * index // pieces
        notional = spec.notional(ticks, part)
        page.add(
            tell_fill(
                page.book,
                order,
                trade=f"{at // 10**6}:{index}",
                quantity=part * spec.lot_units,
                notional=notional,
                fee_asset=spec.quote_asset,
                fee=notional * FEE_BPS // 10_000,
                at=at + index * 1_000_000,
            )
        )


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Write a past into a new database.")
    parser.add_argument("url")
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--defer", action="store_true")
    given = parser.parse_args(argv)
    begun = time.perf_counter()
    with Database(given.url) as database:
        schema.upgrade(database)
        make(database, Past(given.orders, given.days, given.seed, defer=given.defer))
    print(f"{given.orders:,} orders in {time.perf_counter() - begun:.1f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
