"""anvil leaves nothing running, and its chain goes on where it stopped, however it was stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sniper_cli.chains import abi
from sniper_cli.chains.devnet import state_file as guarding
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange, wait_mined
from sniper_cli.chains.devnet.install import installation
from sniper_cli.chains.devnet.record import process_runs
from sniper_cli.chains.devnet.state_file import copy_of, copy_state, is_locked, is_whole
from sniper_cli.chains.node import Node
from sniper_cli.errors import ConfigurationError, DevnetBusy
from tests.chain_fixtures import ADDRESSES
from tests.conftest import PATIENCE

PARENT = """
import asyncio, sys
from pathlib import Path
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node

async def main():
    async with Anvil(block_seconds=1, state_file=Path(sys.argv[1])) as process, Node(process.http_url) as node:
        await deploy_exchange(node)
        transaction = {"from": "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "to": "0x" + "12" * 20, "value": "0x1"}
        tx_hash = await node.call("eth_sendTransaction", [transaction])
        await node.call("evm_mine")
        print(process.pid, tx_hash, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def gift(node: Node) -> str:
    transaction = {"from": ADDRESSES[1], "to": "0x" + "12" * 20, "value": "0x1"}
    tx_hash: str = await node.call("eth_sendTransaction", [transaction])
    await node.call("evm_mine")
    await wait_mined(node, tx_hash)
    return tx_hash


async def gone(pid: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while process_runs(pid):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.02)


async def test_a_restart_goes_on_with_the_same_blocks_receipts_nonces_and_logs(tmp_path: Path) -> None:
    state = tmp_path / "state.json"

    async def picture(node: Node) -> list[object]:
        blocks = [await node.block(number) for number in range(head_number + 1)]
        receipt = await node.call("eth_getTransactionReceipt", [tx_hash])
        nonce = await node.call("eth_getTransactionCount", [ADDRESSES[1], "latest"])
        logs = await node.call("eth_getLogs", [{"fromBlock": "0x0", "toBlock": hex(head_number)}])
        return [blocks, receipt, nonce, logs]

    async with Anvil(block_seconds=1, state_file=state) as process, Node(process.http_url) as node:
        exchange = await deploy_exchange(node)
        deposit = {"from": ADDRESSES[2], "to": exchange.wrapped, "value": "0x1", "data": abi.CALL_DEPOSIT}
        await wait_mined(node, await node.call("eth_sendTransaction", [deposit]))
        tx_hash = await gift(node)
        head_number = (await node.head()).number
        before = await picture(node)
    async with Anvil(block_seconds=1, state_file=state) as process, Node(process.http_url) as node:
        assert await picture(node) == before
        assert len(before[3]) == 1
        assert await deploy_exchange(node) == exchange
        begun = time.time()
        await gift(node)
        # Each block is a second younger than the one before, also where several are mined within one.
        assert begun - 1 <= (await node.head()).timestamp <= time.time() + 3


async def test_kill_9_of_the_parent_leaves_no_anvil_and_the_chain_whole(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    command = [sys.executable, "-c", PARENT, state]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - a moment
    assert parent.stdout is not None
    with parent.stdout:
        pid, tx_hash = parent.stdout.readline().split()
    parent.kill()
    parent.wait()
    # Started at once: it waits until the dying anvil has written its state.
    async with Anvil(block_seconds=1, state_file=state) as process, Node(process.http_url) as node:
        receipt = await node.call("eth_getTransactionReceipt", [tx_hash])
        assert receipt["status"] == "0x1"
    await gone(int(pid))


async def test_a_dump_cut_off_by_kill_9_gives_way_to_the_last_whole_one(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with Anvil(block_seconds=0, state_file=state) as process, Node(process.http_url) as node:
        tx_hash = await gift(node)
    assert copy_state(state)
    content = state.read_bytes()
    state.write_bytes(content[: len(content) // 2])
    async with Anvil(block_seconds=0, state_file=state) as process, Node(process.http_url) as node:
        assert await node.call("eth_getTransactionReceipt", [tx_hash]) is not None


async def test_the_last_whole_dump_is_copied_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sniper_cli.chains.devnet.anvil.COPY_SECONDS", 0.1)
    state = tmp_path / "state.json"
    async with Anvil(block_seconds=1, state_file=state), asyncio.timeout(PATIENCE):
        while not copy_of(state).exists():  # noqa: ASYNC110 - a file has no event to wait for
            await asyncio.sleep(0.05)
    assert is_whole(copy_of(state).read_bytes())


def test_every_cut_of_a_dump_is_known_as_one() -> None:
    dump = b'{"block":{"number":"0x1"},"accounts":{"0x00":{"nonce":0,"storage":{}}}}'
    assert is_whole(dump)
    assert not any(is_whole(dump[:length]) for length in range(len(dump)))


async def test_two_chains_on_one_state_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarding, "LOCK_SECONDS", 0.2)
    state = tmp_path / "state.json"
    async with Anvil(block_seconds=0, state_file=state):
        assert is_locked(state)
        with pytest.raises(DevnetBusy, match="another devnet runs"):
            await Anvil(block_seconds=0, state_file=state).start()
    assert not is_locked(state)


async def test_beginning_anew_forgets_the_former_chain(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    async with Anvil(block_seconds=0, state_file=state) as process, Node(process.http_url) as node:
        await gift(node)
    async with (
        Anvil(block_seconds=0, state_file=state, fresh=True) as process,
        Node(process.http_url) as node,
    ):
        assert (await node.head()).number == 0


async def test_a_taken_port_is_told_in_anvils_words() -> None:
    async with Anvil(block_seconds=0) as process:
        with pytest.raises(ConfigurationError, match="in use"):
            await Anvil(process.port, block_seconds=0).start()


async def test_interrupting_the_terminal_does_not_reach_anvil() -> None:
    async with Anvil(block_seconds=0) as process:
        assert os.getpgid(process.pid) != os.getpgid(0)


async def test_a_frozen_anvil_is_ended_too() -> None:
    process = Anvil(block_seconds=0)
    await process.start()
    pid = process.pid
    os.kill(pid, signal.SIGSTOP)
    await process.stop()
    assert not process_runs(pid)


async def test_calls_are_not_logged_one_by_one(tmp_path: Path) -> None:
    log = tmp_path / "anvil.log"
    async with Anvil(block_seconds=0, log_file=log) as process, Node(process.http_url) as node:
        before = log.stat().st_size
        for _ in range(20):
            await node.head()
        assert log.stat().st_size == before


async def test_a_chain_of_many_blocks_leaves_nothing_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else each state older than 500 blocks is kept in a file under ~/.foundry, also when anvil is told to end."""
    installed = installation()  # found by the home folder, too
    monkeypatch.setattr("sniper_cli.chains.devnet.anvil.installation", lambda: installed)
    monkeypatch.setenv("HOME", str(tmp_path))
    async with Anvil(block_seconds=0) as process, Node(process.http_url) as node:
        await node.call("anvil_mine", [hex(600)])
        assert (await node.head()).number == 600
    assert [name for _, _, files in os.walk(tmp_path) for name in files] == []
