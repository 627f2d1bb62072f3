"""What people say about a position, above its rules: other rules, a hold, a sale now.

All of it stands in the position's row, journalled. A running sniper reads the row at every block and carries it out; so
it does not matter which process said it, and a sale asked for twice, or before a crash, happens once: how much of a
request is done is counted from the orders that carry its id.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlmodel import Session

from sniper_cli.errors import NotFound, OrderRefused, UsageProblem
from sniper_cli.sniping.attempts import sales_of, sold_for
from sniper_cli.sniping.exits import ExitSignal, percent_of
from sniper_cli.sniping.rules import NAMES, ExitRule, ExitRules, rules_of
from state import journal
from state.columns import timestamp, utc_now
from state.database import Database, lock_row
from state.identifiers import new_id, short
from state.positions import Position, PositionState


class Edit(NamedTuple):
    """A position's rules before and after somebody changed them."""

    position_id: UUID
    before: ExitRules
    after: ExitRules
    changed: tuple[str, ...]


def edited(rules: ExitRules, changes: dict[str, Any]) -> ExitRules:
    """Rules with some replaced, held against what settings allow. Raises UsageProblem."""
    from pydantic import ValidationError

    from sniper_cli.settings.exits import ExitSettings

    wanted = {name: getattr(rules, name) for name in NAMES} | changes
    if changes.get("take_profit") and "take_profit_pct" not in changes:
        wanted["take_profit_pct"] = Decimal(0)
    try:
        return ExitRules.from_settings(ExitSettings(**wanted))
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).replace("_", "-")
        raise UsageProblem(
            f"{name}: {first['msg'].removeprefix('Value error, ')}",
            hint="sniper position exits set --help",
        ) from error


def edit(
    database: Database, position_id: UUID, changes: dict[str, Any], *, actor: str, dry_run: bool = False
) -> Edit:
    """Change some of a position's rules. Raises NotFound, OrderRefused, UsageProblem."""

    def work(session: Session) -> Edit:
        position = _open(session, position_id)
        before = rules_of(position)
        after = edited(before, changes)
        changed = tuple(name for name in NAMES if getattr(before, name) != getattr(after, name))
        if changed and not dry_run:
            position.exit_rules = {**position.exit_rules, **after.as_json()}
            session.add(position)
            told = {"before": before.as_json(), "after": after.as_json(), "changed": list(changed)}
            journal.append(session, "exit.edited", position_id, told, actor=actor)
        return Edit(position_id, before, after, changed)

    return database.transact(work)


def hold(database: Database, position_id: UUID, *, actor: str, held: bool = True) -> bool:
    """Suspend a position's rules, or let them count again; whether that changed anything. Raises as `edit`."""

    def work(session: Session) -> bool:
        position = _open(session, position_id)
        if bool(position.exit_rules.get("held")) == held:
            return False
        position.exit_rules = {**position.exit_rules, "held": held}
        session.add(position)
        journal.append(
            session, "exit.held" if held else "exit.resumed", position_id, {"held": held}, actor=actor
        )
        return True

    return database.transact(work)


def ask(
    database: Database,
    position_id: UUID,
    *,
    share: Decimal,
    urgent: bool,
    max_slippage_bps: int | None,
    actor: str,
) -> str:
    """Ask for a sale of a share (percent) of what is held now; the request's id. A request not done stays the one.

    Raises NotFound, OrderRefused.
    """

    def work(session: Session) -> str:
        position = _open(session, position_id)
        standing = position.exit_rules.get("request")
        if standing is not None and not _is_done(session, position, standing):
            raise OrderRefused(
                "a sale of this position has been asked for already and is not done",
                hint=f"sniper position exits {short(position_id)}",
                request=str(standing["id"]),
            )
        quantity = position.quantity if share == 100 else percent_of(position.quantity, share)
        if quantity <= 0:
            raise OrderRefused(
                "so small a share is nothing", hint=f"sniper position show {short(position_id)}"
            )
        request = {
            "id": str(new_id()),
            "share": str(share),
            "quantity": str(quantity),
            "urgent": urgent,
            "max_slippage_bps": max_slippage_bps,
            "by": actor,
            "at": timestamp(utc_now()),
        }
        position.exit_rules = {**position.exit_rules, "request": request}
        session.add(position)
        journal.append(session, "exit.asked", position_id, request, actor=actor)
        return str(request["id"])

    return database.transact(work)


def withdraw(database: Database, position_id: UUID, request: str, *, actor: str) -> None:
    """Take a request back that could not be carried out. One that was, or is no more, is left alone."""

    def work(session: Session) -> None:
        position = lock_row(session, Position, position_id)
        if position is None or (position.exit_rules.get("request") or {}).get("id") != request:
            return
        position.exit_rules = {**position.exit_rules, "request": None}
        session.add(position)
        journal.append(session, "exit.withdrawn", position_id, {"id": request}, actor=actor)

    database.transact(work)


def signal_of(position: Position, done: int) -> ExitSignal | None:
    """The sale that somebody asked for, as far as it is not done."""
    request = position.exit_rules.get("request")
    if not request:
        return None
    left = int(request["quantity"]) - done
    if left <= 0:
        return None
    everything = request["share"] == "100" and not done
    asked = ExitSignal(
        ExitRule.BY_HAND,
        f"{request['by']} asked for {Decimal(request['share']).normalize():f} %",
        {"share": request["share"], "quantity": int(request["quantity"])},
        request=str(request["id"]),
        urgent=bool(request["urgent"]),
        max_slippage_bps=request["max_slippage_bps"],
    )
    return asked if everything else replace(asked, quantity=left)


def is_held(position: Position) -> bool:
    """Whether its rules are suspended."""
    return bool(position.exit_rules.get("held"))


def _is_done(session: Session, position: Position, request: dict[str, Any]) -> bool:
    sales = sales_of(session, position.account_id, [position.id])[position.id]
    return sold_for(str(request["id"]), sales) >= int(request["quantity"])


def _open(session: Session, position_id: UUID) -> Position:
    position = lock_row(session, Position, position_id)
    if position is None:
        raise NotFound(f"there is no position {position_id}", hint="sniper position list --all")
    if position.state is PositionState.CLOSED:
        raise OrderRefused(
            "the position is closed already", hint=f"sniper position show {short(position_id)}"
        )
    return position


__all__ = ["Edit", "ask", "edit", "edited", "hold", "is_held", "signal_of", "withdraw"]
