"""Why a call failed, in words that a person understands."""

import pytest
from eth_abi import encode
from eth_utils import keccak

from sniper_cli.safety.reverts import KNOWN, PANICS, revert_reason


def selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


def words(data: bytes, used: int = 50_000, limit: int = 300_000) -> str:
    return revert_reason(data, gas_used=used, gas_limit=limit)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (selector("Error(string)") + encode(["string"], ["trading paused"]), "revert 'trading paused'"),
        (selector("Error(string)") + encode(["string"], ["\x1b[1mbold"]), "revert '[1mbold'"),
        (selector("Error(string)") + b"\xff" * 10, "revert with error 0x08c379a0"),
        (selector("Panic(uint256)") + encode(["uint256"], [0x11]), "panic: an arithmetic overflow"),
        (selector("Panic(uint256)") + encode(["uint256"], [0x99]), "panic: code 153"),
        (selector("EnforcedPause()"), "revert EnforcedPause"),
        (bytes.fromhex("deadbeef00"), "revert with error 0xdeadbeef"),
        (b"", "revert without a reason"),
    ],
)
def test_a_revert_is_told_in_words(data: bytes, told: str) -> None:
    assert words(data) == told


def test_a_call_that_spent_its_gas_ran_out_of_it_whatever_the_router_says() -> None:
    said = selector("Error(string)") + encode(["string"], ["TransferHelper: TRANSFER_FROM_FAILED"])
    assert words(said, used=295_000) == "out of gas"
    assert words(b"", used=300_000) == "out of gas"


@pytest.mark.parametrize(
    "signature",
    [
        "ERC20InsufficientBalance(address,uint256,uint256)",
        "ERC20InsufficientAllowance(address,uint256,uint256)",
        "ERC20InvalidSender(address)",
        "ERC20InvalidReceiver(address)",
        "OwnableUnauthorizedAccount(address)",
        "EnforcedPause()",
        "SwapAmountCannotBeZero()",
        "CurrencyNotSettled()",
        "V4TooLittleReceived(uint256,uint256)",
    ],
)
def test_the_known_errors_are_those_of_their_signatures(signature: str) -> None:
    assert KNOWN[selector(signature)] == signature.split("(", maxsplit=1)[0]
    assert len(KNOWN) == 9


def test_panic_codes_are_solidity_s() -> None:
    """Solidity documentation, "Panic via assert and Error via require"."""
    assert set(PANICS) == {0x01, 0x11, 0x12, 0x21, 0x31, 0x32, 0x41, 0x51}
