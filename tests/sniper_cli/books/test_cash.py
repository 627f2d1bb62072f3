"""The ledger counts every movement once, and a balance is the sum of its entries."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sniper_cli.books.cash import move_cash
from sniper_cli.books.records import Page
from state.accounts import COUNTERPARTS, LedgerEntry, Movement
from state.database import Database
from tests.books_fixtures import COIN, POINT, PURSE, Ledger


@pytest.fixture
def ledger(database: Database) -> Iterator[Ledger]:
    found = Ledger(database)
    yield found
    found.assert_tables_agree()
    found.books.close()


def book(
    ledger: Ledger, amount: int, reference: str, *, movement: Movement = Movement.DEPOSIT, asset: str = POINT
) -> bool:
    return ledger.turn(lambda page: move_cash(page, asset, movement, amount, reference=reference))


def test_a_movement_changes_the_balance(ledger: Ledger) -> None:
    assert book(ledger, 2**200, "one")
    assert book(ledger, -5, "two")
    assert ledger.holds(POINT) == 2**200 - 5


def test_the_same_movement_counts_once(ledger: Ledger) -> None:
    book(ledger, 100, "one")
    assert not book(ledger, 100, "one")
    assert ledger.holds(POINT) == 100
    assert len(ledger.entries(LedgerEntry.asset_id == POINT)) == 1


def test_the_same_movement_twice_on_one_page_counts_once(ledger: Ledger) -> None:
    def work(page: Page) -> list[bool]:
        return [move_cash(page, POINT, Movement.FUNDING, -3, reference="08:00") for _ in range(2)]

    assert ledger.turn(work) == [True, False]
    assert ledger.holds(POINT) == -3


def test_a_reference_is_its_movements_and_its_assets_own(ledger: Ledger) -> None:
    assert book(ledger, 1, "one")
    assert book(ledger, 1, "one", movement=Movement.TRANSFER)
    assert book(ledger, 1, "one", asset=COIN)
    assert (ledger.holds(POINT), ledger.holds(COIN)) == (2, PURSE + 1)


def test_the_balance_is_the_sum_of_its_entries(ledger: Ledger) -> None:
    for number in range(20):
        book(ledger, (-1) ** number * number * 10**70, str(number))
    entries = ledger.entries(LedgerEntry.asset_id == POINT)
    assert len(entries) == 20
    assert ledger.holds(POINT) == sum(entry.amount for entry in entries) == -10 * 10**70


@pytest.mark.parametrize("movement", Movement)
def test_every_movement_names_its_other_side(ledger: Ledger, movement: Movement) -> None:
    book(ledger, 7, "one", movement=movement)
    [entry] = ledger.entries(LedgerEntry.asset_id == POINT)
    assert (entry.movement, entry.counterpart, entry.amount) == (movement, COUNTERPARTS[movement], 7)


def test_trades_are_one_entry_a_record_and_movement(ledger: Ledger) -> None:
    bought = ledger.buy(100, 1000, fee=3)
    trades = {
        (x.asset_id[5:], x.movement.value): x for x in ledger.entries(LedgerEntry.reference != "opening")
    }
    assert {key: entry.amount for key, entry in trades.items()} == {
        ("TOKEN", "buy"): 100,
        ("COIN", "buy"): -1000,
        ("COIN", "fee"): -3,
    }
    assert {entry.reference for entry in trades.values()} == {f"record:{ledger.fill_row(bought).seq}"}
