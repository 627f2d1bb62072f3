"""Accounts, orders, positions, launches, transactions, controls and the journal: the first schema."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from state.columns import Exact, Json, Units

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "asset",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "chain_cursor",
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("stream", sa.String(), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.String(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("chain_id", "stream"),
    )
    op.create_table(
        "journal",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_journal_kind", "journal", ["kind"])
    op.create_index("ix_journal_subject", "journal", ["subject"])
    op.create_table(
        "journal_head",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "kill_switch",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("tripped", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_table(
        "launch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("protocol", sa.String(), nullable=False),
        sa.Column("factory", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("quote_token", sa.String(), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=True),
        sa.Column("liquidity", Units(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.String(), nullable=False),
        sa.Column("tx_hash", sa.String(), nullable=False),
        sa.Column("seen_at", UTCDateTime(), nullable=False),
        sa.Column("judged_at", UTCDateTime(), nullable=True),
        sa.Column("latency_us", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("classification", sa.String(), nullable=True),
        sa.Column("reasons", Json(), nullable=False),
        sa.Column("report", Json(), nullable=False),
        sa.Column("decision", sa.String(32), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain_id", "pool"),
    )
    op.create_index("ix_launch_token", "launch", ["token"])
    op.create_table(
        "lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("venue", sa.String(32), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("reporting_asset", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["reporting_asset"], ["asset.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_account_tenant_id", "account", ["tenant_id"])
    op.create_table(
        "instrument",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("venue", sa.String(32), nullable=False),
        sa.Column("symbol", sa.String(), nullable=False),
        sa.Column("base_asset", sa.String(), nullable=False),
        sa.Column("quote_asset", sa.String(), nullable=False),
        sa.Column("tick", Exact(), nullable=True),
        sa.Column("lot", sa.BigInteger(), nullable=True),
        sa.Column("minimum_notional", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["base_asset"], ["asset.id"]),
        sa.ForeignKeyConstraint(["quote_asset"], ["asset.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_instrument_symbol", "instrument", ["symbol"])
    op.create_table(
        "balance",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("amount", Units(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"]),
        sa.PrimaryKeyConstraint("account_id", "asset_id"),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.String(), nullable=False),
        sa.Column("movement", sa.String(32), nullable=False),
        sa.Column("amount", Units(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "asset_id", "movement", "reference"),
    )
    op.create_index("ix_ledger_entry_account_id", "ledger_entry", ["account_id"])
    op.create_table(
        "order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("client_order_id", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("instrument_id", sa.String(), nullable=False),
        sa.Column("side", sa.String(32), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("time_in_force", sa.String(32), nullable=False),
        sa.Column("quantity", Units(), nullable=True),
        sa.Column("budget", Units(), nullable=True),
        sa.Column("limit_price", Exact(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("reason", Json(), nullable=False),
        sa.Column("checks", Json(), nullable=False),
        sa.Column("explanation", sa.String(), nullable=True),
        sa.Column("reserved", Units(), nullable=False),
        sa.Column("venue_reference", sa.String(), nullable=True),
        sa.Column("filled_quantity", Units(), nullable=False),
        sa.Column("filled_notional", Units(), nullable=False),
        sa.Column("launch_id", sa.Uuid(), nullable=True),
        sa.Column("position_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["instrument_id"], ["instrument.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "client_order_id"),
    )
    op.create_index("ix_order_account_id", "order", ["account_id"])
    op.create_index("ix_order_instrument_id", "order", ["instrument_id"])
    op.create_index("ix_order_launch_id", "order", ["launch_id"])
    op.create_index("ix_order_position_id", "order", ["position_id"])
    op.create_index("ix_order_state", "order", ["state"])
    op.create_index("ix_order_venue_reference", "order", ["venue_reference"])
    op.create_table(
        "position",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("instrument_id", sa.String(), nullable=False),
        sa.Column("launch_id", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("spent", Units(), nullable=False),
        sa.Column("received", Units(), nullable=False),
        sa.Column("fees", Units(), nullable=False),
        sa.Column("realised", Units(), nullable=False),
        sa.Column("mark_value", Units(), nullable=True),
        sa.Column("marked_at", UTCDateTime(), nullable=True),
        sa.Column("peak_value", Units(), nullable=False),
        sa.Column("exit_rules", Json(), nullable=False),
        sa.Column("exit_rule", sa.String(), nullable=True),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["instrument_id"], ["instrument.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_position_account_id", "position", ["account_id"])
    op.create_index("ix_position_instrument_id", "position", ["instrument_id"])
    op.create_index("ix_position_launch_id", "position", ["launch_id"])
    op.create_index("ix_position_state", "position", ["state"])
    op.create_table(
        "chain_transaction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("tx_hash", sa.String(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("to", sa.String(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("value", Units(), nullable=False),
        sa.Column("gas_limit", sa.BigInteger(), nullable=False),
        sa.Column("max_fee", Units(), nullable=False),
        sa.Column("priority_fee", Units(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.String(), nullable=True),
        sa.Column("gas_used", sa.BigInteger(), nullable=True),
        sa.Column("gas_cost", Units(), nullable=True),
        sa.Column("undone", sa.Integer(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("planned_block", sa.BigInteger(), nullable=True),
        sa.Column("sent_block", sa.BigInteger(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("chain_id", "tx_hash"),
    )
    op.create_index("ix_chain_transaction_account_id", "chain_transaction", ["account_id"])
    op.create_index("ix_chain_transaction_nonce", "chain_transaction", ["chain_id", "sender", "nonce"])
    op.create_index("ix_chain_transaction_order_id", "chain_transaction", ["order_id"])
    op.create_index("ix_chain_transaction_state", "chain_transaction", ["state"])
    op.create_table(
        "fill",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("venue_trade_id", sa.String(), nullable=False),
        sa.Column("side", sa.String(32), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("notional", Units(), nullable=False),
        sa.Column("fee_asset", sa.String(), nullable=False),
        sa.Column("fee", Units(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("reversed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["fee_asset"], ["asset.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["order.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "venue_trade_id"),
    )
    op.create_index("ix_fill_order_id", "fill", ["order_id"])
    op.create_table(
        "lot",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position_id", sa.Uuid(), nullable=False),
        sa.Column("fill_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("remaining", Units(), nullable=False),
        sa.Column("cost", Units(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["fill_id"], ["fill.id"]),
        sa.ForeignKeyConstraint(["position_id"], ["position.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("fill_id"),
    )
    op.create_index("ix_lot_position_id", "lot", ["position_id"])
    op.create_table(
        "lot_match",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("fill_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", Units(), nullable=False),
        sa.Column("cost", Units(), nullable=False),
        sa.Column("proceeds", Units(), nullable=False),
        sa.ForeignKeyConstraint(["fill_id"], ["fill.id"]),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_lot_match_fill_id", "lot_match", ["fill_id"])
    op.create_index("ix_lot_match_lot_id", "lot_match", ["lot_id"])
