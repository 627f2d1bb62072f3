"""Leaving positions: an exit signal becomes a sale through the desk, tried again until the position is closed.

All that a retry needs stands in the database: the orders of the position under `position-<id>-exit-<n>`. So a
restart continues where the last run ended, and two sales of one position never work at once.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import NetworkError, SniperError
from sniper_cli.sniping.events import ExitDecided, RunnerTrouble, SellFailed
from sniper_cli.sniping.exits import URGENT, ExitRule, ExitSignal, rules_of
from sniper_cli.sniping.marks import Holding, Mark
from sniper_cli.sniping.run import Run
from sniper_cli.trading.intents import OrderIntent
from state.columns import utc_now
from state.orders import Order, OrderState, Side

SALE_GAS = 220_000
"""What a sale costs at least, with its approval: below this worth a position is not worth selling."""
PATIENT_AFTER = 3
"""Sales that fail more often than this wait twice as long each time …"""
LONGEST_WAIT = timedelta(minutes=5)
"""… up to this."""
RETRY_SLIPPAGE_BPS = 1500
"""How much worse a price each further attempt takes."""
FLEEING_SLIPPAGE_BPS = 9000
"""A sale that flees takes a tenth of what it expected: a revert would leave it with nothing."""
MOST_SLIPPAGE_BPS = 9900
FAILED = frozenset(
    {OrderState.REFUSED, OrderState.REJECTED, OrderState.DROPPED, OrderState.CANCELLED, OrderState.EXPIRED}
)


class Sales:
    """Sells what the rules say, one sale of a position at a time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def sell(self, holding: Holding, signal: ExitSignal, mark: Mark | None) -> AnyOrder | None:
        """Place the next sale of a position unless one is at work, or must wait, or is not worth its gas.

        One that must come ahead of something waits for a sale just being placed, and raises its bid.
        """
        lock = self._locks[holding.id]
        if lock.locked() and signal.outbid_fee is None:
            return None
        async with lock:
            return await self._sell(holding, signal, mark)

    async def _sell(self, holding: Holding, signal: ExitSignal, mark: Mark | None) -> AnyOrder | None:
        with self._run.database.read() as session:
            former = exit_orders(session, self._run.account_id, holding.id)
            session.expunge_all()
        if (working := next((order for order in former if order.is_working), None)) is not None:
            await self._hasten(working, signal)
            return None
        quantity = holding.position.quantity if mark is None else mark.quantity
        if (
            quantity <= 0
            or not self._is_due(former, signal)
            or not (signal.rule is ExitRule.LIQUIDITY_PENDING or self.is_worth_it(mark))
        ):
            return None
        attempt = len(former) + 1
        self._run.tell(
            ExitDecided(
                position_id=holding.id,
                token=holding.token,
                symbol=holding.symbol,
                rule=signal.rule,
                detail=signal.detail,
                attempt=attempt,
            )
        )
        intent = self._intent(holding, signal, quantity, former)
        try:
            order = await self._run.submit(intent)
        except NetworkError as error:
            self._run.tell(RunnerTrouble(problem=f"{holding.symbol} could not be sold yet: {error.message}"))
            return None
        except SniperError as error:
            self._failed(holding, attempt, error.message)
            return None
        if order.state in FAILED:
            self._failed(holding, attempt, order.explanation or order.state.value)
        return order

    async def _hasten(self, order: AnyOrder, signal: ExitSignal) -> None:
        """A sale is at work already: when it must come ahead of a removal of liquidity, its bid is raised."""
        if signal.outbid_fee is None:
            return
        try:
            await self._run.desk.hasten(order.id, urgency=signal.urgency, outbid_fee=signal.outbid_fee)
        except SniperError as error:
            self._run.tell(RunnerTrouble(problem=f"the bid of a sale could not be raised: {error.message}"))

    def _intent(
        self, holding: Holding, signal: ExitSignal, quantity: int, former: Sequence[AnyOrder]
    ) -> OrderIntent:
        """The next attempt: each bids higher and takes a worse price than the last."""
        attempt = len(former) + 1
        least = FLEEING_SLIPPAGE_BPS if signal.rule in URGENT else rules_of(holding.position).slippage_bps
        return OrderIntent(
            account_id=self._run.account_id,
            instrument_id=holding.position.instrument_id,
            side=Side.SELL,
            client_order_id=exit_client_id(holding.id, attempt),
            quantity=quantity,
            max_slippage_bps=min(MOST_SLIPPAGE_BPS, least + RETRY_SLIPPAGE_BPS * (attempt - 1)),
            urgency=min(3, signal.urgency + min(2, attempt - 1)),
            outbid_fee=signal.outbid_fee,
            reason={
                "origin": "exit",
                "rule": signal.rule.value,
                "detail": signal.detail,
                "figures": signal.figures,
                "attempt": attempt,
            },
            launch_id=holding.position.launch_id,
            position_id=holding.id,
        )

    def _is_due(self, former: Sequence[AnyOrder], signal: ExitSignal) -> bool:
        """After several failures, not at every block."""
        failures = len(former) - PATIENT_AFTER
        if failures <= 0 or signal.rule is ExitRule.LIQUIDITY_PENDING:
            return True
        wait = min(LONGEST_WAIT, timedelta(seconds=1 << min(failures, 12)))
        return utc_now() - former[-1].updated_at >= wait

    def is_worth_it(self, mark: Mark | None) -> bool:
        """Whether selling brings more than its gas. What cannot be priced is tried."""
        head = self._run.heads.latest
        if mark is None or head is None:
            return True
        tip = int(self._run.settings.priority_fee_gwei.scaleb(9))
        return mark.value > SALE_GAS * (head.base_fee + tip)

    def _failed(self, holding: Holding, attempt: int, reason: str) -> None:
        self._run.tell(
            SellFailed(
                position_id=holding.id,
                token=holding.token,
                symbol=holding.symbol,
                attempt=attempt,
                reason=reason,
            )
        )


def exit_client_id(position_id: UUID, attempt: int) -> str:
    """The client order id of a position's n-th sale by a rule."""
    return f"position-{position_id}-exit-{attempt}"


def exit_orders(session: Session, account_id: UUID, position_id: UUID) -> list[Order]:
    """A position's sales by rules so far, oldest first."""
    query = (
        select(Order)
        .where(
            Order.account_id == account_id,
            Order.position_id == position_id,
            Order.side == Side.SELL,
            col(Order.client_order_id).startswith(f"position-{position_id}-exit-"),
        )
        .order_by(col(Order.id))
    )
    return list(session.exec(query).all())
