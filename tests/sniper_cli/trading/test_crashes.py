"""kill -9 at every step of a purchase and a sale: never bought twice, nothing forgotten, equal to the wei.

The truth is asked of the chain, not of our tables: how often the pool paid our address, how often it was paid by it.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.chains import abi
from sniper_cli.trading.reconciliation import adjust
from state import journal
from state.database import Database
from state.orders import Order, OrderState
from state.transactions import ChainTransaction, Purpose, TransactionState
from tests.chain_fixtures import Chain
from tests.desk_fixtures import WEI, Trader, assert_books_balance, make_trader, working
from tests.zoo import anvil_account, calldata, list_token, transact

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil"), pytest.mark.timeout(240)]

HOST = Path(__file__).with_name("crash_host.py")
ROOT = HOST.parents[3]
BUDGET = WEI // 10
EVERY_STEP = {
    "planned", "before_record_commit", "recorded", "before_send", "sent_buy", "sent", "send_recorded",
    "reported", "before_apply_commit", "applied", "exit_recorded", "sent_approve", "sent_sell",
}  # fmt: skip
OCCURRENCES = 2
"""A step that is passed again and again (a look at the chain with no news) is not different the third time."""


class Host:
    """The forking process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HOST)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )

    def start(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    async def run(self, job: dict[str, Any]) -> dict[str, Any]:
        self.start(job)
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, answer["trace"]
        return answer

    def close(self) -> None:
        with self._process:  # closes the pipes and waits
            self._process.kill()


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    process = Host()
    yield process
    process.close()


@pytest.fixture
async def slow_anvil(anvil: Chain) -> AsyncIterator[Chain]:
    """Blocks only when somebody asks for one, so that a crash can come between sending and mining."""
    yield anvil
    await anvil.node.call("evm_setAutomine", [True])


@pytest.fixture
def databases(tmp_path: Path, sqlite_template: Path) -> Callable[[str], str]:
    """A new SQLite database at each call."""

    def fresh(name: str) -> str:
        file = tmp_path / f"{name}.db"
        file.write_bytes(sqlite_template.read_bytes())
        return f"sqlite:///{file}"

    return fresh


async def new_life(chain: Chain, database: Database, token: str, pool: str) -> tuple[Trader, dict[str, Any]]:
    """A trader with ten coins, and the job that its processes get."""
    trader = await make_trader(database, chain.node, chain.exchange, token, pool)
    job = {
        "database": database.url.render_as_string(hide_password=False),
        "url": chain.node.url,
        "exchange": asdict(chain.exchange),
        "key": trader.key,
        "token_asset": trader.token_asset,
        "instrument_id": trader.instrument_id,
        "budget": BUDGET,
        "kill_at": 0,
    }
    return trader, job


async def pool_trades(trader: Trader) -> tuple[int, int]:
    """How often the pool paid tokens to our address, and how often our address paid tokens to the pool."""
    me, pool = abi.address_topic(trader.venue.address), abi.address_topic(trader.pool)
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": trader.token}
    bought = await trader.node.call("eth_getLogs", [{**query, "topics": [abi.TRANSFER, pool, me]}])
    sold = await trader.node.call("eth_getLogs", [{**query, "topics": [abi.TRANSFER, me, pool]}])
    return len(bought), len(sold)


async def assert_whole(trader: Trader, *, trades: tuple[int, int] = (1, 1)) -> None:
    assert await pool_trades(trader) == trades
    assert working(trader.database) == 0
    result = await trader.desk.reconcile(trader.account.id)
    assert result.equal, result.differences
    assert trader.ledger(trader.coin) == await trader.coins_on_chain()
    assert_books_balance(trader.database)
    with trader.database.read() as session:
        assert journal.verify(session).whole


async def test_killed_at_every_step_it_buys_once_and_sells_once(
    slow_anvil: Chain, host: Host, databases: Callable[[str], str]
) -> None:
    listing = await list_token(slow_anvil.node, slow_anvil.exchange, "Normal", pool_wei=1000 * WEI)
    await slow_anvil.node.call("evm_setAutomine", [False])
    with Database(databases("whole")) as database:
        trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
        steps: list[str] = (await host.run(job))["done"]
        await assert_whole(trader)
    assert set(steps) >= EVERY_STEP
    for at, step in enumerate(steps, start=1):
        if steps[: at - 1].count(step) >= OCCURRENCES:
            continue
        with Database(databases(f"step-{at}")) as database:
            trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
            assert await host.run({**job, "kill_at": at}) == {"killed_at": step}
            await host.run(job)
            await assert_whole(trader)


async def test_killed_twice_in_a_row_it_still_buys_once(
    slow_anvil: Chain, host: Host, databases: Callable[[str], str]
) -> None:
    listing = await list_token(slow_anvil.node, slow_anvil.exchange, "Normal", pool_wei=1000 * WEI)
    await slow_anvil.node.call("evm_setAutomine", [False])
    for first, second in ((4, 2), (5, 1), (6, 3), (7, 4), (8, 5)):
        with Database(databases(f"twice-{first}-{second}")) as database:
            trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
            assert "killed_at" in await host.run({**job, "kill_at": first})
            assert "killed_at" in await host.run({**job, "kill_at": second})
            await host.run(job)
            await assert_whole(trader)


@pytest.mark.postgres
async def test_killed_on_postgres_it_buys_once_and_sells_once(
    slow_anvil: Chain, host: Host, postgres_database: Database
) -> None:
    """One database serves: each life continues the one before it, killed one step further on."""
    listing = await list_token(slow_anvil.node, slow_anvil.exchange, "Normal", pool_wei=1000 * WEI)
    await slow_anvil.node.call("evm_setAutomine", [False])
    trader, job = await new_life(slow_anvil, postgres_database, listing.token, listing.pool)
    lives = 0
    while "killed_at" in await host.run({**job, "kill_at": 3 + lives}):
        lives += 1
    assert lives >= 5
    await assert_whole(trader)


async def test_a_stale_launch_buy_is_given_up_under_its_own_nonce(
    slow_anvil: Chain, host: Host, databases: Callable[[str], str]
) -> None:
    listing = await list_token(slow_anvil.node, slow_anvil.exchange, "Normal")
    await slow_anvil.node.call("evm_setAutomine", [False])
    with Database(databases("stale")) as database:
        trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
        assert await host.run({**job, "kill_at": "before_send"}) == {"killed_at": "before_send"}
        with database.write() as session:
            order = session.exec(select(Order)).one()
            order.launch_id = order.id  # only a launch buy grows stale: any launch will do
            session.add(order)
        await slow_anvil.mine(20, 1)
        await host.run({**job, "only_recover": True})
        await slow_anvil.node.call("evm_mine")
        await trader.refresh()
        assert trader.rows(Order)[0].state is OrderState.DROPPED
        assert [(t.purpose, t.nonce, t.state) for t in trader.rows(ChainTransaction)] == [
            (Purpose.BUY, 0, TransactionState.REPLACED),
            (Purpose.CANCEL, 0, TransactionState.MINED),
        ]
        with database.write() as session:
            order = session.exec(select(Order)).one()
            order.launch_id = None  # as the journal tells it
            session.add(order)
        await assert_whole(trader, trades=(0, 0))


@pytest.mark.parametrize("step", ["applied", "revocation_recorded", "sent_revoke", "send_recorded"])
async def test_killed_between_the_exit_and_the_revocation_it_revokes_once(
    slow_anvil: Chain, host: Host, databases: Callable[[str], str], step: str
) -> None:
    """The token's owner burns a third of what we hold: the sale of the rest leaves an approval behind."""
    node, owner = slow_anvil.node, anvil_account(9)
    listing = await list_token(node, slow_anvil.exchange, "BalanceBurn")
    with Database(databases("loose")) as database:
        trader, job = await new_life(slow_anvil, database, listing.token, listing.pool)
        await trader.buy(BUDGET)
        await trader.refresh(2)
        third = trader.ledger(trader.token_asset) // 3
        burn = calldata("burnFrom2(address,uint256)", trader.venue.address, third)
        assert (await transact(node, owner, listing.token, burn)).ok
        await adjust(trader.desk, trader.account.id)
        await trader.sell(trader.ledger(trader.token_asset))
        await node.call("evm_setAutomine", [False])
        job |= {"only_recover": True}
        assert await host.run({**job, "kill_at": step}) == {"killed_at": step}
        for _ in range(3):
            await host.run(job)
            await node.call("evm_mine")
        await host.run(job)
        left = calldata("allowance(address,address)", trader.venue.address, trader.exchange.router)
        assert int(await node.call("eth_call", [{"to": listing.token, "data": left}, "latest"]), 16) == 0
        revocations = [t for t in trader.rows(ChainTransaction) if t.purpose is Purpose.REVOKE]
        assert [t.state for t in revocations] == [TransactionState.MINED]
        await assert_whole(trader)
