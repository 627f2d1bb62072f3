"""Nonces and signatures, under the account's lock and inside the desk's transaction.

The nonce is the lowest that no transaction of ours claims, counted from what the node has seen: never one that
is signed and may live, and never leaving a gap that a later transaction would wait behind for ever.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains.fees import Fees
from sniper_cli.venues.evm.calls import Call
from sniper_cli.venues.evm.signer import Signer
from state import journal
from state.accounts import Account
from state.transactions import ChainTransaction, Channel, TransactionState, live_nonces


@dataclass(frozen=True, slots=True)
class Way:
    """By which door a transaction leaves: the mempool, or a relay that is asked to place it until a block."""

    channel: Channel = Channel.PUBLIC
    relay: str | None = None
    until_block: int | None = None


MEMPOOL = Way()


def free_nonces(session: Session, chain_id: int, sender: str, pending: int, count: int) -> list[int]:
    """The lowest nonces, from the node's pending count on, that no recorded transaction claims; ascending."""
    taken = live_nonces(session, chain_id, sender, pending)
    free = (nonce for nonce in itertools.count(pending) if nonce not in taken)
    return list(itertools.islice(free, count))


def sign_and_store(
    session: Session,
    account: Account,
    order: AnyOrder,
    call: Call,
    *,
    signer: Signer,
    nonce: int,
    fees: Fees,
    planned_block: int,
    deadline: int | None,
    actor: str,
    way: Way = MEMPOOL,
    legacy: bool = False,
) -> ChainTransaction:
    """Sign one call and store its bytes; committed with the caller's transaction, before any node hears of it."""
    assert account.chain_id is not None
    price = (
        {"gasPrice": fees.max_fee}
        if legacy
        else {"type": 2, "maxFeePerGas": fees.max_fee, "maxPriorityFeePerGas": fees.priority_fee}
    )
    unsigned: dict[str, Any] = {
        "chainId": account.chain_id,
        "nonce": nonce,
        "to": checksummed(call.to),
        "value": call.value,
        "gas": call.gas_limit,
        "data": call.data,
        **price,
    }
    raw, tx_hash = signer.sign(unsigned)
    former = _signed_before(session, account.chain_id, signer.address.lower(), nonce)
    while tx_hash in former:
        # The same call under a nonce given back signs to the same bytes; a gas more makes it another transaction.
        unsigned["gas"] += 1
        raw, tx_hash = signer.sign(unsigned)
    transaction = ChainTransaction(
        account_id=account.id,
        order_id=order.id,
        purpose=call.purpose,
        chain_id=account.chain_id,
        sender=signer.address.lower(),
        nonce=nonce,
        tx_hash=tx_hash,
        raw=raw,
        to=call.to,
        data=call.data,
        value=call.value,
        gas_limit=unsigned["gas"],
        max_fee=fees.max_fee,
        priority_fee=fees.priority_fee,
        state=TransactionState.RECORDED,
        deadline=deadline,
        planned_block=planned_block,
        channel=way.channel,
        relay=way.relay,
        until_block=way.until_block,
    )
    session.add(transaction)
    session.flush()
    journal.append(session, "transaction.recorded", transaction.id, figures(transaction), actor=actor)
    return transaction


def _signed_before(session: Session, chain_id: int, sender: str, nonce: int) -> set[str]:
    query = select(ChainTransaction.tx_hash).where(
        ChainTransaction.chain_id == chain_id,
        ChainTransaction.sender == sender,
        ChainTransaction.nonce == nonce,
    )
    return set(session.exec(query).all())


def figures(transaction: ChainTransaction) -> dict[str, Any]:
    """What identifies a transaction in the journal; the raw bytes stay in the table, their hash names them."""
    hidden = {
        "channel": transaction.channel.value,
        "relay": transaction.relay,
        "until_block": transaction.until_block,
    }
    return {
        "order": transaction.order_id,
        "purpose": transaction.purpose.value,
        "hash": transaction.tx_hash,
        "nonce": transaction.nonce,
        "to": transaction.to,
        "value": transaction.value,
        "gas_limit": transaction.gas_limit,
        "max_fee": transaction.max_fee,
        "priority_fee": transaction.priority_fee,
        **({} if transaction.channel is Channel.PUBLIC else hidden),
    }


def checksummed(address: str) -> str:
    """An address as signing libraries want it."""
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(address))


def outcome(transaction: ChainTransaction) -> dict[str, Any]:
    """What became of it, for the journal."""
    found = {
        "block": transaction.block_number,
        "block_hash": transaction.block_hash,
        "gas_used": transaction.gas_used,
        "gas_cost": transaction.gas_cost,
        "error": transaction.error,
    }
    return {name: value for name, value in found.items() if value is not None}
