"""An account's book read from the tables: what is at work, held and owned, never what is over."""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.books.book import Book
from sniper_cli.books.claims import hold
from sniper_cli.books.shelf import LOT, ORDER, POSITION, TableShelf, read_lot, read_order, read_position
from state.errors import RowNotFound
from state.orders import WORKING
from state.positions import LotMethod
from state.writing import Writer

OPEN = ", ".join(f"'{state.value}'" for state in sorted(WORKING))


class Pairs(dict[str, tuple[str, str]]):
    """Base and quote assets of instruments by their ids; one that was listed meanwhile is read when it is asked for."""

    def __init__(self, writer: Writer) -> None:
        rows = writer.rows("SELECT id, base_asset, quote_asset FROM instrument")
        super().__init__({row[0]: (row[1], row[2]) for row in rows})
        self.writer = writer

    def __missing__(self, instrument: str) -> tuple[str, str]:
        row = self.writer.row("SELECT base_asset, quote_asset FROM instrument WHERE id = ?", (instrument,))
        if row is None:
            raise RowNotFound(f"there is no instrument {instrument}", hint="sniper market list")
        self[instrument] = found = (row[0], row[1])
        return found


def load_book(writer: Writer, account_key: str, pairs: Pairs) -> Book:
    """The book of an account as the tables tell it; they must have followed the journal to its end."""
    book = Book(account_key, TableShelf(writer, account_key), pairs)
    rules = writer.row("SELECT lot_method, margin, settled_until FROM account WHERE id = ?", (account_key,))
    book.lot_method, book.margin, book.settled = LotMethod(rules[0]), Decimal(rules[1]), int(rules[2])
    last_id = writer.row('SELECT max(client_order_id) FROM "order" WHERE account_id = ?', (account_key,))
    book.last_client_id = last_id[0] or ""
    query = "SELECT asset_id, amount FROM balance WHERE account_id = ?"
    book.cash = {asset: int(amount) for asset, amount in writer.rows(query, (account_key,))}
    _load_positions(writer, book)
    query = f'SELECT {ORDER} FROM "order" WHERE account_id = ? AND state IN ({OPEN}) ORDER BY id'  # noqa: S608
    for row in writer.rows(query, (account_key,)):
        order = read_order(row)
        book.orders[order.key] = order
        hold(book, order, 1)
        book.timetable.note(order)
    last = writer.row("SELECT max(seq) FROM journal WHERE subject = ?", (_dashed(account_key),))
    book.seq = int(last[0] or 0)
    return book


def _load_positions(writer: Writer, book: Book) -> None:
    query = f"SELECT {POSITION} FROM position WHERE account_id = ? AND state = 'open' ORDER BY id"  # noqa: S608
    positions = {p.key: p for p in map(read_position, writer.rows(query, (book.account_key,)))}
    book.positions = {position.instrument_id: position for position in positions.values()}
    columns = ", ".join(f"l.{name.strip()}" for name in LOT.split(","))
    query = (
        f"SELECT {columns} FROM lot l JOIN position p ON p.id = l.position_id "  # noqa: S608
        "WHERE p.account_id = ? AND p.state = 'open' AND l.remaining <> ? ORDER BY l.id"
    )
    for row in writer.rows(query, (book.account_key, "0")):
        lot = read_lot(row)
        positions[lot.position_key].lots[lot.key] = lot


def _dashed(key: str) -> str:
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
