"""A trial before the purchase: a tiny amount is bought and really sold, and only then is the rest bought.

A simulation can be told apart from a transaction by a contract that is clever enough; a transaction cannot. What the
trial found is read from its two orders and from nothing else. So a kill -9 between any two steps repeats none and skips
none: whoever comes next finds the same orders under the same client ids, waits for them, and places what is missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.sniping.attempts import FAILED
from sniper_cli.trading.intents import OrderIntent
from state.orders import OrderState, Side

if TYPE_CHECKING:
    from sniper_cli.trading.desk import OrderDesk

BPS = 10_000
RULE = "trial"
"""What closes a position that was only a trial, in its row and in reports."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What is to be tried out. Amounts in base units of the coin."""

    launch_id: UUID
    account_id: UUID
    instrument_id: str
    amount: int
    buy_slippage_bps: int
    sell_slippage_bps: int
    most_missing_buying_bps: int
    """What the purchase may bring less than was expected of it: the policy's limit on taxes."""
    most_missing_selling_bps: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it."""

    passed: bool
    words: str
    spent: int = 0
    received: int = 0


def trial_id(launch_id: UUID, side: Side) -> str:
    """The client order ids of a launch's trial."""
    return f"launch-{launch_id}-trial-{side.value}"


async def try_out(
    desk: OrderDesk,
    trial: Trial,
    look: Callable[[], Awaitable[None]],
    tell: Callable[[AnyOrder], None] = lambda _order: None,
) -> Tried:
    """Buy, sell, compare. `look` waits for a block and finds out what became of orders; `tell` hears of new ones.

    Raises NetworkError before an order is recorded: the same call goes on where it stopped.
    """
    bought = await _leg(desk, trial, Side.BUY, trial.amount, look, tell)
    if bought.state in FAILED:
        return Tried(False, f"the trial purchase failed: {bought.explanation or bought.state.value}")
    if not bought.filled_quantity:
        return Tried(False, "the trial purchase brought nothing", spent=bought.filled_notional)
    sold = await _leg(desk, trial, Side.SELL, bought.filled_quantity, look, tell)
    return weighed(trial, bought, sold)


def weighed(trial: Trial, bought: AnyOrder, sold: AnyOrder) -> Tried:
    """What the two orders of a trial say."""
    spent, received = bought.filled_notional, sold.filled_notional
    if sold.state is not OrderState.FILLED:
        words = f"the trial's sale failed: {sold.explanation or sold.state.value}"
        return Tried(False, words, spent, received)
    legs = (
        ("purchase", bought.filled_quantity, _promised(bought), trial.most_missing_buying_bps),
        ("sale", received, _promised(sold), trial.most_missing_selling_bps),
    )
    for name, got, promised, most in legs:
        missing = (promised - got) * BPS
        if missing > promised * most:
            words = (
                f"the trial's {name} brought {_percent(missing // promised)} less than simulated, "
                f"over the {_percent(most)} that taxes may take"
            )
            return Tried(False, words, spent, received)
    return Tried(True, "the trial's sale brought what was simulated", spent, received)


def _percent(bps: int) -> str:
    return f"{Decimal(bps) / 100:f} %"


def _promised(order: AnyOrder) -> int:
    return int(order.reason.get("promised") or 0)


async def _leg(
    desk: OrderDesk,
    trial: Trial,
    side: Side,
    size: int,
    look: Callable[[], Awaitable[None]],
    tell: Callable[[AnyOrder], None],
) -> AnyOrder:
    """One of the two orders, once its fate is known. Placed, unless it was by a former life."""
    order: AnyOrder | None = desk.find_order(trial.account_id, trial_id(trial.launch_id, side))
    if order is None:
        order = await _place(desk, trial, side, size)
        tell(order)
    while order.is_working:
        await look()
        order = desk.order(order.id)
    return order


async def _place(desk: OrderDesk, trial: Trial, side: Side, size: int) -> AnyOrder:
    """Rehearsed first: what the venue expects of it stands with the order, to be held against what came."""
    rehearsed = (await desk.submit(_intent(trial, side, size, {}), dry_run=True))[0]
    name = "expected_quantity" if side is Side.BUY else "expected"
    promised = {"promised": str(rehearsed.summary.get(name) or 0)}
    outcome = (await desk.submit(_intent(trial, side, size, promised)))[0]
    return outcome.order


def _intent(trial: Trial, side: Side, size: int, promised: dict[str, Any]) -> OrderIntent:
    buys = side is Side.BUY
    return OrderIntent(
        account_id=trial.account_id,
        instrument_id=trial.instrument_id,
        side=side,
        client_order_id=trial_id(trial.launch_id, side),
        budget=size if buys else None,
        quantity=None if buys else size,
        max_slippage_bps=trial.buy_slippage_bps if buys else trial.sell_slippage_bps,
        urgency=0 if buys else 1,
        reason={"origin": "launch", "launch": str(trial.launch_id), "rule": RULE, **promised},
        launch_id=trial.launch_id,
    )


__all__ = ["RULE", "Trial", "Tried", "trial_id", "try_out", "weighed"]
