"""What an address really holds, at one block, and whether the ledger can know all of it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.chains import abi
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.venues.venue import Holdings
from state.accounts import Account, evm_asset_id
from state.database import Database
from state.transactions import PENDING, SETTLED, ChainTransaction


async def count_holdings(
    database: Database, node: Node, account: Account, address: str, asset_ids: Sequence[str]
) -> Holdings:
    """Coins and tokens of an address at the newest block."""
    assert account.chain_id is not None
    head = await node.head()
    coin, at = evm_asset_id(account.chain_id), hex(head.number)
    tokens = [asset for asset in asset_ids if asset != coin]
    holder = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [address])
    answers = await node.batch(
        [
            ("eth_getTransactionCount", [address, at]),
            ("eth_getBalance", [address, at]),
            *(("eth_call", [{"to": token.rsplit(":", 1)[1], "data": holder}, at]) for token in tokens),
        ],
        return_errors=True,
    )
    for answer in answers[:2]:
        if isinstance(answer, NodeRefused):
            raise answer
    amounts = {coin: int(answers[1], 16)}
    for token, answer in zip(tokens, answers[2:], strict=True):
        # A contract that answers nothing, or refuses to, holds nothing for us.
        amounts[token] = int(answer[:66], 16) if isinstance(answer, str) and len(answer) >= 66 else 0
    with database.read() as session:
        complete = _is_complete(session, account, int(answers[0], 16))
    return Holdings(amounts, {"block": head.number, "hash": head.hash}, complete)


def _is_complete(session: Session, account: Account, mined: int) -> bool:
    """No transaction of ours is in a block but not in the ledger, or in the ledger but not in a block."""
    mine = ChainTransaction.account_id == account.id
    unknown = sa.and_(col(ChainTransaction.state).in_(PENDING), col(ChainTransaction.nonce) < mined)
    ahead = sa.and_(col(ChainTransaction.state).in_(SETTLED), col(ChainTransaction.nonce) >= mined)
    return session.exec(select(ChainTransaction.id).where(mine, sa.or_(unknown, ahead))).first() is None
