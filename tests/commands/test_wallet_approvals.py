"""`sniper wallet approvals`: who may still take tokens of ours, on a real chain, and an end to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.context import Context
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.trading.assembly import open_desk, resolve_instrument
from sniper_cli.trading.intents import OrderIntent
from state.orders import Side
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.zoo import calldata, list_token

Run = Callable[..., Any]
WEI = 10**18
on_a_chain = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@dataclass
class Held:
    """A token that was bought and approved, and is held."""

    chain: Chain
    context: Context
    token: str
    inside: Run

    async def sniper(self, *argv: str) -> Any:
        """The command line, in a thread of its own: it has its own event loop."""
        return await asyncio.to_thread(self.inside, "wallet", "approvals", *argv, "-p", "devnet", "--json")

    async def answer(self, *argv: str) -> Any:
        ran = await self.sniper(*argv)
        assert ran.code == 0, ran.stderr
        return json.loads(ran.stdout)

    async def allowance(self) -> int:
        data = calldata(
            "allowance(address,address)", signer_of(self.context).address, self.chain.exchange.router
        )
        answer = await self.chain.node.call("eth_call", [{"to": self.token, "data": data}, "latest"])
        return int(answer, 16)

    def revocations(self) -> list[ChainTransaction]:
        with self.context.database.read() as session:
            query = select(ChainTransaction).where(ChainTransaction.purpose == Purpose.REVOKE)
            found = list(session.exec(query).all())
            session.expunge_all()
            return found


@pytest.fixture
async def held(home: Path, anvil: Chain, sniper_inside: Run) -> AsyncIterator[Held]:
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10 * WEI)])
        token, _ = await list_token(anvil.node, anvil.exchange, "Normal")
        async with open_desk(context) as opened:
            instrument, _, _ = await resolve_instrument(opened, token)
            intent = OrderIntent(
                account_id=opened.account.id,
                instrument_id=instrument.id,
                side=Side.BUY,
                client_order_id="held",
                budget=WEI // 10,
            )
            await opened.desk.submit(intent)
            for _ in range(2):
                await opened.desk.refresh(opened.account.id)
        yield Held(anvil, context, token, sniper_inside)


def test_on_paper_nothing_is_approved(sniper_set_up: Run) -> None:
    ran = sniper_set_up("wallet", "approvals", "list", "--json")
    assert (ran.code, json.loads(ran.stderr)["error"]["code"]) == (3, "configuration")


class TestOnAChain:
    pytestmark = on_a_chain

    async def test_what_is_approved_is_told_and_ends_when_it_is_wanted(self, held: Held) -> None:
        [line] = await held.answer("list")
        assert line["token"] == held.token
        assert (line["exchange"], line["protocol"]) == ("uniswap", "uniswap_v2")
        assert (line["state"], line["unlimited"]) == ("needed", False)
        assert line["allowance"] == line["needed"] > "0"

        assert await held.answer("revoke", "--loose", "--yes") == []
        [planned] = await held.answer("revoke", held.token, "--dry-run")
        assert (planned["state"], planned["tx_hash"], planned["dry_run"]) == ("planned", None, True)
        assert held.revocations() == []
        assert await held.allowance() > 0

        [done] = await held.answer("revoke", line["symbol"], "--yes")
        assert (done["state"], done["allowance"]) == ("mined", line["allowance"])
        [revocation] = held.revocations()
        assert (revocation.tx_hash, revocation.state) == (done["tx_hash"], TransactionState.MINED)
        assert await held.allowance() == 0
        assert await held.answer("list") == []
        async with open_desk(held.context) as opened:
            (await opened.desk.reconcile(opened.account.id)).require_equal()

    async def test_what_cannot_be_done_is_said(self, held: Held) -> None:
        for argv, code, error in (
            (("revoke",), 2, "usage"),
            (("revoke", held.token, "--all"), 2, "usage"),
            (("revoke", "NOSUCH", "--yes"), 7, "not_found"),
            (("revoke", "--all"), 2, "confirmation_needed"),
            (("list", "nobody"), 7, "not_found"),
        ):
            ran = await held.sniper(*argv)
            assert (ran.code, json.loads(ran.stderr)["error"]["code"]) == (code, error), argv
        assert await held.allowance() > 0
        assert held.revocations() == []
