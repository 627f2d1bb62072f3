"""What clients' refusals mean for their endpoint, in the words that they really use."""

from __future__ import annotations

import pytest

from sniper_cli.endpoints.faults import Fault, fault_of, harms
from sniper_cli.errors import NetworkError, NodeRefused, NodeTimeout, NodeUnreachable


def refused(code: int | None, message: str, method: str = "eth_call") -> NodeRefused:
    error = NodeRefused(f"the node refused {method}: {message}")
    error.details = {"method": method, "code": code, "message": message, "data": None}
    return error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-32000, "header not found"),  # geth
        (-32000, "missing trie node 5a3c… (path ) state 0x5a3c… is not available"),  # geth, pruned
        (-32001, "block not found: 0x1b4"),  # reth
        (-32000, "required historical state unavailable (reexec=128)"),  # geth
        (-32602, "BlockOutOfRangeError: block height is 10 but requested was 12"),  # anvil
        (-32000, "distance to target block exceeds maximum proof window"),  # reth
    ],
)
def test_a_missing_block_or_state_is_skew(code: int, words: str) -> None:
    assert fault_of(refused(code, words)) is Fault.SKEW
    assert not harms(Fault.SKEW)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (refused(3, "execution reverted: block not found"), Fault.ANSWER),
        (refused(-32000, "nonce too low"), Fault.ANSWER),
        (refused(-32000, "insufficient funds for gas * price + value"), Fault.ANSWER),
        (refused(-32601, "the method eth_simulateV1 does not exist/is not available"), Fault.UNABLE),
        (refused(-32005, "daily request count exceeded, request rate limited"), Fault.BUSY),
        (refused(429, "HTTP 429 Too Many Requests", "HTTP"), Fault.BUSY),
        (refused(502, "HTTP 502 Bad Gateway", "HTTP"), Fault.BROKEN),
        (NodeTimeout("silent"), Fault.FROZEN),
        (NodeUnreachable("refused"), Fault.BROKEN),
        (NetworkError("not JSON"), Fault.BROKEN),
    ],
)
def test_whose_fault_it_is(error: NetworkError, fault: Fault) -> None:
    assert fault_of(error) is fault
