"""The desk's tables become projections of the journal: terms, shorts, day sums, and how far they have followed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from state.accounts import COUNTERPARTS
from state.columns import BinaryText, Exact, Json, Units
from state.migrations.lease_columns import upgrade_leases
from state.orders import WORKING

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN = "state IN ('held', 'open', 'partially_filled', 'recorded', 'sent')"


def upgrade() -> None:
    connection = op.get_bind()
    lots = _all(connection, "SELECT * FROM lot")
    matches = _all(connection, "SELECT * FROM lot_match")
    _unrefer()
    _accounts()
    _orders()
    _fills(connection)
    _positions(connection)
    _lots(lots, matches)
    _days()
    upgrade_leases(op)
    _carry_forward(connection)


def _unrefer() -> None:
    """Projections refer by construction and are proved by a rebuild: they carry no foreign keys."""
    keys = {
        "balance": ("account_id>account", "asset_id>asset"),
        "ledger_entry": ("account_id>account", "asset_id>asset"),
        "order": ("account_id>account", "instrument_id>instrument"),
        "position": ("account_id>account", "instrument_id>instrument"),
        "fill": ("account_id>account", "order_id>order", "fee_asset>asset"),
        "chain_transaction": ("order_id>order",),
    }
    for name, references in keys.items():
        with op.batch_alter_table(name) as table:
            for reference in references:
                column, target = reference.split(">")
                table.drop_constraint(f"fk_{name}_{column}_{target}", type_="foreignkey")


def _accounts() -> None:
    with op.batch_alter_table("instrument") as table:
        table.add_column(sa.Column("maximum_notional", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("account") as table:
        table.add_column(sa.Column("lot_method", sa.String(32), nullable=False, server_default="fifo"))
        table.add_column(sa.Column("margin", Exact(), nullable=False, server_default="0"))
        table.add_column(sa.Column("settled_until", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("account") as table:
        table.alter_column("lot_method", server_default=None)
        table.alter_column("margin", server_default=None)
        table.alter_column("settled_until", server_default=None)
    with op.batch_alter_table("ledger_entry") as table:
        table.add_column(sa.Column("counterpart", sa.String(), nullable=False, server_default="outside"))
        table.drop_index("ix_ledger_entry_account_id")
    for movement, counterpart in COUNTERPARTS.items():
        op.execute(
            sa.text("UPDATE ledger_entry SET counterpart = :c WHERE movement = :m").bindparams(
                c=counterpart, m=movement.value
            )
        )
    with op.batch_alter_table("ledger_entry") as table:
        table.alter_column("counterpart", server_default=None)


def _orders() -> None:
    gone = ("account_id", "instrument_id", "launch_id", "position_id", "state", "venue_reference")
    for column in gone:
        op.drop_index(f"ix_order_{column}", "order")
    with op.batch_alter_table("order") as table:
        table.drop_column("fingerprint")
        table.add_column(sa.Column("terms", Json(), nullable=True))
        table.add_column(sa.Column("strategy", sa.String(), nullable=True))
        table.add_column(sa.Column("parent_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("recorded_seq", sa.BigInteger(), nullable=False, server_default="0"))
        table.alter_column("client_order_id", type_=BinaryText(), existing_type=sa.String())
    with op.batch_alter_table("order") as table:
        table.alter_column("recorded_seq", server_default=None)
    op.create_index("ix_order_history", "order", ["account_id", "id"])
    for column in ("venue_reference", "launch_id", "position_id", "parent_id"):
        given = sa.text(f"{column} IS NOT NULL")
        op.create_index(f"ix_order_{column}", "order", [column], sqlite_where=given, postgresql_where=given)
    op.create_index(
        "ix_order_open",
        "order",
        ["account_id", "id"],
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "order_change",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "seq"),
    )


def _fills(connection: Any) -> None:
    on_sqlite = connection.dialect.name == "sqlite"
    op.drop_index("ix_fill_order_id", "fill")
    with op.batch_alter_table("fill") as table:
        table.add_column(sa.Column("instrument_id", sa.String(), nullable=True))
        table.add_column(sa.Column("position_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("realised", Units(), nullable=False, server_default="0"))
        table.add_column(sa.Column("fee_value", Units(), nullable=False, server_default="0"))
        table.add_column(sa.Column("seq", sa.BigInteger(), nullable=False, server_default="0"))
        table.drop_constraint(
            "uq_fill_account_id" if on_sqlite else "fill_account_id_venue_trade_id_key", type_="unique"
        )
    for column in ("instrument_id", "position_id"):
        op.execute(
            f'UPDATE fill SET {column} = (SELECT o.{column} FROM "order" o WHERE o.id = fill.order_id)'
        )  # noqa: S608
    with op.batch_alter_table("fill") as table:
        table.alter_column("instrument_id", nullable=False, existing_type=sa.String())
        table.alter_column("realised", server_default=None)
        table.alter_column("fee_value", server_default=None)
        table.alter_column("seq", server_default=None)
        table.alter_column("venue_trade_id", type_=BinaryText(), existing_type=sa.String())
        table.create_unique_constraint("uq_fill_order_id", ["order_id", "venue_trade_id"])
    op.create_index("ix_fill_account_at", "fill", ["account_id", "at"])


def _positions(connection: Any) -> None:
    with op.batch_alter_table("position") as table:
        table.add_column(sa.Column("strategy", sa.String(), nullable=True))
        table.add_column(sa.Column("basis", Units(), nullable=False, server_default="0"))
    for row in _all(connection, "SELECT id, spent, received, realised FROM position"):
        basis = int(row["spent"]) - int(row["received"]) + int(row["realised"])
        connection.execute(
            sa.text("UPDATE position SET basis = :b WHERE id = :i"),
            {"b": str(basis) if connection.dialect.name == "sqlite" else basis, "i": row["id"]},
        )
    with op.batch_alter_table("position") as table:
        table.alter_column("basis", server_default=None)


def _lots(lots: list[dict[str, Any]], matches: list[dict[str, Any]]) -> None:
    """A lot takes the id of the fill that opened it; a match is named by its two sides."""
    op.drop_table("lot_match")
    op.drop_table("lot")
    lot = op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("remaining", Units(), nullable=False),
        sa.Column("cost", Units(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lot_position_id", "lot", ["position_id"])
    match = op.create_table(
        "lot_match",
        sa.Column("fill_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("cost", Units(), nullable=False),
        sa.Column("proceeds", Units(), nullable=False),
        sa.PrimaryKeyConstraint("fill_id", "lot_id"),
    )
    fill_of = {str(row["id"]): row["fill_id"] for row in lots}
    columns = ("quantity", "cost")
    connection = op.get_bind()
    for row in lots:
        values = {name: row[name] for name in ("position_id", "remaining", "opened_at", *columns)}
        _insert(connection, lot, {"id": row["fill_id"], **values})
    for row in matches:
        values = {name: row[name] for name in ("fill_id", "proceeds", *columns)}
        _insert(connection, match, {"lot_id": fill_of[str(row["lot_id"])], **values})


def _days() -> None:
    op.create_table(
        "projection",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO projection (name, seq, head) VALUES ('desk', 0, 0)")
    op.create_table(
        "strategy_day",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=False),
        sa.Column("quote_asset", sa.String(), nullable=False),
        *(sa.Column(name, Units(), nullable=False) for name in ("realised", "fees", "bought", "sold")),
        sa.Column("fills", sa.Integer(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("won", Units(), nullable=False),
        sa.Column("losses", sa.Integer(), nullable=False),
        sa.Column("lost", Units(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "day", "strategy", "quote_asset"),
    )
    op.create_table(
        "instrument_day",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("instrument_id", sa.String(), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("notional", Units(), nullable=False),
        sa.Column("fills", sa.Integer(), nullable=False),
        *(sa.Column(name, Units(), nullable=False) for name in ("realised", "fees", "held", "basis")),
        sa.PrimaryKeyConstraint("account_id", "day", "instrument_id"),
    )
    op.create_index("ix_instrument_day", "instrument_day", ["instrument_id", "day"])


def _carry_forward(connection: Any) -> None:
    """One record an account: what it holds now. A rebuild from the journal begins there."""
    if connection.execute(sa.text("SELECT 1 FROM journal_head")).first() is None:
        connection.execute(
            sa.text("INSERT INTO journal_head VALUES ('journal', 0, :hash)"), {"hash": "0" * 64}
        )
    for account in _all(connection, "SELECT id FROM account"):
        events = [*_balances(connection, account["id"]), *_open_positions(connection, account["id"])]
        events += _working_orders(connection, account["id"])
        if events:
            _journal(connection, _hex(account["id"]), events)


def _balances(connection: Any, account: Any) -> list[list[Any]]:
    rows = _all(
        connection, "SELECT asset_id, amount FROM balance WHERE account_id = :a ORDER BY asset_id", a=account
    )
    return [["K", row["asset_id"], str(int(row["amount"]))] for row in rows]


def _open_positions(connection: Any, account: Any) -> list[list[Any]]:
    found = []
    query = "SELECT * FROM position WHERE account_id = :a AND state = 'open' ORDER BY id"
    for row in _all(connection, query, a=account):
        query = "SELECT * FROM lot WHERE position_id = :p ORDER BY id"
        lots = [
            [
                _hex(x["id"]),
                *(str(int(x[n])) for n in ("quantity", "remaining", "cost")),
                _micros(x["opened_at"]),
            ]
            for x in _all(connection, query, p=row["id"])
            if int(x["remaining"])
        ]
        amounts = [str(int(row[n])) for n in ("quantity", "spent", "received", "basis", "fees", "realised")]
        launch = _hex(row["launch_id"]) if row["launch_id"] else None
        found.append(
            [
                "P",
                _hex(row["id"]),
                row["instrument_id"],
                *amounts,
                _micros(row["opened_at"]),
                launch,
                None,
                lots,
            ]
        )
    return found


def _working_orders(connection: Any, account: Any) -> list[list[Any]]:
    found = []
    query = f'SELECT * FROM "order" WHERE account_id = :a AND {OPEN} ORDER BY id'  # noqa: S608
    for row in _all(connection, query, a=account):
        amounts = {
            name: None if row[name] is None else str(int(row[name]))
            for name in ("quantity", "budget", "reserved", "filled_quantity", "filled_notional")
        }
        links = [_hex(row[name]) if row[name] else None for name in ("launch_id", "position_id")]
        price = (
            None
            if row["limit_price"] is None
            else format(row["limit_price"], "f")
            if not isinstance(row["limit_price"], str)
            else row["limit_price"]
        )
        words = [row[name] for name in ("instrument_id", "side", "type", "time_in_force")]
        found.append(
            [
                "R",
                _hex(row["id"]),
                row["client_order_id"],
                *words,
                amounts["quantity"],
                amounts["budget"],
                price,
            ]
            + [row["state"], amounts["reserved"], _micros(row["created_at"])]
            + [
                json.loads(row["checks"]),
                json.loads(row["reason"]),
                None,
                row["explanation"],
                row["venue_reference"],
            ]
            + [links[1], links[0], None, None, amounts["filled_quantity"], amounts["filled_notional"]]
        )
    return found


def _journal(connection: Any, account: str, events: list[list[Any]]) -> None:
    head = connection.execute(sa.text("SELECT seq, hash FROM journal_head WHERE name = 'journal'")).first()
    seq, previous = head.seq + 1, head.hash
    at = datetime.now(UTC)
    body = json.dumps(
        {
            "actor": "sniper",
            "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "data": {"events": events},
            "kind": "desk.carried",
            "seq": seq,
            "subject": account,
        },
        separators=(",", ":"),
        ensure_ascii=False,
    )
    digest = hashlib.sha256(previous.encode() + body.encode()).hexdigest()
    record = sa.table(
        "journal",
        *(sa.column(n) for n in ("seq", "actor", "kind", "subject", "body", "previous_hash", "hash")),
        sa.column("at", UTCDateTime()),
    )
    connection.execute(
        record.insert().values(
            seq=seq,
            at=at,
            actor="sniper",
            kind="desk.carried",
            subject=account,
            body=body,
            previous_hash=previous,
            hash=digest,
        )
    )
    connection.execute(sa.text("UPDATE journal_head SET seq = :s, hash = :h"), {"s": seq, "h": digest})
    connection.execute(sa.text("UPDATE projection SET seq = :s, head = :s"), {"s": seq})
    marked = f'UPDATE "order" SET recorded_seq = :s WHERE {OPEN} AND account_id = :a'  # noqa: S608
    connection.execute(sa.text(marked), {"s": seq, "a": account})


def _all(connection: Any, query: str, **parameters: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(sa.text(query), parameters).mappings().all()]


def _insert(connection: Any, table: Any, values: dict[str, Any]) -> None:
    """Values as they lie in the database, past the columns' types."""
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f"INSERT INTO {table.name} ({names}) VALUES ({marks})"), values)  # noqa: S608


def _hex(identifier: Any) -> str:
    return str(identifier).replace("-", "")


def _micros(moment: Any) -> int:
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)
