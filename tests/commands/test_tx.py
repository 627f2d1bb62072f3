"""`sniper tx`: what waits and what happens next, a higher bid, an end; on a real chain, under the same nonce."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select

from sniper_cli.chains.devnet.record import remove_record
from sniper_cli.context import Context
from sniper_cli.demo.demo import recorded
from sniper_cli.demo.home import demo_context, signer_of
from sniper_cli.errors import NotFound, OrderRefused
from sniper_cli.secrets.keystore import THROWAWAY_WORK_FACTOR
from sniper_cli.secrets.secret import Secret
from sniper_cli.secrets.stores import store_secret
from sniper_cli.secrets.wallets import create_wallet, secret_name
from sniper_cli.settings import load
from sniper_cli.sniping.station import open_station, wallets_of
from sniper_cli.trading.assembly import open_desk, resolve_instrument
from sniper_cli.trading.intents import OrderIntent
from state.identifiers import short
from state.journal import JournalRecord
from state.orders import Order, OrderState, Side
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.zoo import list_token

Run = Callable[..., Any]
WEI = 10**18
on_a_chain = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]


@dataclass
class Waiting:
    """A purchase that no block takes: the chain mines only when it is asked to."""

    chain: Chain
    context: Context
    order_id: UUID
    inside: Run

    async def sniper(self, *argv: str) -> Any:
        """The command line, in a thread of its own: it has its own event loop."""
        return await asyncio.to_thread(self.inside, *argv, "-p", "devnet")

    async def answer(self, *argv: str) -> Any:
        ran = await self.sniper(*argv, "--json")
        assert ran.code == 0, ran.stderr
        return json.loads(ran.stdout)

    def rows(self, model: type[Any] = ChainTransaction) -> list[Any]:
        with self.context.database.read() as session:
            found = list(session.exec(select(model).order_by(next(iter(model.__table__.primary_key)))).all())
            session.expunge_all()
            return found

    @property
    def purchase(self) -> ChainTransaction:
        return self.rows()[-1]

    async def mine(self, blocks: int = 1) -> None:
        for _ in range(blocks):
            await self.chain.node.call("evm_mine")

    async def settled(self) -> OrderState:
        async with open_desk(self.context) as opened:
            await opened.desk.refresh(opened.account.id)
            return opened.desk.order(self.order_id).state


def second_wallet(context: Context) -> str:
    """Another wallet in the same home; its address."""
    passphrase = Secret("correct horse battery staple")
    store_secret(context.settings.secrets, context.paths.data, secret_name("two"), passphrase, store="file")
    made = create_wallet(
        context.paths,
        context.database,
        "two",
        passphrase,
        actor="tests",
        work_factor=THROWAWAY_WORK_FACTOR,
    )
    return made.address.lower()


@pytest.fixture
async def waiting(home: Path, anvil: Chain, sniper_inside: Run) -> AsyncIterator[Waiting]:
    with demo_context(home, "tests") as context, recorded(context.paths.data, anvil.process, anvil.exchange):
        await anvil.node.call("anvil_setBalance", [signer_of(context).address, hex(10 * WEI)])
        token, _ = await list_token(anvil.node, anvil.exchange, "Normal")
        async with open_desk(context) as opened:
            instrument, _, _ = await resolve_instrument(opened, token)
            intent = OrderIntent(
                account_id=opened.account.id,
                instrument_id=instrument.id,
                side=Side.BUY,
                client_order_id="waiting",
                budget=WEI // 10,
            )
            await anvil.node.call("evm_setAutomine", [False])
            outcome = (await opened.desk.submit(intent))[0]
            assert outcome.order.state is OrderState.SENT, outcome.order.explanation
        yield Waiting(anvil, context, outcome.order.id, sniper_inside)
        await anvil.node.call("anvil_dropAllTransactions")
        await anvil.node.call("evm_setAutomine", [True])


@pytest.mark.parametrize("argv", [("list",), ("list", "--waiting")])
def test_without_transactions_the_list_is_empty(argv: tuple[str, ...], sniper_set_up: Run) -> None:
    ran = sniper_set_up("tx", *argv, "--json")
    assert (ran.code, json.loads(ran.stdout)) == (0, [])


@pytest.mark.parametrize("verb", ["show", "speed-up", "cancel"])
def test_an_unknown_transaction_is_not_found(verb: str, sniper_set_up: Run) -> None:
    ran = sniper_set_up("tx", verb, "0x" + "ab" * 32, "--json")
    assert (ran.code, json.loads(ran.stderr)["error"]["hint"]) == (7, "sniper tx list --all")


class TestOnAChain:
    pytestmark = on_a_chain

    async def test_what_waits_is_told_with_its_bid_and_what_happens_next(self, waiting: Waiting) -> None:
        sent = waiting.purchase
        (line,) = await waiting.answer("tx", "list", "--waiting")

        assert (line["nonce"], line["purpose"], line["state"]) == (0, "buy", "sent")
        assert line["order_id"] == str(waiting.order_id)
        assert line["place"] == "next to be mined"
        assert (Decimal(line["max_fee"]).scaleb(9), line["channel"]) == (sent.max_fee, "public")
        base = Decimal(line["base_fee"])
        assert Decimal(line["headroom_pct"]) == round((Decimal(line["max_fee"]) - base) * 100 / base, 2)
        assert base < Decimal(sent.max_fee).scaleb(-9)
        # Three blocks after it was sent its bid is raised: `fees.ladder_blocks`.
        assert line["next_at_block"] == (sent.sent_block or 0) + 3
        assert line["next"].startswith("its bid is raised")
        assert float(line["next_max_fee"]) >= float(line["max_fee"]) * 1.125
        assert line["done_by"] == "the next to look"

    async def test_rehearsed_refused_or_not_agreed_to_it_changes_nothing(self, waiting: Waiting) -> None:
        before = waiting.purchase
        journal = len(waiting.rows(JournalRecord))
        for verb, gas in (("speed-up", before.gas_limit), ("cancel", 21_000)):
            told = await waiting.answer("tx", verb, short(before.id), "--dry-run")
            assert (told["state"], told["dry_run"], told["tx_hash"]) == ("planned", True, None)
            assert told["gas_limit"] == gas
            assert float(told["gas_at_most"]) == pytest.approx(gas * float(told["max_fee"]) / 10**9)
        above = {"SNIPER_SNIPING__MAX_FEE_GWEI": str(before.max_fee / 10**9)}
        rehearsed = ("tx", "speed-up", short(before.id), "--dry-run", "-p", "devnet")
        ran = await asyncio.to_thread(waiting.inside, *rehearsed, env=above)
        assert (ran.code, "the settings allow" in ran.stderr) == (6, True), ran.stderr
        meant = ("tx", "speed-up", short(before.id), "--yes", "-p", "devnet")
        spent = {"SNIPER_SNIPING__MAX_GAS_PER_DAY": "0.000001"}
        ran = await asyncio.to_thread(waiting.inside, *meant, env=spent)
        assert (ran.code, "gas that the settings allow for a day" in ran.stderr) == (6, True), ran.stderr
        unasked = await waiting.sniper("tx", "cancel", short(before.id))
        assert unasked.code == 2  # neither a terminal nor --yes: it ends at once
        assert [t.id for t in waiting.rows()] == [before.id]
        assert len(waiting.rows(JournalRecord)) == journal

    async def test_a_higher_bid_takes_its_place_under_its_nonce_and_is_mined_once(
        self, waiting: Waiting
    ) -> None:
        before = waiting.purchase
        told = await waiting.answer("tx", "speed-up", before.tx_hash, "--yes")

        old, new = waiting.rows()
        assert (old.state, new.state) == (TransactionState.REPLACED, TransactionState.SENT)
        assert (new.nonce, new.data, new.value) == (old.nonce, old.data, old.value)
        assert told["tx_hash"] == new.tx_hash
        assert new.max_fee * 8 >= old.max_fee * 9
        assert new.priority_fee * 8 >= old.priority_fee * 9
        acts = [r for r in waiting.rows(JournalRecord) if r.kind == "transaction.replaced"]
        assert len(acts) == 1
        assert acts[0].actor.startswith("user:")
        shown = await waiting.answer("tx", "show", short(new.id))
        assert [each["id"] for each in shown["siblings"]] == [str(old.id)]
        again = await waiting.sniper("tx", "speed-up", short(old.id), "--yes")
        assert (again.code, "replaced and not meant any more" in again.stderr) == (6, True)
        await waiting.mine()
        assert await waiting.settled() is OrderState.FILLED

    async def test_a_cancelled_one_can_never_be_mined(self, waiting: Waiting) -> None:
        await waiting.answer("tx", "cancel", short(waiting.purchase.id), "--yes")

        end = waiting.rows()[-1]
        assert (end.purpose, end.nonce, end.value, end.to) == (Purpose.CANCEL, 0, 0, end.sender)
        again = await waiting.sniper("tx", "cancel", short(end.id), "--yes")
        assert (again.code, "only be sped up" in again.stderr) == (6, True)
        await waiting.mine()
        assert await waiting.settled() is OrderState.DROPPED

    async def test_what_is_mined_is_refused_and_nothing_is_signed(self, waiting: Waiting) -> None:
        await waiting.mine()  # the record does not know yet
        for verb in ("speed-up", "cancel"):
            ran = await waiting.sniper("tx", verb, short(waiting.purchase.id), "--yes")
            assert ran.code == 6, ran.stderr
            assert "in block" in ran.stderr
        assert [t.purpose for t in waiting.rows()] == [Purpose.BUY]
        assert waiting.purchase.state is TransactionState.MINED

    async def test_another_wallet_s_transaction_is_sped_up_with_that_wallet(self, waiting: Waiting) -> None:
        address = second_wallet(waiting.context)
        await waiting.chain.node.call("anvil_setBalance", [address, hex(10 * WEI)])
        with waiting.context.database.read() as session:
            instrument = session.get_one(Order, waiting.order_id).instrument_id
        async with open_desk(waiting.context, address=address) as opened:
            assert opened.account.name == "demo-two"
            intent = OrderIntent(opened.account.id, instrument, Side.BUY, "by-two", budget=WEI // 10)
            assert (await opened.desk.submit(intent))[0].order.state is OrderState.SENT
        told = await waiting.answer("tx", "speed-up", short(waiting.purchase.id), "--yes")
        assert (told["account"], told["nonce"], told["state"]) == ("demo-two", 0, "sent")
        assert waiting.purchase.sender == address
        mine = await waiting.answer("tx", "list", "--waiting", "--account", "demo-two", "--fields", "sender")
        assert mine == [{"sender": address}]
        # The order is its wallet's to cancel, too; another wallet signs nothing under its nonce.
        async with open_desk(waiting.context, recover=False) as other:
            with pytest.raises(OrderRefused, match="the wallet is"):
                await other.desk.cancel(UUID(told["order_id"]))
        assert (await waiting.answer("order", "cancel", "by-two", "--yes", "--wait", "0"))["state"] == "sent"
        end = waiting.purchase
        assert (end.purpose, end.sender, end.to, end.nonce) == (Purpose.CANCEL, address, address, 0)

    async def test_a_run_takes_every_wallet_of_the_settings(self, waiting: Waiting) -> None:
        address = second_wallet(waiting.context)
        await waiting.mine()
        await waiting.chain.node.call("anvil_setBalance", [address, hex(10 * WEI)])
        both = {
            "mode": "devnet",
            "account": "demo",
            "wallet": "demo",
            "sniping": {"wallets": ["two", "demo"]},
        }
        kept = {"directory": waiting.context.settings.secrets.directory}
        named = load("devnet", **both, secrets=kept)
        async with open_station(replace(waiting.context, resolved=named)) as station:
            assert [account.name for account in station.accounts] == ["demo", "demo-two"]
            (desk, second), *_ = station.others
            assert (second.address, desk.account(second.id).name) == (address, "demo-two")
        named = load("devnet", mode="devnet", wallet="demo", sniping={"wallets": ["nobody"]})
        with pytest.raises(NotFound, match="nobody"):
            wallets_of(replace(waiting.context, resolved=named))

    async def test_a_node_that_cannot_be_asked_leaves_the_list(self, waiting: Waiting) -> None:
        remove_record(waiting.context.paths.data)
        ran = await waiting.sniper("tx", "list", "--json")
        assert ran.code == 0
        assert "no node was asked" in ran.stderr
        assert [(line["nonce"], line["place"]) for line in json.loads(ran.stdout)] == [(0, "not asked")]
