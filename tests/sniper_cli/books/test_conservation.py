"""Whatever happens to two accounts, in whatever order: the cash is what was paid in, out and for trades, to the last
unit; the tables are what the journal tells; and written anew from it they are the same."""

from __future__ import annotations

import shutil
from collections import defaultdict
from decimal import Decimal
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Amended
from sniper_cli.books.rebuild import rebuild
from sniper_cli.books.records import Page
from sniper_cli.books.tables import (
    BALANCES,
    ENTRIES,
    FILLS,
    INSTRUMENT_DAYS,
    LOTS,
    MATCHES,
    ORDERS,
    POSITIONS,
)
from sniper_cli.books.verification import verify
from sniper_cli.trading import recording
from state.accounts import Movement
from state.database import Database
from state.errors import IllegalTransition
from state.orders import OrderState, Side
from state.positions import LotMethod
from tests.books_fixtures import COIN, PAIR, POINT, PURSE, TOKEN, Ledger, Trade

amounts = st.one_of(st.integers(1, 50), st.integers(1, 10**24))
accounts = st.integers(0, 1)
FEES = (COIN, TOKEN, POINT)
WRITTEN = (ORDERS, FILLS, POSITIONS, LOTS, MATCHES, ENTRIES, BALANCES, INSTRUMENT_DAYS)


class Bookkeeping(RuleBasedStateMachine):
    """Two accounts that trade, pay, lose, are short, change their rules, and have trades taken back."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count()

    @initialize()
    def open(self) -> None:
        self.ledgers = [Ledger(self.database), Ledger(self.database)]
        self.cash: list[dict[str, int]] = [defaultdict(int), defaultdict(int)]
        """What there must be, reckoned from the acts alone."""
        self.done: list[list[tuple[Trade, dict[str, int]]]] = [[], []]
        self.working: list[dict[str, Side]] = [{}, {}]
        for cash in self.cash:
            cash[COIN] = PURSE

    def book(self, owner: int, **changes: int) -> None:
        for asset, amount in changes.items():
            self.cash[owner][f"test:{asset}"] += amount

    def may_be_short(self, owner: int) -> bool:
        return bool(self.ledgers[owner].turn(lambda page: page.book.margin))

    def held(self, owner: int) -> int:
        return int(
            self.ledgers[owner].turn(
                lambda page: page.book.positions[PAIR].quantity if PAIR in page.book.positions else 0
            )
        )

    @rule(owner=accounts, side=st.sampled_from(Side), quantity=amounts, notional=amounts, fee=st.integers(0, 9),
          paid_in=st.sampled_from(FEES), strategy=st.sampled_from([None, "grid", "pairs"]))  # fmt: skip
    def trade(
        self,
        owner: int,
        side: Side,
        quantity: int,
        notional: int,
        fee: int,
        paid_in: str,
        strategy: str | None,
    ) -> None:
        if side is Side.SELL and not self.may_be_short(owner):
            quantity = min(quantity, self.held(owner))
            if not quantity:
                return
        fee = min(fee, quantity) if paid_in == TOKEN and side is Side.BUY else fee
        if side is Side.SELL and paid_in == TOKEN:
            paid_in = COIN
        ledger, sign = self.ledgers[owner], 1 if side is Side.BUY else -1
        traded = ledger.trade(
            side, quantity, notional, fee, fee_asset=paid_in, fee_value=fee if paid_in == POINT else None,
            strategy=strategy,
        )  # fmt: skip
        moved = {TOKEN: sign * quantity, COIN: -sign * notional}
        moved[paid_in] = moved.get(paid_in, 0) - fee
        for asset, amount in moved.items():
            self.cash[owner][asset] += amount
        self.done[owner].append((traded, moved))

    @rule(owner=accounts)
    def take_back(self, owner: int) -> None:
        """A reorganisation undoes the newest trades first; what a later change of the lots forbids is not done."""
        if not self.done[owner]:
            return
        trade, moved = self.done[owner].pop()
        try:
            self.ledgers[owner].undo(trade)
        except IllegalTransition:
            return
        for asset, amount in moved.items():
            self.cash[owner][asset] -= amount

    @rule(owner=accounts, amount=amounts, asset=st.sampled_from([COIN, POINT]),
          movement=st.sampled_from([Movement.DEPOSIT, Movement.WITHDRAWAL, Movement.FUNDING, Movement.INTEREST,
                                    Movement.ADJUSTMENT]))  # fmt: skip
    def pay(self, owner: int, amount: int, asset: str, movement: Movement) -> None:
        signed = amount if movement is Movement.DEPOSIT else -amount
        reference = f"paid-{next(self.numbers)}"
        for _ in range(2):  # the second time it is known
            self.ledgers[owner].turn(
                lambda page: move_cash(page, asset, movement, signed, reference=reference)
            )
        self.cash[owner][asset] += signed

    @rule(amount=amounts, owner=accounts)
    def transfer(self, amount: int, owner: int) -> None:
        reference = f"transfer-{next(self.numbers)}"
        here, there = self.ledgers[owner], self.ledgers[1 - owner]

        def work(session: Any) -> None:
            for ledger, signed in ((here, -amount), (there, amount)):
                with here.books.within(session, ledger.account_id, kind="desk.cash") as page:
                    move_cash(page, COIN, Movement.TRANSFER, signed, reference=reference)

        self.database.transact(work)
        self.cash[owner][COIN] -= amount
        self.cash[1 - owner][COIN] += amount

    @rule(owner=accounts, amount=amounts)
    def burn_gas(self, owner: int, amount: int) -> None:
        if self.done[owner]:
            trade, _ = self.done[owner][-1]
            assert self.ledgers[owner].gas(trade, amount, f"gas-{next(self.numbers)}")
            self.cash[owner][COIN] -= amount

    @rule(owner=accounts, share=st.integers(1, 100))
    def lose(self, owner: int, share: int) -> None:
        """Tokens vanish: no cash moves, and what was bought before cannot be taken back whole any more."""
        held = self.held(owner)
        if held > 0:
            gone = max(1, held * share // 100)
            self.ledgers[owner].write_off(gone)
            self.ledgers[owner].turn(
                lambda page: move_cash(
                    page, TOKEN, Movement.ADJUSTMENT, -gone, reference=f"gone-{next(self.numbers)}"
                )
            )
            self.cash[owner][TOKEN] -= gone
            self.done[owner].clear()

    @rule(owner=accounts, method=st.sampled_from(LotMethod), margin=st.sampled_from([0, 3]))
    def change_rules(self, owner: int, method: LotMethod, margin: int) -> None:
        if margin or self.held(owner) >= 0:
            self.ledgers[owner].rename(method, Decimal(margin))
            self.done[owner].clear()

    @rule(owner=accounts, quantity=amounts, side=st.sampled_from(Side))
    def rest(self, owner: int, quantity: int, side: Side) -> None:
        self.working[owner][self.ledgers[owner].open_order(side, quantity)] = side

    @rule(owner=accounts, end=st.sampled_from([OrderState.CANCELLED, OrderState.EXPIRED]), late=st.booleans())
    def end_an_order(self, owner: int, end: OrderState, late: bool) -> None:
        """A fill may come after the end."""
        if not self.working[owner]:
            return
        key, side = self.working[owner].popitem()
        ledger = self.ledgers[owner]
        ledger.turn(lambda page: recording.move(page, page.book.find_order(key), end, "enough"))
        if late and side is Side.BUY:
            ledger.fill(key, 1, 3, f"late-{next(self.numbers)}", fee=1)
            self.book(owner, TOKEN=1, COIN=-4)
            self.done[owner].clear()

    @rule(owner=accounts, quantity=amounts)
    def amend(self, owner: int, quantity: int) -> None:
        for key in self.working[owner]:

            def work(page: Page, key: str = key) -> None:
                page.add(Amended(key, str(quantity), "1.5", 0, None, page.now))

            self.ledgers[owner].turn(work)

    @invariant()
    def the_cash_is_what_was_moved(self) -> None:
        for owner, ledger in enumerate(getattr(self, "ledgers", [])):
            booked = ledger.turn(lambda page: {a: u for a, u in page.book.cash.items() if u})
            assert booked == {asset: units for asset, units in self.cash[owner].items() if units}

    def teardown(self) -> None:
        if not hasattr(self, "ledgers"):
            return
        for ledger in self.ledgers:
            ledger.books.close()
        found = verify(self.database)
        assert list(found.findings) == []
        before = rows(self.database)
        rebuild(self.database, actor="test")
        assert rows(self.database) == before
        assert verify(self.database).whole


def rows(database: Database) -> dict[str, list[str]]:
    with database.engine.connect() as connection:
        return {
            one.table: sorted(
                map(str, connection.execute(sa.text(f'SELECT {one.names} FROM "{one.table}"')).all())
            )
            for one in WRITTEN
        }


def examples(number: int, steps: int) -> settings:
    return settings(
        max_examples=number,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def test_money_is_conserved_and_the_tables_are_what_the_journal_tells(sqlite_template: Path) -> None:
    class OnSqlite(Bookkeeping):
        def __init__(self) -> None:
            super().__init__()
            self.folder = TemporaryDirectory()
            file = Path(self.folder.name) / "books.db"
            shutil.copy(sqlite_template, file)
            self.database = Database(f"sqlite:///{file}")

        def teardown(self) -> None:
            super().teardown()
            self.database.close()
            self.folder.cleanup()

    run_state_machine_as_test(OnSqlite, settings=examples(30, 30))


@pytest.mark.postgres
def test_it_is_so_on_postgres(postgres_database: Database) -> None:
    """Every example adds two accounts to one database: the proof is of all of them."""

    class OnPostgres(Bookkeeping):
        database = postgres_database

    run_state_machine_as_test(OnPostgres, settings=examples(5, 20))
