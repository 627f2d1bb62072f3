"""Seeing: history read for new pools in blocks a second, and listings decoded in logs a second."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.chains.node import Node
from sniper_cli.sniping.history import scan_history
from sniper_cli.sniping.listings import read_listing
from tests.chain_fixtures import ADDRESSES

BLOCKS = 2000
BATCH = 200
POOLS = 200
LOGS = 200_000
COIN, TOKEN, POOL = (f"0x{digit * 40}" for digit in "cab")


async def measure() -> dict[str, Any]:
    """Scan a chain of this machine, whose pools lie in its first blocks and in none of the others."""
    async with Anvil(block_seconds=0) as anvil, Node(anvil.http_url, timeout_seconds=60) as node:
        exchange = await deploy_exchange(node)
        for number in range(POOLS):
            token = f"0x{number + 1:040x}"
            data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], [token, exchange.wrapped])
            sent = {"from": ADDRESSES[1], "to": exchange.factory, "data": data, "gas": hex(4_000_000)}
            await node.call("eth_sendTransaction", [sent])
        for _ in range(BLOCKS // BATCH):
            await node.call("anvil_mine", [hex(BATCH), hex(12)])
        last = (await node.head()).number
        rates = []
        for _ in range(3):
            started = perf_counter()
            found = await scan_history(node, Exchanges((exchange,)), 0, last)
            rates.append(found.blocks / (perf_counter() - started))
    return {
        "blocks": f"{found.blocks}, pools {found.pools.total()}",
        "scan": f"{max(rates):,.0f} blocks/s (best of 3), {min(rates):,.0f} (worst)",
        **{f"decoding {protocol.value}": f"{rate:,.0f} logs/s" for protocol, rate in _decoding().items()},
    }


def _decoding() -> dict[Protocol, float]:
    """Raw logs of each protocol to listings."""
    rates = {}
    for protocol, log in _logs().items():
        exchanges = Exchanges((Exchange(1, COIN, POOL, POOL, protocol=protocol),))
        started = perf_counter()
        for _ in range(LOGS):
            assert read_listing(log, exchanges, 0) is not None
        rates[protocol] = LOGS / (perf_counter() - started)
    return rates


def _logs() -> dict[Protocol, dict[str, Any]]:
    def log(*topics: str, words: int) -> dict[str, Any]:
        block = {"blockNumber": "0x10", "blockHash": "0x77", "transactionHash": "0x88"}
        return {"address": POOL, "topics": list(topics), "data": "0x" + "1".rjust(64, "0") * words, **block}

    first, second = abi.address_topic(TOKEN), abi.address_topic(COIN)
    return {
        Protocol.V2: log(abi.PAIR_CREATED, first, second, words=2),
        Protocol.V3: log(abi.POOL_CREATED, first, second, "0xbb8", words=2),
        Protocol.V4: log(abi.INITIALIZE_V4, "0x" + "9" * 64, first, second, words=5),
    }
