"""Writing what a record changed into the tables, in the transaction at hand.

The tables are there to be read: nothing refers to them that the journal does not know, so they carry no foreign keys
(checking them would cost as much as the rows) and `sniper portfolio verify` proves what keys would only assert.
"""

from __future__ import annotations

from sniper_cli.books.book import Book
from sniper_cli.books.changes import Changes
from sniper_cli.books.holdings import BookedOrder, BookedPosition
from sniper_cli.books.shelf import FILL, LOT, ORDER, POSITION
from state.accounts import COUNTERPARTS, Movement
from state.identifiers import new_key
from state.orders import Side
from state.writing import Statements, Writer

COUNTERPART = {movement.value: name for movement, name in COUNTERPARTS.items()}

ORDER_UPDATE = (
    'UPDATE "order" SET state = ?, explanation = ?, venue_reference = ?, filled_quantity = ?, filled_notional = ?, '
    "position_id = ?, updated_at = ?, version = ?, quantity = ?, limit_price = ?, reserved = ?, terms = ? WHERE id = ?"
)
POSITION_UPSERT = (
    f"INSERT INTO position ({POSITION}, account_id, peak_value, exit_rules) "  # noqa: S608
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '0', '{}') ON CONFLICT (id) DO UPDATE SET "
    "quantity = excluded.quantity, spent = excluded.spent, received = excluded.received, basis = excluded.basis, "
    "fees = excluded.fees, realised = excluded.realised, state = excluded.state, exit_rule = excluded.exit_rule, "
    "closed_at = excluded.closed_at, version = excluded.version"
)
LOT_UPDATE = "UPDATE lot SET quantity = ?, remaining = ?, cost = ? WHERE id = ?"
LOT_UPSERT = (
    f"INSERT INTO lot ({LOT}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "  # noqa: S608
    "quantity = excluded.quantity, remaining = excluded.remaining, cost = excluded.cost"
)
BALANCE_UPSERT = (
    "INSERT INTO balance (account_id, asset_id, amount) VALUES (?, ?, ?) "
    "ON CONFLICT (account_id, asset_id) DO UPDATE SET amount = excluded.amount"
)
ENTRY = "id, account_id, asset_id, movement, counterpart, amount, reference, at"
STRATEGY_DAY_UPSERT = (
    "INSERT INTO strategy_day (account_id, day, strategy, quote_asset, realised, fees, bought, sold, fills, wins, won, "
    "losses, lost) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (account_id, day, strategy, quote_asset) DO UPDATE SET realised = excluded.realised, "
    "fees = excluded.fees, bought = excluded.bought, sold = excluded.sold, fills = excluded.fills, "
    "wins = excluded.wins, won = excluded.won, losses = excluded.losses, lost = excluded.lost"
)
INSTRUMENT_DAY_UPSERT = (
    "INSERT INTO instrument_day (account_id, day, instrument_id, quantity, notional, fills, realised, fees, held, "
    "basis) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account_id, day, instrument_id) DO UPDATE SET "
    "quantity = excluded.quantity, notional = excluded.notional, fills = excluded.fills, "
    "realised = excluded.realised, fees = excluded.fees, held = excluded.held, basis = excluded.basis"
)


def project(writer: Writer | Statements, book: Book, changes: Changes, seq: int, at: int) -> None:
    """Write a record's changes of one account, or note down what is to be written."""
    _orders(writer, changes, seq)
    _positions(writer, book.account_key, changes)
    _fills(writer, book.account_key, changes)
    _lots(writer, changes)
    _cash(writer, book, changes, seq, at)
    _days(writer, book.account_key, changes)
    if changes.settled is not None:
        writer.run("UPDATE account SET settled_until = ? WHERE id = ?", (changes.settled, book.account_key))
    if changes.rules:
        rules = (book.lot_method.value, format(book.margin, "f"), book.account_key)
        writer.run("UPDATE account SET lot_method = ?, margin = ? WHERE id = ?", rules)


def _orders(writer: Writer | Statements, changes: Changes, seq: int) -> None:
    writer.insert("order", ORDER, [_order_row(writer, order) for order in changes.orders])
    writer.many(
        ORDER_UPDATE,
        [
            (
                order.state._value_,
                order.explanation,
                order.venue_reference,
                str(order.filled_quantity),
                str(order.filled_notional),
                order.position_key,
                writer.moment(order.updated),
                order.version,
                None if order.quantity is None else str(order.quantity),
                None if order.limit_price is None else format(order.limit_price, "f"),
                str(order.reserved),
                order.terms_json,
                order.key,
            )
            for order in changes.moved.values()
        ],
    )
    told = [(key, seq) for key in dict.fromkeys(changes.told)]
    writer.many("INSERT INTO order_change (order_id, seq) VALUES (?, ?) ON CONFLICT DO NOTHING", told)


def _order_row(writer: Writer | Statements, order: BookedOrder) -> tuple[object, ...]:
    return (
        order.key,
        order.client_order_id,
        order.instrument_id,
        order.side._value_,
        order.type._value_,
        order.time_in_force._value_,
        None if order.quantity is None else str(order.quantity),
        None if order.budget is None else str(order.budget),
        None if order.limit_price is None else format(order.limit_price, "f"),
        order.state._value_,
        str(order.reserved),
        writer.moment(order.at),
        order.checks_json,
        order.reason_json,
        order.terms_json,
        order.explanation,
        order.venue_reference,
        order.position_key,
        order.launch_key,
        order.strategy,
        order.parent_key,
        str(order.filled_quantity),
        str(order.filled_notional),
        writer.moment(order.updated or order.at),
        order.version,
        order.seq,
        order.account_key,
    )


def _positions(writer: Writer | Statements, account_key: str, changes: Changes) -> None:
    rows = [(*_position_row(writer, position), account_key) for position in changes.positions.values()]
    writer.many(POSITION_UPSERT, rows)


def _position_row(writer: Writer | Statements, position: BookedPosition) -> tuple[object, ...]:
    return (
        position.key,
        position.instrument_id,
        writer.moment(position.at),
        str(position.quantity),
        str(position.spent),
        str(position.received),
        str(position.basis),
        str(position.fees),
        str(position.realised),
        position.state._value_,
        position.exit_rule,
        None if position.closed is None else writer.moment(position.closed),
        position.launch_key,
        position.strategy,
        position.version,
    )


def _fills(writer: Writer | Statements, account_key: str, changes: Changes) -> None:
    rows = [
        (
            fill.key,
            fill.order_key,
            fill.instrument_id,
            fill.position_key,
            fill.trade,
            "buy" if fill.side is Side.BUY else "sell",
            str(fill.quantity),
            str(fill.notional),
            fill.fee_asset,
            str(fill.fee),
            str(fill.fee_value),
            str(fill.realised),
            writer.moment(fill.at),
            None if fill.reversed_at is None else writer.moment(fill.reversed_at),
            fill.seq,
            account_key,
        )
        for fill in changes.fills
    ]
    writer.insert("fill", f"{FILL}, account_id", rows)
    reversed_rows = [(writer.moment(fill.reversed_at or 0), fill.key) for fill in changes.reversed_fills]
    writer.many("UPDATE fill SET reversed_at = ? WHERE id = ?", reversed_rows)


def _lots(writer: Writer | Statements, changes: Changes) -> None:
    fresh = {fill.key for fill in changes.fills}
    new, old = [], []
    for lot in changes.lots.values():
        amounts = (str(lot.quantity), str(lot.remaining), str(lot.cost))
        if lot.key in fresh:
            new.append((lot.key, lot.position_key, *amounts, writer.moment(lot.at)))
        else:
            old.append((lot.key, lot.position_key, *amounts, writer.moment(lot.at)))
    writer.insert("lot", LOT, new)
    writer.many(LOT_UPSERT, old)
    writer.insert(
        "lot_match",
        "fill_id, lot_id, quantity, cost, proceeds",
        [
            (one.fill_key, one.lot_key, str(one.quantity), str(one.cost), str(one.proceeds))
            for one in changes.matches
        ],
    )
    writer.many("DELETE FROM lot_match WHERE fill_id = ?", [(key,) for key in changes.gone_matches])
    writer.many("DELETE FROM lot WHERE id = ?", [(key,) for key in changes.gone_lots])


def _cash(writer: Writer | Statements, book: Book, changes: Changes, seq: int, at: int) -> None:
    """Balances, and the double entries that explain them: trades summed up a record, everything else one by one."""
    account, moment = book.account_key, writer.moment(at)
    touched = {asset for asset, _ in changes.trades} | changes.balances
    writer.many(BALANCE_UPSERT, [(account, asset, str(book.cash[asset])) for asset in sorted(touched)])
    rows = [
        (new_key(), account, asset, movement, COUNTERPART[movement], str(amount), f"record:{seq}", moment)
        for (asset, movement), amount in changes.trades.items()
    ]
    rows += [
        (
            new_key(),
            account,
            entry.asset_id,
            entry.movement,
            COUNTERPART[entry.movement],
            str(entry.amount),
            entry.reference,
            writer.moment(entry.at),
        )
        for entry in changes.entries
    ]
    writer.many(f"INSERT INTO ledger_entry ({ENTRY}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608


def _days(writer: Writer | Statements, account_key: str, changes: Changes) -> None:
    writer.many(
        STRATEGY_DAY_UPSERT,
        [
            (
                account_key,
                str(day),
                strategy,
                quote,
                str(one.realised),
                str(one.fees),
                str(one.bought),
                str(one.sold),
                one.fills,
                one.wins,
                str(one.won),
                one.losses,
                str(one.lost),
            )
            for (day, strategy, quote), one in changes.strategy_days.items()
        ],
    )
    writer.many(
        INSTRUMENT_DAY_UPSERT,
        [
            (
                account_key,
                str(day),
                instrument,
                str(one.quantity),
                str(one.notional),
                one.fills,
                str(one.realised),
                str(one.fees),
                str(one.held),
                str(one.basis),
            )
            for (day, instrument), one in changes.instrument_days.items()
        ],
    )


__all__ = ["Movement", "project"]
