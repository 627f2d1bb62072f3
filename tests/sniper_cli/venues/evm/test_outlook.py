"""What is told about a waiting transaction is what the remedies do: not a block earlier, not another thing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from sniper_cli.chains.node import Head
from sniper_cli.venues.evm.outlook import outlook
from sniper_cli.venues.evm.policy import GWEI, ExecutionPolicy
from sniper_cli.venues.evm.remedies import Patient, remedy_for
from state.orders import Side
from state.transactions import ChainTransaction, Channel, Purpose, TransactionState

ORDER = UUID(int=1)
ADDRESS = "0x" + "11" * 20
NOW = 1_800_000_000
HEAD = Head(100, "0x" + "aa" * 32, "0x" + "bb" * 32, NOW, GWEI, 30_000_000, "0x" + "00" * 20)
POLICY = ExecutionPolicy(max_fee=300 * GWEI)
SECONDS = Decimal(12)


def patient(
    *,
    known: bool = True,
    first: bool = True,
    launch: bool = False,
    gap: int | None = None,
    behind: str = "",
    **fields: Any,
) -> Patient:
    """A purchase sent at block 100 that bids 3 gwei."""
    told = {
        "account_id": UUID(int=2),
        "order_id": ORDER,
        "purpose": Purpose.BUY,
        "chain_id": 1,
        "sender": ADDRESS,
        "nonce": 7,
        "tx_hash": "0x" + "cc" * 32,
        "raw": "0x",
        "to": ADDRESS,
        "value": 10,
        "gas_limit": 200_000,
        "max_fee": 3 * GWEI,
        "priority_fee": 2 * GWEI,
        "state": TransactionState.SENT,
        "planned_block": 100,
        "sent_block": 100,
    }
    order = SimpleNamespace(
        id=ORDER,
        side=Side.BUY,
        launch_id=UUID(int=3) if launch else None,
        reason={"behind": behind} if behind else {},
    )
    return Patient(cast("Any", order), ChainTransaction(**told | fields), known, first, gap)


CASES = {
    "its bid is raised after the ladder's blocks": (patient(), POLICY, 103, "its bid is raised"),
    "what follows another is not raised past it": (
        patient(behind="0xaa"),
        replace(POLICY, stuck_blocks=1),
        103,
        "its bid is raised",
    ),
    "nobody has it": (patient(known=False), POLICY, 100, "the same bytes are sent again"),
    "nobody uses the nonce before it": (
        patient(first=False, gap=6),
        POLICY,
        102,
        "the gap before it is filled: no transaction is known under nonce 6",
    ),
    "its deadline passes first": (
        patient(deadline=NOW + 24),
        replace(POLICY, stuck_blocks=2),
        102,
        "it is ended under its nonce: its deadline has passed",
    ),
    "a launch's purchase grows stale": (
        patient(launch=True, planned_block=89, sent_block=100),
        replace(POLICY, stuck_blocks=1),
        101,
        "it is ended under its nonce: a launch buy of 12 blocks ago",
    ),
    "a relay's blocks run out": (
        patient(channel=Channel.PRIVATE, relay="flashbots", until_block=120),
        POLICY,
        120,
        "its bid is raised: no relay placed it in 20 blocks",
    ),
    "the cap leaves a purchase only its end": (
        patient(),
        replace(POLICY, max_fee=int(3.6 * GWEI)),
        103,
        "it is ended under its nonce: not mined after 3 blocks, and the cap allows no higher bid",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_next_thing_is_told_with_its_block(case: tuple[Patient, ExecutionPolicy, int, str]) -> None:
    waiting, policy, block, words = case
    told = outlook(waiting, HEAD, policy, ADDRESS, block_seconds=SECONDS)
    assert (told.at_block, told.words[: len(words)]) == (block, words)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_before_that_block_nothing_is_done_and_then_just_that(
    case: tuple[Patient, ExecutionPolicy, int, str],
) -> None:
    waiting, policy, block, _ = case
    told = outlook(waiting, HEAD, policy, ADDRESS, block_seconds=SECONDS)
    for number in range(HEAD.number, block):
        earlier = replace(HEAD, number=number, timestamp=NOW + 12 * (number - HEAD.number))
        assert remedy_for(waiting, earlier, policy, ADDRESS) is None
    then = replace(HEAD, number=block, timestamp=NOW + 12 * (block - HEAD.number))
    remedy = remedy_for(waiting, then, policy, ADDRESS)
    assert remedy is not None
    assert told.words.endswith(remedy.why)
    assert told.fees == (None if remedy.details is None else remedy.details.fees)


def test_what_stands_behind_another_waits_for_it() -> None:
    told = outlook(patient(first=False), HEAD, POLICY, ADDRESS, block_seconds=SECONDS)
    assert (told.at_block, told.words) == (None, "waits for the one before it")


def test_a_sale_at_the_cap_waits_for_the_base_fee() -> None:
    waiting = patient(purpose=Purpose.SELL)
    waiting.order.side = Side.SELL
    told = outlook(waiting, HEAD, replace(POLICY, max_fee=int(3.1 * GWEI)), ADDRESS, block_seconds=SECONDS)
    assert told.at_block is None
    assert "waits for the base fee to fall" in told.words


def test_a_sale_may_be_raised_above_the_cap_of_purchases() -> None:
    """Getting out may be worth more than getting in: the sale's own cap counts, for bid and for replacement."""
    waiting = patient(purpose=Purpose.SELL)
    waiting.order.side = Side.SELL
    policy = replace(POLICY, max_fee=int(3.1 * GWEI), exit_max_fee=40 * GWEI)
    told = outlook(waiting, HEAD, policy, ADDRESS, block_seconds=SECONDS)
    assert told.fees is not None
    assert 3.1 * GWEI < told.fees.max_fee <= 40 * GWEI
    assert policy.bid(HEAD, urgency=3).max_fee == int(3.1 * GWEI)
    assert policy.bid(HEAD, urgency=3, side=Side.SELL).max_fee > int(3.1 * GWEI)
