"""Launches of every protocol with all their judgements, pools' terms, relays' transactions, and the endpoints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

from state.columns import Json

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add(
        "launch",
        sa.Column("fee", sa.Integer(), nullable=True),
        sa.Column("tick_spacing", sa.Integer(), nullable=True),
        sa.Column("hooks", sa.String(), nullable=True),
        sa.Column("source", sa.String(32), nullable=False, server_default="log"),
        sa.Column("deployer", sa.String(), nullable=True),
        sa.Column("vanished_at", UTCDateTime(), nullable=True),
    )
    _add("instrument", sa.Column("terms", Json(), nullable=False, server_default="{}"))
    _add(
        "chain_transaction",
        sa.Column("channel", sa.String(32), nullable=False, server_default="public"),
        sa.Column("relay", sa.String(), nullable=True),
        sa.Column("until_block", sa.BigInteger(), nullable=True),
    )
    _judgements()
    _endpoints()


def _add(table: str, *columns: sa.Column[object]) -> None:
    """Add columns; a default that only carries the old rows over does not stay."""
    for column in columns:
        op.add_column(table, column)
    with op.batch_alter_table(table) as batch:
        for column in columns:
            if column.server_default is not None:
                batch.alter_column(column.name, server_default=None)


def _judgements() -> None:
    op.create_table(
        "judgement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=False),
        sa.Column("launch_id", sa.Uuid(), nullable=True),
        sa.Column("position_id", sa.Uuid(), nullable=True),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("occasion", sa.String(32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("block_hash", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("classification", sa.String(), nullable=False),
        sa.Column("reasons", Json(), nullable=False),
        sa.Column("dossier", Json(), nullable=False),
        sa.Column("latency_us", sa.BigInteger(), nullable=True),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_judgement_launch_id", "judgement", ["launch_id"])
    op.create_index("ix_judgement_token", "judgement", ["token"])


def _endpoints() -> None:
    op.create_table(
        "endpoint",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("ws_url", sa.String(), nullable=False),
        sa.Column("chain_id", sa.BigInteger(), nullable=True),
        sa.Column("venue", sa.String(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("terms", Json(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("ix_endpoint_chain_id", "endpoint", ["chain_id"])
    op.create_table(
        "endpoint_reading",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("observer", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=True),
        sa.Column("figures", Json(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "observer"),
    )
