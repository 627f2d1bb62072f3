"""Asks an endpoint what it is and what it can do: is it there, of the right chain, how fast, how far back, what else.

Found out by asking, not from a version string: the archive by the balance at the first blocks, simulation by the echo
of `safety.capabilities`, waiting transactions by subscribing to them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from sniper_cli.chains.node import Head, Node, websocket_url
from sniper_cli.endpoints.addresses import filled, shown
from sniper_cli.endpoints.assembly import Listed, find_in
from sniper_cli.errors import NetworkError, NodeRefused, SniperError

if TYPE_CHECKING:
    from sniper_cli.context import Context

ROUNDS = 5
"""Calls whose middle is the latency told."""
CHECK_SECONDS = 5.0
ARCHIVE_STEPS = (128, 1024, 10_000, 100_000, 1_000_000)
"""Blocks back that are tried: geth without an archive keeps the state of 128."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found out about one endpoint."""

    name: str
    kind: str
    url: str
    reachable: bool
    chain_id: int | None = None
    expected_chain_id: int | None = None
    head: int | None = None
    lag: int | None = None
    latency_ms: Decimal | None = None
    archive_blocks: int | None = None
    """So many blocks back it still knows balances; none where it was not found out."""
    simulates: bool | None = None
    pending: bool | None = None
    """It shows waiting transactions with their bodies."""
    websocket: bool | None = None
    problem: str = ""
    id: UUID | None = None

    @property
    def sound(self) -> bool:
        """It can be used."""
        return not self.problem


async def check_all(context: Context, listed: Sequence[Listed]) -> list[Checked]:
    """Check them side by side; the lag is against the best head of their chain."""
    found = await asyncio.gather(*(check(context, each) for each in listed))
    best: dict[int | None, int] = {}
    for one in found:
        if one.head is not None:
            best[one.chain_id] = max(one.head, best.get(one.chain_id, 0))
    return [one if one.head is None else replace(one, lag=best[one.chain_id] - one.head) for one in found]


async def check(context: Context, listed: Listed) -> Checked:
    """Check one endpoint; whatever is wrong stands in its `problem`."""
    blank = Checked(
        listed.name,
        listed.kind,
        shown(listed.url),
        reachable=False,
        expected_chain_id=listed.chain_id,
        id=listed.id,
    )

    def find(name: str) -> str:
        return find_in(context.settings.secrets, context.paths, name)

    try:
        address = filled(listed.url, find)
        ws = filled(listed.ws_url or websocket_url(listed.url), find)
        if listed.kind == "rest":
            return await _check_rest(blank, address.url)
        async with Node(
            address.url, ws_url=ws.url, timeout_seconds=CHECK_SECONDS, shown=address.shown
        ) as node:
            found = await (_check_relay if listed.kind == "relay" else _check_node)(node, blank)
    except SniperError as error:
        return replace(blank, problem=error.message)
    return replace(found, problem=_without(found.problem, {**address.hides, **ws.hides}))


async def _check_node(node: Node, blank: Checked) -> Checked:
    taken = []
    for _ in range(ROUNDS):
        begun = monotonic()
        chain_id = int(await node.call("eth_chainId"), 16)
        taken.append(monotonic() - begun)
    head = await node.head()
    found = replace(
        blank,
        reachable=True,
        chain_id=chain_id,
        head=head.number,
        latency_ms=Decimal(round(median(taken) * 1e6)) / 1000,
    )
    if found.expected_chain_id not in (None, chain_id):
        return replace(found, problem=f"it serves chain {chain_id}, not {found.expected_chain_id}")
    archive, simulates, (websocket, pending, problem) = await asyncio.gather(
        _archive(node, head), _simulates(node, head), _listens(node, chain_id)
    )
    return replace(
        found,
        archive_blocks=archive,
        simulates=simulates,
        websocket=websocket,
        pending=pending,
        problem=problem,
    )


async def _check_relay(node: Node, blank: Checked) -> Checked:
    """A relay speaks JSON-RPC and refuses most of it: that it answers at all is what can be found out."""
    begun = monotonic()
    try:
        chain_id: int | None = int(await node.call("eth_chainId"), 16)
    except NodeRefused as refused:
        if refused.details.get("method") == "HTTP" and str(refused.details.get("code")) >= "500":
            raise
        chain_id = None
    latency = Decimal(round((monotonic() - begun) * 1e6)) / 1000
    return replace(blank, reachable=True, chain_id=chain_id, latency_ms=latency)


async def _check_rest(blank: Checked, url: str) -> Checked:
    import aiohttp

    begun = monotonic()
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CHECK_SECONDS)) as session,
            session.get(url) as response,
        ):
            await response.read()
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return replace(blank, problem=f"no answer: {type(error).__name__}")
    latency = Decimal(round((monotonic() - begun) * 1e6)) / 1000
    problem = f"HTTP {status}" if status >= 500 else ""
    return replace(blank, reachable=True, latency_ms=latency, problem=problem)


async def _archive(node: Node, head: Head) -> int | None:
    """The furthest of the steps back whose state is still there; of a shorter chain its beginning."""
    nobody = "0x" + "00" * 20
    steps = [step for step in ARCHIVE_STEPS if step < head.number] + [head.number]
    known: int | None = None
    for step in steps:
        try:
            await node.call("eth_getBalance", [nobody, hex(head.number - step)])
        except NodeRefused:
            break
        known = step
    return known


async def _simulates(node: Node, head: Head) -> bool | None:
    from sniper_cli.safety.capabilities import probe

    try:
        return (await probe(node, head)).proven
    except NetworkError:
        return None


async def _listens(node: Node, chain_id: int) -> tuple[bool, bool | None, str]:
    """Whether its WebSocket gives heads and waiting transactions; what is wrong with it otherwise."""
    from sniper_cli.chains.subscriptions import Subscriptions

    try:
        async with Subscriptions(node.ws_url) as subscriptions:
            served = await subscriptions.chain_id()
            if served != chain_id:
                return False, None, f"its WebSocket serves chain {served}"
            await subscriptions.follow_heads()
            try:
                await subscriptions.follow_pending()
            except NodeRefused:
                return True, False, ""
            return True, True, ""
    except NetworkError as error:
        return False, None, f"no WebSocket: {error.message}"


def _without(text: str, hides: dict[str, str]) -> str:
    for secret, placeholder in hides.items():
        text = text.replace(secret, placeholder)
    return text
