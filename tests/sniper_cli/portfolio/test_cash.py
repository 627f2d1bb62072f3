"""Money that a person moves: once a reference, never what has a claim on it, both sides of a transfer or none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sniper_cli.books.verification import verify
from sniper_cli.errors import InsufficientFunds, NotFound, UsageProblem
from sniper_cli.portfolio.cash import CashDesk, Payment, cursor, entries
from sniper_cli.trading import recording
from sniper_cli.trading.checks import Examination
from sniper_cli.trading.intents import OrderIntent
from sniper_cli.venues.paper import ensure_account
from state.accounts import Account, Asset, Movement, VenueKind, balance_of, find_account
from state.database import Database
from state.orders import OrderState, OrderType, Side
from tests.portfolio_fixtures import BTC, DOLLAR, Diary


@pytest.fixture
def desk(database: Database) -> Iterator[CashDesk]:
    """Two accounts: `paper` has a thousand, `second` five hundred; whatever a test does, the books hold."""
    ensure_account(database, "paper", deposit=Decimal(1000))
    ensure_account(database, "second", deposit=Decimal(500))
    yield CashDesk(database, actor="user:ada")
    assert list(verify(database).findings) == []


def pay(amount: str, reference: str | None = None, account: str = "paper", asset: str = "USDT") -> Payment:
    return Payment(amount, asset, account, reference)


def holds(desk: CashDesk, account: str = "paper", asset: str = "paper:USDT") -> int:
    with desk.database.read() as session:
        found = find_account(session, account)
        assert found is not None
        return balance_of(session, found.id, asset)


def test_a_deposit_counts_once_however_often_it_is_told(desk: CashDesk) -> None:
    first, again = (desk.deposit(pay("250.5", "may")) for _ in range(2))

    assert (first.amount, first.balance, first.replayed) == (Decimal("250.5"), Decimal("1250.5"), False)
    assert (again.balance, again.replayed) == (Decimal("1250.5"), True)
    assert holds(desk) == 1250_500_000


def test_a_reference_that_stands_for_another_amount_is_refused(desk: CashDesk) -> None:
    desk.deposit(pay("250", "may"))

    with pytest.raises(UsageProblem, match=r"'may' stands for \+250 USDT already"):
        desk.deposit(pay("300", "may"))


def test_without_a_reference_each_call_is_a_movement_of_its_own(desk: CashDesk) -> None:
    assert desk.deposit(pay("1")).reference != desk.deposit(pay("1")).reference
    assert holds(desk) == 1002 * DOLLAR


def test_a_dry_run_tells_the_balance_and_moves_nothing(desk: CashDesk) -> None:
    done = desk.withdraw(pay("400", "rent"), dry_run=True)

    assert (done.balance, done.dry_run) == (600, True)
    assert holds(desk) == 1000 * DOLLAR
    assert desk.withdraw(pay("400", "rent")).replayed is False


def test_more_than_there_is_cannot_leave(desk: CashDesk) -> None:
    with pytest.raises(InsufficientFunds, match=r"1000\.000001 of 1000 USDT that may leave paper"):
        desk.withdraw(pay("1000.000001"))


def test_what_an_open_order_may_cost_stays(desk: CashDesk, database: Database) -> None:
    diary = Diary(database)
    intent = OrderIntent(
        diary.account.id, BTC.id, Side.BUY, "mine", OrderType.LIMIT, quantity=10 * BTC.lot_units,
        limit_price=Decimal(60_000),
    )  # fmt: skip

    def work(page):
        order = recording.draft(page, intent, OrderState.OPEN)
        order.reserved = 60 * DOLLAR
        recording.write(page, order, Examination())

    diary.books.turn(diary.account.id, work)
    diary.close()

    with pytest.raises(InsufficientFunds):
        desk.withdraw(pay("940.000001"))
    assert desk.withdraw(pay("940")).balance == 60


def test_coins_that_a_position_holds_stay_and_others_may_go(desk: CashDesk, database: Database) -> None:
    diary = Diary(database)
    diary.buy(BTC, 50)
    diary.close()
    desk.deposit(pay("0.5", asset="BTC"))

    with pytest.raises(InsufficientFunds):
        desk.withdraw(pay("0.50000001", asset="BTC"))
    assert desk.withdraw(pay("0.5", asset="btc")).balance == Decimal("0.005")


def test_what_a_short_sale_brought_stays_for_buying_back(desk: CashDesk, database: Database) -> None:
    diary = Diary(database)
    diary.rules(margin=3)
    sold = diary.sell(BTC, 50)
    diary.close()
    fee = sold // 1000

    free = 1000 * DOLLAR - fee
    with pytest.raises(InsufficientFunds):
        desk.withdraw(pay(str(Decimal(free + 1) / DOLLAR)))
    assert desk.withdraw(pay(str(Decimal(free) / DOLLAR))).balance == Decimal(sold) / DOLLAR


def test_a_transfer_moves_both_sides_once(desk: CashDesk) -> None:
    first, again = (desk.transfer(pay("300", "stake"), "second") for _ in range(2))

    assert (first.amount, first.counter_account, first.replayed, again.replayed) == (
        -300,
        "second",
        False,
        True,
    )
    assert (holds(desk), holds(desk, "second")) == (700 * DOLLAR, 800 * DOLLAR)


def test_a_transfer_of_more_than_there_is_moves_neither_side(desk: CashDesk) -> None:
    with pytest.raises(InsufficientFunds):
        desk.transfer(pay("501", account="second"), "paper")

    assert (holds(desk), holds(desk, "second")) == (1000 * DOLLAR, 500 * DOLLAR)


def test_a_transfer_needs_two_accounts(desk: CashDesk) -> None:
    with pytest.raises(UsageProblem, match="two accounts"):
        desk.transfer(pay("1"), "paper")
    with pytest.raises(NotFound, match="no account 'third'"):
        desk.transfer(pay("1"), "third")


@pytest.mark.parametrize("movement", [Movement.FEE, Movement.FUNDING, Movement.INTEREST, Movement.GAS])
def test_a_charge_is_booked_whatever_there_is(desk: CashDesk, movement: Movement) -> None:
    assert desk.charge(pay("1500", "bill"), movement).balance == -500
    assert desk.charge(pay("1500", "refund"), movement, credit=True).balance == 1000


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "Infinity", "much", "0.0000001"])
def test_an_amount_that_is_none_is_refused(desk: CashDesk, amount: str) -> None:
    with pytest.raises(UsageProblem):
        desk.deposit(pay(amount))


def test_an_asset_that_is_none_is_refused_with_those_there_are(desk: CashDesk) -> None:
    with pytest.raises(NotFound, match="no asset 'BEANS'") as caught:
        desk.deposit(pay("1", asset="BEANS"))
    assert "USDT" in str(caught.value.hint) or "assets:" in str(caught.value.hint)


def test_an_address_on_a_chain_has_what_the_chain_says(desk: CashDesk, database: Database) -> None:
    with database.write() as session:
        session.add(Asset(id="evm:1:native", symbol="ETH", decimals=18))
        session.flush()
        session.add(
            Account(
                name="main", venue=VenueKind.EVM, chain_id=1, address="0x1", reporting_asset="evm:1:native"
            )
        )

    with pytest.raises(UsageProblem, match="address on chain 1") as caught:
        desk.deposit(pay("1", account="main", asset="ETH"))
    assert caught.value.hint == "sniper position reconcile --book --dry-run"


def test_the_ledger_is_listed_newest_first_filtered_and_paged(desk: CashDesk, database: Database) -> None:
    desk.deposit(pay("1", "a"))
    desk.transfer(pay("2", "b"), "second")

    found = list(entries(database))
    mine = list(entries(database, account="paper"))
    moved = list(entries(database, movement=Movement.TRANSFER))
    rest = list(entries(database, after=cursor(database, found[1].short_id)))

    assert [entry.movement for entry in found] == ["transfer", "transfer", "deposit", "deposit", "deposit"]
    assert [entry.reference for entry in mine] == ["b", "a", "opening"]
    assert sum(entry.amount for entry in moved) == 0
    assert {entry.counterpart for entry in moved} == {"transfers"}
    assert rest == found[2:]
    assert [entry.reference for entry in entries(database, reference="a")] == ["a"]
    with pytest.raises(NotFound):
        list(entries(database, account="third"))
