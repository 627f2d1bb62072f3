"""Accounts as they are listed, opened and ruled; a rule is an event of the journal, and positions may forbid it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from sniper_cli.books.verification import verify
from sniper_cli.errors import NotFound, OrderRefused, UsageProblem
from sniper_cli.portfolio.account_rules import account_line, account_lines, open_paper_account, set_rules
from sniper_cli.venues.paper import ensure_account
from state.accounts import Account, Asset, VenueKind, find_account
from state.database import Database
from state.journal import read_latest
from state.positions import LotMethod
from tests.portfolio_fixtures import BTC, DOLLAR, Diary


@pytest.fixture
def ready(database: Database) -> Iterator[Database]:
    ensure_account(database, "paper", deposit=Decimal(1000))
    yield database
    assert list(verify(database).findings) == []


def rules(database: Database, name: str = "paper") -> tuple[LotMethod, Decimal]:
    with database.read() as session:
        account = find_account(session, name)
        assert account is not None
        return account.lot_method, account.margin


def test_a_new_paper_account_has_its_deposit_and_is_listed(ready: Database) -> None:
    opened = open_paper_account(ready, "second", "250", chosen="paper", actor="user:ada")
    line, balances = account_line(ready, "second", "paper")

    assert opened == line
    assert (line.name, line.venue, line.lot_method, line.margin, line.chosen) == (
        "second",
        "paper",
        "fifo",
        0,
        False,
    )
    assert [(held.asset, held.amount) for held in balances] == [("USDT", 250)]
    assert [(one.name, one.chosen) for one in account_lines(ready, "paper")] == [
        ("paper", True),
        ("second", False),
    ]


def test_opening_one_dry_makes_none(ready: Database) -> None:
    assert open_paper_account(ready, "second", "250", chosen="paper", actor="a", dry_run=True).id is None
    assert [one.name for one in account_lines(ready, "paper")] == ["paper"]


@pytest.mark.parametrize(
    ("name", "deposit", "said"),
    [
        ("paper", "1", "already"),
        ("Sec ond", "1", "no name"),
        ("a", "-1", "below zero"),
        ("a", "lots", "no number"),
    ],
)
def test_what_cannot_be_opened_is_said(ready: Database, name: str, deposit: str, said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        open_paper_account(ready, name, deposit, chosen="paper", actor="a")


def test_rules_are_changed_and_journalled(ready: Database) -> None:
    done = set_rules(ready, "paper", actor="user:ada", lot_method="hifo", margin="3")

    assert (done.changed, done.lot_method_before, done.margin_before) == (True, "fifo", 0)
    assert rules(ready) == (LotMethod.HIFO, Decimal(3))
    with ready.read() as session:
        [record] = read_latest(session, 1)
        assert (record.kind, record.actor, record.data) == (
            "desk.rules",
            "user:ada",
            {"events": [["L", "hifo", "3"]]},
        )


def test_the_same_rules_again_change_nothing(ready: Database) -> None:
    set_rules(ready, "paper", actor="a", margin="2")
    with ready.read() as session:
        before = len(read_latest(session, 100))

    assert set_rules(ready, "paper", actor="a", margin="2.0").changed is False
    with ready.read() as session:
        assert len(read_latest(session, 100)) == before


def test_a_dry_run_says_what_would_change(ready: Database) -> None:
    done = set_rules(ready, "paper", actor="a", lot_method="lifo", dry_run=True)

    assert (done.changed, done.lot_method, done.dry_run) == (True, "lifo", True)
    assert rules(ready) == (LotMethod.FIFO, Decimal(0))


def test_an_account_that_is_short_cannot_do_without_margin(ready: Database) -> None:
    diary = Diary(ready)
    diary.rules(margin=3)
    diary.sell(BTC, 10)
    diary.close()

    with pytest.raises(OrderRefused, match="short of paper:BTC/USDT"):
        set_rules(ready, "paper", actor="a", margin="0")
    assert set_rules(ready, "paper", actor="a", margin="2").changed


def test_an_account_that_owes_money_cannot_do_without_margin(ready: Database) -> None:
    diary = Diary(ready)
    diary.rules(margin=3)
    diary.pay(-1001, 0)
    diary.close()

    with pytest.raises(OrderRefused, match="paper:USDT"):
        set_rules(ready, "paper", actor="a", margin="0")
    assert DOLLAR == 10**6


@pytest.mark.parametrize("margin", ["-1", "0.5", "126", "much"])
def test_a_margin_that_is_none_is_refused(ready: Database, margin: str) -> None:
    with pytest.raises(UsageProblem):
        set_rules(ready, "paper", actor="a", margin=margin)


def test_nothing_to_change_is_an_error(ready: Database) -> None:
    with pytest.raises(UsageProblem, match="nothing to change"):
        set_rules(ready, "paper", actor="a")


def test_nothing_is_lent_on_a_chain(ready: Database) -> None:
    with ready.write() as session:
        session.add(Asset(id="evm:1:native", symbol="ETH", decimals=18))
        session.flush()
        session.add(
            Account(
                name="main", venue=VenueKind.EVM, chain_id=1, address="0x1", reporting_asset="evm:1:native"
            )
        )

    with pytest.raises(UsageProblem, match="nothing is lent"):
        set_rules(ready, "main", actor="a", margin="3")
    assert set_rules(ready, "main", actor="a", lot_method="lifo").changed


def test_an_account_that_is_none_is_not_found(ready: Database) -> None:
    for call in (
        lambda: set_rules(ready, "x", actor="a", margin="1"),
        lambda: account_line(ready, "x", "paper"),
    ):
        with pytest.raises(NotFound, match="no account 'x'"):
            call()
