"""How long it takes to judge a token, in how many requests, and how many launches can be judged in a second.

Every kind of the zoo is listed on a fresh chain and judged several times, one after another; then all of them
again and again, one and four at a time. The node shares the machine's cores with the judge.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Sequence

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Head, Node
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety.capabilities import probe
from sniper_cli.safety.judge import judge
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import SafetyReport
from tests.zoo import KINDS, ZOO_POLICY, Listing, list_token

ROUNDS = 5
SECONDS = 3.0
POLICY = SafetyPolicy()


async def measure() -> dict[str, str]:
    """Latency, requests and throughput over the zoo."""
    async with Anvil(block_seconds=0) as chain, Node(chain.http_url) as node:
        exchange = await deploy_exchange(node)
        listings = [await list_token(node, exchange, kind) for kind in KINDS]
        head = await node.head()
        await probe(node)
        await _judged(node, exchange, listings[0], head)  # opens the connections
        times: list[float] = []
        reports: list[SafetyReport] = []
        for _ in range(ROUNDS):
            for listing in listings:
                begun = time.perf_counter()
                reports.append(await _judged(node, exchange, listing, head))
                times.append((time.perf_counter() - begun) * 1000)
        rates = {at_once: await _rate(node, exchange, listings, head, at_once) for at_once in (1, 4)}
    requests = [report.simulations for report in reports]
    passed = [wall for wall, report in zip(times, reports, strict=True) if report.verdict == "safe"]
    return {
        "verdict, all kinds": _spread(times),
        "verdict, kinds that pass": _spread(passed),
        "requests a token": f"{min(requests)} to {max(requests)}, median {statistics.median(requests):.0f}",
        **{f"judged a second, {at_once} at once": f"{rate:.0f}" for at_once, rate in rates.items()},
    }


async def _judged(node: Node, exchange: Exchange, listing: Listing, head: Head) -> SafetyReport:
    return await judge(node, pair_of(exchange, *listing), amount=ZOO_POLICY.amount, policy=POLICY, head=head)


async def _rate(
    node: Node, exchange: Exchange, listings: Sequence[Listing], head: Head, at_once: int
) -> float:
    begun, done = time.perf_counter(), 0

    async def work(first: int) -> None:
        nonlocal done
        place = first
        while time.perf_counter() - begun < SECONDS:
            await _judged(node, exchange, listings[place % len(listings)], head)
            place += at_once
            done += 1

    await asyncio.gather(*(work(first) for first in range(at_once)))
    return done / (time.perf_counter() - begun)


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)]
    return (
        f"p50 {statistics.median(ordered):.1f} ms, p95 {p95:.1f} ms, "
        f"max {ordered[-1]:.1f} ms ({len(ordered)} judgements)"
    )
