"""History read for pools on a real chain: everything found once, in order, whatever range the node allows."""

from __future__ import annotations

from typing import Any

from sqlmodel import select

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.scanning import Scan
from sniper_cli.errors import NodeRefused
from sniper_cli.sniping import launches
from sniper_cli.sniping.history import place_of, scan_history
from state.database import Database
from state.launches import Decision, Launch, Source
from tests.chain_fixtures import ADDRESSES, Chain


async def create(chain: Chain, first: str, second: str) -> None:
    data = abi.encode_call(abi.CALL_CREATE_PAIR, ["address", "address"], [first, second])
    await chain.send(ADDRESSES[1], chain.exchange.factory, data)


def token(number: int) -> str:
    return f"0x{number:040x}"


class Narrow:
    """A node that refuses ranges of more than so many blocks, as providers do."""

    def __init__(self, chain: Chain, most: int) -> None:
        self.url, self._node, self._most = chain.node.url, chain.node, most
        self.ranges: list[int] = []

    async def batch(self, calls: list[tuple[str, list[Any]]]) -> list[Any]:
        span = calls[0][1][0]
        blocks = int(span["toBlock"], 16) - int(span["fromBlock"], 16) + 1
        if blocks > self._most:
            raise NodeRefused("query returned more than 10000 results")
        self.ranges.append(blocks)
        return await self._node.batch(calls)


async def test_a_scan_records_pools_that_are_never_bought(anvil: Chain, sqlite_database: Database) -> None:
    begin = (await anvil.node.head()).number + 1
    for number in (1, 2):
        await create(anvil, token(number), anvil.exchange.wrapped)
    await create(anvil, token(3), token(4))
    head = await anvil.node.head()
    watched = Exchanges((anvil.exchange,))
    found = await scan_history(anvil.node, watched, begin, head.number, database=sqlite_database)
    assert (found.pools.total(), found.elsewhere, found.new, found.read_to) == (2, 1, 2, head.number)
    with sqlite_database.read() as session:
        rows = session.exec(select(Launch)).all()
        assert {row.token for row in rows} == {token(1), token(2)}
        assert {(row.source, row.decision) for row in rows} == {(Source.SCAN, Decision.SKIPPED)}
        assert launches.undecided(session, watched.chain_id) == []
        place = place_of(session, watched.chain_id)
        assert place is not None
        assert (place.block_number, place.block_hash) == (head.number, head.hash)
    again = await scan_history(anvil.node, watched, begin, head.number, database=sqlite_database)
    assert (again.pools.total(), again.new) == (2, 0)


async def test_a_scan_that_is_stopped_says_how_far_it_came(anvil: Chain) -> None:
    await anvil.mine(20)
    watched = Exchanges((anvil.exchange,))
    last = (await anvil.node.head()).number
    found = await scan_history(anvil.node, watched, last - 10, last, stopped=lambda: True)
    assert found.read_to <= last
    assert found.as_json()["complete"] is (found.read_to == last)


async def test_ranges_that_a_node_refuses_are_asked_in_halves_and_nothing_is_lost(anvil: Chain) -> None:
    begin = (await anvil.node.head()).number + 1
    for number in range(1, 31):
        await create(anvil, token(number), anvil.exchange.wrapped)
    last = (await anvil.node.head()).number
    narrow = Narrow(anvil, 4)
    scan = Scan(narrow, [anvil.exchange.factory], [abi.PAIR_CREATED])  # type: ignore[arg-type]
    chunks = [chunk async for chunk in scan.chunks(begin, last)]
    assert [log for chunk in chunks for log in chunk.logs] == sorted(
        (log for chunk in chunks for log in chunk.logs), key=lambda log: int(log["blockNumber"], 16)
    )
    assert sum(len(chunk.logs) for chunk in chunks) == 30
    assert [chunk.first for chunk in chunks] == [begin, *(chunk.last + 1 for chunk in chunks[:-1])]
    assert scan.refusals > 0
    assert max(narrow.ranges) <= 4
