"""Coins that come from outside, and what a hunt without any does."""

from __future__ import annotations

from sniper_cli.sniping.events import CoinsMoved, PositionOpened
from tests.sniper_cli.sniping.conftest import WEI, Hunt, sniping


async def send_from_outside(hunt: Hunt, wei: int) -> None:
    node, address = hunt.chain.node, hunt.account.address
    held = int(await node.call("eth_getBalance", [address, "latest"]), 16)
    await node.call("anvil_setBalance", [address, hex(held + wei)])
    await hunt.chain.mine()


async def test_coins_sent_while_nobody_watched_are_booked_at_the_start(hunt: Hunt) -> None:
    await send_from_outside(hunt, 3 * WEI)
    await hunt.start(sniping(), books_transfers=True)
    assert (await hunt.until(CoinsMoved)).amount == 3 * WEI
    await hunt.list("Normal")
    await hunt.until(PositionOpened)
    await hunt.stop()
    await hunt.require_true_ledger()


async def test_a_run_that_must_explain_every_coin_books_none_by_itself(hunt: Hunt) -> None:
    await send_from_outside(hunt, WEI)
    await hunt.start(sniping())
    await hunt.stop()
    result = await hunt.desk(sniping()).reconcile(hunt.account.id)
    assert [abs(line.difference) for line in result.differences] == [WEI]
