"""Leaving positions: an exit signal becomes a sale through the desk, tried again until the position is closed.

All that a retry needs stands in the database: the orders of the position under `position-<id>-exit-<n>`. So a
restart continues where the last run ended, and two sales of one position never work at once. Each attempt bids higher
and takes a worse price; what fails whole is tried in parts; what fails on and on is told aloud, and tried on.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.errors import NetworkError, SniperError
from sniper_cli.sniping.attempts import (
    FAILED,
    WAITS_LONG,
    divisor,
    failures,
    is_exit,
    part,
    sales_of,
    sold_by_steps,
    sold_for,
    told,
)
from sniper_cli.sniping.elsewhere import Elsewhere
from sniper_cli.sniping.events import ExitDecided, ExitStuck, RunnerTrouble, SellFailed
from sniper_cli.sniping.exits import ExitSignal
from sniper_cli.sniping.marks import Holding, Mark
from sniper_cli.sniping.ready import ReadySales
from sniper_cli.sniping.rules import URGENT, ExitRule, rules_of
from sniper_cli.sniping.run import ACTOR, Run
from sniper_cli.trading.intents import OrderIntent
from state import journal
from state.columns import utc_now
from state.orders import Order, Side

SALE_GAS = 220_000
"""What a sale costs at least, with its approval: below this worth a position is not worth selling."""
PATIENT_AFTER = 3
"""Sales that fail more often than this wait twice as long each time, look for another pool every second time, …"""
LONGEST_WAIT = timedelta(minutes=5)
"""… up to this."""
RETRY_SLIPPAGE_BPS = 1500
"""How much worse a price each further attempt takes."""
FLEEING_SLIPPAGE_BPS = 9000
"""A sale that flees takes a tenth of what it expected: a revert would leave it with nothing."""
MOST_SLIPPAGE_BPS = 9900
MOST_URGENCY = 3
HASTEN_AFTER = 2
"""A sale that is in neither of two blocks after it was sent is outbid by ourselves, and again at every block."""


class Sales:
    """Sells what the rules say, one sale of a position at a time."""

    def __init__(self, run: Run, ready: ReadySales | None = None) -> None:
        self._run = run
        self._ready = ready or ReadySales(run)
        self._elsewhere = Elsewhere(run)
        self._locks: defaultdict[UUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._seen: dict[UUID, int] = {}
        self._outbid: dict[UUID, int] = {}

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
            every = sales_of(session, self._run.account_id, [holding.id])[holding.id]
            session.expunge_all()
        if (working := next((order for order in every if order.is_working), None)) is not None:
            await self._hasten(holding, working, signal)
            return None
        if _is_stale(holding, signal, every):
            return None
        former = [order for order in every if is_exit(order)]
        wanted = self._wanted(holding, signal, mark)
        if wanted <= 0 or not self._is_due(former, signal):
            return None
        by_hand = signal.rule is ExitRule.BY_HAND
        elsewhere = False
        if not (signal.rule is ExitRule.LIQUIDITY_PENDING or by_hand or self.is_worth_it(mark)):
            elsewhere = self._pays_for_gas(await self._elsewhere.worth(holding, wanted))
            if not elsewhere:
                return None
        self._run.tell(
            ExitDecided(
                position_id=holding.id,
                token=holding.token,
                symbol=holding.symbol,
                rule=signal.rule,
                detail=signal.detail,
                attempt=len(former) + 1,
            )
        )
        intent = self._intent(holding, signal, wanted, former, elsewhere=elsewhere)
        return await self._place(holding, signal, intent, former)

    async def _place(
        self, holding: Holding, signal: ExitSignal, intent: OrderIntent, former: Sequence[Order]
    ) -> AnyOrder | None:
        plan = self._ready.take(holding, intent) if signal.rule is ExitRule.LIQUIDITY_PENDING else None
        try:
            order = await self._run.submit(intent, plan)
        except NetworkError as error:
            self._run.tell(RunnerTrouble(problem=f"{holding.symbol} could not be sold yet: {error.message}"))
            return None
        if order.state in FAILED:
            self._failed(holding, len(former) + 1, order.explanation or order.state.value)
            self._raise_alarm(holding, signal)
        return order

    def _wanted(self, holding: Holding, signal: ExitSignal, mark: Mark | None) -> int:
        quantity = holding.position.quantity if mark is None else mark.quantity
        return quantity if signal.quantity is None else min(quantity, signal.quantity)

    async def _hasten(self, holding: Holding, order: Order, signal: ExitSignal) -> None:
        """A sale is at work already: its bid is raised when it must come ahead of something, or when blocks pass."""
        head = self._run.heads.latest
        number = 0 if head is None else head.number
        seen = self._seen.setdefault(order.id, number)
        blocks = number - seen
        if signal.outbid_fee is None and (
            blocks < HASTEN_AFTER or self._outbid.get(order.id, -1) >= number or not is_exit(order)
        ):
            return
        self._outbid[order.id] = number
        urgency = min(MOST_URGENCY, signal.urgency + max(0, blocks - HASTEN_AFTER + 1))
        try:
            await self._run.desk.hasten(order.id, urgency=urgency, outbid_fee=signal.outbid_fee)
        except SniperError as error:
            self._outbid[order.id] = number + WAITS_LONG  # the cap is reached: not asked again at every block
            self._run.tell(RunnerTrouble(problem=f"the bid of a sale could not be raised: {error.message}"))
        if blocks >= WAITS_LONG:
            self._tell_stuck(holding, signal, [order], f"waits to be mined for {blocks} blocks")
            self._seen[order.id] = number

    def _intent(
        self,
        holding: Holding,
        signal: ExitSignal,
        wanted: int,
        former: Sequence[AnyOrder],
        *,
        elsewhere: bool = False,
    ) -> OrderIntent:
        """The next attempt: each bids higher and takes a worse price than the last, and what fails is cut in parts."""
        failed, parts = len(failures(former)), divisor(former)
        quantity = part(wanted, former)
        least = FLEEING_SLIPPAGE_BPS if signal.rule in URGENT else rules_of(holding.position).slippage_bps
        if signal.max_slippage_bps is not None:
            least = signal.max_slippage_bps
        slippage = min(MOST_SLIPPAGE_BPS, least + RETRY_SLIPPAGE_BPS * failed)
        reason: dict[str, Any] = {
            "origin": "exit",
            "rule": signal.rule.value,
            "detail": signal.detail,
            "figures": signal.figures,
            "attempt": len(former) + 1,
            "max_slippage_bps": slippage,
        }
        if parts > 1:
            reason["divisor"] = parts
        elsewhere = elsewhere or _is_tried_elsewhere(holding, failed)
        if elsewhere:
            reason["route"] = True
        if signal.steps:
            reason["steps"] = [[str(gain), units] for gain, units in _within(signal.steps, quantity)]
        if signal.request is not None:
            reason["request"] = signal.request
        return OrderIntent(
            account_id=self._run.account_id,
            instrument_id=holding.position.instrument_id,
            side=Side.SELL,
            client_order_id=exit_client_id(holding.id, len(former) + 1),
            quantity=quantity,
            max_slippage_bps=slippage,
            urgency=min(MOST_URGENCY, signal.urgency + min(2, failed)),
            outbid_fee=signal.outbid_fee,
            reason=reason,
            launch_id=holding.position.launch_id,
            position_id=holding.id,
            route=() if elsewhere else None,
        )

    def flight(self, holding: Holding, mark: Mark) -> OrderIntent:
        """The sale that a pending removal would call for, as its venue is to plan it beforehand."""
        signal = ExitSignal(ExitRule.LIQUIDITY_PENDING, "kept ready")
        return self._intent(holding, signal, mark.quantity, ())

    def _is_due(self, former: Sequence[AnyOrder], signal: ExitSignal) -> bool:
        """After several failures, not at every block."""
        failed = failures(former)
        often = len(failed) - PATIENT_AFTER
        if often <= 0 or signal.rule is ExitRule.LIQUIDITY_PENDING:
            return True
        wait = min(LONGEST_WAIT, timedelta(seconds=1 << min(often, 12)))
        return utc_now() - failed[-1].updated_at >= wait

    def is_worth_it(self, mark: Mark | None) -> bool:
        """Whether selling brings more than its gas. What cannot be priced is tried."""
        return mark is None or self._pays_for_gas(mark.value)

    def _pays_for_gas(self, value: int) -> bool:
        head = self._run.heads.latest
        if head is None:
            return True
        tip = int(self._run.settings.priority_fee_gwei.scaleb(9))
        return value > SALE_GAS * (head.base_fee + tip)

    def fell_through(self, holding: Holding, orders: Sequence[Order]) -> None:
        """A sale that had been sent has failed since: say so, and aloud when it is one of many."""
        order = orders[-1]
        self._failed(holding, len(orders), order.explanation or order.state.value)
        rule = str(order.reason.get("rule") or ExitRule.TIME)
        self._raise_alarm(holding, ExitSignal(ExitRule(rule), str(order.reason.get("detail") or "")))

    def _raise_alarm(self, holding: Holding, signal: ExitSignal) -> None:
        """Tell aloud at the n-th failure in a row, the 2n-th, the 4n-th …"""
        with self._run.database.read() as session:
            every = sales_of(session, self._run.account_id, [holding.id])[holding.id]
            failed = failures([order for order in every if is_exit(order)])
            session.expunge_all()
        times, rest = divmod(len(failed), self._run.settings.exits.stuck_after)
        if times and not rest and times & (times - 1) == 0:
            self._tell_stuck(holding, signal, failed, f"{len(failed)} sales in a row have failed")

    def _tell_stuck(
        self, holding: Holding, signal: ExitSignal, orders: Sequence[AnyOrder], problem: str
    ) -> None:
        """The event, and the act in the journal: with everything that was tried."""
        run = self._run

        def write(session: Session) -> ExitStuck:
            event = ExitStuck(
                position_id=holding.id,
                token=holding.token,
                symbol=holding.symbol,
                rule=signal.rule,
                problem=problem,
                attempts=told(session, orders),
            )
            journal.append(session, "exit.stuck", holding.id, event.as_json(), actor=ACTOR)
            return event

        run.tell(run.database.transact(write))

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


def _is_stale(holding: Holding, signal: ExitSignal, every: Sequence[AnyOrder]) -> bool:
    """A sale was filled since the holding was looked at: a part of it is decided anew at the next look."""
    if signal.request is not None and sold_for(signal.request, every) != holding.asked:
        return True
    return bool(signal.steps) and sold_by_steps(every) != holding.sold


def _within(steps: Sequence[tuple[object, int]], quantity: int) -> list[tuple[object, int]]:
    """The steps' parts, as far as this one sale goes."""
    found = []
    for gain, units in steps:
        taken = min(units, quantity)
        quantity -= taken
        if taken:
            found.append((gain, taken))
    return found


def _is_tried_elsewhere(holding: Holding, failed: int) -> bool:
    """Whether the next sale may go through any pool: the liquidity may have moved, the token may bar its first pool.

    Not of a token that takes a tax, which on the way through two pools would take it twice.
    """
    return failed >= PATIENT_AFTER and (failed - PATIENT_AFTER) % 2 == 0 and not holding.sell_tax_bps


def exit_client_id(position_id: UUID, attempt: int) -> str:
    """The client order id of a position's n-th sale by a rule."""
    return f"position-{position_id}-exit-{attempt}"


__all__ = ["FAILED", "Sales", "exit_client_id"]
