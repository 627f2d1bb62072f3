"""A process that trades and dies: forks a child for each line on stdin, kills it at its k-th step, tells how it ended.

Importing everything takes seconds, a fork nothing: so a test can kill the desk at every single step.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import traceback
from typing import Any
from uuid import UUID

from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.trading.intents import OrderIntent
from state.accounts import balance_of, find_account
from state.database import Database
from state.orders import Order, OrderState, Side, find_by_client_id
from tests.desk_fixtures import make_desk

OPEN = {OrderState.RECORDED, OrderState.SENT, OrderState.OPEN}


class Killer:
    """Ends the process at the k-th step, or at the first of a name, as a power cut would: no cleanup, no goodbye."""

    def __init__(self, at: int | str) -> None:
        self.at = at
        self.steps: list[str] = []

    def __call__(self, step: str) -> None:
        self.steps.append(step)
        if self.at in (len(self.steps), step):
            sys.stdout.write(json.dumps({"killed_at": step}) + "\n")
            sys.stdout.flush()
            os.kill(os.getpid(), signal.SIGKILL)


async def trade(job: dict[str, Any], killer: Killer) -> None:
    """What a start always does (recover), then one purchase and one sale, under fixed client order ids."""
    with Database(job["database"]) as database:
        async with Node(job["url"]) as node:
            told = job["exchange"]
            exchange = Exchange(**{**told, "protocol": Protocol(told["protocol"])})
            desk = make_desk(database, node, exchange, job["key"], killer, **job.get("policy", {}))
            with database.read() as session:
                account = find_account(session, "main")
                assert account is not None
                account_id = account.id
            await desk.recover(account_id)
            if job.get("only_recover"):
                return
            if job.get("trial"):
                await trial(desk, node, account_id, job)
                return
            bought = await place(desk, node, account_id, job, Side.BUY)
            if bought.state is not OrderState.FILLED:
                return
            await place(desk, node, account_id, job, Side.SELL)


async def trial(desk: Any, node: Node, account_id: Any, job: dict[str, Any]) -> None:
    """A little bought and sold, then the rest bought: what a sniper does with a launch that is tried first."""
    from sniper_cli.sniping.trial import Trial, try_out

    async def look() -> None:
        await node.call("evm_mine")
        await desk.refresh(account_id)

    tried = await try_out(
        desk,
        Trial(
            launch_id=UUID(job["trial"]),
            account_id=account_id,
            instrument_id=job["instrument_id"],
            amount=job["budget"] // 10,
            buy_slippage_bps=1500,
            sell_slippage_bps=3000,
            most_missing_buying_bps=1000,
            most_missing_selling_bps=1000,
        ),
        look,
    )
    assert tried.passed, tried.words
    await place(desk, node, account_id, job, Side.BUY)


async def place(desk: Any, node: Node, account_id: Any, job: dict[str, Any], side: Side) -> Order:
    """Submit unless it was recorded by a former life, and see it through, mining a block whenever one is waited for."""
    with desk.database.read() as session:
        known = find_by_client_id(session, account_id, f"crash-{side.value}")
        held = balance_of(session, account_id, job["token_asset"])
        order_id = known.id if known else None
    if order_id is None:
        amount = {"budget": job["budget"]} if side is Side.BUY else {"quantity": held}
        intent = OrderIntent(
            account_id=account_id,
            instrument_id=job["instrument_id"],
            side=side,
            client_order_id=f"crash-{side.value}",
            **amount,
        )
        outcome = (await desk.submit([intent]))[0]
        assert not outcome.refused, outcome.order.explanation
        order_id = outcome.order.id
    for _ in range(20):
        await node.call("evm_mine")
        await desk.refresh(account_id)
        order: Order = desk.order(order_id)
        if order.state not in OPEN:
            break
    await node.call("evm_mine")
    await desk.refresh(account_id)
    return desk.order(order_id)


def child(job: dict[str, Any]) -> int:
    killer = Killer(job["kill_at"])
    try:
        asyncio.run(trade(job, killer))
    except BaseException as error:  # noqa: BLE001 - told to the test, whatever it is
        sys.stdout.write(json.dumps({"error": repr(error), "trace": traceback.format_exc()}) + "\n")
        return 1
    sys.stdout.write(json.dumps({"done": killer.steps}) + "\n")
    return 0


def main() -> None:
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = child(json.loads(line))
            sys.stdout.flush()
            os._exit(code)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main()
