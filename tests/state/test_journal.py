"""The journal holds, and whoever touches it is named by the position."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from state import journal
from state.database import Database
from state.journal import GENESIS, JournalHead, JournalRecord, append, chain_hash, read_latest, verify

LENGTH = 7
"""The first record is the schema's own."""


@pytest.fixture
def written(database: Database) -> Database:
    """A journal of seven records."""
    for number in range(2, LENGTH + 1):
        with database.write() as session:
            append(
                session, "order.sent", f"order-{number}", {"wei": 10**18 + number, "n": number}, actor="test"
            )
    return database


def tamper(database: Database, *statements: str) -> None:
    with database.write() as session:
        for statement in statements:
            session.execute(sa.text(statement))


def breaks(database: Database) -> list[tuple[int, str]]:
    with database.read() as session:
        return [(found.seq, found.problem) for found in verify(session).breaks]


def positions(database: Database) -> list[int]:
    return [seq for seq, _ in breaks(database)]


def test_an_untouched_journal_is_whole(written: Database) -> None:
    with written.read() as session:
        found = verify(session)
        head = session.get(JournalHead, "journal")
        kept = head.seq, head.hash

    assert found.whole
    assert found.records == LENGTH
    assert kept == (LENGTH, found.head)


def test_an_empty_journal_is_whole(empty_url: str) -> None:
    from state.tables import metadata

    with Database(empty_url) as database:
        with database.engine.begin() as connection:
            metadata.create_all(connection)
        with database.read() as session:
            found = verify(session)

    assert found.whole
    assert (found.records, found.head) == (0, GENESIS)


def test_the_hash_is_sha256_over_the_previous_hash_and_the_body() -> None:
    # printf '%064d{}' 0 | sha256sum
    assert chain_hash(GENESIS, "{}") == "5508d2b710e64bc470079e1b211d9c58e21011e59d0559e422345dc19d659a75"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE journal SET body = replace(body, 'order-4', 'order-9') WHERE seq = 4",
        "UPDATE journal SET subject = 'order-9' WHERE seq = 4",
        "UPDATE journal SET actor = 'somebody' WHERE seq = 4",
        "UPDATE journal SET kind = 'order.refused' WHERE seq = 4",
        "UPDATE journal SET body = 'no json' WHERE seq = 4",
        "UPDATE journal SET at = '2001-01-01 00:00:00' WHERE seq = 4",
    ],
)
def test_a_changed_record_is_named(written: Database, change: str) -> None:
    tamper(written, change)

    assert positions(written) == [4]
    assert "changed" in breaks(written)[0][1]


def test_a_time_that_is_none_is_a_finding_not_a_crash(sqlite_database: Database) -> None:
    tamper(sqlite_database, "UPDATE journal SET at = 'yesterday' WHERE seq = 1")

    assert positions(sqlite_database) == [1]


def test_a_record_changed_together_with_its_hash_breaks_at_the_next(written: Database) -> None:
    with written.write() as session:
        record = session.get(JournalRecord, 4)
        record.body = record.body.replace("order-4", "order-9")
        record.subject = "order-9"
        record.hash = chain_hash(record.previous_hash, record.body)
        session.add(record)

    assert breaks(written) == [
        (5, "does not follow the record before it: inserted, reordered or its link changed")
    ]


def test_a_removed_record_is_named(written: Database) -> None:
    tamper(written, "DELETE FROM journal WHERE seq = 4")

    assert breaks(written) == [(5, "record 4 before it removed")]


def test_a_removed_stretch_is_named(written: Database) -> None:
    tamper(written, "DELETE FROM journal WHERE seq IN (3, 4)")

    assert breaks(written) == [(5, "records 3 to 4 before it removed")]


def test_the_first_record_is_missed_too(written: Database) -> None:
    tamper(written, "DELETE FROM journal WHERE seq = 1")

    assert breaks(written) == [(2, "record 1 before it removed")]


def test_an_inserted_record_is_named(written: Database) -> None:
    tamper(
        written,
        "UPDATE journal SET seq = seq + 100 WHERE seq > 4",
        "INSERT INTO journal SELECT 5, at, actor, kind, subject, body, previous_hash, hash FROM journal WHERE seq = 4",
        "UPDATE journal SET seq = seq - 99 WHERE seq > 100",
    )

    assert positions(written)[0] == 5


def test_reordered_records_are_named(written: Database) -> None:
    tamper(
        written,
        "UPDATE journal SET seq = 104 WHERE seq = 4",
        "UPDATE journal SET seq = 4 WHERE seq = 5",
        "UPDATE journal SET seq = 5 WHERE seq = 104",
    )

    assert {4, 5} <= set(positions(written))


def test_a_cut_tail_is_named(written: Database) -> None:
    tamper(written, "DELETE FROM journal WHERE seq > 5")

    assert breaks(written) == [(6, "records 6 to 7 at the end removed")]


def test_a_changed_head_is_named(written: Database) -> None:
    tamper(written, f"UPDATE journal_head SET hash = '{'a' * 64}'")

    assert breaks(written) == [(7, "the head row does not match the last record: changed")]


def test_a_head_set_back_is_named(written: Database) -> None:
    tamper(written, "UPDATE journal_head SET seq = 5")

    assert positions(written) == [7]


def test_a_missing_head_is_named(written: Database) -> None:
    tamper(written, "DELETE FROM journal_head")

    assert breaks(written) == [(7, "the head row is missing")]


def test_several_breaks_are_all_named(written: Database) -> None:
    tamper(
        written,
        "UPDATE journal SET subject = 'x' WHERE seq IN (2, 6)",
        "DELETE FROM journal WHERE seq = 4",
    )

    assert positions(written) == [2, 5, 6]


def test_a_record_and_its_act_stand_or_fall_together(written: Database) -> None:
    with pytest.raises(RuntimeError), written.write() as session:
        append(session, "order.sent", "x", {}, actor="test")
        raise RuntimeError

    with written.read() as session:
        assert verify(session).records == LENGTH


def test_several_records_of_one_transaction_follow_each_other(database: Database) -> None:
    with database.write() as session:
        for number in range(5):
            append(session, "order.sent", number, {}, actor="test")

    assert breaks(database) == []


def test_a_journal_longer_than_a_page_is_walked_whole(
    written: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "PAGE", 3)
    tamper(written, "UPDATE journal SET subject = 'x' WHERE seq = 6")

    assert positions(written) == [6]


def test_a_family_of_kinds_is_found(written: Database) -> None:
    def kinds(read: Callable[[Session], list[JournalRecord]]) -> set[str]:
        with written.read() as session:
            return {record.kind for record in read(session)}

    assert kinds(lambda session: read_latest(session, 50, kind="order")) == {"order.sent"}
    assert kinds(lambda session: read_latest(session, 50, kind="ord")) == set()
    assert kinds(lambda session: read_latest(session, 50)) == {"schema.upgraded", "order.sent"}
