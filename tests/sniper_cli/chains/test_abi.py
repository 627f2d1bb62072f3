"""Selectors and topics are those of the signatures; slicing reads what the ABI encoder wrote."""

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.profiles import UNISWAP_V3_INIT_CODE_HASH

ROUTED = "uint256,uint256,uint256,address,uint256"
PERMIT = "bool,uint8,bytes32,bytes32"

CALLS = {
    "balanceOf(address)": abi.CALL_BALANCE_OF,
    "approve(address,uint256)": abi.CALL_APPROVE,
    "allowance(address,address)": abi.CALL_ALLOWANCE,
    "transfer(address,uint256)": abi.CALL_TRANSFER,
    "transferFrom(address,address,uint256)": abi.CALL_TRANSFER_FROM,
    "totalSupply()": abi.CALL_TOTAL_SUPPLY,
    "decimals()": abi.CALL_DECIMALS,
    "symbol()": abi.CALL_SYMBOL,
    "name()": abi.CALL_NAME,
    "owner()": abi.CALL_OWNER,
    "deposit()": abi.CALL_DEPOSIT,
    "withdraw(uint256)": abi.CALL_WITHDRAW,
    "getPair(address,address)": abi.CALL_GET_PAIR,
    "getPool(address,address,uint24)": abi.CALL_GET_POOL,
    "createPair(address,address)": abi.CALL_CREATE_PAIR,
    "getReserves()": abi.CALL_GET_RESERVES,
    "token0()": abi.CALL_TOKEN0,
    "token1()": abi.CALL_TOKEN1,
    "burn(address)": abi.CALL_PAIR_BURN,
    "factory()": abi.CALL_FACTORY,
    "WETH()": abi.CALL_WETH,
    f"addLiquidityETH(address,{ROUTED})": abi.CALL_ADD_LIQUIDITY_ETH,
    "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)": abi.CALL_ADD_LIQUIDITY,
    "createAndInitializePoolIfNecessary(address,address,uint24,uint160)": abi.CALL_CREATE_POOL,
    "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))": (
        abi.CALL_MINT_POSITION
    ),
    "multicall(bytes[])": abi.CALL_MULTICALL,
    "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))": abi.CALL_DECREASE_LIQUIDITY,
    "positions(uint256)": abi.CALL_POSITIONS,
    "liquidity()": abi.CALL_LIQUIDITY,
    "burn(int24,int24,uint128)": abi.CALL_BURN_V3,
    "modifyLiquidities(bytes,uint256)": abi.CALL_MODIFY_LIQUIDITIES,
    "getPoolAndPositionInfo(uint256)": abi.CALL_POSITION_INFO,
    "getPositionLiquidity(uint256)": abi.CALL_POSITION_LIQUIDITY,
    "ownerOf(uint256)": abi.CALL_OWNER_OF,
    "getApproved(uint256)": abi.CALL_GET_APPROVED,
    "isApprovedForAll(address,address)": abi.CALL_APPROVED_FOR_ALL,
    "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)": abi.CALL_BUY,
    "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)": abi.CALL_SELL,
    f"removeLiquidity(address,address,{ROUTED})": abi.CALL_REMOVE_LIQUIDITY,
    f"removeLiquidityETH(address,{ROUTED})": abi.CALL_REMOVE_LIQUIDITY_ETH,
    f"removeLiquidityETHSupportingFeeOnTransferTokens(address,{ROUTED})": abi.CALL_REMOVE_LIQUIDITY_ETH_TAXED,
    f"removeLiquidityWithPermit(address,address,{ROUTED},{PERMIT})": abi.CALL_REMOVE_LIQUIDITY_PERMIT,
    f"removeLiquidityETHWithPermit(address,{ROUTED},{PERMIT})": abi.CALL_REMOVE_LIQUIDITY_ETH_PERMIT,
    f"removeLiquidityETHWithPermitSupportingFeeOnTransferTokens(address,{ROUTED},{PERMIT})": (
        abi.CALL_REMOVE_LIQUIDITY_ETH_TAXED_PERMIT
    ),
}
TOPICS = {
    "PairCreated(address,address,address,uint256)": abi.PAIR_CREATED,
    "Swap(address,uint256,uint256,uint256,uint256,address)": abi.SWAP_V2,
    "Mint(address,uint256,uint256)": abi.MINT_V2,
    "Burn(address,uint256,uint256,address)": abi.BURN_V2,
    "Sync(uint112,uint112)": abi.SYNC_V2,
    "PoolCreated(address,address,uint24,int24,address)": abi.POOL_CREATED,
    "Swap(address,address,int256,int256,uint160,uint128,int24)": abi.SWAP_V3,
    "Mint(address,address,int24,int24,uint128,uint256,uint256)": abi.MINT_V3,
    "Burn(address,int24,int24,uint128,uint256,uint256)": abi.BURN_V3,
    "Initialize(bytes32,address,address,uint24,int24,address,uint160,int24)": abi.INITIALIZE_V4,
    "Swap(bytes32,address,int128,int128,uint160,uint128,int24,uint24)": abi.SWAP_V4,
    "ModifyLiquidity(bytes32,address,int24,int24,int256,bytes32)": abi.MODIFY_LIQUIDITY_V4,
    "Transfer(address,address,uint256)": abi.TRANSFER,
    "Approval(address,address,uint256)": abi.APPROVAL,
    "Deposit(address,uint256)": abi.DEPOSIT,
    "Withdrawal(address,uint256)": abi.WITHDRAWAL,
}
A, B = "0x" + "aB" * 20, "0x" + "cd" * 20


@pytest.mark.parametrize(("signature", "selector"), CALLS.items())
def test_a_selector_is_the_first_four_bytes_of_its_signatures_hash(signature: str, selector: str) -> None:
    assert selector == "0x" + keccak(text=signature)[:4].hex()


@pytest.mark.parametrize(("signature", "topic"), TOPICS.items())
def test_a_topic_is_its_signatures_hash(signature: str, topic: str) -> None:
    assert topic == "0x" + keccak(text=signature).hex()


def test_every_selector_and_topic_is_held_to_its_signature() -> None:
    named = {
        value
        for name, value in vars(abi).items()
        if name.isupper() and isinstance(value, str) and name != "UNISWAP_V2_INIT_CODE_HASH"
    }
    assert named == {*CALLS.values(), *TOPICS.values()}


def test_the_pool_stands_where_mainnet_has_it() -> None:
    # USDC/WETH on Ethereum mainnet: 0xB4e16d0168e52d35CaCD2c6185b44281Ec28C9Dc
    factory = "0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f"
    usdc, weth = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
    expected = "0xb4e16d0168e52d35cacd2c6185b44281ec28c9dc"
    assert abi.pair_address(factory, usdc, weth) == abi.pair_address(factory, weth, usdc) == expected


def test_a_v3_pool_stands_where_mainnet_has_it() -> None:
    # USDC/WETH at 0.3 % on Ethereum mainnet: 0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8
    factory = "0x1F98431c8aD98523631AE4a59f267346ea31F984"
    usdc, weth = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2"
    expected = "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8"
    for sides in ((usdc, weth), (weth, usdc)):
        assert abi.pool_address_v3(factory, *sides, 3000, UNISWAP_V3_INIT_CODE_HASH) == expected


def test_words_and_addresses_are_cut_out_of_the_data() -> None:
    data = "0x" + encode(["uint256", "address", "uint256"], [2**256 - 1, A, 7]).hex()
    assert abi.word(data, 0) == 2**256 - 1
    assert abi.address_word(data, 1) == A.lower()
    assert abi.word(data, 2) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        abi.word(data, 3)


def test_a_swap_and_a_transfer_are_read() -> None:
    swap = {"topics": [abi.SWAP_V2], "data": "0x" + encode(["uint256"] * 4, [1, 0, 0, 2]).hex()}
    assert abi.swap(swap) == (1, 0, 0, 2)
    transfer = {
        "topics": [abi.TRANSFER, abi.address_topic(A), abi.address_topic(B)],
        "data": "0x" + encode(["uint256"], [5]).hex(),
    }
    assert abi.transferred(transfer) == (A.lower(), B, 5)


@pytest.mark.parametrize(
    ("returned", "read"),
    [
        ("0x" + encode(["string"], ["Möhre"]).hex(), "Möhre"),
        ("0x" + b"MKR".ljust(32, b"\0").hex(), "MKR"),  # tokens of 2017 return bytes32
        ("0x", ""),
        ("0x" + "ff" * 64, ""),
    ],
)
def test_a_name_is_read_whatever_a_token_returns(returned: str, read: str) -> None:
    assert abi.text(returned) == read
