"""Setting, removing and listing limits: every change checked, journalled, and seen by every desk at its next order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.errors import ChangedMeanwhile, NotFound, UsageProblem
from sniper_cli.risk.kinds import COOLDOWN_SECONDS, Kind, Unit, kind_named, read_value, spelled_value
from state import journal
from state.accounts import Account, Asset, Instrument, find_account
from state.columns import utc_now
from state.controls import count_change
from state.database import Database, lock_row
from state.limits import EquityPeak, LimitScope, OnBreach, RiskLimit, limits_in_order


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a limit binds, as a person names it. None of them named: the profile's account."""

    account: str | None = None
    tenant: str | None = None
    strategy: str | None = None
    instrument: str | None = None

    @property
    def named(self) -> list[str]:
        """The options that were given."""
        given = ("account", "tenant", "strategy", "instrument")
        return [name for name in given if getattr(self, name) is not None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A limit as it was typed."""

    name: str
    value: str
    whom: Whom = field(default_factory=Whom)
    on_breach: OnBreach = OnBreach.REFUSE
    group: str | None = None
    members: Sequence[str] = ()
    cooldown_seconds: int | None = None
    version: int | None = None
    """The one that was read before; another one by now means that somebody else was quicker."""


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit as people and programs read it."""

    name: str
    scope: LimitScope
    scope_id: str
    of: str
    """Whom it binds by the name that a person knows: the account's, the instrument's symbol."""
    group: str | None
    value: Decimal
    unit: str
    on_breach: OnBreach
    members: tuple[str, ...]
    cooldown_seconds: int | None
    version: int
    actor: str
    at: datetime | None
    previous: str | None = None
    """What it was before."""
    changed: bool = True
    dry_run: bool = False

    @property
    def set_to(self) -> str:
        """`5000 USDT`, `10%`."""
        return spelled_value(self.value, self.unit)


def limits(database: Database) -> list[LimitView]:
    """Every limit there is."""
    with database.read() as session:
        return [_view(session, row) for row in limits_in_order(session)]


def set_limit(
    database: Database, wanted: Wanted, *, account: str, actor: str, dry_run: bool = False
) -> LimitView:
    """Set a limit, or change the one that is there. `account`: the one meant where nobody is named.

    Raises UsageProblem, NotFound, ChangedMeanwhile.
    """
    kind = kind_named(wanted.name)

    def work(session: Session) -> LimitView:
        scope, identifier = _scope(session, wanted.whom, account, kind)
        value = read_value(kind, wanted.value, _asset_meant(session, kind, scope, identifier, account))
        terms = _terms(session, kind, wanted)
        part = wanted.group or ""
        _check(kind, scope, wanted, terms)
        key = (scope, identifier, kind.name, part)
        row = lock_row(session, RiskLimit, key)
        _same(row, wanted.version)
        after = RiskLimit(
            scope_kind=scope,
            scope_id=identifier,
            name=kind.name,
            part=part,
            value=format(value.number, "f"),
            unit=value.unit,
            on_breach=wanted.on_breach,
            terms=terms,
            version=0 if row is None else row.version,
            actor=actor,
            at=utc_now(),
        )
        before = None if row is None else spelled_value(Decimal(row.value), row.unit)
        # Setting the limit on the fall again means: measured from now on.
        changed = row is None or kind.name == "drawdown" or _differs(row, after)
        after.version += changed
        view = _view(
            session,
            after if changed or row is None else row,
            previous=before,
            changed=changed,
            dry_run=dry_run,
        )
        if changed and not dry_run:
            session.merge(after)
            _begin_anew(session, kind, scope, identifier)
            _tell(session, "limit.set", after, actor, {"before": before})
        return view

    return database.transact(work)


def remove_limit(
    database: Database,
    name: str,
    whom: Whom,
    *,
    account: str,
    actor: str,
    group: str | None = None,
    version: int | None = None,
    dry_run: bool = False,
) -> LimitView:
    """Take a limit away. Raises NotFound, UsageProblem, ChangedMeanwhile."""
    kind = kind_named(name)

    def work(session: Session) -> LimitView:
        scope, identifier = _scope(session, whom, account, kind)
        row = lock_row(session, RiskLimit, (scope, identifier, kind.name, group or ""))
        if row is None:
            raise NotFound(
                f"there is no limit {kind.name} on {scope.value} {_name(session, scope, identifier)}",
                hint="sniper risk limits list",
            )
        _same(row, version)
        view = _view(session, row, previous=spelled_value(Decimal(row.value), row.unit), dry_run=dry_run)
        if not dry_run:
            session.delete(row)
            _tell(session, "limit.removed", row, actor, {})
        return view

    return database.transact(work)


# -- whom ---------------------------------------------------------------------------------------------------------


def _scope(session: Session, whom: Whom, account: str, kind: Kind) -> tuple[LimitScope, str]:
    """The scope that was named, by its id."""
    if len(whom.named) > 1:
        options = " and ".join(f"--{name}" for name in whom.named)
        raise UsageProblem(f"{options} are two scopes; a limit has one", hint="sniper risk limits set --help")
    scope = LimitScope(whom.named[0]) if whom.named else LimitScope.ACCOUNT
    if scope not in kind.scopes:
        able = ", ".join(one.value for one in kind.scopes)
        instead = "; for one instrument there is position_notional" if scope is LimitScope.INSTRUMENT else ""
        raise UsageProblem(
            f"{kind.name} cannot be set on one {scope.value}, only on: {able}{instead}",
            hint=f"sniper risk limits set {kind.name} --help",
        )
    if scope is LimitScope.TENANT:
        return scope, str(whom.tenant)
    if scope is LimitScope.STRATEGY:
        return scope, str(whom.strategy)
    if scope is LimitScope.INSTRUMENT:
        return scope, instrument_named(session, str(whom.instrument)).id
    return scope, str(account_named(session, whom.account or account).id)


def account_named(session: Session, name: str) -> Account:
    """An account by its name. Raises NotFound."""
    found = find_account(session, name)
    if found is None:
        known = session.exec(select(Account.name).order_by(col(Account.name))).all()
        raise NotFound(f"there is no account {name!r}", hint=f"accounts: {', '.join(known) or 'none yet'}")
    return found


def instrument_named(session: Session, text: str) -> Instrument:
    """An instrument by symbol, id or pool, at whatever venue. Raises NotFound."""
    from sniper_cli.trading.lookup import find_instrument
    from state.accounts import VenueKind

    problem: NotFound | None = None
    for venue in VenueKind:
        try:
            return find_instrument(session, text, venue)
        except NotFound as error:
            problem = problem or error
    assert problem is not None
    raise problem


def _name(session: Session, scope: LimitScope, identifier: str) -> str:
    """The name that a person knows."""
    if scope is LimitScope.ACCOUNT:
        account = session.get(Account, UUID(identifier))
        return account.name if account is not None else identifier
    if scope is LimitScope.INSTRUMENT:
        instrument = session.get(Instrument, identifier)
        return instrument.symbol if instrument is not None else identifier
    return identifier


def _asset_meant(session: Session, kind: Kind, scope: LimitScope, identifier: str, account: str) -> str:
    """The asset that an amount without a unit is of."""
    if kind.unit is Unit.BASE:
        if scope is not LimitScope.INSTRUMENT:
            return ""
        instrument = session.get_one(Instrument, identifier)
        return session.get_one(Asset, instrument.base_asset).symbol
    if kind.unit is not Unit.MONEY:
        return ""
    if scope is LimitScope.INSTRUMENT:
        instrument = session.get_one(Instrument, identifier)
        return session.get_one(Asset, instrument.quote_asset).symbol
    if scope is LimitScope.ACCOUNT:
        found = session.get_one(Account, UUID(identifier))
    else:
        found = account_named(session, account)
    return session.get_one(Asset, found.reporting_asset).symbol


# -- what ---------------------------------------------------------------------------------------------------------


def _terms(session: Session, kind: Kind, wanted: Wanted) -> dict[str, Any]:
    """What only this kind has."""
    if kind.name == "correlated_exposure":
        if not wanted.group or not wanted.members:
            raise UsageProblem(
                "correlated_exposure needs a group: its name and its instruments",
                hint="sniper risk limits set correlated_exposure 50000 --group majors --members BTC/USDT,ETH/USDT",
            )
        return {"members": sorted({instrument_named(session, name).id for name in wanted.members})}
    if wanted.group or wanted.members:
        raise UsageProblem(
            f"{kind.name} has no group; correlated_exposure does", hint="sniper risk limits set --help"
        )
    if kind.name == "losing_streak":
        seconds = COOLDOWN_SECONDS if wanted.cooldown_seconds is None else wanted.cooldown_seconds
        return {"cooldown_seconds": seconds}
    if wanted.cooldown_seconds is not None:
        raise UsageProblem(
            f"{kind.name} has no cooldown; losing_streak does", hint="sniper risk limits set --help"
        )
    return {}


def _check(kind: Kind, scope: LimitScope, wanted: Wanted, terms: dict[str, Any]) -> None:
    if wanted.on_breach is not OnBreach.REFUSE and scope is LimitScope.INSTRUMENT:
        raise UsageProblem(
            "there is no kill switch of an instrument to trip: such a limit refuses",
            hint=f"sniper risk limits set {kind.name} {wanted.value} --instrument {wanted.whom.instrument}",
        )
    if kind.name == "correlated_exposure" and len(terms["members"]) < 2:
        raise UsageProblem("a group has two instruments or more", hint="sniper risk limits set --help")


def _differs(row: RiskLimit, after: RiskLimit) -> bool:
    now, then = ((Decimal(one.value), one.unit, one.on_breach, one.terms) for one in (row, after))
    return now != then


def _same(row: RiskLimit | None, version: int | None) -> None:
    """The limit is still the one that was read. Raises ChangedMeanwhile."""
    present = 0 if row is None else row.version
    if version is not None and version != present:
        raise ChangedMeanwhile(
            f"the limit is at version {present} by now, not {version}", hint="sniper risk limits list --json"
        )


def _begin_anew(session: Session, kind: Kind, scope: LimitScope, identifier: str) -> None:
    """A fall is measured from the peak since its limit was set."""
    if kind.name != "drawdown":
        return
    if scope is LimitScope.ACCOUNT:
        ids = [UUID(identifier)]
    else:
        ids = list(session.exec(select(Account.id).where(Account.tenant_id == identifier)).all())
    for account_id in ids:
        peak = session.get(EquityPeak, account_id)
        if peak is not None:
            session.delete(peak)


def _tell(session: Session, kind: str, row: RiskLimit, actor: str, facts: dict[str, Any]) -> None:
    """Journal a change, and let every desk know that there was one."""
    count_change(session)
    data = {
        "limit": row.name,
        "scope": row.scope_kind.value,
        "scope_id": row.scope_id,
        "value": spelled_value(Decimal(row.value), row.unit),
        "on_breach": row.on_breach.value,
        "version": row.version,
        **({"group": row.part} if row.part else {}),
        **row.terms,
        **{name: fact for name, fact in facts.items() if fact is not None},
    }
    journal.append(session, kind, f"{row.scope_kind.value}:{row.scope_id}", data, actor=actor)


def _view(
    session: Session,
    row: RiskLimit,
    *,
    previous: str | None = None,
    changed: bool = True,
    dry_run: bool = False,
) -> LimitView:
    members = [_name(session, LimitScope.INSTRUMENT, one) for one in row.terms.get("members", ())]
    return LimitView(
        name=row.name,
        scope=row.scope_kind,
        scope_id=row.scope_id,
        of=_name(session, row.scope_kind, row.scope_id),
        group=row.part or None,
        value=Decimal(row.value),
        unit=row.unit,
        on_breach=row.on_breach,
        members=tuple(members),
        cooldown_seconds=row.terms.get("cooldown_seconds"),
        version=row.version,
        actor=row.actor,
        at=row.at,
        previous=previous,
        changed=changed,
        dry_run=dry_run,
    )


__all__ = [
    "LimitView", "Wanted", "Whom", "account_named", "instrument_named", "limits", "remove_limit",
    "set_limit",
]  # fmt: skip
