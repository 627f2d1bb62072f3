"""What a transaction on a second layer pays for its place on the chain below, beyond its own gas.

Chains of the OP stack take it from the balance apart from the gas limit, and a contract at a fixed place tells how much
for given bytes. Arbitrum puts it into the gas itself, so that an estimate of the gas has it already, and nothing is
added here.
"""

from __future__ import annotations

from collections.abc import Sequence

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node

OP_STACK = frozenset({10, 8453, 7777777, 34443, 252, 130, 480, 57073})
"""OP Mainnet, Base, Zora, Mode, Fraxtal, Unichain, World Chain, Ink."""
OP_STACK_ORACLE = "0x420000000000000000000000000000000000000f"
CALL_GET_L1_FEE = "0x49948e0e"
"""getL1Fee(bytes): of the whole unsigned transaction; the oracle adds the signature itself."""
ENVELOPE = 110
"""Bytes of a transaction around its calldata: type, nonce, fees, gas, recipient, value."""


def oracle_of(setting: str, chain_id: int) -> str:
    """The oracle that the settings ask for; empty where none is to be asked."""
    if setting == "op_stack" or (setting == "auto" and chain_id in OP_STACK):
        return OP_STACK_ORACLE
    return ""


async def l1_fee(node: Node, oracle: str, calldata: Sequence[str]) -> int:
    """Wei that transactions of such calldata pay for the chain below. Raises NodeRefused, NodeUnreachable."""
    # The envelope's bytes are not known before it is signed; 0xff compresses and counts like any byte that is not zero.
    asked = [
        abi.encode_call(CALL_GET_L1_FEE, ["bytes"], [b"\xff" * ENVELOPE + bytes.fromhex(data[2:])])
        for data in calldata
    ]
    answers = await node.batch([("eth_call", [{"to": oracle, "data": data}, "latest"]) for data in asked])
    return sum(int(answer[:66], 16) for answer in answers if len(answer) >= 66)
