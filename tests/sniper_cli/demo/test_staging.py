"""The staging as it runs in the demo: its own process beside a chain with one-second blocks."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from math import isqrt
from pathlib import Path

import pytest

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchanges
from sniper_cli.chains.exchange import Exchanges, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.demo.plan import plan_launches
from sniper_cli.demo.stagehands import Stagehands, Wallet
from sniper_cli.demo.staging import SET
from sniper_cli.demo.truth import Truth, append_truth, read_truth
from sniper_cli.sniping.listings import read_listing, topics_of
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("staging")]
ROOT = Path(__file__).parents[3]


@pytest.fixture
async def chain() -> AsyncIterator[tuple[Node, Exchanges]]:
    async with Anvil(block_seconds=1) as anvil, Node(anvil.http_url) as node:
        yield node, await deploy_exchanges(node)


def command(node: Node, truth: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "sniper_cli.demo.staging", "--rpc", node.url, "--truth", str(truth), *more]


async def started(node: Node, truth: Path, *more: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command(node, truth, *more), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - another process brings it about
            await asyncio.sleep(0.05)


async def receipts(node: Node) -> list[dict]:
    head = int(await node.call("eth_blockNumber"), 16)
    blocks = await node.batch([("eth_getBlockReceipts", [hex(number)]) for number in range(1, head + 1)])
    return [receipt for block in blocks for receipt in block]


async def test_the_market_is_staged_and_the_truth_written_and_a_second_run_continues_it(chain, tmp_path):
    node, exchanges = chain
    truth = tmp_path / "truth.jsonl"
    for start in ("0", "14"):
        process = await started(node, truth, "--interval", "0.7", "--duration", "7", "--start-index", start)
        _, said = await process.communicate()
        assert (process.returncode, said.decode()) == (0, f"{SET}\n")
    truths = read_truth(truth)
    assert len(truths) == sum(len(plan_launches(7, 7, interval=0.7, start_index=start)) for start in (0, 14))
    assert await pools_made(node, exchanges) == {told.pool: told.protocol for told in truths.values()}
    assert {told.protocol for told in truths.values()} == set(Protocol)
    for told in truths.values():
        call = {"to": told.token, "data": abi.CALL_NAME}
        assert abi.text(await node.call("eth_call", [call, "latest"])) == told.name
    assert sum(told.launched_block is not None for told in truths.values()) >= len(truths) - 2
    assert all(receipt["status"] == "0x1" for receipt in await receipts(node))


async def pools_made(node: Node, exchanges: Exchanges) -> dict[str, str]:
    """All pools that the factories and the manager tell of, and their protocols."""
    query = {"fromBlock": "0x0", "toBlock": "latest", "address": exchanges.factories}
    logs = await node.call("eth_getLogs", [query | {"topics": [topics_of(exchanges)]}])
    listings = [read_listing(log, exchanges, 0) for log in logs]
    return {listing.pool: listing.protocol.value for listing in listings}


async def test_rugs_are_pulled_by_pending_transactions_on_every_protocol_and_the_blocks_noted(
    chain, tmp_path
):
    node, exchanges = chain
    planned = next(launch for launch in plan_launches(3, 60) if launch.role.kind == "rug_pull")
    at = {"at_ms": 1_000, "listed_ms": 1_000, "opened_ms": 1_000, "pulled_ms": 4_000, "pair_first": False}
    pulled = [
        replace(planned, index=index, protocol=each, tokens_only=each is Protocol.V4, **at)
        for index, each in enumerate(Protocol)
    ]
    notes: list[str] = []
    truth = tmp_path / "truth.jsonl"
    hands = Stagehands(node, exchanges, seed=3, truth_file=truth, note=notes.append)
    done = asyncio.Event()
    performing = asyncio.create_task(hands.perform(pulled, 60, done.is_set))
    await until(lambda: sum(told.rug_block is not None for told in read_truth(truth).values()) == len(pulled))
    done.set()
    await performing
    for told in read_truth(truth).values():
        assert told.bad
        assert told.launched_block < told.rug_block
        assert await left_in(node, exchanges, told) < 10**12, "a millionth of a coin; before, it was coins"
    assert notes == []


async def left_in(node: Node, exchanges: Exchanges, told: Truth) -> int:
    """What lies in a token's pool: of v2 in shares, of v3 in coins, of v4 in coins in all pools.

    Of v2 a thousand shares stay for ever, and with a slow machine somebody still pays coins for what little they are
    worth; √(coins · tokens) tells the shares whatever was paid, save for rounding.
    """
    if told.protocol == Protocol.V4:
        [v4] = exchanges.of(Protocol.V4)
        return int(await node.call("eth_getBalance", [v4.factory, "latest"]), 16)
    data = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [told.pool])
    coins, tokens = [
        int(await node.call("eth_call", [{"to": asset, "data": data}, "latest"]), 16)
        for asset in (exchanges.wrapped, told.token)
    ]
    return isqrt(coins * tokens) if told.protocol == Protocol.V2 else coins


async def test_sigterm_ends_it(chain, tmp_path):
    node, _ = chain
    process = await started(node, tmp_path / "truth.jsonl", "--duration", "600")
    await until(lambda: read_truth(tmp_path / "truth.jsonl"))
    process.terminate()
    _, said = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert (process.returncode, said.decode()) == (0, f"{SET}\n")


async def test_it_ends_when_the_process_that_started_it_is_killed(chain, tmp_path):
    node, _ = chain
    parent = "import subprocess, sys; c = subprocess.Popen(sys.argv[1:]); print(c.pid, flush=True); c.wait()"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        parent,
        *command(node, tmp_path / "truth.jsonl", "--duration", "600"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    child = int(await process.stdout.readline())
    await until(lambda: read_truth(tmp_path / "truth.jsonl"))
    process.send_signal(signal.SIGKILL)
    await process.wait()
    await until(lambda: not alive(child))


def alive(pid: int) -> bool:
    """Whether a process runs; one that ended and that nobody has asked about does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def test_without_a_chain_it_says_so_and_ends_with_the_network_s_exit_code(tmp_path):
    async with Node("http://127.0.0.1:9") as nowhere:
        process = await started(nowhere, tmp_path / "truth.jsonl")
        _, said = await process.communicate()
    assert process.returncode == 5
    assert said.startswith(b"staging: no connection to the node")
    assert b"Traceback" not in said


def test_a_seed_has_its_own_accounts():
    assert Wallet(7).address(3) == Wallet(7).address(3)
    assert len({Wallet(seed).address(number) for seed in (7, 8) for number in (0, 1)}) == 4


def test_the_last_whole_line_of_a_token_holds(tmp_path):
    file = tmp_path / "truth.jsonl"
    assert read_truth(file) == {}
    told = Truth("0xa", "0xb", "honest", bad=False, name="Moon Otter", symbol="MOTR")
    append_truth(file, told)
    append_truth(file, replace(told, launched_block=7))
    with file.open("a") as unfinished:
        unfinished.write('{"token": "0xc"')
    assert read_truth(file) == {"0xa": replace(told, launched_block=7)}
