"""What stands between a verdict and the wire, without a node: the bid, the swap's bytes, the signature, the stake."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from statistics import median
from typing import Any

from sniper_cli.chains.exchange import Exchange, Protocol
from sniper_cli.chains.fee_history import FeeMarket
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.ladder import replacement_fees
from sniper_cli.chains.node import Head
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import buy_call, sell_call
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.stakes import Purse, stake_of
from sniper_cli.venues.evm import ExecutionPolicy, LocalSigner
from sniper_cli.venues.evm.policy import GWEI, Strategy
from sniper_cli.venues.evm.recording import checksummed

REPEATS, SIGNATURES = 5_000, 1_000
WEI = 10**18
KEY = "0x" + "42" * 32
OWNER, TOKEN, COIN = ("0x" + digit * 40 for digit in "abc")
HEAD = Head(21_540_912, "0x" + "aa" * 32, "0x" + "bb" * 32, 1_800_000_000, 3 * GWEI, 30_000_000, OWNER)


def measure() -> dict[str, str]:
    """Medians of each by itself; the first hundredth of each warms up and does not count."""
    fixed = ExecutionPolicy()
    market = FeeMarket(HEAD.number, {10: GWEI, 50: 2 * GWEI, 90: 5 * GWEI, 99: 20 * GWEI})
    learned = replace(fixed, strategy=Strategy.PERCENTILE, market=market)
    bid = fixed.bid(HEAD)
    v2 = Pool(Exchange(1, COIN, "0x" + "d" * 40, "0x" + "e" * 40), "0x" + "f" * 40, TOKEN, COIN)
    v3 = replace(v2, exchange=replace(v2.exchange, protocol=Protocol.V3), fee=3000, tick_spacing=60)
    signer, swap = LocalSigner(KEY), buy_call(v2, OWNER, WEI, 1, 2**40)
    unsigned = {
        "type": 2,
        "chainId": 1,
        "nonce": 7,
        "to": checksummed(swap.to),
        "value": swap.value,
        "gas": 250_000,
        "data": swap.data,
        "maxFeePerGas": bid.max_fee,
        "maxPriorityFeePerGas": bid.priority_fee,
    }
    risky = SnipingSettings(sizing="risk", amount=Decimal(5), max_total_spend=Decimal(50))
    purse = Purse(100 * WEI, 90 * WEI, 3 * WEI)
    return {
        "a transaction signed": _told(lambda: signer.sign(unsigned), SIGNATURES),
        "a bid, fixed tip": _told(lambda: fixed.bid(HEAD)),
        "a bid by what others tip": _told(lambda: learned.bid(HEAD, urgency=1)),
        "the ladder's next rung": _told(lambda: _rung(bid)),
        "a purchase's calldata, V2": _told(lambda: buy_call(v2, OWNER, WEI, 1, 2**40)),
        "a purchase's calldata, V3": _told(lambda: buy_call(v3, OWNER, WEI, 1, 2**40)),
        "a sale's calldata, V3, unwrapped": _told(lambda: sell_call(v3, OWNER, WEI, 1, 2**40)),
        "a stake sized by risk": _told(lambda: stake_of(risky, purse, 1000 * WEI)),
    }


def _rung(bid: Fees) -> Fees:
    return replacement_fees(bid, Fees(0, 0), max_fee_cap=300 * GWEI)


def _told(work: Callable[[], Any], repeats: int = REPEATS) -> str:
    """One call at a time, timed each."""
    times = []
    gc.disable()
    for _ in range(repeats):
        begun = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - begun)
    gc.enable()
    kept = sorted(times[repeats // 100 :])
    return f"{median(kept) / 1000:.1f} µs, p99 {kept[len(kept) * 99 // 100] / 1000:.1f} µs"
