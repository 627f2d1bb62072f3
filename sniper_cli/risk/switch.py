"""The kill switch: tripped, only orders that reduce a position pass, whoever asks.

It is a row that the desk reads under the account's lock, so it holds for every process at once and needs none
of them to listen. It stops everything, a tenant's accounts, one account or one strategy. What becomes of orders at
work and of positions stands in the row, too: whoever next comes by an account does it (`sniper_cli.trading.halting`),
so a process that trips the switch and dies has not left half of it undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlmodel import Session, select

from sniper_cli.errors import NotAllowed
from state import journal
from state.columns import utc_now
from state.controls import GLOBAL, KillSwitch, Resting, count_change, tripped_switch
from state.database import Database, lock_row

RULE = "rule"
"""Who trips a switch when a limit is broken."""
NOBODY = frozenset({"", RULE, "sniper"})
"""Actors that are no persons."""

STRICTNESS = (Resting.KEEP, Resting.KEEP_EXITS, Resting.CANCEL)


def trip(
    database: Database,
    actor: str,
    reason: str,
    scope: str = GLOBAL,
    *,
    resting: Resting = Resting.KEEP,
    flatten: bool = False,
) -> KillSwitch:
    """Let only reductions pass from now on. Tripping a tripped switch keeps the first reason; it may ask for more."""

    def work(session: Session) -> KillSwitch:
        switch = _locked(session, scope)
        if switch.tripped:
            if STRICTNESS.index(resting) <= STRICTNESS.index(switch.resting) and flatten <= switch.flatten:
                return switch
            switch.resting = max(switch.resting, resting, key=STRICTNESS.index)
            switch.flatten = flatten or switch.flatten
        else:
            switch.actor, switch.reason = actor, reason
            switch.resting, switch.flatten = resting, flatten
        facts = {"reason": reason, "resting": switch.resting.value, "flatten": switch.flatten}
        return _turn(session, switch, "kill.tripped", actor, facts, tripped=True)

    return database.transact(work)


def reset(database: Database, actor: str, reason: str, scope: str = GLOBAL) -> KillSwitch:
    """Let all orders pass again. Only a person does that, and says why. Raises NotAllowed."""
    if actor.strip() in NOBODY:
        raise NotAllowed(
            "a person must reset the kill switch, by name", hint="sniper risk resume --by NAME --reason TEXT"
        )
    if not reason.strip():
        raise NotAllowed(
            "resetting the kill switch needs a reason", hint='sniper risk resume --reason "checked"'
        )

    def work(session: Session) -> KillSwitch:
        switch = _locked(session, scope)
        if not switch.tripped:
            return switch
        facts = {"reason": reason, "tripped_by": switch.actor, "tripped_for": switch.reason}
        switch.actor, switch.reason = actor, reason
        switch.resting, switch.flatten = Resting.KEEP, False
        return _turn(session, switch, "kill.reset", actor, facts, tripped=False)

    return database.transact(work)


def status(database: Database, *scopes: str) -> Sequence[KillSwitch]:
    """Every switch ever used, the global one first; those of `scopes` only when any are named."""
    with database.read() as session:
        switches = list(session.exec(select(KillSwitch)).all())
        session.expunge_all()
    wanted = [switch for switch in switches if not scopes or switch.scope in scopes]
    return sorted(wanted, key=lambda switch: (switch.scope != GLOBAL, switch.scope))


def _locked(session: Session, scope: str) -> KillSwitch:
    switch = lock_row(session, KillSwitch, scope) or KillSwitch(scope=scope)
    session.add(switch)
    return switch


def _turn(
    session: Session, switch: KillSwitch, kind: str, actor: str, facts: Mapping[str, object], *, tripped: bool
) -> KillSwitch:
    switch.tripped, switch.at, switch.version = tripped, utc_now(), switch.version + 1
    count_change(session)
    journal.append(session, kind, switch.scope, {"scope": switch.scope, **facts}, actor=actor)
    return switch


__all__ = ["GLOBAL", "RULE", "KillSwitch", "reset", "status", "trip", "tripped_switch"]
