"""The desk's tables become projections of the journal: terms, shorts, day sums, and how far they have followed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from state.columns import BinaryText, Exact, Json, Units
from state.migrations.carried import (
    WORKING,
    carry_forward,
    figure_fills,
    figure_positions,
    insert,
    rows,
    settle_paper,
    sum_days,
)
from state.migrations.control_tables import upgrade_controls
from state.migrations.lease_columns import upgrade_leases

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

COUNTERPARTS = {"outside": ("deposit", "withdrawal"), "trading": ("buy", "sell"), "fees": ("fee", "gas")}
"""The other side of each movement that the first schema knew; adjustments are the rest."""


def upgrade() -> None:
    connection = op.get_bind()
    lots = rows(connection, "SELECT * FROM lot")
    matches = rows(connection, "SELECT * FROM lot_match")
    _unrefer()
    _accounts(connection)
    _orders()
    _fills()
    figure_fills(connection, matches)
    _positions(connection)
    _lots(connection, lots, matches)
    _days()
    upgrade_leases(op)
    upgrade_controls(op)
    sum_days(connection, matches)
    settle_paper(connection)
    carry_forward(connection)


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


def _accounts(connection: Any) -> None:
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
        table.add_column(sa.Column("counterpart", sa.String(), nullable=False, server_default="adjustments"))
        table.drop_index("ix_ledger_entry_account_id")
    query = sa.text("UPDATE ledger_entry SET counterpart = :c WHERE movement = :m")
    for counterpart, movements in COUNTERPARTS.items():
        connection.execute(query, [{"c": counterpart, "m": movement} for movement in movements])
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
        sqlite_where=sa.text(WORKING),
        postgresql_where=sa.text(WORKING),
    )
    op.create_table(
        "order_change",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("order_id", "seq"),
    )


def _fills() -> None:
    op.drop_index("ix_fill_order_id", "fill")
    with op.batch_alter_table("fill") as table:
        table.add_column(sa.Column("instrument_id", sa.String(), nullable=True))
        table.add_column(sa.Column("position_id", sa.Uuid(), nullable=True))
        table.add_column(sa.Column("realised", Units(), nullable=False, server_default="0"))
        table.add_column(sa.Column("fee_value", Units(), nullable=False, server_default="0"))
        table.add_column(sa.Column("seq", sa.BigInteger(), nullable=False, server_default="0"))
        table.drop_constraint("uq_fill_account_id", type_="unique")
    for column in ("instrument_id", "position_id"):
        op.execute(
            f'UPDATE fill SET {column} = (SELECT o.{column} FROM "order" o WHERE o.id = fill.order_id)'  # noqa: S608
        )
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
    figure_positions(connection)
    with op.batch_alter_table("position") as table:
        table.alter_column("basis", server_default=None)
    closed = sa.text("state = 'closed'")
    op.create_index(
        "ix_position_closed",
        "position",
        ["account_id", "closed_at"],
        sqlite_where=closed,
        postgresql_where=closed,
    )


def _lots(connection: Any, lots: list[dict[str, Any]], matches: list[dict[str, Any]]) -> None:
    """A lot takes the id of the fill that opened it; a match is named by its two sides."""
    op.drop_table("lot_match")
    op.drop_table("lot")
    op.create_table(
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
    op.create_table(
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
    for row in lots:
        values = {name: row[name] for name in ("position_id", "remaining", "opened_at", *columns)}
        insert(connection, "lot", {"id": row["fill_id"], **values})
    for row in matches:
        values = {name: row[name] for name in ("fill_id", "proceeds", *columns)}
        insert(connection, "lot_match", {"lot_id": fill_of[str(row["lot_id"])], **values})


def _days() -> None:
    op.create_table(
        "projection",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO projection (name, seq) VALUES ('desk', 0)")
    with op.batch_alter_table("journal_head") as table:
        table.add_column(sa.Column("desk_seq", sa.BigInteger(), nullable=False, server_default="0"))
    with op.batch_alter_table("journal_head") as table:
        table.alter_column("desk_seq", server_default=None)
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
