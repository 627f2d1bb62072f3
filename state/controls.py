"""The kill switch: what holds every process in check at once. Leases and other locks stand in `state.locks`."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, Session, SQLModel

from state.columns import utc_now

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
