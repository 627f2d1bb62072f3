"""How much of each limit is used, by the very counters that orders are held against."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sniper_cli.risk.at_stake import Exposure
from sniper_cli.risk.gate import BPS, Gate
from sniper_cli.risk.kinds import COLLAR_BPS, KINDS, Unit
from sniper_cli.risk.limits import UNITS, Limit
from sniper_cli.risk.lines import Line
from sniper_cli.risk.refusals import in_words
from state.accounts import Asset
from state.limits import LimitScope
from state.writing import instant

THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """A limit and what stands against it, in base units, quote units or a count; None where each order is new."""

    limit: Limit
    value: int | None
    most: int | None
    instrument: str | None = None
    """Where a limit on each position is used the most."""
    until: str | None = None
    """When a rest ends."""
    house: str = ""
    """Whose it is where nobody has set it: `default`, `margin`."""

    @property
    def share(self) -> Decimal | None:
        """Of the limit, in per cent, rounded up to a tenth."""
        if self.value is None or self.most is None:
            return None
        if self.most <= 0:
            return Decimal(100) if self.value > 0 else Decimal(0)
        return Decimal(-(-self.value * THOUSAND // self.most)) / 10

    @property
    def broken(self) -> bool:
        """More is used than allowed; of losses in a row, that the rest has not ended."""
        if self.until is not None:
            return True
        if self.value is None or self.most is None or self.limit.name == "losing_streak":
            return False
        return self.value > self.most


def usage(gate: Gate) -> list[Use]:
    """Every limit that binds the account, by kind and from wide to narrow, and what it has of itself."""
    found = [_use(gate, limit) for limit in sorted(gate.limits, key=_place)]
    if not any(limit.name == "collar" and limit.scope in WIDE for limit in gate.limits):
        found.append(Use(_house("collar", Decimal(COLLAR_BPS), "bps"), None, COLLAR_BPS, house="default"))
    margin = gate.book.margin
    if margin:
        limit = _house("leverage", margin, "x")
        found.append(_with(gate, limit, gate.lines[LimitScope.ACCOUNT, ""], house="margin"))
    return found


def overruns(gate: Gate) -> Iterator[Use]:
    """Limits that trip the switch and are broken, without any order."""
    for limit in gate.limits:
        if limit.trips:
            use = _use(gate, limit)
            if use.broken:
                yield use


def told(use: Use, gate: Gate) -> str:
    """`daily_loss: 512 USDT, at most 500`."""
    if use.value is None or use.most is None:
        return f"{use.limit.name}: {use.limit.number}"
    places = dict(gate.bases.values())
    unit = use.limit.unit
    base = Asset(id="", symbol=unit, decimals=places[unit]) if unit in places else gate.asset
    value, most = in_words(use.limit.name, use.value, use.most, base, gate.asset)
    return f"{use.limit.name}: {value}, at most {most}"


ORDER = {name: place for place, name in enumerate(KINDS)}
SCOPES = tuple(LimitScope)
WIDE = (LimitScope.TENANT, LimitScope.ACCOUNT)


def _place(limit: Limit) -> tuple[int, int, str, str]:
    return ORDER[limit.name], SCOPES.index(limit.scope), limit.scope_id, limit.part


def _house(name: str, number: Decimal, unit: str) -> Limit:
    return Limit(LimitScope.ACCOUNT, "", name, number, unit)


def _use(gate: Gate, limit: Limit) -> Use:
    scope = (LimitScope.ACCOUNT, "") if limit.scope in WIDE else (limit.scope, limit.scope_id)
    return _with(gate, limit, gate.lines[scope])


def _with(gate: Gate, limit: Limit, line: Line, house: str = "") -> Use:
    kind = KINDS[limit.name]
    most = _most(gate, limit)
    if not kind.standing:
        return Use(limit, None, most, house=house)
    if limit.name in ("position_quantity", "position_notional", "concentration"):
        return _of_positions(gate, limit, line, most)
    value = _value(gate, limit, line)
    until = None
    if limit.name == "losing_streak" and line.streak is not None:
        streak, _, rest = line.streak
        if streak.losses >= limit.number and gate.now < streak.at + rest:
            until = instant(streak.at + rest).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Use(limit, value, most, until=until, house=house)


def _most(gate: Gate, limit: Limit) -> int | None:
    """The limit in the unit of its value. A quantity's is its asset's: only an instrument knows the decimals."""
    if limit.name in ("leverage", "concentration", "drawdown"):
        assert gate.equity is not None
        if limit.name == "drawdown":
            return max(0, gate.equity.peak()) * int(limit.number) // BPS
        share = limit.number if limit.name == "leverage" else limit.number / BPS
        return int(gate.equity.now() * share)
    unit = KINDS[limit.name].unit
    if unit is Unit.MONEY and limit.unit != UNITS:
        return int(limit.number.scaleb(gate.asset.decimals))
    if unit is Unit.BASE:
        decimals = next((places for symbol, places in gate.bases.values() if symbol == limit.unit), None)
        return None if decimals is None else int(limit.number.scaleb(decimals))
    return int(limit.number)


def _value(gate: Gate, limit: Limit, line: Line) -> int:
    exposure, name = line.exposure, limit.name
    if exposure.stirred:
        exposure.renew()
    if name == "open_orders":
        return line.working()
    if name == "orders_per_second":
        return 0 if line.pace is None else line.pace[0].used
    if name == "daily_loss":
        return 0 if line.day is None else max(0, line.day[0].loss)
    if name == "losing_streak":
        return 0 if line.streak is None else line.streak[0].losses
    if name == "drawdown":
        assert gate.equity is not None
        return max(0, gate.equity.peak() - gate.equity.now())
    return _at_stake(exposure, limit, line)


def _at_stake(exposure: Exposure, limit: Limit, line: Line) -> int:
    if limit.name == "correlated_exposure":
        cells = [exposure.cells[name] for name in limit.terms["members"] if name in exposure.cells]
        return max(abs(sum(cell.up for cell in cells)), abs(sum(cell.down for cell in cells)))
    if limit.name == "net_exposure":
        return exposure.net
    if limit.name == "open_positions":
        return exposure.live
    if limit.name == "total_spend":
        return exposure.basis + line.entering()
    return exposure.gross


def _of_positions(gate: Gate, limit: Limit, line: Line, most: int | None) -> Use:
    """The position that is nearest to the limit."""
    exposure = line.exposure if limit.scope is not LimitScope.INSTRUMENT else gate.whole
    if exposure.stirred:
        exposure.renew()
    found: dict[str, int] = {}
    for instrument, cell in exposure.cells.items():
        if limit.scope is LimitScope.INSTRUMENT and instrument != limit.scope_id:
            continue
        if limit.name != "position_quantity":
            found[instrument] = cell.gross
        elif gate.bases.get(instrument, ("", 0))[0] == limit.unit:
            held, _, buying, selling, _ = exposure.claims(instrument)
            found[instrument] = max(abs(held + buying), abs(held - selling) if exposure.short else held)
    if not found:
        return Use(limit, 0, most)
    fullest = max(found, key=lambda instrument: found[instrument])
    return Use(limit, found[fullest], most, fullest)


__all__ = ["Use", "overruns", "told", "usage"]
