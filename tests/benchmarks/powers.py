"""How long the owner powers of a token take to prove, and a launch's dossier within its budget.

Every kind of the zoo is listed on a fresh chain. Powers are proved with nothing kept from an earlier run (the layout of
a code is remembered in life); the dossier is the launch's own: trading first, the rest within 50 ms.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from sniper_cli.chains.devnet.anvil import Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchange
from sniper_cli.chains.node import Node
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety import bytecode
from sniper_cli.safety.dossier import compile_dossier
from sniper_cli.safety.levels import level_named
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.powers import prove_powers
from sniper_cli.safety.proxies import read_code
from sniper_cli.safety.simulation import surroundings
from sniper_cli.safety.trades import Market
from sniper_cli.settings.model import SnipingSettings
from tests.zoo import KINDS, ZOO_POLICY, anvil_account, list_token

ROUNDS = 3
POLICY = SafetyPolicy()


async def measure() -> dict[str, str]:
    """Powers alone, then whole dossiers."""
    budget = SnipingSettings().dossier_budget_ms
    async with Anvil(block_seconds=0) as chain, Node(chain.http_url) as node:
        exchange = await deploy_exchange(node)
        listings = [await list_token(node, exchange, kind) for kind in KINDS]
        head = await node.head()
        around = surroundings(head, POLICY)
        powers: list[float] = []
        dossiers: list[float] = []
        simulations: list[int] = []
        late = safe = 0
        for turn in range(ROUNDS + 1):
            for token, pool in listings:
                bytecode._layout.cache_clear()
                begun = time.perf_counter()
                code = await read_code(node, token, hex(head.number))
                market = Market(pair_of(exchange, token, pool), ZOO_POLICY.amount)
                found = await prove_powers(
                    node, around, market, code, deployer=anvil_account(9).address.lower()
                )
                proved = (time.perf_counter() - begun) * 1000
                bytecode._layout.cache_clear()
                begun = time.perf_counter()
                dossier = await compile_dossier(
                    node,
                    pair_of(exchange, token, pool),
                    amount=ZOO_POLICY.amount,
                    policy=POLICY,
                    level=level_named("standard"),
                    head=head,
                    budget_ms=budget,
                )
                if turn == 0:
                    continue  # modules and connections
                powers.append(proved)
                simulations.append(found.simulations)
                dossiers.append((time.perf_counter() - begun) * 1000)
                if dossier.verdict == "safe":
                    safe += 1
                    late += bool(dossier.late)
    return {
        "owner powers of a token": _spread(powers),
        "simulated trades for them": f"{min(simulations)} to {max(simulations)}, "
        f"median {statistics.median(simulations):.0f}",
        f"a launch's dossier, budget {budget} ms": _spread(dossiers),
        "dossiers of safe tokens with a part not in": f"{late} of {safe}",
    }


def _spread(times: Sequence[float]) -> str:
    ordered = sorted(times)
    p95 = ordered[int(len(ordered) * 0.95)]
    return f"p50 {statistics.median(ordered):.1f} ms, p95 {p95:.1f} ms, max {ordered[-1]:.1f} ms ({len(ordered)})"
