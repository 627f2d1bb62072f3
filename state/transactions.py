"""Chain transactions as we signed them: nonce, hash and raw bytes are committed before a node hears of them.

After a crash the same bytes are sent again, never a new signature under a new nonce while the old one may
still be mined: that is how a buy can never happen twice.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, select

from state.columns import optional_units, units_field, utc_now, word_field
from state.errors import IllegalTransition
from state.identifiers import new_id


class Purpose(StrEnum):
    BUY = "buy"
    SELL = "sell"
    APPROVE = "approve"
    REVOKE = "revoke"
    """An approval taken back."""
    CANCEL = "cancel"


class Channel(StrEnum):
    """How a transaction reaches whoever builds the blocks."""

    PUBLIC = "public"
    PRIVATE = "private"
    """To a relay that keeps it out of the mempool."""
    BUNDLE = "bundle"
    """With others, all or nothing, for named blocks."""


class TransactionState(StrEnum):
    RECORDED = "recorded"
    SENT = "sent"
    MINED = "mined"
    REVERTED = "reverted"
    """Mined, gas paid, nothing else happened."""
    REPLACED = "replaced"
    """Another transaction of ours took the nonce."""
    DROPPED = "dropped"


T = TransactionState

TRANSITIONS: dict[TransactionState, frozenset[TransactionState]] = {
    T.RECORDED: frozenset({T.SENT, T.MINED, T.REVERTED, T.REPLACED, T.DROPPED}),
    T.SENT: frozenset({T.MINED, T.REVERTED, T.REPLACED, T.DROPPED}),
    # A reorganisation puts a mined transaction back into the mempool.
    T.MINED: frozenset({T.SENT}),
    T.REVERTED: frozenset({T.SENT}),
    T.REPLACED: frozenset({T.MINED, T.REVERTED, T.SENT, T.DROPPED}),
    T.DROPPED: frozenset({T.MINED, T.REVERTED, T.SENT}),
}

PENDING = frozenset({T.RECORDED, T.SENT})
"""May still be mined, and is the one meant to be."""

SETTLED = frozenset({T.MINED, T.REVERTED})
"""In a block, gas paid."""


class ChainTransaction(SQLModel, table=True):
    """One signed EIP-1559 transaction. Amounts in wei."""

    __tablename__ = "chain_transaction"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    order_id: UUID | None = Field(default=None, index=True)
    purpose: Purpose = word_field(Purpose)
    chain_id: int = Field(sa_type=sa.BigInteger)
    sender: str
    nonce: int = Field(sa_type=sa.BigInteger)
    tx_hash: str
    raw: str = Field(sa_type=sa.Text)
    to: str
    data: str = Field(default="0x", sa_type=sa.Text)
    value: int = units_field()
    gas_limit: int = Field(sa_type=sa.BigInteger)
    max_fee: int = units_field()
    priority_fee: int = units_field()
    state: TransactionState = word_field(TransactionState, index=True)
    channel: Channel = word_field(Channel, default=Channel.PUBLIC)
    relay: str | None = None
    """Which relay it was given to; none for the public mempool."""
    until_block: int | None = Field(default=None, sa_type=sa.BigInteger)
    """The last block for which a relay was asked to place it."""
    error: str | None = None
    block_number: int | None = Field(default=None, sa_type=sa.BigInteger)
    block_hash: str | None = None
    gas_used: int | None = Field(default=None, sa_type=sa.BigInteger)
    gas_cost: int | None = optional_units()
    """Wei really paid: gas used × effective gas price, plus the L1 fee where the chain charges one."""
    undone: int = 0
    """How often a reorganisation took it out of a block again; part of the key of its fill and its gas."""
    deadline: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Chain time (seconds) after which the swap can only revert."""
    planned_block: int | None = Field(default=None, sa_type=sa.BigInteger)
    """The head it was planned at: a launch buy is stale a few blocks later."""
    sent_block: int | None = Field(default=None, sa_type=sa.BigInteger)
    """The head when it was last sent: it is stuck when it is not mined a few blocks later."""
    created_at: datetime = Field(default_factory=utc_now)
    sent_at: datetime | None = None
    settled_at: datetime | None = None

    __table_args__ = (
        sa.UniqueConstraint("chain_id", "tx_hash"),
        sa.Index("ix_chain_transaction_nonce", "chain_id", "sender", "nonce"),
    )

    @property
    def trade_id(self) -> str:
        """The key of what it did: its hash, and a count once it has been mined anew after a reorganisation."""
        return f"{self.tx_hash}#{self.undone}" if self.undone else self.tx_hash

    def move_to(self, state: TransactionState) -> None:
        """Take a legal next state; raises IllegalTransition for any other."""
        if state not in TRANSITIONS[self.state]:
            raise IllegalTransition(f"transaction {self.tx_hash} is {self.state} and cannot become {state}")
        self.state = state


def live_nonces(session: Session, chain_id: int, sender: str, first: int) -> set[int]:
    """Nonces from `first` on that this sender has signed for and not given up: none of them may be signed again.

    A dropped transaction's nonce is free: it was refused before any node kept it, or another one was mined under it.
    """
    query = select(ChainTransaction.nonce).where(
        ChainTransaction.chain_id == chain_id,
        ChainTransaction.sender == sender,
        ChainTransaction.nonce >= first,
        col(ChainTransaction.state) != T.DROPPED,
    )
    return set(session.exec(query).all())


def highest_mined_nonce(session: Session, chain_id: int, sender: str) -> int | None:
    """The highest nonce of ours that was mined; none if none ever was."""
    query = select(sa.func.max(ChainTransaction.nonce)).where(
        ChainTransaction.chain_id == chain_id,
        ChainTransaction.sender == sender,
        col(ChainTransaction.state).in_(SETTLED),
    )
    value = session.exec(query).one()
    return None if value is None else int(value)


def transactions_of(session: Session, order_id: UUID) -> list[ChainTransaction]:
    """An order's transactions, oldest first."""
    query = (
        select(ChainTransaction)
        .where(ChainTransaction.order_id == order_id)
        .order_by(col(ChainTransaction.id))
    )
    return list(session.exec(query).all())
