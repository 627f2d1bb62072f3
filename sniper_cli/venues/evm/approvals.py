"""Approvals: the router's right to take a token, given once, by a recorded transaction like any other."""

from __future__ import annotations

from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange
from sniper_cli.chains.node import Node, head_from
from sniper_cli.venues.evm.planning import SwapRequest, approve_call
from sniper_cli.venues.evm.policy import ExecutionPolicy
from state.transactions import PENDING, ChainTransaction, Purpose, TransactionState

ENOUGH = 2**128
"""An allowance that no balance reaches: nothing needs to be approved."""


def standing_approval(session: Session, account_id: UUID, token: str) -> ChainTransaction | None:
    """An approval of ours that is on its way or mined."""
    query = select(ChainTransaction).where(
        ChainTransaction.account_id == account_id,
        ChainTransaction.purpose == Purpose.APPROVE,
        ChainTransaction.to == token,
        col(ChainTransaction.state).in_((*PENDING, TransactionState.MINED)),
    )
    return session.exec(query).first()


async def plan_approval(
    node: Node, exchange: Exchange, policy: ExecutionPolicy, address: str, token: str
) -> SwapRequest | None:
    """What would be sent; None when the chain says that the router may take the token already."""
    allowed = abi.encode_call(abi.CALL_ALLOWANCE, ["address", "address"], [address, exchange.router])
    block, pending, allowance = await node.batch(
        [
            ("eth_getBlockByNumber", ["latest", False]),
            ("eth_getTransactionCount", [address, "pending"]),
            ("eth_call", [{"to": token, "data": allowed}, "latest"]),
        ]
    )
    if len(allowance) >= 66 and int(allowance[:66], 16) >= ENOUGH:
        return None
    head = head_from(block)
    fees = policy.bid(head)
    return SwapRequest((approve_call(exchange, token),), fees, int(pending, 16), head, 0)
