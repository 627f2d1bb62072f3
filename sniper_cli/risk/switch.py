"""The kill switch: tripped, only orders that reduce a position pass, whoever asks.

It is a row that the desk reads under the account's lock, so it holds for every process at once and needs none
of them to listen. Scope `global`, or one account's id.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, select

from state import journal
from state.columns import utc_now
from state.controls import GLOBAL, KillSwitch, tripped_switch
from state.database import Database, lock_row


def trip(database: Database, actor: str, reason: str, scope: str = GLOBAL) -> KillSwitch:
    """Let only reductions pass from now on. Tripping a tripped switch keeps the first reason."""
    return database.transact(lambda session: _set(session, actor, reason, scope, tripped=True))


def reset(database: Database, actor: str, reason: str, scope: str = GLOBAL) -> KillSwitch:
    """Let all orders pass again."""
    return database.transact(lambda session: _set(session, actor, reason, scope, tripped=False))


def status(database: Database, *scopes: str) -> Sequence[KillSwitch]:
    """Every switch ever used, the global one first; those of `scopes` only when any are named."""
    with database.read() as session:
        switches = list(session.exec(select(KillSwitch)).all())
        session.expunge_all()
    wanted = [switch for switch in switches if not scopes or switch.scope in scopes]
    return sorted(wanted, key=lambda switch: (switch.scope != GLOBAL, switch.scope))


def _set(session: Session, actor: str, reason: str, scope: str, *, tripped: bool) -> KillSwitch:
    switch = lock_row(session, KillSwitch, scope) or KillSwitch(scope=scope)
    if switch.tripped == tripped:
        session.add(switch)
        return switch
    switch.tripped, switch.actor, switch.reason, switch.at = tripped, actor, reason, utc_now()
    session.add(switch)
    kind = "kill.tripped" if tripped else "kill.reset"
    journal.append(session, kind, scope, {"scope": scope, "reason": reason}, actor=actor)
    return switch


__all__ = ["GLOBAL", "KillSwitch", "reset", "status", "trip", "tripped_switch"]
