"""Who holds a lease, told so that a successor can see whether the holder still runs: columns of revision 0002.

All of them may stay empty: a runner of the revision before may still renew its lease while the schema is upgraded
under it, and knows nothing of them.
"""

from typing import Any

import sqlalchemy as sa
from sqlmodel.sql.sqltypes import UTCDateTime


def upgrade_leases(op: Any) -> None:
    """Widen `lease`; `op` is Alembic's."""
    for column in (
        sa.Column("host", sa.String(), nullable=False, server_default=""),
        sa.Column("machine", sa.String(), nullable=False, server_default=""),
        sa.Column("pid", sa.BigInteger(), nullable=True),
        sa.Column("process_started", sa.String(), nullable=False, server_default=""),
        sa.Column("purpose", sa.String(), nullable=False, server_default=""),
        sa.Column("taken_at", UTCDateTime(), nullable=True),
        sa.Column("renewed_at", UTCDateTime(), nullable=True),
    ):
        op.add_column("lease", column)
