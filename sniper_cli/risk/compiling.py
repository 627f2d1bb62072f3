"""From limits as people set them to a gate: read once, turned into whole numbers, sorted by who counts what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import msgspec

from sniper_cli.books.book import Book
from sniper_cli.books.shelf import TableShelf
from sniper_cli.risk.at_stake import AccountClaims, Exposure, Group, StrategyClaims
from sniper_cli.risk.equity import Equity, read_flow, read_peak
from sniper_cli.risk.gate import Gate
from sniper_cli.risk.kinds import COLLAR_BPS, COOLDOWN_SECONDS
from sniper_cli.risk.limits import UNITS, Limit, Limits
from sniper_cli.risk.lines import NONE, Line, Plan
from sniper_cli.risk.pace import SECOND, DayResult, Pace, Streak, Working
from sniper_cli.trading.listings import Listing
from state.accounts import Account, Asset
from state.limits import LimitScope, OnBreach
from state.writing import Writer, day_of, read_micros

ACCOUNT = LimitScope.ACCOUNT

NARROW = 9
"""With more decimals than this an amount of some size passes 2^53."""

EXPOSED = {
    "position_quantity", "position_notional", "concentration", "gross_exposure", "net_exposure", "correlated_exposure",
    "leverage", "total_spend", "open_positions", "drawdown",
}  # fmt: skip
"""Limits that need the sums of what is at stake."""
QUANTITIES = ("order_quantity", "position_quantity")
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
    now: int,
    proposed: Sequence[Limit] | None = None,
    exposed: bool = False,
) -> Gate:
    """The gate of an account as the database has it now, and what it counts from now on. The book tells it.

    `proposed`: limits to take instead of those of the database. `exposed`: count what is at stake though no limit asks.
    """
    found = list(read_limits(writer) if proposed is None else proposed)
    if limits is not None:
        found += limits.standing(str(account.id))
    asset = _asset(writer, account.reporting_asset)
    mine = [limit for limit in found if _binds(limit, account)]
    compiler = _Compiler(writer, book, account, asset, mine, now)
    return compiler.gate(exposed=exposed)


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
    """Builds one gate. Whoever counts something is made once, and follows the book from then on."""

    writer: Writer
    book: Book
    account: Account
    asset: Asset
    limits: list[Limit]
    now: int
    _gate: Gate = field(init=False)
    _exposures: dict[str | None, Exposure] = field(default_factory=dict)
    _entering: dict[str | None, Callable[[], int]] = field(default_factory=dict)

    def gate(self, *, exposed: bool) -> Gate:
        """The gate, told of the book's changes if it counts any."""
        self.limits = [limit for limit in self.limits if self.countable(limit)]
        wide = self.asset.decimals > NARROW
        gate = self._gate = Gate(self.book, self._plan, self.asset, wide, self.limits)
        gate.trips = any(limit.trips for limit in self.limits)
        names = {limit.name for limit in self.limits}
        if names & set(QUANTITIES):
            gate.bases = self._read_bases()
        if exposed:
            self._exposure(None)
        if self.book.margin or names & VALUED:
            gate.equity = self._equity("drawdown" in names)
        self._base(ACCOUNT, "")
        for limit in self.limits:
            if limit.scope in (LimitScope.STRATEGY, LimitScope.INSTRUMENT):
                self._base(limit.scope, limit.scope_id)
        counts = (gate.exposures, gate.followers, gate.paces, gate.days, gate.streaks)
        self.book.watch = gate if any(counts) else None
        return gate

    def countable(self, limit: Limit) -> bool:
        """Money of another asset than the account reports in cannot be held against what it has."""
        quantity = limit.name in QUANTITIES
        return quantity or limit.unit in ("", "bps", "x", UNITS, self.asset.symbol)

    def _read_bases(self) -> dict[str, tuple[str, int]]:
        query = "SELECT i.id, b.symbol, b.decimals FROM instrument i JOIN asset b ON b.id = i.base_asset"
        return {identifier: (symbol, decimals) for identifier, symbol, decimals in self.writer.rows(query)}

    def _equity(self, follows: bool) -> Equity:
        equity = Equity(self.book, self.asset, self._exposure(None), follows=follows)
        if follows:
            equity.flow = read_flow(self.writer, self.book.account_key, self.asset.id)
            equity.highest = read_peak(self.writer, self.book.account_key)
        return equity

    # -- lines --------------------------------------------------------------------------------------------------

    def _plan(self, instrument: str, strategy: str | None, listing: Listing | None) -> Plan:
        """What binds an order of a strategy in an instrument."""
        everyone = self._of(ACCOUNT, "")
        theirs = self._of(LimitScope.STRATEGY, strategy) if strategy else []
        here = self._of(LimitScope.INSTRUMENT, instrument)
        base = None if listing is None else listing.base
        tightest = strictest(limit for limit in (*everyone, *theirs, *here) if _fits(limit, base))
        plan = Plan(tightest, COLLAR_BPS)
        if "collar" in tightest:
            plan.collar = int(tightest["collar"].number)
        if "order_quantity" in tightest:
            plan.order_quantity = _quantity(tightest["order_quantity"], base)
        if "order_notional" in tightest:
            plan.order_notional = self._money(tightest["order_notional"])
        on_position = [limit for limit in here if limit.name in ON_INSTRUMENTS]
        lines = [self._line(self._base(ACCOUNT, ""), [*everyone, *on_position], base, "")]
        if theirs and strategy:
            label = _label(LimitScope.STRATEGY, strategy)
            lines.append(self._line(self._base(LimitScope.STRATEGY, strategy), theirs, base, label))
        if here:
            lines.append(self._line(self._base(LimitScope.INSTRUMENT, instrument), [], base, ""))
        plan.lines = tuple(line for line in lines if line.sizes or line.times)
        return plan

    def _of(self, scope: LimitScope, identifier: str) -> list[Limit]:
        if scope is ACCOUNT:
            return [one for one in self.limits if one.scope in (LimitScope.TENANT, ACCOUNT)]
        return [one for one in self.limits if one.scope is scope and one.scope_id == identifier]

    def _line(self, base: Line, limits: list[Limit], asset: Asset | None, label: str) -> Line:
        """A scope's line, completed by what depends on the instrument."""
        tightest = strictest(
            limit for limit in limits if limit.name in ON_INSTRUMENTS and _fits(limit, asset)
        )
        line = replace(base, limits=base.limits | {_named(one, label): one for one in tightest.values()})
        for name, limit in tightest.items():
            if name == "position_quantity":
                line.position_quantity = (_named(limit, label), _quantity(limit, asset))
            elif name == "position_notional":
                line.position_notional = (_named(limit, label), self._money(limit))
            else:
                line.concentration = (_named(limit, label), int(limit.number))
        sizes = (
            line.position_quantity, line.position_notional, line.concentration, line.gross, line.net, line.leverage,
            line.total_spend, line.open_positions,
        )  # fmt: skip
        line.sizes = bool(line.groups) or any(size is not None for size in sizes)
        if line.sizes and line.exposure is NONE:  # only an instrument's limits need the account's sums
            line.exposure, line.entering = self._exposure(None), self._entering[None]
        times = (line.open_orders, line.pace, line.day, line.drawdown, line.streak)
        line.times = any(one is not None for one in times)
        return line

    def _base(self, scope: LimitScope, identifier: str) -> Line:
        """The part of a scope's line that is the same for every instrument, made once."""
        known = self._gate.lines.get((scope, identifier))
        if known is None:
            known = self._gate.lines[scope, identifier] = self._make_base(scope, identifier)
        return known

    def _make_base(self, scope: LimitScope, identifier: str) -> Line:
        label = _label(scope, identifier)
        tightest = strictest(self._of(scope, identifier))
        line = Line({_named(limit, label): limit for limit in tightest.values()})
        if scope is not LimitScope.INSTRUMENT:
            self._add_sizes(line, tightest, label, identifier if scope is LimitScope.STRATEGY else None)
        elif tightest.keys() & ON_INSTRUMENTS:
            self._exposure(None)
        self._add_times(line, tightest, label, (scope, identifier))
        return line

    def _add_sizes(self, line: Line, tightest: dict[str, Limit], label: str, strategy: str | None) -> None:
        names = {limit.name for limit in tightest.values()}
        margin = self.book.margin if strategy is None else None
        if not names & EXPOSED and not margin:
            return
        exposure = line.exposure = self._exposure(strategy)
        line.entering = self._entering[strategy]
        for name, limit in tightest.items():
            figure = _named(limit, label)
            if name == "gross_exposure":
                line.gross = (figure, self._money(limit))
            elif name == "net_exposure":
                line.net = (figure, self._money(limit))
            elif name == "total_spend":
                line.total_spend = (figure, self._money(limit))
            elif name == "open_positions":
                line.open_positions = (figure, int(limit.number))
            elif name == "leverage":
                line.leverage = (figure, *limit.number.as_integer_ratio())
            elif limit.name == "correlated_exposure":
                group = Group(frozenset(limit.terms["members"]))
                exposure.groups = (*exposure.groups, group)
                line.groups = (*line.groups, (group, (figure, self._money(limit))))
        if margin and ("leverage" not in tightest or margin < tightest["leverage"].number):
            line.limits.pop("leverage", None)
            line.leverage = ("leverage", *margin.as_integer_ratio())

    def _add_times(
        self, line: Line, tightest: dict[str, Limit], label: str, scope: tuple[LimitScope, str]
    ) -> None:
        strategy = scope[1] if scope[0] is LimitScope.STRATEGY else None
        instrument = scope[1] if scope[0] is LimitScope.INSTRUMENT else None
        for name, limit in tightest.items():
            figure = _named(limit, label)
            if name == "open_orders":
                line.open_orders = (figure, int(limit.number))
                line.working = self._working(strategy, instrument)
            elif name == "orders_per_second":
                pace = self._pace(int(limit.number), Working(strategy, instrument))
                line.pace = (pace, (figure, pace.rate))
            elif name == "daily_loss":
                line.day = (self._day(*scope), (figure, self._money(limit)))
            elif name == "drawdown":
                line.drawdown = (figure, int(limit.number))
            elif name == "losing_streak":
                rest = int(limit.terms.get("cooldown_seconds", COOLDOWN_SECONDS)) * SECOND
                line.streak = (self._streak(strategy), (figure, int(limit.number)), rest)

    # -- who counts ---------------------------------------------------------------------------------------------

    def _exposure(self, strategy: str | None) -> Exposure:
        known = self._exposures.get(strategy)
        if known is not None:
            return known
        book = self.book
        if strategy is None:
            counts = any(limit.name == "total_spend" for limit in self.limits)
            claims: AccountClaims | StrategyClaims = AccountClaims(book, counts=counts)
        else:
            claims = StrategyClaims(book, strategy)
        exposure = Exposure(claims.of, short=bool(book.margin))
        exposure.stirred.update(book.positions, (order.instrument_id for order in book.orders.values()))
        self._exposures[strategy] = exposure
        self._entering[strategy] = lambda: claims.entering
        self._gate.exposures.append(exposure)
        if strategy is None:
            self._gate.whole = exposure
        self._gate.followers.append(claims.held)
        return exposure

    def _working(self, strategy: str | None, instrument: str | None) -> Callable[[], int]:
        orders = self.book.orders
        if strategy is None and instrument is None:
            return orders.__len__
        working = Working(strategy, instrument)
        for order in orders.values():
            working.held(order, 1)
        self._gate.followers.append(working.held)
        return lambda: working.count

    def _pace(self, rate: int, which: Working) -> Pace:
        """The bucket as the last orders have left it."""
        narrowed, values = "", [self.book.account_key]
        for column, value in (("strategy", which.strategy), ("instrument_id", which.instrument)):
            if value is not None:
                narrowed, values = f"{narrowed} AND {column} = ?", [*values, value]
        query = (
            'SELECT created_at FROM (SELECT id, created_at FROM "order" '  # noqa: S608 - own words
            f"WHERE account_id = ? AND state <> 'refused'{narrowed} ORDER BY id DESC LIMIT {rate}) AS latest "
            "ORDER BY id"
        )
        pace = Pace(rate)
        for row in self.writer.rows(query, values):
            pace.note(read_micros(row[0]))
        self._gate.paces.append((which, pace))
        return pace

    def _day(self, scope: LimitScope, identifier: str) -> DayResult:
        today = day_of(self.now)
        result = DayResult(today)
        shelf = TableShelf(self.writer, self.book.account_key)
        kept = self.book.figures_of(today)
        strategies = shelf.strategy_days(today) | kept[0]
        instruments = shelf.instrument_days(today) | kept[1]
        if scope is LimitScope.INSTRUMENT:
            mine = [one for (_, name), one in instruments.items() if name == identifier]
            result.loss = sum(one.fees - one.realised for one in mine)
            self._gate.days.append(("instrument", identifier, result))
            return result
        result.loss = sum(
            one.fees - one.realised
            for (_, strategy, quote), one in strategies.items()
            if quote == self.asset.id and (scope is ACCOUNT or strategy == identifier)
        )
        self._gate.days.append(("" if scope is ACCOUNT else "strategy", identifier, result))
        return result

    def _streak(self, strategy: str | None) -> Streak:
        narrowed = "" if strategy is None else " AND strategy = ?"
        query = (
            "SELECT realised, fees, basis, closed_at FROM position WHERE account_id = ? AND state = 'closed' "  # noqa: S608
            f"AND exit_rule <> 'reorganised'{narrowed} ORDER BY closed_at DESC, id DESC LIMIT {LOOKED_BACK}"
        )
        values = [self.book.account_key] if strategy is None else [self.book.account_key, strategy]
        streak = Streak()
        for realised, fees, basis, closed in reversed(self.writer.rows(query, values)):
            streak.note(int(realised) - int(fees) - int(basis), read_micros(closed))
        self._gate.streaks.append((strategy, streak))
        return streak

    def _money(self, limit: Limit) -> int:
        """A sum in quote units."""
        return int(limit.number if limit.unit == UNITS else limit.number.scaleb(self.asset.decimals))


def _fits(limit: Limit, base: Asset | None) -> bool:
    """A quantity is one of an asset: it binds what trades that asset."""
    return limit.name not in QUANTITIES or (base is not None and limit.unit == base.symbol)


def _quantity(limit: Limit, base: Asset | None) -> int:
    return int(limit.number.scaleb(0 if base is None else base.decimals))


def _label(scope: LimitScope, identifier: str) -> str:
    return "" if scope is ACCOUNT else f"{scope.value} {identifier}"


def _named(limit: Limit, label: str) -> str:
    """The name under which a limit's figures stand."""
    whose = " ".join(part for part in (label, limit.part) if part)
    return f"{limit.name}:{whose}" if whose else limit.name


__all__ = ["compile_gate", "read_limits", "strictest"]
