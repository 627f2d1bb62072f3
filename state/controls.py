"""The kill switch: what holds every process in check at once. Leases and other locks stand in `state.locks`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, Session, SQLModel

from state.columns import utc_now
from state.writing import Writer

GLOBAL = "global"


class KillSwitch(SQLModel, table=True):
    """Tripped: only orders that reduce a position pass. Scope `global`, or an account's id."""

    __tablename__ = "kill_switch"

    scope: str = Field(primary_key=True)
    tripped: bool = False
    actor: str = ""
    reason: str = ""
    at: datetime = Field(default_factory=utc_now)


def tripped_switch(session: Session, *scopes: str) -> KillSwitch | None:
    """The first tripped switch among the global one and `scopes`."""
    for scope in (GLOBAL, *scopes):
        switch = session.get(KillSwitch, scope)
        if switch is not None and switch.tripped:
            return switch
    return None


def tripped_switches(writer: Writer, account_key: str) -> list[KillSwitch]:
    """Every tripped switch that concerns an account, through the desk's own connection."""
    query = "SELECT scope, actor, reason FROM kill_switch WHERE tripped = ?"
    account = str(UUID(account_key))
    return [
        KillSwitch(scope=scope, tripped=True, actor=actor, reason=reason)
        for scope, actor, reason in writer.rows(query, (writer.truth(True),))
        if scope in (GLOBAL, account)
    ]
