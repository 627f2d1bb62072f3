"""Every transaction that a planned launch is made of, and its calldata.

A launch itself is one transaction: the token was deployed, the router approved and the pool's address told to the token
some seconds ahead. The pool's address is known before it exists (CREATE2); in v4 it is the manager's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.demo.cast import creation_code
from sniper_cli.demo.liquidity import (
    NO_DEADLINE,
    Position,
    coins_listed,
    creation_call,
    listing_call,
    permit_data,
    removal_call,
    taker,
)
from sniper_cli.demo.plan import PlannedLaunch
from sniper_cli.demo.traders import ALL, WHALE, Side, plan_trades
from sniper_cli.pools import swaps, universal
from sniper_cli.pools.pool import Pool
from sniper_cli.pools.swaps import MAX_UINT
from sniper_cli.pools.words import words

GWEI = 10**9
LEAD_MS = 5_000
"""How long before its launch a token is deployed."""
BURNED = "0x000000000000000000000000000000000000dead"
CALL_SET_PAIR = "0x8187f516"
CALL_OPEN_TRADING = "0xc9567bf9"
FIRST_TRADER = 10_000_000
FIRST_WHALE = 20_000_000
"""Accounts are children of one wallet: launch number, trader number and whale of a launch number."""


class Act(StrEnum):
    DEPLOY = "deploy"
    APPROVE = "approve"
    PERMIT = "permit"
    """v4's second approval: Permit2, whom the token lets, lets the router (the deployer's: the position manager)."""
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
    Act.PERMIT: 100_000,
    Act.SET_PAIR: 100_000,
    Act.HAND_OVER: 150_000,
    Act.CREATE_PAIR: 5_500_000,
    Act.LIST: 6_500_000,
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
    first = (Act.DEPLOY, *_approving(launch), Act.SET_PAIR)
    steps = [Step(ahead, launch, act, deployer) for act in first]
    if launch.pair_first:
        steps.append(Step(launch.at_ms, launch, Act.CREATE_PAIR, deployer))
    steps.append(Step(launch.listed_ms, launch, Act.LIST, deployer, wei=coins_listed(launch)))
    if launch.opened_ms > launch.listed_ms:
        steps.append(Step(launch.opened_ms, launch, Act.OPEN, deployer))
    if launch.pulled_ms is not None:
        if launch.protocol is Protocol.V2:
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
        steps += [Step(ahead_ms, launch, act, whale) for act in _approving(launch)]
        sellers.remove(WHALE)
    for trade in trades:
        account = whale if trade.trader == WHALE else FIRST_TRADER + trade.trader
        if trade.side is Side.SELL:
            steps.append(Step(trade.at_ms, launch, Act.SELL, account, share_bps=trade.share_bps))
            continue
        steps.append(Step(trade.at_ms, launch, Act.BUY, account, wei=trade.wei))
        if trade.trader in sellers:
            steps += [Step(trade.at_ms, launch, act, account) for act in _approving(launch)]
            sellers.remove(trade.trader)
    return steps


def _approving(launch: PlannedLaunch) -> tuple[Act, ...]:
    """What lets a launch's router take somebody's tokens."""
    return (Act.APPROVE, Act.PERMIT) if launch.protocol is Protocol.V4 else (Act.APPROVE,)


@dataclass(frozen=True, slots=True)
class Places:
    """Where a launch's token and pool are, and the accounts that matter to its calls."""

    token: str
    pool: Pool
    whale: str
    position: Position | None = None
    """The deployer's, once he has listed on V3 or v4."""


def call_of(step: Step, places: Places, sender: str, balance: int) -> tuple[str | None, str]:  # noqa: PLR0911 - a table
    """Whom a step calls (none: it creates a contract) and with what data."""
    launch, token, pool = step.launch, places.token, places.pool
    amount = balance * step.share_bps // ALL
    is_deployer = step.account == launch.index
    match step.act:
        case Act.DEPLOY:
            return None, creation_code(launch.role, launch.name, launch.supply, launch.taxes or ())
        case Act.APPROVE:
            allowed = taker(pool.exchange) if is_deployer else swaps.spender(pool)
            return token, abi.CALL_APPROVE + words(allowed, MAX_UINT)
        case Act.PERMIT:
            data = permit_data(pool) if is_deployer else universal.permit_data(pool, MAX_UINT)
            return pool.exchange.permit2, data
        case Act.APPROVE_POOL:
            return pool.id, abi.CALL_APPROVE + words(pool.exchange.router, MAX_UINT)
        case Act.SET_PAIR:
            return token, CALL_SET_PAIR + words(pool.keeper)
        case Act.HAND_OVER:
            return token, abi.CALL_TRANSFER + words(places.whale, launch.supply - launch.listed)
        case Act.CREATE_PAIR:
            return creation_call(launch, pool)
        case Act.LIST:
            return listing_call(launch, pool, BURNED if launch.burns_liquidity else sender, sender)
        case Act.PULL:
            return removal_call(pool, amount, places.position, sender)
        case Act.OPEN:
            return token, CALL_OPEN_TRADING
        case Act.BUY:
            swap = swaps.buy_call(pool, sender, step.wei, 0, NO_DEADLINE)
        case Act.SELL:
            swap = swaps.sell_call(pool, sender, amount, 0, NO_DEADLINE)
    return swap.to, swap.data
