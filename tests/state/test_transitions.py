"""What may follow what: the table holds in code, and an illegal step writes nothing."""

import pytest

from sniper_cli.books.holdings import BookedOrder
from state.errors import IllegalTransition
from state.identifiers import new_id
from state.orders import (
    AT_VENUE,
    TRANSITIONS,
    UNRESOLVED,
    WORKING,
    Order,
    OrderState,
    OrderType,
    Side,
    TimeInForce,
)
from state.transactions import PENDING, ChainTransaction, Purpose, TransactionState
from state.transactions import TRANSITIONS as TRANSACTION_TRANSITIONS


def order(state: OrderState) -> Order:
    return Order(
        account_id=new_id(),
        client_order_id="c",
        instrument_id="i",
        side=Side.BUY,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.IOC,
        state=state,
        version=0,
    )


def transaction(state: TransactionState) -> ChainTransaction:
    return ChainTransaction(
        account_id=new_id(), purpose=Purpose.BUY, chain_id=1, sender="a", nonce=0, tx_hash="h", raw="r", to="t",
        value=0, gas_limit=1, max_fee=1, priority_fee=1, state=state,
    )  # fmt: skip


@pytest.mark.parametrize("before", OrderState)
@pytest.mark.parametrize("after", OrderState)
def test_an_order_takes_legal_steps_only(before: OrderState, after: OrderState) -> None:
    subject = order(before)
    if after in TRANSITIONS[before]:
        subject.move_to(after, explanation="because")
        assert (subject.state, subject.version, subject.explanation) == (after, 1, "because")
        return
    with pytest.raises(IllegalTransition):
        subject.move_to(after)
    assert (subject.state, subject.version) == (before, 0)


@pytest.mark.parametrize("before", TransactionState)
@pytest.mark.parametrize("after", TransactionState)
def test_a_transaction_takes_legal_steps_only(before: TransactionState, after: TransactionState) -> None:
    subject = transaction(before)
    if after in TRANSACTION_TRANSITIONS[before]:
        subject.move_to(after)
        assert subject.state is after
        return
    with pytest.raises(IllegalTransition):
        subject.move_to(after)
    assert subject.state is before


def test_every_state_has_its_row() -> None:
    assert set(TRANSITIONS) == set(OrderState)
    assert set(TRANSACTION_TRANSITIONS) == set(TransactionState)


def test_nothing_follows_a_refusal() -> None:
    assert TRANSITIONS[OrderState.REFUSED] == frozenset()


def test_only_a_reorganisation_reopens_a_full_fill() -> None:
    assert TRANSITIONS[OrderState.FILLED] == {OrderState.SENT}


def test_only_what_no_venue_has_heard_of_comes_to_be_recorded() -> None:
    assert {before for before, after in TRANSITIONS.items() if OrderState.RECORDED in after} == {
        OrderState.HELD
    }
    assert not any(OrderState.HELD in after for after in TRANSITIONS.values())
    assert UNRESOLVED < AT_VENUE < WORKING


def test_what_is_over_is_reopened_by_a_late_fill_or_a_reorganisation_only() -> None:
    for state in set(OrderState) - WORKING:
        assert TRANSITIONS[state] <= {
            OrderState.SENT,
            OrderState.PARTIALLY_FILLED,
            OrderState.FILLED,
            OrderState.REJECTED,
        }


@pytest.mark.parametrize("before", OrderState)
@pytest.mark.parametrize("after", OrderState)
def test_the_book_keeps_the_same_table(before: OrderState, after: OrderState) -> None:
    subject = BookedOrder(
        "0" * 32, "c", "i", Side.BUY, OrderType.MARKET, TimeInForce.IOC, 1, None, None, before, 0, at=1
    )
    if after in TRANSITIONS[before]:
        subject.move_to(after, 2, "because")
        assert (subject.state, subject.version, subject.updated) == (after, 1, 2)
        return
    with pytest.raises(IllegalTransition):
        subject.move_to(after, 2)
    assert (subject.state, subject.version) == (before, 0)


def test_a_reorganisation_can_undo_what_was_mined() -> None:
    for mined in (TransactionState.MINED, TransactionState.REVERTED):
        assert TRANSACTION_TRANSITIONS[mined] & PENDING
