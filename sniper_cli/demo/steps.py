"""Every transaction that a planned launch is made of, and its calldata.

A launch itself is one transaction: the token was deployed, the router approved and the pair's address told to the token
some seconds ahead. The pair's address is known before it exists (CREATE2).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.demo.cast import creation_code
from sniper_cli.demo.plan import PlannedLaunch
from sniper_cli.demo.traders import ALL, WHALE, Side, plan_trades

GWEI = 10**9
LEAD_MS = 5_000
"""How long before its launch a token is deployed."""
MAX_UINT = 2**256 - 1
NO_DEADLINE = 2**40
BURNED = "0x000000000000000000000000000000000000dead"
LIQUIDITY_TYPES = ["address", "uint256", "uint256", "uint256", "address", "uint256"]
CALL_SET_PAIR = "0x8187f516"
CALL_OPEN_TRADING = "0xc9567bf9"
FIRST_TRADER = 10_000_000
FIRST_WHALE = 20_000_000
"""Accounts are children of one wallet: launch number, trader number and whale of a launch number."""


class Act(StrEnum):
    DEPLOY = "deploy"
    APPROVE = "approve"
    SET_PAIR = "set_pair"
    HAND_OVER = "hand_over"
    CREATE_PAIR = "create_pair"
    LIST = "list"
    OPEN = "open"
    APPROVE_POOL = "approve_pool"
    PULL = "pull"
    BUY = "buy"
    SELL = "sell"


GAS = {
    Act.DEPLOY: 2_500_000,
    Act.APPROVE: 100_000,
    Act.SET_PAIR: 100_000,
    Act.HAND_OVER: 150_000,
    Act.CREATE_PAIR: 3_000_000,
    Act.LIST: 3_500_000,
    Act.OPEN: 100_000,
    Act.APPROVE_POOL: 100_000,
    Act.PULL: 500_000,
    Act.BUY: 400_000,
    Act.SELL: 500_000,
}
TIPS = {Act.LIST: 3 * GWEI // 2, Act.CREATE_PAIR: 3 * GWEI // 2, Act.OPEN: 3 * GWEI // 2}
"""Above the traders' one gwei: in one block with them, a launch comes first."""
USUAL_TIP = GWEI


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction: when, by which account, what."""

    at_ms: int
    launch: PlannedLaunch
    act: Act
    account: int
    wei: int = 0
    share_bps: int = 0

    @property
    def needs_balance(self) -> bool:
        """Whether it sells or withdraws a share of what its account holds by then."""
        return self.act in (Act.SELL, Act.PULL)


def steps_of(launch: PlannedLaunch, seed: int) -> list[Step]:
    """All transactions of a launch in the order of time; those of one account at one time in the order of sending."""
    deployer = launch.index
    ahead = max(0, launch.at_ms - LEAD_MS)
    steps = [Step(ahead, launch, act, deployer) for act in (Act.DEPLOY, Act.APPROVE, Act.SET_PAIR)]
    if launch.pair_first:
        steps.append(Step(launch.at_ms, launch, Act.CREATE_PAIR, deployer))
    steps.append(Step(launch.listed_ms, launch, Act.LIST, deployer, wei=launch.pool_wei))
    if launch.opened_ms > launch.listed_ms:
        steps.append(Step(launch.opened_ms, launch, Act.OPEN, deployer))
    if launch.pulled_ms is not None:
        steps.append(Step(launch.listed_ms + 2_000, launch, Act.APPROVE_POOL, deployer))
        steps.append(Step(launch.pulled_ms, launch, Act.PULL, deployer, share_bps=ALL))
    return sorted(steps + _trades(launch, seed, ahead), key=lambda step: step.at_ms)


def _trades(launch: PlannedLaunch, seed: int, ahead_ms: int) -> list[Step]:
    """The traders' transactions; who will sell approves the router right after buying."""
    trades = plan_trades(launch, seed)
    sellers = {trade.trader for trade in trades if trade.side is Side.SELL}
    whale = FIRST_WHALE + launch.index
    steps = []
    if WHALE in sellers:
        steps.append(Step(ahead_ms, launch, Act.HAND_OVER, launch.index))
        steps.append(Step(ahead_ms, launch, Act.APPROVE, whale))
        sellers.remove(WHALE)
    for trade in trades:
        account = whale if trade.trader == WHALE else FIRST_TRADER + trade.trader
        if trade.side is Side.SELL:
            steps.append(Step(trade.at_ms, launch, Act.SELL, account, share_bps=trade.share_bps))
            continue
        steps.append(Step(trade.at_ms, launch, Act.BUY, account, wei=trade.wei))
        if trade.trader in sellers:
            steps.append(Step(trade.at_ms, launch, Act.APPROVE, account))
            sellers.remove(trade.trader)
    return steps


@dataclass(frozen=True, slots=True)
class Places:
    """Where a launch's contracts are, and the accounts that matter to its calls."""

    token: str
    pool: str
    whale: str


def call_of(
    step: Step, exchange: Exchange, places: Places, sender: str, balance: int
) -> tuple[str | None, str]:
    """Whom a step calls (none: it creates a contract) and with what data."""
    launch, token = step.launch, places.token
    amount = balance * step.share_bps // ALL
    to = exchange.router
    types: list[str]
    values: list[Any]
    match step.act:
        case Act.DEPLOY:
            return None, creation_code(launch.role, launch.name, launch.supply, launch.taxes or ())
        case Act.APPROVE | Act.APPROVE_POOL:
            to = token if step.act is Act.APPROVE else places.pool
            selector, types = abi.CALL_APPROVE, ["address", "uint256"]
            values = [exchange.router, MAX_UINT]
        case Act.SET_PAIR:
            to, selector, types, values = token, CALL_SET_PAIR, ["address"], [places.pool]
        case Act.HAND_OVER:
            to, selector, types = token, abi.CALL_TRANSFER, ["address", "uint256"]
            values = [places.whale, launch.supply - launch.listed]
        case Act.CREATE_PAIR:
            to, selector, types = exchange.factory, abi.CALL_CREATE_PAIR, ["address", "address"]
            values = [token, exchange.wrapped]
        case Act.LIST:
            selector, types = abi.CALL_ADD_LIQUIDITY_ETH, LIQUIDITY_TYPES
            holder = BURNED if launch.burns_liquidity else sender
            values = [token, launch.listed, 0, 0, holder, NO_DEADLINE]
        case Act.PULL:
            selector, types = abi.CALL_REMOVE_LIQUIDITY_ETH, LIQUIDITY_TYPES
            values = [token, amount, 0, 0, sender, NO_DEADLINE]
        case Act.OPEN:
            to, selector, types, values = token, CALL_OPEN_TRADING, [], []
        case Act.BUY:
            selector, types = abi.CALL_BUY, ["uint256", "address[]", "address", "uint256"]
            values = [0, [exchange.wrapped, token], sender, NO_DEADLINE]
        case Act.SELL:
            selector, types = abi.CALL_SELL, ["uint256", "uint256", "address[]", "address", "uint256"]
            values = [amount, 0, [token, exchange.wrapped], sender, NO_DEADLINE]
    return to, abi.encode_call(selector, types, values)
