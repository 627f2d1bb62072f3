"""Limits, the kill switch's wider scopes, and the count of their changes: a part of revision 0002."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime

from state.columns import Json, Units


def upgrade_controls(op: Any) -> None:
    """Make the tables of the limits and widen `kill_switch`; `op` is Alembic's."""
    op.create_table(
        "risk_limit",
        sa.Column("scope_kind", sa.String(32), nullable=False),
        sa.Column("scope_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("on_breach", sa.String(32), nullable=False),
        sa.Column("terms", Json(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("scope_kind", "scope_id", "name", "part"),
    )
    op.create_table(
        "equity_peak",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("peak", Units(), nullable=False),
        sa.Column("flow", Units(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "control_version",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("INSERT INTO control_version (name, version) VALUES ('controls', 0)")
    # A switch that was tripped before stopped purchases and left everything else: so it stays.
    for column in (
        sa.Column("resting", sa.String(32), nullable=False, server_default="keep"),
        sa.Column("flatten", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
    ):
        op.add_column("kill_switch", column)
    with op.batch_alter_table("kill_switch") as table:
        for name in ("resting", "flatten", "version"):
            table.alter_column(name, server_default=None)
    # Accounts' switches were named by the id alone.
    op.execute("UPDATE kill_switch SET scope = 'account:' || scope WHERE scope <> 'global'")
