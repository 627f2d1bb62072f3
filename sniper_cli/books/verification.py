"""Proves that the tables are what the journal tells, and that what it tells is bookkeeping.

    the journal, told again     against     orders, changes, fills, lots, matches, positions, cash, day sums
    the tables                  against     one another: balances and entries, fills and orders, lots and positions

Everything is read from one snapshot, up to the record that the tables have reached; other processes go on meanwhile.
A row that nobody told is found by counting: only if a count is wrong the keys are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sniper_cli.books import identities
from sniper_cli.books.differences import THERE, UNTOLD, Difference, Findings
from sniper_cli.books.projector import catch_up
from sniper_cli.books.retelling import Progress, Retelling
from sniper_cli.books.tables import BALANCES, INSTRUMENT_DAYS, STRATEGY_DAYS, key_of
from sniper_cli.books.upgraded import carries, older_keys
from state.database import Database
from state.reading import Reader, snapshot, uncollected
from state.writing import read_hex

KEYS = {
    "order": 'SELECT id FROM "order"',
    "order_change": "SELECT order_id, seq FROM order_change",
    "fill": "SELECT id FROM fill",
    "position": "SELECT id FROM position",
    "lot": "SELECT id FROM lot",
    "lot_match": "SELECT fill_id, lot_id FROM lot_match",
    "ledger_entry": "SELECT account_id, asset_id, movement, reference FROM ledger_entry",
}


@dataclass(slots=True)
class Verification:
    """What was proved, and what does not hold."""

    records: int = 0
    seq: int = 0
    """The record that the tables have reached."""
    rows: dict[str, int] = field(default_factory=dict)
    """Rows of each table that the journal tells."""
    older: dict[str, int] = field(default_factory=dict)
    """Rows from before the journal told them: kept, and part of the sums."""
    findings: Findings = field(default_factory=Findings)
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        return not self.findings.count


def verify(database: Database, progress: Progress = lambda _: None) -> Verification:
    """Bring the tables after the journal, then hold everything against everything."""
    begun = perf_counter()
    catch_up(database)
    found = Verification()
    with snapshot(database) as reader, uncollected():
        found.seq = reader.number("SELECT seq FROM projection WHERE name = 'desk'")
        carried = carries(reader)
        older = older_keys(reader, carried)
        found.older = {table: len(keys) for table, keys in older.items()}
        retelling = Retelling(reader, carried)
        retelling.tell(found.seq, progress)
        found.findings.extend(retelling.differences())
        found.rows = retelling.told()
        if not retelling.unreadable:
            found.findings.extend(_untold(reader, retelling, older, found))
            found.findings.extend(_strangers(reader, retelling))
        found.records = retelling.records
        for check in identities.IDENTITIES.values():
            found.findings.extend(check(reader))
    found.seconds = perf_counter() - begun
    return found


# -- rows that nobody told --------------------------------------------------------------------------------------


def _untold(
    reader: Reader, retelling: Retelling, older: dict[str, set[Any]], found: Verification
) -> Iterator[Difference]:
    """Rows too many, found by counting; then, and only then, the journal is told once more and its keys are kept."""
    told = retelling.told()
    wrong = []
    for table in KEYS:
        stand = reader.number(f'SELECT count(*) FROM "{table}"')  # noqa: S608
        # A row that is missing may hide one that nobody told.
        if stand != told.get(table, 0) + len(older.get(table, ())) or found.findings.by_table.get(table):
            wrong.append(table)
    if not wrong:
        return
    again = Retelling(reader, retelling.carried, remember=wrong)
    again.tell(found.seq)
    for table in wrong:
        known = again.keys(table) | older.get(table, set())
        for row in reader.stream(KEYS[table]):
            key = tuple(part if isinstance(part, str | int) else read_hex(part) for part in row)
            if (key if len(key) > 1 else key[0]) not in known:
                yield Difference(table, key_of(key), "row", UNTOLD, THERE)


def _strangers(reader: Reader, retelling: Retelling) -> Iterator[Difference]:
    """Rows of small tables that belong to an account of which the journal tells nothing."""
    for spelling in (BALANCES, STRATEGY_DAYS, INSTRUMENT_DAYS):
        names = reader.columns(spelling.model, spelling.names)
        for row in reader.stream(f'SELECT {names} FROM "{spelling.table}"'):  # noqa: S608
            if row[0] not in retelling.accounts:
                yield Difference(spelling.table, key_of(row[: spelling.keys]), "row", UNTOLD, THERE)
