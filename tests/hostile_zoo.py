"""More of the zoo: tokens of authors who have read the judge, and honest ones with all that honest authors write.

`BAD` names each hostile kind with the story in which it keeps its buyer's money: what happens between purchase and
sale on a real chain. `GOOD` sell whatever happens. `let_out` plays a story with mined transactions and says how it
ended.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eth_account import Account

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from tests import zoo
from tests.zoo import WEI, Listing, anvil_account, approve, balance_of, buy, calldata, list_token, sell

AMOUNT = WEI // 10
BUYER = anvil_account(5)
FOLLOWERS = range(1, 5)
FOLLOWER_WEI = WEI // 100
HOUR, DAY = 3600, 86_400
CALM_FEE = 10**9


@dataclass(frozen=True, slots=True)
class Story:
    """What happens between a purchase and the sale."""

    blocks: int = 1
    seconds: int = 0
    """Before the last of the blocks."""
    before: int = 0
    """Accounts that bought before him."""
    followers: int = 0
    """Purchases of others."""
    whale: int = 0
    """Wei that one of them spends."""
    base_fee: int = CALM_FEE
    purse: int | None = None
    """What the buyer owns besides, in wei."""
    again: bool = False
    """He buys twice."""
    share_pct: int = 100
    """Of his holding, sold first; the rest after it."""
    gas: int = 8_000_000
    drained: bool = False
    """The launcher takes most of the liquidity."""
    modulo: int = 0
    """The sale is mined in a block that this does not divide."""
    proposer: str | None = None
    """Whose block the sale comes into."""
    in_company: bool = False
    """Another's purchase stands before the sale in its block."""


BAD: dict[str, Story] = {
    "RichStay": Story(),
    "PoorStay": Story(purse=3 * WEI // 100, gas=500_000),
    "HashAware": Story(),
    "DeepHashAware": Story(blocks=4),
    "RareLottery": Story(blocks=22),
    "BuilderClub": Story(),
    "PanicDoor": Story(base_fee=3 * CALM_FEE),
    "QuietDoor": Story(base_fee=CALM_FEE // 5),
    "EveryFourth": Story(modulo=4),
    "Window": Story(blocks=60),
    "Nightly": Story(seconds=5 * HOUR),
    "Weekend": Story(seconds=4 * DAY),
    "Sleeper": Story(seconds=61 * DAY),
    "LateGasLimit": Story(blocks=25, gas=350_000),
    "KnowsYouLater": Story(blocks=25),
    "TipAware": Story(),
    "GasPriceTax": Story(),
    "LimitAware": Story(blocks=35),
    "LonelyBlock": Story(in_company=True),
    "AsksOracle": Story(blocks=45),
    "BigCrowdTrap": Story(followers=25),
    "TradeCount": Story(followers=30),
    "CreepingTax": Story(followers=30),
    "MoonDoor": Story(whale=25 * WEI),
    "CrashDoor": Story(drained=True),
    "DeepOnly": Story(),
    "OneSaleADay": Story(share_pct=50),
    "HalfOnly": Story(),
    "Multiples": Story(),
    "AllOrNothing": Story(share_pct=50),
    "LyingApprove": Story(),
    "ForgetsApproval": Story(share_pct=50),
    "PermitOnly": Story(),
    "PretendsToMove": Story(),
    "Siphon": Story(followers=2),
    "DeadBlocks": Story(seconds=HOUR),
    "TransferFirst": Story(),
    "SecondPurchase": Story(again=True),
    "DumpsFirst": Story(),
    "ShrinkingUnits": Story(blocks=12),
    "LateExit": Story(seconds=HOUR),
    "AsksTable": Story(followers=12),
    "SwitchingBeacon": Story(blocks=30),
    "LiesToPool": Story(),
    "FirstComeOnly": Story(before=24),
    "FarWindow": Story(blocks=1000),
    "CrowdAndTime": Story(followers=16, blocks=20),
    "CrashAndTime": Story(drained=True, seconds=1200),
    "OneProposer": Story(proposer="0x" + "11" * 20),
    "AsksDoorman": Story(proposer="0x" + "11" * 20),
}
GOOD = (
    "Reflection", "SwapBack3", "Permitted", "Limited", "FirstBlock", "Votes", "Snapshots", "GasCeiling",
    "Raffle", "Deflating", "TwoDecimals", "NoDecimals", "Dollar", "BeaconProxy",
)  # fmt: skip


@cache
def learn() -> None:
    """Make the kinds known to `zoo.list_token`."""
    for name in ("hostile", "honest"):
        path = Path(__file__).parent / "contracts" / f"{name}.json"
        zoo.artifacts().update(json.loads(path.read_text())["contracts"])


async def listed(node: Node, exchange: Exchange, kind: str) -> Listing:
    """A token of a kind in a pool of its own."""
    learn()
    extra: dict[str, tuple[int, ...]] = {
        "KnowsYouLater": (int(BUYER.address, 16),),
        "SwapBack3": (int(exchange.router, 16),),
    }
    return await list_token(node, exchange, kind, extra=extra.get(kind, ()))


async def let_out(node: Node, exchange: Exchange, listing: Listing, story: Story) -> bool:
    """Whether a buyer who lives through a story gets most of what his tokens are worth."""
    token = listing.token
    for _ in range(story.before):
        stranger = Account.create()
        await node.call("anvil_setBalance", [stranger.address, hex(WEI)])
        assert (await buy(node, exchange, token, stranger, FOLLOWER_WEI)).ok
    assert (await buy(node, exchange, token, BUYER, AMOUNT)).ok
    if story.again:
        assert (await buy(node, exchange, token, BUYER, AMOUNT)).ok
    await approve(node, exchange, token, BUYER)
    bought = await balance_of(node, token, BUYER.address)
    await _live_through(node, exchange, listing, story)
    held = await balance_of(node, token, BUYER.address)
    share = held * story.share_pct // 100
    paid, fair = await _sold(node, exchange, listing, share, story)
    if share < held and paid:
        more, worth = await _sold(node, exchange, listing, held - share, story)
        paid, fair = (paid + more, fair + worth) if more else (0, fair)
    return paid * 100 > fair * 85 and held * 100 > bought * 85


async def _live_through(node: Node, exchange: Exchange, listing: Listing, story: Story) -> None:
    for number in range(story.followers):
        follower = anvil_account(FOLLOWERS[number % len(FOLLOWERS)])
        assert (await buy(node, exchange, listing.token, follower, FOLLOWER_WEI)).ok
    if story.whale:
        assert (await buy(node, exchange, listing.token, anvil_account(1), story.whale)).ok
    if story.drained:
        await _drain(node, listing)
    if story.proposer is not None:
        await node.call("anvil_setCoinbase", [story.proposer])
    if story.purse is not None:
        await node.call("anvil_setBalance", [BUYER.address, hex(story.purse)])
    await node.call("anvil_mine", [hex(story.blocks), hex(1)])
    if story.seconds:
        await node.call("evm_increaseTime", [hex(story.seconds)])


async def _sold(
    node: Node, exchange: Exchange, listing: Listing, quantity: int, story: Story
) -> tuple[int, int]:
    """What a sale brought, before gas, and what the pool's price promised."""
    fair = await _worth(node, listing, quantity, exchange)
    while story.modulo and (int(await node.call("eth_blockNumber"), 16) + 1) % story.modulo == 0:
        await node.call("anvil_mine", [hex(1), hex(1)])
    await node.call("anvil_setNextBlockBaseFeePerGas", [hex(story.base_fee)])
    before = int(await node.call("eth_getBalance", [BUYER.address, "latest"]), 16)
    if story.in_company:
        sold = await _sell_in_company(node, exchange, listing.token, quantity)
    else:
        sold = await sell(node, exchange, listing.token, BUYER, quantity, gas=story.gas)
    after = int(await node.call("eth_getBalance", [BUYER.address, "latest"]), 16)
    if story.proposer is not None:
        await node.call("anvil_setCoinbase", [zoo.COINBASE])  # which outlives a reverted chain
    return after - before + sold.cost, fair


async def _sell_in_company(node: Node, exchange: Exchange, token: str, quantity: int) -> zoo.Sent:
    """Both transactions wait until one block takes them, the other's first: he bids more."""
    await node.call("evm_setAutomine", [False])
    other = asyncio.create_task(buy(node, exchange, token, anvil_account(1), FOLLOWER_WEI))
    await zoo.until_waiting(node, anvil_account(1).address)
    ours = asyncio.create_task(sell(node, exchange, token, BUYER, quantity))
    await zoo.until_waiting(node, BUYER.address)
    await node.call("evm_setAutomine", [True])
    await node.call("evm_mine")
    await other
    return await ours


async def _worth(node: Node, listing: Listing, quantity: int, exchange: Exchange) -> int:
    """What the pool pays for a quantity by its formula, fee included."""
    answer = await node.call("eth_call", [{"to": listing.pool, "data": "0x0902f1ac"}, "latest"])
    first, second = int(answer[2:66], 16), int(answer[66:130], 16)
    coins, tokens = (first, second) if int(exchange.wrapped, 16) < int(listing.token, 16) else (second, first)
    return quantity * 997 * coins // (tokens * 1000 + quantity * 997)


async def _drain(node: Node, listing: Listing) -> None:
    """Two thirds of the liquidity leave through the pair itself."""
    owner = anvil_account(9)
    held = await balance_of(node, listing.pool, owner.address)
    data = calldata("transfer(address,uint256)", listing.pool, held * 2 // 3)
    assert (await zoo.transact(node, owner, listing.pool, data)).ok
    assert (await zoo.transact(node, owner, listing.pool, calldata("burn(address)", owner.address))).ok
