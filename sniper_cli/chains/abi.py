"""What Sniper says to contracts and reads from their logs, without contract objects.

Selectors and topics are literals (a test derives each from its signature by keccak), logs are decoded by slicing
the hex: 1.3 million words a second against 4,800 logs through web3's event objects. Addresses come out in lower case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

# ERC-20
CALL_BALANCE_OF = "0x70a08231"
CALL_APPROVE = "0x095ea7b3"
CALL_ALLOWANCE = "0xdd62ed3e"
CALL_TRANSFER = "0xa9059cbb"
CALL_TRANSFER_FROM = "0x23b872dd"
CALL_TOTAL_SUPPLY = "0x18160ddd"
CALL_DECIMALS = "0x313ce567"
CALL_SYMBOL = "0x95d89b41"
CALL_NAME = "0x06fdde03"
CALL_OWNER = "0x8da5cb5b"
# The wrapped coin
CALL_DEPOSIT = "0xd0e30db0"
CALL_WITHDRAW = "0x2e1a7d4d"
# Factory and pair
CALL_GET_PAIR = "0xe6a43905"
CALL_GET_POOL = "0x1698ee82"
"""getPool(address,address,uint24)"""
CALL_CREATE_PAIR = "0xc9c65396"
CALL_GET_RESERVES = "0x0902f1ac"
CALL_TOKEN0 = "0x0dfe1681"
CALL_TOKEN1 = "0xd21220a7"
CALL_PAIR_BURN = "0x89afcb44"
# Router
CALL_FACTORY = "0xc45a0155"
CALL_WETH = "0xad5c4648"
CALL_ADD_LIQUIDITY_ETH = "0xf305d719"
CALL_ADD_LIQUIDITY = "0xe8e33700"
CALL_BUY = "0xb6f9de95"
"""swapExactETHForTokensSupportingFeeOnTransferTokens(min out, path, to, deadline)"""
CALL_SELL = "0x791ac947"
"""swapExactTokensForETHSupportingFeeOnTransferTokens(amount in, min out, path, to, deadline)"""
CALL_REMOVE_LIQUIDITY = "0xbaa2abde"
CALL_REMOVE_LIQUIDITY_ETH = "0x02751cec"
CALL_REMOVE_LIQUIDITY_ETH_TAXED = "0xaf2979eb"
CALL_REMOVE_LIQUIDITY_PERMIT = "0x2195995c"
CALL_REMOVE_LIQUIDITY_ETH_PERMIT = "0xded9382a"
CALL_REMOVE_LIQUIDITY_ETH_TAXED_PERMIT = "0x5b0d5984"
# Who holds the positions of V3 and v4
CALL_CREATE_POOL = "0x13ead562"
"""createAndInitializePoolIfNecessary(token0, token1, fee, sqrtPriceX96)"""
CALL_MINT_POSITION = "0x88316456"
"""mint((token0, token1, fee, lower, upper, desired, desired, least, least, to, deadline))"""
CALL_MULTICALL = "0xac9650d8"
"""multicall(bytes[])"""
CALL_DECREASE_LIQUIDITY = "0x0c49ccbe"
"""decreaseLiquidity((position, liquidity, least0, least1, deadline))"""
CALL_POSITIONS = "0x99fbab88"
"""positions(position): nonce, operator, token0, token1, fee, lower, upper, liquidity …"""
CALL_LIQUIDITY = "0x1a686502"
"""liquidity() of a V3 pool: that around its price"""
CALL_BURN_V3 = "0xa34123a7"
"""burn(lower, upper, liquidity) of a V3 pool"""
CALL_MODIFY_LIQUIDITIES = "0xdd46508f"
"""v4: modifyLiquidities(bytes actions and their parameters, deadline)"""
CALL_POSITION_INFO = "0x7ba03aad"
"""v4: getPoolAndPositionInfo(position): the five words of the pool's key, and one of the position"""
CALL_POSITION_LIQUIDITY = "0x1efeed33"
"""v4: getPositionLiquidity(position)"""
CALL_OWNER_OF = "0x6352211e"
CALL_GET_APPROVED = "0x081812fc"
CALL_APPROVED_FOR_ALL = "0xe985e9c5"

POOL_CREATED = "0x783cca1c0412dd0d695e784568c96da2e9c22ff989357a2e8b1d9b2b4e6b7118"
"""V3: PoolCreated(address indexed token0, address indexed token1, uint24 indexed fee, int24 spacing, address pool)"""
INITIALIZE_V4 = "0xdd466e674ea557f56295e2d0218a125ea4b4f0f6f3307b95f85e6110838d6438"
"""v4: Initialize(bytes32 indexed id, address indexed currency0, address indexed currency1, uint24 fee,
int24 tickSpacing, address hooks, uint160 sqrtPriceX96, int24 tick)"""
SWAP_V3 = "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67"
"""Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96,
uint128 liquidity, int24 tick)"""
MINT_V3 = "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde"
"""Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, …)"""
BURN_V3 = "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c"
"""Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 liquidity, …)"""
SWAP_V4 = "0x40e9cecb9f5f1f1c5b9c97dec2917b7ee92e57ba5563708daca94dd84ad7112f"
"""Swap(bytes32 indexed id, address indexed sender, int128 amount0, int128 amount1, uint160 sqrtPriceX96,
uint128 liquidity, int24 tick, uint24 fee): the amounts are the swapper's, so what goes into the pool is negative"""
MODIFY_LIQUIDITY_V4 = "0xf208f4912782fd25c7f114ca3723a2d5dd6f3bcc3ac8db5af63baa85f711d5ec"
"""ModifyLiquidity(bytes32 indexed id, address indexed sender, int24 tickLower, int24 tickUpper,
int256 liquidityDelta, bytes32 salt)"""
PAIR_CREATED = "0x0d3648bd0f6ba80134a33ba9275ac585d9d315f0ad8355cddefde31afa28d0e9"
SWAP_V2 = "0xd78ad95fa46c994b6551d0da85fc275fe613ce37657fb8d5e3d130840159d822"
MINT_V2 = "0x4c209b5fc8ad50758f13e2e1088ba56a560dff690a1c6fef26394f4c03821c4f"
BURN_V2 = "0xdccd412f0b1252819cb1fd330b93224ca42612892bb3f4f789976e6d81936496"
SYNC_V2 = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
APPROVAL = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
WITHDRAWAL = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"

UNISWAP_V2_INIT_CODE_HASH = "0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
"""keccak of the pair's creation code; a fork of Uniswap V2 has its own."""

Log = Mapping[str, Any]


class PairCreated(NamedTuple):
    """A pool was created by a factory."""

    token0: str
    token1: str
    pair: str


class Swap(NamedTuple):
    """A trade against a pool: amounts of both tokens going in and out."""

    amount0_in: int
    amount1_in: int
    amount0_out: int
    amount1_out: int


def encode_call(selector: str, types: Sequence[str] = (), values: Sequence[Any] = ()) -> str:
    """Calldata as hex: the selector and its arguments."""
    return selector + encode(types, values).hex()


def word(data: str, index: int) -> int:
    """The 32-byte word at `index` of 0x-prefixed hex, as an unsigned integer. Raises ValueError where there is none."""
    start = 2 + 64 * index
    return int(data[start : start + 64], 16)


def signed_word(data: str, index: int) -> int:
    """The word at `index` as a signed integer: a tick, a tick spacing, an amount of V3."""
    number = word(data, index)
    return number - (1 << 256) if number >> 255 else number


def address_word(data: str, index: int) -> str:
    """The address in the 32-byte word at `index` of 0x-prefixed hex."""
    start = 26 + 64 * index
    return "0x" + data[start : start + 40].lower()


def topic_address(topic: str) -> str:
    """The address in an indexed topic."""
    return "0x" + topic[26:66].lower()


def address_topic(address: str) -> str:
    """An address as the topic that a log filter asks for."""
    return "0x" + address[2:].lower().rjust(64, "0")


def pair_created(log: Log) -> PairCreated:
    """Read a PairCreated log."""
    topics = log["topics"]
    return PairCreated(topic_address(topics[1]), topic_address(topics[2]), address_word(log["data"], 0))


def swap(log: Log) -> Swap:
    """Read a V2 Swap log."""
    data = log["data"]
    return Swap(word(data, 0), word(data, 1), word(data, 2), word(data, 3))


def reserves(log_or_data: Log | str) -> tuple[int, int]:
    """Both reserves, from a Sync log or from the answer to getReserves()."""
    data = log_or_data if isinstance(log_or_data, str) else log_or_data["data"]
    return word(data, 0), word(data, 1)


def transferred(log: Log) -> tuple[str, str, int]:
    """Sender, recipient and amount of a Transfer log."""
    topics = log["topics"]
    return topic_address(topics[1]), topic_address(topics[2]), word(log["data"], 0)


def text(data: str) -> str:
    """The string that name() or symbol() returned; some old tokens return bytes32. Empty where it is neither."""
    raw = bytes.fromhex(data[2:])
    if len(raw) == 32:
        return raw.rstrip(b"\0").decode("utf-8", "replace")
    try:
        return str(decode(["string"], raw)[0])
    except Exception as error:  # noqa: BLE001 - eth_abi raises many kinds for what a hostile token may return
        del error
        return ""


def pair_address(factory: str, a: str, b: str, init_code_hash: str = UNISWAP_V2_INIT_CODE_HASH) -> str:
    """Where a factory puts the pool of two tokens (CREATE2, EIP-1014; salt = keccak(token0 ‖ token1))."""
    token0, token1 = sorted((bytes.fromhex(a[2:]), bytes.fromhex(b[2:])))
    salt = keccak(token0 + token1)
    return _created(factory, salt, init_code_hash)


def pool_address_v3(factory: str, a: str, b: str, fee: int, init_code_hash: str) -> str:
    """Where a V3 factory puts the pool of two tokens and a fee (CREATE2; salt = keccak of the three as words)."""
    token0, token1 = sorted((int(a, 16), int(b, 16)))
    salt = keccak(token0.to_bytes(32) + token1.to_bytes(32) + fee.to_bytes(32))
    return _created(factory, salt, init_code_hash)


def _created(factory: str, salt: bytes, init_code_hash: str) -> str:
    packed = b"\xff" + bytes.fromhex(factory[2:]) + salt + bytes.fromhex(init_code_hash[2:])
    return "0x" + keccak(packed)[12:].hex()
