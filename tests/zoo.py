"""The zoo: thirty kinds of token, each listed by real signed transactions, with what a judgement must find.

`EXPECTED` holds under `ZOO_POLICY`: a purchase of 0.1 coins, no more than 2 % tax either way, a sell below two million
gas; the pool has 10 coins and 900,000 of the 1,000,000 tokens. `TAXES` are what one buyer really pays.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from eth_abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils import keccak, to_checksum_address

from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node
from sniper_cli.safety.report import Classification
from tests.conftest import PATIENCE

WEI = 10**18
SUPPLY = 1_000_000 * WEI
LISTED = 900_000 * WEI
POOL_WEI = 10 * WEI
"""What a launch puts into its pool unless told otherwise."""
COINBASE = "0x00000000000000000000000000000000c01dba5e"
"""anvil proposes blocks as the zero address, as no real chain does; some traps look for just that."""
MAX_UINT = 2**256 - 1
FOREVER = 2**40
"""A deadline that does not pass."""
ANVIL_MNEMONIC = "test test test test test test test test test test test junk"


class ZooPolicy(NamedTuple):
    amount: int = WEI // 10
    max_buy_tax_bps: int = 200
    max_sell_tax_bps: int = 200
    max_sell_gas: int = 2_000_000


ZOO_POLICY = ZooPolicy()

EXPECTED: dict[str, Classification] = {
    "Normal": Classification.OK,
    "NormalRenounced": Classification.OK,
    "Fot5": Classification.TAX,
    "BuySellTax": Classification.TAX,
    "CappedTax": Classification.OK,
    "Sell99": Classification.HONEYPOT,
    "AutoBlacklist": Classification.HONEYPOT,
    "OwnerBlacklist": Classification.OK,
    "SellFlag": Classification.HONEYPOT,
    "NotOpen": Classification.NOT_OPEN,
    "Mintable": Classification.OK,
    "Pausable": Classification.OK,
    "MaxTx": Classification.MAX_TRANSACTION,
    "HiddenOwner": Classification.OK,
    "WhitelistSell": Classification.HONEYPOT,
    "TaxFlip": Classification.TIME_TRAP,
    "TaxFlipTime": Classification.TIME_TRAP,
    "LaunchTax": Classification.LAUNCH_TAX,
    "GasGrief": Classification.GAS_GRIEF,
    "Cooldown": Classification.COOLDOWN,
    "NoContract": Classification.OK,
    "SimAwareGas": Classification.HONEYPOT,
    "SimAwareCoinbase": Classification.HONEYPOT,
    "FakeTransfer": Classification.HONEYPOT,
    "PartialSell": Classification.PARTIAL_SELL,
    "SecondSell": Classification.SECOND_SELL,
    "BalanceBurn": Classification.OK,
    "ApproveTrap": Classification.HONEYPOT,
    "RoleMint": Classification.OK,
    "Proxy1967": Classification.OK,
}
KINDS = tuple(EXPECTED)

HARDER: dict[str, bool] = {
    "SimAwareRich": False,
    "SimAwareRandom": False,
    "SimAwareGasLimit": False,
    "DelayedBlacklist": False,
    "ProfitOnly": False,
    "LyingBalance": False,
    "Melting": False,
    "OldStyle": True,
    "Nameless": True,
}
"""Kinds beyond the thirty, and whether a buyer who holds for some time gets out. How an unsafe one is
classified is open; that it is not called safe is not."""
UNPAIRED = ("NormalRenounced", "RoleMint", "OldStyle", "Nameless")
"""Kinds that do not ask which pair they are in."""

TAXES: dict[str, tuple[int, int]] = {
    "Fot5": (500, 500),
    "BuySellTax": (300, 700),
    "CappedTax": (200, 200),
    "Sell99": (0, 9_900),
    "TaxFlip": (0, 200),
    "TaxFlipTime": (0, 200),
    "LaunchTax": (0, 9_000),
}
"""Basis points to buy and to sell right after the listing; none for the kinds that are not named."""

SENT: dict[str, str] = {
    kind: "buy refused" if kind == "NotOpen" else "sell refused"
    for kind in (
        "NotOpen", "AutoBlacklist", "SellFlag", "WhitelistSell", "SimAwareGas", "SimAwareCoinbase", "FakeTransfer",
        "PartialSell", "ApproveTrap",
    )
}  # fmt: skip
"""What a really sent purchase and full sale two blocks later come to: these fail, all others go through."""


class Listing(NamedTuple):
    """Addresses in lower case."""

    token: str
    pool: str


class Sent(NamedTuple):
    """A mined transaction: whether it went through, its gas, and the contract if it made one."""

    hash: str
    ok: bool
    gas: int
    block: int
    created: str | None
    cost: int
    """Gas times price, in wei."""


@cache
def artifacts() -> dict[str, dict[str, Any]]:
    return json.loads((Path(__file__).parent / "contracts" / "zoo.json").read_text())["contracts"]


@cache
def anvil_account(index: int) -> LocalAccount:
    """One of anvil's own funded accounts; the exchange is deployed by the first."""
    Account.enable_unaudited_hdwallet_features()
    return Account.from_mnemonic(ANVIL_MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


def calldata(signature: str, *values: Any) -> str:
    """`transfer(address,uint256)` and its values as the data of a call."""
    types = signature[signature.index("(") + 1 : -1]
    return "0x" + (keccak(text=signature)[:4] + encode(types.split(",") if types else [], values)).hex()


async def until_waiting(node: Node, address: str) -> None:
    """Until a transaction of this account waits to be mined, where blocks come when they are asked for."""
    counts = [("eth_getTransactionCount", [address, at]) for at in ("latest", "pending")]
    async with asyncio.timeout(PATIENCE):
        while len(set(await node.batch(counts))) == 1:  # noqa: ASYNC110 - a node sets no event
            await asyncio.sleep(0.01)


async def transact(
    node: Node, account: LocalAccount, to: str | None, data: str = "0x", value: int = 0, gas: int = 8_000_000
) -> Sent:
    """Signs, sends and waits for one transaction, which may revert."""
    nonce, chain_id, head = await asyncio.gather(
        node.call("eth_getTransactionCount", [account.address, "pending"]),
        node.call("eth_chainId", []),
        node.call("eth_getBlockByNumber", ["latest", False]),
    )
    fields = {
        "type": 2,
        "chainId": int(chain_id, 16),
        "nonce": int(nonce, 16),
        "gas": gas,
        "maxPriorityFeePerGas": 10**9,
        "maxFeePerGas": 10 * int(head["baseFeePerGas"], 16) + 10**9,
        "value": value,
        "data": data,
    }
    signed = account.sign_transaction(fields | ({"to": to_checksum_address(to)} if to else {}))
    sent = await node.call("eth_sendRawTransaction", ["0x" + signed.raw_transaction.hex()])
    while (receipt := await node.call("eth_getTransactionReceipt", [sent])) is None:  # noqa: ASYNC110
        await asyncio.sleep(0.02)
    used = int(receipt["gasUsed"], 16)
    created = receipt.get("contractAddress")
    return Sent(
        hash=sent,
        ok=receipt["status"] == "0x1",
        gas=used,
        block=int(receipt["blockNumber"], 16),
        created=created.lower() if created else None,
        cost=used * int(receipt["effectiveGasPrice"], 16),
    )


async def deploy_token(
    node: Node,
    kind: str,
    *,
    account: LocalAccount | None = None,
    name: str = "",
    symbol: str = "",
    extra: tuple[int, ...] = (),
) -> str:
    """A token of a kind (or `Taxed` with two taxes in basis points as `extra`), the supply with its deployer."""
    account = account or anvil_account(9)
    types = ["string", "string", "uint256", *["uint256"] * len(extra)]
    arguments = encode(types, [name or f"{kind} Token", symbol or kind[:8].upper(), SUPPLY, *extra])
    sent = await transact(node, account, None, artifacts()[kind]["bytecode"] + arguments.hex())
    assert sent.ok, f"{kind} was not deployed"
    assert sent.created
    return sent.created


async def list_token(
    node: Node,
    exchange: Exchange,
    kind: str,
    *,
    account: LocalAccount | None = None,
    pool_wei: int = POOL_WEI,
    name: str = "",
    symbol: str = "",
    extra: tuple[int, ...] = (),
) -> Listing:
    """Deploys a token of a kind and lists it against the coin, by anvil's last account unless told otherwise."""
    account = account or anvil_account(9)
    await propose_blocks_as_somebody(node)
    token = await deploy_token(node, kind, account=account, name=name, symbol=symbol, extra=extra)
    pool = exchange.pool_of(token)
    if kind == "HiddenOwner":
        assert (await transact(node, account, token, calldata("initPair(address)", pool))).ok
    elif kind not in UNPAIRED:
        assert (await transact(node, account, token, calldata("setPair(address)", pool))).ok
    await add_liquidity(node, exchange, token, account, pool_wei)
    assert await node.call("eth_getCode", [pool, "latest"]) != "0x", (
        "the pair is not where it was computed to be"
    )
    return Listing(token, pool)


async def add_liquidity(
    node: Node, exchange: Exchange, token: str, account: LocalAccount, pool_wei: int = POOL_WEI
) -> Sent:
    """The launch: approves the router and puts tokens and coins into the pool, which it creates if need be."""
    assert (await approve(node, exchange, token, account)).ok
    signature = "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)"
    data = calldata(signature, token, LISTED, 0, 0, account.address, FOREVER)
    sent = await transact(node, account, exchange.router, data, pool_wei)
    assert sent.ok, f"{token} was not listed"
    return sent


async def propose_blocks_as_somebody(node: Node) -> None:
    """Gives anvil's blocks a proposer when they have none."""
    head = await node.call("eth_getBlockByNumber", ["latest", False])
    if int(head["miner"], 16) == 0:
        await node.call("anvil_setCoinbase", [COINBASE])


async def balance_of(node: Node, token: str, holder: str) -> int:
    call = {"to": token, "data": calldata("balanceOf(address)", holder)}
    return int(await node.call("eth_call", [call, "latest"]), 16)


async def buy(node: Node, exchange: Exchange, token: str, account: LocalAccount, amount: int) -> Sent:
    """Really buys with the coin, whatever comes out."""
    data = calldata(
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
        0, [exchange.wrapped, token], account.address, FOREVER,
    )  # fmt: skip
    return await transact(node, account, exchange.router, data, amount)


async def sell(
    node: Node,
    exchange: Exchange,
    token: str,
    account: LocalAccount,
    quantity: int,
    *,
    gas: int = 8_000_000,
) -> Sent:
    """Really sells for the coin, whatever comes out; the router must be approved."""
    data = calldata(
        "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
        quantity, 0, [token, exchange.wrapped], account.address, FOREVER,
    )  # fmt: skip
    return await transact(node, account, exchange.router, data, gas=gas)


async def approve(node: Node, exchange: Exchange, token: str, account: LocalAccount) -> Sent:
    return await transact(
        node, account, token, calldata("approve(address,uint256)", exchange.router, MAX_UINT)
    )
