"""What the checks would say of an order: walked down the whole path and taken back, with every figure shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import UsageProblem
from sniper_cli.trading.assembly import open_desk, resolve_instrument
from sniper_cli.trading.intents import OrderIntent, Terms
from sniper_cli.trading.views import order_view
from state.accounts import Asset
from state.identifiers import new_id
from state.orders import OrderType, Side, TimeInForce

if TYPE_CHECKING:
    from sniper_cli.context import Context

HINT = "sniper risk check --help"


@dataclass(frozen=True, slots=True)
class Question:
    """An order as it was typed."""

    side: str
    instrument: str
    quantity: str | None = None
    budget: str | None = None
    price: str | None = None
    slippage_bps: int | None = None
    strategy: str | None = None


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One check."""

    name: str
    passed: bool
    detail: str
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> str | None:
        """What was counted, where something was."""
        return self._figure("value", "needed", "wanted", "notional")

    @property
    def limit(self) -> str | None:
        """What it was held against."""
        return self._figure("limit", "available", "free", "minimum", "maximum", "cash", "held")

    def _figure(self, *names: str) -> str | None:
        return next((str(self.figures[name]) for name in names if name in self.figures), None)


async def check(context: Context, question: Question, *, live: bool = False) -> list[CheckLine]:
    """Every check that an order would meet; nothing is written. Raises UsageProblem, NotFound, NetworkError."""
    async with open_desk(context, live=live) as opened:
        instrument, base, quote = await resolve_instrument(opened, question.instrument)
        price = None if question.price is None else _number(question.price, "--price")
        elsewhere = opened.exchange is not None
        intent = OrderIntent(
            opened.account.id,
            instrument.id,
            Side(question.side),
            f"check-{new_id().hex}",
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            # A pool keeps no resting orders: there, a limit bounds an order that trades at once.
            time_in_force=TimeInForce.IOC if elsewhere and price is not None else TimeInForce.GTC,
            quantity=_units(question.quantity, base, "--quantity"),
            budget=_units(question.budget, quote, "--budget"),
            limit_price=price,
            max_slippage_bps=question.slippage_bps,
            terms=_terms(question, elsewhere=elsewhere),
            reason={"origin": "check"},
            strategy=question.strategy,
        )
        outcome = (await opened.desk.submit([intent], dry_run=True))[0]
        with opened.desk.database.read() as session:
            checks = order_view(session, outcome.order).checks
    return [CheckLine(one["name"], one["passed"], one["detail"], dict(one["figures"])) for one in checks]


def refused(lines: list[CheckLine]) -> list[str]:
    """The checks that said no."""
    return [f"{line.name}: {line.detail}" for line in lines if not line.passed]


def _terms(question: Question, *, elsewhere: bool) -> Terms | None:
    if elsewhere or question.slippage_bps is None or question.price is not None:
        return None
    return Terms(slippage_bps=question.slippage_bps)


def _units(text: str | None, asset: Asset, option: str) -> int | None:
    if text is None:
        return None
    try:
        return asset.units(_number(text, option))
    except ValueError as error:
        raise UsageProblem(str(error), hint=HINT) from error


def _number(text: str, option: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise UsageProblem(f"{option} {text!r} is no number", hint=HINT) from error
    if not number.is_finite() or number <= 0:
        raise UsageProblem(f"{option} must be above zero, not {text}", hint=HINT)
    return number
