"""From limits as people set them to a gate: read once, turned into whole numbers, sorted by who counts what."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.shelf import TableShelf
from sniper_cli.risk.at_stake import AccountClaims, Exposure, Group, StrategyClaims
from sniper_cli.risk.equity import Equity, read_flow, read_peak
from sniper_cli.risk.gate import Gate, Line, Plan
from sniper_cli.risk.kinds import COLLAR_BPS, COOLDOWN_SECONDS
from sniper_cli.risk.limits import UNITS, Limit, Limits
from sniper_cli.risk.pace import SECOND, DayResult, Pace, Streak, Working
from sniper_cli.trading.listings import Listing
from state.accounts import Account, Asset
from state.limits import LimitScope, OnBreach
from state.writing import Writer, day_of, read_micros

NARROW = 9
"""With more decimals than this an amount of some size passes 2^53."""

EXPOSED = {
    "position_quantity", "position_notional", "concentration", "gross_exposure", "net_exposure", "correlated_exposure",
    "leverage", "total_spend", "open_positions", "drawdown",
}  # fmt: skip
"""Limits that need the sums of what is at stake."""
VALUED = {"concentration", "leverage", "drawdown"}
"""Limits that need the account's equity."""
ON_INSTRUMENTS = {"position_quantity", "position_notional", "concentration"}
"""Limits on a position: set on an instrument, they bind that one; set wider, each one."""

LOOKED_BACK = 1_000
"""Closed positions read to find a losing streak: a longer one is as long as that."""


def read_limits(writer: Writer) -> list[Limit]:
    """Every limit there is."""
    query = "SELECT scope_kind, scope_id, name, part, value, unit, on_breach, terms FROM risk_limit"
    return [
        Limit(
            LimitScope(kind),
            identifier,
            name,
            Decimal(value),
            unit,
            part,
            OnBreach(on_breach),
            msgspec.json.decode(terms),
        )
        for kind, identifier, name, part, value, unit, on_breach, terms in writer.rows(query)
    ]


def compile_gate(
    writer: Writer,
    book: Book,
    account: Account,
    limits: Limits | None,
    *,
    proposed: Sequence[Limit] | None = None,
) -> Gate:
    """The gate of an account as the database has it now, and what it counts from now on. The book tells it.

    `proposed`: limits to take instead of those of the database.
    """
    found = list(read_limits(writer) if proposed is None else proposed)
    if limits is not None:
        found += limits.standing(str(account.id))
    asset = _asset(writer, account.reporting_asset)
    compiler = _Compiler(writer, book, account, asset, [limit for limit in found if _binds(limit, account)])
    return compiler.gate()


def _binds(limit: Limit, account: Account) -> bool:
    if limit.scope is LimitScope.TENANT:
        return limit.scope_id == account.tenant_id
    return limit.scope is not LimitScope.ACCOUNT or limit.scope_id == str(account.id)


def _asset(writer: Writer, identifier: str) -> Asset:
    row = writer.row("SELECT id, symbol, name, decimals FROM asset WHERE id = ?", (identifier,))
    return Asset(id=row[0], symbol=row[1], name=row[2], decimals=row[3])


def strictest(limits: Iterable[Limit]) -> dict[str, Limit]:
    """Of limits that count the same, the smallest; of equal ones the one that trips. By name, and group."""
    found: dict[str, Limit] = {}
    for limit in limits:
        key = f"{limit.name}:{limit.part}" if limit.part else limit.name
        other = found.get(key)
        if other is None or (limit.number, not limit.trips) < (other.number, not other.trips):
            found[key] = limit
    return found


@dataclass(slots=True)
class _Compiler:
    """Builds one gate."""

    writer: Writer
    book: Book
    account: Account
    asset: Asset
    limits: list[Limit]
    _exposures: dict[str | None, Exposure] = field(default_factory=dict)
    _entering: dict[str | None, Any] = field(default_factory=dict)
    _gate: Gate = field(init=False)
    _bases: dict[tuple[LimitScope, str], Line] = field(default_factory=dict)
    """The part of a line that is the same for every instrument."""

    def gate(self) -> Gate:
        self.limits = [limit for limit in self.limits if self._countable(limit)]
        self._gate = Gate(self.book, self._plan, self.asset.id, self.asset.decimals > NARROW, self.limits)
        names = {limit.name for limit in self.limits}
        if self._margin is not None or names & VALUED:
            exposure = self._exposure(None)
            equity = Equity(self.book, self.asset, exposure)
            if "drawdown" in names:
                equity.follows = True
                equity.flow = read_flow(self.writer, self.book.account_key, self.asset.id)
                equity.highest = read_peak(self.writer, self.book.account_key)
            self._gate.equity = equity
        for limit in self.limits:  # whoever counts must be there from the beginning
            if limit.scope in (LimitScope.TENANT, LimitScope.ACCOUNT):
                self._base(LimitScope.ACCOUNT, "")
            else:
                self._base(limit.scope, limit.scope_id)
        self._base(LimitScope.ACCOUNT, "")
        gate = self._gate
        follows = gate.exposures or gate.followers or gate.paces or gate.days or gate.streaks or gate.equity
        self.book.watch = gate if follows else None
        return gate

    @property
    def _margin(self) -> Decimal | None:
        return self.book.margin or None

    def _countable(self, limit: Limit) -> bool:
        """Money of another asset than the account reports in cannot be held against it."""
        money = limit.unit not in ("", "bps", "x", UNITS)
        return (
            not money
            or limit.name in ("order_quantity", "position_quantity")
            or limit.unit == self.asset.symbol
        )

    # -- lines --------------------------------------------------------------------------------------------------

    def _plan(self, instrument: str, strategy: str | None, listing: Listing | None) -> Plan:
        """What binds an order of a strategy in an instrument."""
        everyone = self._of(LimitScope.ACCOUNT, "")
        theirs = self._of(LimitScope.STRATEGY, strategy) if strategy else []
        here = self._of(LimitScope.INSTRUMENT, instrument)
        base = listing.base.symbol if listing is not None else ""
        tightest = strictest(limit for limit in (*everyone, *theirs, *here) if _fits(limit, base))
        scale = 0 if listing is None else listing.base.decimals
        plan = Plan(tightest, COLLAR_BPS)
        if "collar" in tightest:
            plan.collar = int(tightest["collar"].number)
        if "order_quantity" in tightest:
            plan.order_quantity = int(tightest["order_quantity"].number.scaleb(scale))
        if "order_notional" in tightest:
            plan.order_notional = self._money(tightest["order_notional"])
        on_position = [limit for limit in here if limit.name in ON_INSTRUMENTS]
        lines = [self._line(self._base(LimitScope.ACCOUNT, ""), [*everyone, *on_position], base, scale)]
        if theirs:
            lines.append(self._line(self._base(LimitScope.STRATEGY, strategy or ""), theirs, base, scale))
        if here:
            lines.append(self._line(self._base(LimitScope.INSTRUMENT, instrument), [], base, scale))
        plan.lines = tuple(line for line in lines if line is not None)
        return plan

    def _of(self, scope: LimitScope, identifier: str) -> list[Limit]:
        if scope is LimitScope.ACCOUNT:
            return [one for one in self.limits if one.scope in (LimitScope.TENANT, LimitScope.ACCOUNT)]
        return [one for one in self.limits if one.scope is scope and one.scope_id == identifier]

    def _line(self, base: Line, limits: list[Limit], asset: str, scale: int) -> Line | None:
        """A scope's line, completed by what depends on the instrument; None if it bounds nothing."""
        tightest = strictest(limit for limit in limits if _fits(limit, asset))
        line = _copy(base)
        line.limits = base.limits | {key: one for key, one in tightest.items() if one.name in ON_INSTRUMENTS}
        if "position_quantity" in tightest:
            line.position_quantity = int(tightest["position_quantity"].number.scaleb(scale))
        if "position_notional" in tightest:
            line.position_notional = self._money(tightest["position_notional"])
        if "concentration" in tightest:
            line.concentration = int(tightest["concentration"].number)
        sizes = (
            line.position_quantity, line.position_notional, line.concentration, line.gross, line.net, line.leverage,
            line.groups or None, line.total_spend, line.open_positions,
        )  # fmt: skip
        line.sizes = any(size is not None for size in sizes)
        if line.sizes and line.exposure is None:  # only an instrument's limits need the account's sums
            line.exposure, line.entering = self._exposure(None), self._entering[None]
        times = (line.open_orders, line.pace, line.day, line.drawdown, line.streak)
        return line if line.sizes or any(one is not None for one in times) else None

    def _base(self, scope: LimitScope, identifier: str) -> Line:
        """What a scope counts, made once: whoever counts begins here and follows the book from then on."""
        known = self._bases.get((scope, identifier))
        if known is None:
            known = self._bases[scope, identifier] = self._make_base(scope, identifier)
        return known

    def _make_base(self, scope: LimitScope, identifier: str) -> Line:
        tightest = strictest(self._of(scope, identifier))
        names = {limit.name for limit in tightest.values()}
        strategy = identifier if scope is LimitScope.STRATEGY else None
        label = "" if scope is LimitScope.ACCOUNT else f"{scope.value} {identifier}"
        line = Line(label, tightest)
        if scope is not LimitScope.INSTRUMENT:
            self._add_sizes(line, tightest, names, strategy)
        elif names & ON_INSTRUMENTS:
            self._exposure(None)
        self._add_times(line, tightest, scope, identifier)
        return line

    def _add_sizes(
        self, line: Line, tightest: dict[str, Limit], names: set[str], strategy: str | None
    ) -> None:
        margin = self._margin if strategy is None else None
        if not names & EXPOSED and margin is None:
            return
        line.exposure = self._exposure(strategy)
        line.entering = self._entering[strategy]
        for name, put in (
            ("gross_exposure", "gross"), ("net_exposure", "net"), ("total_spend", "total_spend"),
        ):  # fmt: skip
            if name in tightest:
                setattr(line, put, self._money(tightest[name]))
        if "open_positions" in tightest:
            line.open_positions = int(tightest["open_positions"].number)
        ratio = tightest["leverage"].number if "leverage" in tightest else None
        if margin is not None and (ratio is None or margin < ratio):
            ratio = margin
            line.limits = {key: one for key, one in line.limits.items() if key != "leverage"}
        if ratio is not None:
            line.leverage = ratio.as_integer_ratio()
        line.groups = tuple(
            (self._group(line.exposure, limit), self._money(limit), limit.part)
            for limit in tightest.values()
            if limit.name == "correlated_exposure"
        )
        line.exposure.renew()

    def _add_times(self, line: Line, tightest: dict[str, Limit], scope: LimitScope, identifier: str) -> None:
        strategy = identifier if scope is LimitScope.STRATEGY else None
        instrument = identifier if scope is LimitScope.INSTRUMENT else None
        if "open_orders" in tightest:
            line.open_orders = int(tightest["open_orders"].number)
            line.working = self._working(strategy, instrument)
        if "orders_per_second" in tightest:
            pace = Pace(int(tightest["orders_per_second"].number))
            which = Working(strategy, instrument)
            for at in self._recent(which, pace.rate):
                pace.note(at)
            self._gate.paces.append((which, pace))
            line.pace = pace
        if "daily_loss" in tightest:
            line.day = (self._day(scope, identifier), self._money(tightest["daily_loss"]))
        if "drawdown" in tightest:
            line.drawdown = int(tightest["drawdown"].number)
            line.exposure = self._exposure(None)
        if "losing_streak" in tightest:
            limit = tightest["losing_streak"]
            rest = int(limit.terms.get("cooldown_seconds", COOLDOWN_SECONDS)) * SECOND
            line.streak = (self._streak(strategy), int(limit.number), rest)

    # -- who counts ---------------------------------------------------------------------------------------------

    def _exposure(self, strategy: str | None) -> Exposure:
        known = self._exposures.get(strategy)
        if known is not None:
            return known
        claims = AccountClaims(self.book) if strategy is None else StrategyClaims(self.book, strategy)
        exposure = Exposure(claims.of, [], short=bool(self.book.margin))
        book = self.book
        exposure.stirred.update(book.positions, (order.instrument_id for order in book.orders.values()))
        self._exposures[strategy] = exposure
        self._entering[strategy] = lambda: claims.entering
        self._gate.exposures.append(exposure)
        self._gate.followers.append(claims.held)
        return exposure

    @staticmethod
    def _group(exposure: Exposure, limit: Limit) -> Group:
        group = Group(frozenset(limit.terms.get("members", ())))
        exposure.groups = [*exposure.groups, group]
        return group

    def _working(self, strategy: str | None, instrument: str | None) -> Any:
        orders = self.book.orders
        if strategy is None and instrument is None:
            return orders.__len__
        working = Working(strategy, instrument)
        for order in orders.values():
            working.held(order, 1)
        self._gate.followers.append(working.held)
        return lambda: working.count

    def _recent(self, which: Working, count: int) -> list[int]:
        """When the last orders of a scope were taken, oldest first."""
        narrowed, values = "", [self.book.account_key]
        if which.strategy is not None:
            narrowed, values = " AND strategy = ?", [*values, which.strategy]
        if which.instrument is not None:
            narrowed, values = " AND instrument_id = ?", [*values, which.instrument]
        query = (
            'SELECT created_at FROM (SELECT id, created_at FROM "order" '  # noqa: S608 - own words
            f"WHERE account_id = ? AND state <> 'refused'{narrowed} ORDER BY id DESC LIMIT {count}) AS latest ORDER BY id"
        )
        return [read_micros(row[0]) for row in self.writer.rows(query, values)]

    def _day(self, scope: LimitScope, identifier: str) -> DayResult:
        today = day_of(_micros_now())
        result = DayResult(today)
        shelf = TableShelf(self.writer, self.book.account_key)
        strategies, instruments = shelf.strategy_days(today), shelf.instrument_days(today)
        self.book.adopt_days(strategies, instruments)
        if scope is LimitScope.INSTRUMENT:
            if (today, identifier) in instruments:
                result.take(today, identifier, instruments[today, identifier])
            self._gate.days.append(("instrument", identifier, result))
            return result
        for (_, strategy, quote), figures in strategies.items():
            if quote == self.asset.id and (scope is LimitScope.ACCOUNT or strategy == identifier):
                result.take(today, strategy, figures)
        self._gate.days.append(("" if scope is LimitScope.ACCOUNT else "strategy", identifier, result))
        return result

    def _streak(self, strategy: str | None) -> Streak:
        streak = Streak()
        narrowed = "" if strategy is None else " AND strategy = ?"
        query = (
            "SELECT realised, fees, basis, closed_at FROM position WHERE account_id = ? AND state = 'closed' "  # noqa: S608
            f"AND exit_rule <> 'reorganised'{narrowed} ORDER BY closed_at DESC, id DESC LIMIT {LOOKED_BACK}"
        )
        values = [self.book.account_key] if strategy is None else [self.book.account_key, strategy]
        for realised, fees, basis, closed in reversed(self.writer.rows(query, values)):
            streak.note(int(realised) - int(fees) - int(basis), read_micros(closed))
        self._gate.streaks.append((strategy, streak))
        return streak

    def _money(self, limit: Limit) -> int:
        """A sum in quote units."""
        return int(limit.number if limit.unit == UNITS else limit.number.scaleb(self.asset.decimals))


def _fits(limit: Limit, base: str) -> bool:
    """A quantity is one of an asset: it binds what trades that asset."""
    return limit.name not in ("order_quantity", "position_quantity") or limit.unit == base


def _copy(line: Line) -> Line:
    from dataclasses import replace

    return replace(line)


def _micros_now() -> int:
    from state.columns import utc_now
    from state.writing import micros

    return micros(utc_now())


__all__ = ["compile_gate", "read_limits", "strictest"]
