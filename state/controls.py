"""The kill switch: what holds every process in check at once. Leases and other locks stand in `state.locks`.

Limits and switches are read by every desk before every order, from whatever process they were changed. So that this
costs nothing, one row counts their changes: a desk sees in the query that takes its account whether it must read again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import utc_now, word_field
from state.writing import Writer

GLOBAL = "global"
TENANT, ACCOUNT, STRATEGY = "tenant", "account", "strategy"
SCOPES = (GLOBAL, TENANT, ACCOUNT, STRATEGY)
"""What a switch may stop, the widest first."""

CONTROLS = "controls"


class Resting(StrEnum):
    """What becomes of orders at work when a switch trips."""

    KEEP = "keep"
    KEEP_EXITS = "keep_exits"
    """Those that only reduce what is held stay: nobody may be looking, and a stop-loss is a way out."""
    CANCEL = "cancel"


class KillSwitch(SQLModel, table=True):
    """Tripped: only orders that reduce a position pass. Scope `global`, `tenant:…`, `account:…`, `strategy:…`."""

    __tablename__ = "kill_switch"

    scope: str = Field(primary_key=True)
    tripped: bool = False
    actor: str = ""
    reason: str = ""
    at: datetime = Field(default_factory=utc_now)
    resting: Resting = word_field(Resting, default=Resting.KEEP)
    flatten: bool = False
    """Positions are closed, too."""
    version: int = 0
    """Grows with every turn of it."""


class ControlVersion(SQLModel, table=True):
    """How often limits or switches have been changed."""

    __tablename__ = "control_version"

    name: str = Field(primary_key=True)
    version: int = Field(default=0, sa_type=sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Switches:
    """The tripped switches that concern one account: the widest for all of it, and those of single strategies."""

    account: KillSwitch | None = None
    strategies: dict[str, KillSwitch] = field(default_factory=dict)

    def of(self, strategy: str | None) -> KillSwitch | None:
        """The one that stops an order of this strategy (None: a person's)."""
        if self.account is not None or strategy is None:
            return self.account
        return self.strategies.get(strategy)

    @property
    def tripped(self) -> list[KillSwitch]:
        """All of them, the widest first."""
        return [*([self.account] if self.account else []), *self.strategies.values()]

    def __bool__(self) -> bool:
        return self.account is not None or bool(self.strategies)


def scope_name(kind: str, identifier: object = "") -> str:
    """A switch's scope as it is stored: `global`, `strategy:grid`."""
    return GLOBAL if kind == GLOBAL else f"{kind}:{identifier}"


def account_scope(account: UUID | str) -> str:
    """The scope of an account, by its id in any spelling."""
    return scope_name(ACCOUNT, UUID(str(account)))


def count_change(session: Session) -> None:
    """Limits or switches are about to change in this transaction: every desk reads them again."""
    statement = sa.update(_VERSIONS).values(version=_VERSIONS.c.version + 1)
    session.connection().execute(statement.where(_VERSIONS.c.name == CONTROLS))


def tripped_switch(session: Session, *scopes: str) -> KillSwitch | None:
    """The first tripped switch among the global one and `scopes`."""
    for scope in (GLOBAL, *scopes):
        switch = session.get(KillSwitch, scope)
        if switch is not None and switch.tripped:
            return switch
    return None


def tripped_for(session: Session, account: UUID, tenant: str) -> Switches:
    """Every tripped switch that concerns an account."""
    rows = session.exec(select(KillSwitch).where(KillSwitch.tripped)).all()
    return _concerning(list(rows), account_scope(account), scope_name(TENANT, tenant))


def tripped_switches(writer: Writer, account_key: str, tenant: str) -> Switches:
    """The same through the desk's own connection."""
    query = "SELECT scope, actor, reason, at, resting, flatten, version FROM kill_switch WHERE tripped = ?"
    rows = [
        KillSwitch(
            scope=scope,
            tripped=True,
            actor=actor,
            reason=reason,
            at=at if isinstance(at, datetime) else datetime.fromisoformat(f"{at}+00:00"),
            resting=Resting(resting),
            flatten=bool(flatten),
            version=version,
        )
        for scope, actor, reason, at, resting, flatten, version in writer.rows(query, (writer.truth(True),))
    ]
    return _concerning(rows, account_scope(account_key), scope_name(TENANT, tenant))


def _concerning(rows: list[KillSwitch], account: str, tenant: str) -> Switches:
    found = {row.scope: row for row in rows}
    whole = next((found[scope] for scope in (GLOBAL, tenant, account) if scope in found), None)
    prefix = f"{STRATEGY}:"
    names = sorted(scope for scope in found if scope.startswith(prefix))
    return Switches(whole, {scope.removeprefix(prefix): found[scope] for scope in names})


_VERSIONS: Any = sa.inspect(ControlVersion).local_table
