"""What a node makes of a transaction is told apart by its words."""

from collections.abc import Callable

import pytest
from eth_account import Account

from sniper_cli.chains.broadcast import Fate, broadcast, fate_of
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeUnreachable
from tests.chain_fixtures import ADDRESSES, KEYS, Chain

GWEI = 10**9


def signed(**fields: int) -> str:
    transaction = {
        "to": bytes.fromhex(ADDRESSES[2][2:]),
        "value": 1,
        "gas": 21_000,
        "chainId": 31337,
        "maxFeePerGas": 100 * GWEI,
        "maxPriorityFeePerGas": 2 * GWEI,
        "nonce": 0,
    } | fields
    return Account.sign_transaction(transaction, KEYS[1]).raw_transaction.to_0x_hex()


async def waiting(anvil: Chain, **fields: int) -> Callable[..., str]:
    await anvil.node.call("evm_setAutomine", [False])
    assert (await broadcast(anvil.node, signed(**fields))).fate is Fate.ACCEPTED
    return signed


@pytest.fixture(autouse=True)
async def automine_again(anvil: Chain):
    yield
    await anvil.node.call("anvil_dropAllTransactions")
    await anvil.node.call("evm_setAutomine", [True])


async def test_the_same_bytes_twice_are_known(anvil: Chain) -> None:
    await waiting(anvil)
    again = await broadcast(anvil.node, signed())
    assert again.fate is Fate.KNOWN
    assert again.may_be_mined


async def test_a_lower_bid_under_the_same_nonce_is_underpriced(anvil: Chain) -> None:
    await waiting(anvil)
    assert (await broadcast(anvil.node, signed(maxFeePerGas=90 * GWEI))).fate is Fate.UNDERPRICED


async def test_a_used_nonce_is_told(anvil: Chain) -> None:
    await broadcast(anvil.node, signed())
    await anvil.mine()
    assert (await broadcast(anvil.node, signed(value=2))).fate is Fate.NONCE_USED


async def test_a_fee_cap_below_the_base_fee_is_told(anvil: Chain) -> None:
    await anvil.node.call("anvil_setNextBlockBaseFeePerGas", [hex(10 * GWEI)])
    await anvil.mine()
    low = await broadcast(anvil.node, signed(maxFeePerGas=GWEI, maxPriorityFeePerGas=1))
    assert low.fate is Fate.FEE_TOO_LOW, low.words


async def test_more_value_than_the_balance_is_told(anvil: Chain) -> None:
    poor = await broadcast(anvil.node, signed(value=10**30))
    assert poor.fate is Fate.NO_FUNDS, poor.words
    assert not poor.may_be_mined


async def test_what_is_not_understood_keeps_its_words(anvil: Chain) -> None:
    nonsense = await broadcast(anvil.node, "0x02c0")
    assert nonsense.fate is Fate.REFUSED
    assert nonsense.words


async def test_a_dead_node_leaves_the_fate_open() -> None:
    async with Node("http://127.0.0.1:9") as node:
        with pytest.raises(NodeUnreachable):
            await broadcast(node, signed())


@pytest.mark.parametrize(
    ("words", "fate"),
    [
        # geth core/txpool/errors.go and core/error.go
        ("already known", Fate.KNOWN),
        ("nonce too low: next nonce 5, tx nonce 3", Fate.NONCE_USED),
        ("replacement transaction underpriced", Fate.UNDERPRICED),
        ("transaction underpriced: gas tip cap 1, minimum needed 1000", Fate.FEE_TOO_LOW),
        (
            "max fee per gas less than block base fee: address 0x00, maxFeePerGas: 1, baseFee: 7",
            Fate.FEE_TOO_LOW,
        ),
        ("insufficient funds for gas * price + value: balance 0, tx cost 1", Fate.NO_FUNDS),
        ("intrinsic gas too low: gas 20000, minimum needed 21000", Fate.REFUSED),
        ("exceeds block gas limit", Fate.REFUSED),
        # Nethermind AcceptTxResult
        ("AlreadyKnown", Fate.KNOWN),
        ("OldNonce, Current nonce: 7, nonce of rejected tx: 3", Fate.NONCE_USED),
        ("FeeTooLow, MaxFeePerGas too low", Fate.FEE_TOO_LOW),
        ("InsufficientFunds, Account balance: 0", Fate.NO_FUNDS),
        ("NonceGap, Future nonce. Expected nonce: 4", Fate.NONCE_GAP),
        ("ReplacementNotAllowed, existing is known", Fate.UNDERPRICED),
        ("OwnNonceAlreadyUsed", Fate.UNDERPRICED),
        # geth's other reasons
        ("nonce too high", Fate.NONCE_GAP),
        ("txpool is full", Fate.POOL_FULL),
        ("future transaction tries to replace pending", Fate.UNDERPRICED),
        ("tx fee (2.00 ether) exceeds the configured cap (1.00 ether)", Fate.TOO_DEAR),
        ("max priority fee per gas higher than max fee per gas: address 0x00", Fate.REFUSED),
        # erigon txpoolcfg.DiscardReason
        ("existing tx with same hash", Fate.KNOWN),
        ("could not replace existing tx", Fate.UNDERPRICED),
        ("fee too low", Fate.FEE_TOO_LOW),
        # Besu TransactionInvalidReason
        ("Gas price below configured minimum gas price", Fate.FEE_TOO_LOW),
        ("gasPrice is less than the current BaseFee", Fate.FEE_TOO_LOW),
        ("Transaction fee cap exceeded", Fate.TOO_DEAR),
        ("Transaction nonce is too distant from current sender nonce", Fate.NONCE_GAP),
        ("Replacement transaction underpriced", Fate.UNDERPRICED),
        ("Known transaction", Fate.KNOWN),
        ("Upfront cost exceeds account balance", Fate.NO_FUNDS),
    ],
)
def test_the_words_of_other_nodes_are_understood(words: str, fate: Fate) -> None:
    assert fate_of(words) is fate
