"""A database of the first edition is brought to this schema, and nothing that stood in it is lost or bent."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, select

from state import journal, schema
from state.accounts import Account, Balance, LedgerEntry, find_account
from state.columns import utc_now
from state.controls import tripped_for
from state.database import Database
from state.journal import JournalHead, JournalRecord
from state.locks import Lease
from state.orders import Fill, Order, OrderState
from state.positions import Lot, LotMatch, Position
from state.projections import InstrumentDay, Projection, StrategyDay
from state.transactions import ChainTransaction
from tests import first_edition

Content = dict[str, list[dict[str, Any]]]

COIN, TOKEN = "evm:31337:native", f"evm:31337:0x{'ab' * 20}"
WEI = 10**18


@pytest.fixture
def content(empty_url: str) -> Content:
    """What lay in the database before."""
    return first_edition.lay(empty_url)


@pytest.fixture
def upgraded(empty_url: str, content: Content) -> Iterator[Database]:
    with Database(empty_url) as database:
        assert schema.upgrade(database, actor="user:test").revisions == ("0002", "0003")
        yield database


@pytest.fixture
def session(upgraded: Database) -> Iterator[Session]:
    with upgraded.read() as session:
        yield session


def carried(session: Session, account: str) -> list[list[Any]]:
    """The events of an account's carried record."""
    found = find_account(session, account)
    assert found is not None
    query = select(JournalRecord).where(
        JournalRecord.kind == "desk.carried", JournalRecord.subject == str(found.id)
    )
    events: list[list[Any]] = session.exec(query).one().data["events"]
    return events


def order(session: Session, client_id: str) -> Order:
    return session.exec(select(Order).where(Order.client_order_id == client_id)).one()


def fill(session: Session, client_id: str) -> Fill:
    return session.exec(select(Fill).where(Fill.order_id == order(session, client_id).id)).one()


def test_it_leaves_exactly_the_tables_of_this_edition(upgraded: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from state.tables import metadata

    with upgraded.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_every_row_is_still_there(session: Session, content: Content) -> None:
    for name, model in {
        "account": Account,
        "balance": Balance,
        "ledger_entry": LedgerEntry,
        "order": Order,
        "chain_transaction": ChainTransaction,
        "fill": Fill,
        "position": Position,
        "lot": Lot,
        "lot_match": LotMatch,
    }.items():
        assert len(session.exec(select(model)).all()) == len(content[name]) > 0, name


def test_the_journal_still_holds_and_ends_with_what_was_carried(session: Session, content: Content) -> None:
    found = journal.verify(session)

    assert found.whole
    assert found.records == len(content["journal"]) + 3
    last = session.exec(select(JournalRecord).order_by(sa.desc(sa.column("seq"))).limit(3)).all()
    assert [record.kind for record in last] == ["schema.upgraded", "desk.carried", "desk.carried"]


def test_balances_are_as_they_were_and_carried_to_the_unit(session: Session, content: Content) -> None:
    before = {row["asset_id"]: int(row["amount"]) for row in content["balance"]}
    now = {row.asset_id: row.amount for row in session.exec(select(Balance)).all()}
    told = {
        event[1]: int(event[2])
        for account in ("paper", "main")
        for event in carried(session, account)
        if event[0] == "K"
    }

    assert now == told == before


def test_a_balance_is_still_the_sum_of_its_entries(session: Session) -> None:
    entries = session.exec(select(LedgerEntry)).all()
    for balance in session.exec(select(Balance)).all():
        mine = (e for e in entries if (e.account_id, e.asset_id) == (balance.account_id, balance.asset_id))
        assert sum(entry.amount for entry in mine) == balance.amount


def test_every_movement_has_its_other_side(session: Session) -> None:
    sides = {(entry.movement.value, entry.counterpart) for entry in session.exec(select(LedgerEntry)).all()}

    assert sides == {
        ("deposit", "outside"),
        ("buy", "trading"),
        ("sell", "trading"),
        ("fee", "fees"),
        ("gas", "fees"),
        ("adjustment", "adjustments"),
    }


def test_open_positions_are_carried_with_the_lots_that_are_left(session: Session) -> None:
    [event] = [event for event in carried(session, "main") if event[0] == "P"]
    _, key, instrument, *amounts, opened, launch, strategy, lots, version = event
    position = session.exec(select(Position).where(Position.instrument_id == instrument)).one()

    # 1000 and a unit, and 700 less 7 kept by the token, were bought; 1200 sold; 3 vanished: 490 and a unit are left.
    left = 490 * WEI + 1
    # The lot of 693 cost 1 coin: 200 less a unit were sold out of it and 3 vanished, each share cut from the whole.
    sold = WEI * (200 * WEI - 1) // (693 * WEI)
    gone = WEI * (203 * WEI - 1) // (693 * WEI) - sold
    basis = WEI - sold - gone
    assert [int(amount) for amount in amounts] == [
        left, 2 * WEI, 2 * WEI + 12345, basis, 41 * 10**14, 12345 + basis,
    ]  # fmt: skip
    assert (key, position.basis, position.cost) == (position.id.hex, basis, basis)
    assert (launch is not None, strategy, version) == (True, None, position.version)
    assert opened == 1793534400_000000
    [lot] = lots
    assert lot[0] == fill(session, "chain-2").id.hex
    assert [int(amount) for amount in lot[1:4]] == [693 * WEI, left, WEI]


def test_a_lot_has_the_id_of_the_fill_that_opened_it(session: Session) -> None:
    fills = {row.id: row for row in session.exec(select(Fill)).all()}
    for lot in session.exec(select(Lot)).all():
        assert fills[lot.id].position_id == lot.position_id
    for match in session.exec(select(LotMatch)).all():
        assert fills[match.lot_id].side.value == "buy"
        assert fills[match.fill_id].side.value == "sell"


def test_a_fill_knows_what_it_realised_and_its_fee_in_quote_units(session: Session) -> None:
    sale = fill(session, "chain-3")
    sold = WEI * (200 * WEI - 1) // (693 * WEI)

    assert sale.realised == 2 * WEI + 12345 - WEI - sold
    assert fill(session, "chain-6").realised == -(10**17)
    assert fill(session, "chain-1").realised == 0
    assert fill(session, "chain-4").realised == 0  # taken back
    assert fill(session, "chain-2").fee_value == 0  # kept by the token
    assert fill(session, "first-4").fee_value == 1996093
    closed = session.exec(select(Position).where(Position.instrument_id == f"evm:31337:0x{'ce' * 20}")).one()
    assert fill(session, "chain-6").realised == closed.realised


def test_days_before_the_upgrade_have_their_sums(session: Session) -> None:
    main = find_account(session, "main")
    assert main is not None
    query = select(StrategyDay).where(StrategyDay.account_id == main.id).order_by(StrategyDay.day)  # type: ignore[arg-type]
    days = {day.day.isoformat(): day for day in session.exec(query).all()}

    assert list(days) == ["2026-10-29", "2026-10-30", "2026-11-01", "2026-11-02"]
    lost = days["2026-10-30"]
    assert (lost.sold, lost.fills, lost.losses, lost.lost, lost.wins) == (4 * 10**17, 1, 1, 10**17, 0)
    assert (days["2026-11-01"].bought, days["2026-11-01"].fills) == (2 * WEI, 2)
    assert days["2026-11-02"].won == days["2026-11-02"].realised == fill(session, "chain-3").realised


def test_an_instruments_day_ends_with_what_was_held(session: Session) -> None:
    query = select(InstrumentDay).where(InstrumentDay.instrument_id == f"evm:31337:0x{'cd' * 20}")
    first, second = session.exec(query.order_by(InstrumentDay.day)).all()  # type: ignore[arg-type]

    assert (first.held, first.basis, first.quantity) == (1693 * WEI + 1, 2 * WEI, 1700 * WEI + 1)
    position = session.exec(select(Position).where(Position.quantity != 0)).all()
    mine = next(one for one in position if one.instrument_id == second.instrument_id)
    assert (second.held, second.basis, second.fills) == (mine.quantity, mine.basis, 1)


def test_orders_at_work_are_carried_as_they_stand(session: Session, content: Content) -> None:
    before = {row["id"]: row for row in content["order"]}
    told = {e[1]: e for account in ("paper", "main") for e in carried(session, account) if e[0] == "R"}
    working = [order(session, name) for name in ("first-7", "first-8", "first-9", "first-11", "chain-4")]

    assert set(told) == {one.id.hex for one in working}
    for one in working:
        event, row = told[one.id.hex], before[one.id.hex]
        assert event[2:7] == [one.client_order_id, one.instrument_id, row["side"], row["type"], "gtc"] or (
            one.client_order_id == "chain-4" and event[6] == "ioc"
        )
        assert (event[7], event[11]) == (row["quantity"], row["reserved"])
        assert event[-2:] == [row["filled_quantity"], row["filled_notional"]]
        assert one.recorded_seq > 0


def test_an_order_that_is_over_keeps_the_journal_it_had(session: Session) -> None:
    assert order(session, "first-1").recorded_seq == 0
    query = select(JournalRecord.kind).where(JournalRecord.subject == str(order(session, "first-1").id))
    assert "order.recorded" in session.exec(query).all()


def test_a_paper_order_that_was_never_sent_is_held_until_the_second_it_was_placed_in(
    session: Session,
) -> None:
    unsent = order(session, "first-11")
    account = find_account(session, "paper")
    assert account is not None

    assert unsent.state is OrderState.HELD
    # The price that the venue had written down bounds it still; it was not asked for.
    assert unsent.terms == {"starts_at": 1795574102 * 1_000_000, "asked": {"quantity": "50000000"}}
    assert unsent.limit_price == Decimal("2422.38")
    assert order(session, "first-1").limit_price is None
    assert order(session, "first-7").limit_price == Decimal("81034.79")
    assert account.settled_until == 1795574102
    assert order(session, "chain-4").state is OrderState.SENT


def test_a_tripped_switch_still_stops_its_account_and_no_other(session: Session) -> None:
    stops = {}
    for account in session.exec(select(Account)).all():
        tripped = tripped_for(session, account.id, account.tenant_id).tripped
        stops[account.name] = [(switch.reason, switch.flatten) for switch in tripped]

    assert stops == {"main": [("strange fills", False)], "paper": []}


def test_a_lease_keeps_its_epoch(session: Session) -> None:
    [lease] = session.exec(select(Lease)).all()

    assert (lease.epoch, lease.holder) == (3, "desk:4711:0123456789ab")
    assert not lease.is_held(utc_now())


def test_the_tables_stand_where_the_journal_does(session: Session) -> None:
    projection = session.get_one(Projection, "desk")
    last = session.exec(
        select(sa.func.max(JournalRecord.seq)).where(JournalRecord.kind == "desk.carried")
    ).one()

    assert projection.seq == session.get_one(JournalHead, "journal").desk_seq == last


def test_an_upgrade_that_fails_leaves_the_first_edition_as_it_was(
    empty_url: str, content: Content, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("halfway")

    monkeypatch.setattr(schema, "_journal", break_down)
    with Database(empty_url) as database:
        with pytest.raises(RuntimeError, match="halfway"):
            schema.upgrade(database)
        with database.engine.connect() as connection:
            count = connection.execute(sa.text('SELECT count(fingerprint) FROM "order"')).scalar_one()

        assert schema.status(database).current == "0001"
        assert count == len(content["order"])
