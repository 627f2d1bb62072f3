"""What an account had before this journal: told in one record when the database was upgraded, else only in its tables.

The first edition kept its orders, fills and lots in other records. The upgrade wrote what an account then held into
one record (`desk.carried`), from which the telling begins. Rows older than that stand in the tables alone: they are
kept in a rebuild, and count where sums go on from them.

One thing cannot be told again: a reorganisation that takes back a trade older than the upgrade. To which lots it gave
what the trade had taken stood in rows that went with it, and in no record; the proof says so of that account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sniper_cli.books.changes import InstrumentFigures, StrategyFigures
from sniper_cli.books.events import CarriedPosition, decode
from state.reading import Reader
from state.writing import day_of, read_hex, read_micros

CARRIED = "desk.carried"

OLD_FILLS = (
    "SELECT f.account_id, f.at, f.instrument_id, i.quote_asset, f.side, f.quantity, f.notional, f.fee_value, "
    "f.realised, f.reversed_at FROM fill f JOIN instrument i ON i.id = f.instrument_id WHERE f.seq = 0 ORDER BY f.id"
)


@dataclass(slots=True)
class Carry:
    """An account's record of what it held."""

    seq: int
    at: int
    positions: dict[str, CarriedPosition] = field(default_factory=dict)
    strategy_days: dict[tuple[date, str, str], StrategyFigures] = field(default_factory=dict)
    """Sums of the fills before, which those after it are added to."""
    instrument_days: dict[tuple[date, str], InstrumentFigures] = field(default_factory=dict)

    @property
    def day(self) -> date:
        return day_of(self.at)

    def held(self, day: date, instrument: str) -> tuple[int, int] | None:
        """Units and their basis at the end of the day of the record; of other days it knows nothing."""
        if day != self.day:
            return None
        for position in self.positions.values():
            if position.instrument == instrument:
                return int(position.quantity), int(position.basis)
        return 0, 0

    @property
    def lots(self) -> set[str]:
        return {lot.lot for position in self.positions.values() for lot in position.lots}


def carries(reader: Reader) -> dict[str, Carry]:
    """By account; empty where the database never knew another edition."""
    found: dict[str, Carry] = {}
    query = "SELECT seq, at, subject, body FROM journal WHERE kind = ? ORDER BY seq"
    for seq, at, subject, body in reader.rows(query, (CARRIED,)):
        carry = found[read_hex(subject.replace("-", ""))] = Carry(seq, read_micros(at))
        for event in decode(body).data.events:
            if isinstance(event, CarriedPosition):
                carry.positions[event.position] = event
    if found:
        _sum_days(reader, found)
    return found


def _sum_days(reader: Reader, found: dict[str, Carry]) -> None:
    for account, *fill in reader.stream(OLD_FILLS):
        carry = found.get(read_hex(account))
        if carry is not None:
            _add(carry, fill)


def _add(carry: Carry, fill: list[Any]) -> None:
    """Count a fill of before into its day, unless it had been taken back by then."""
    at, instrument, quote, side, *amounts, reversed_at = fill
    quantity, notional, fees, realised = (int(amount) for amount in amounts)
    if reversed_at is not None and read_micros(reversed_at) <= carry.at:
        return
    day = day_of(read_micros(at))
    one = carry.strategy_days.setdefault((day, "", quote), StrategyFigures())
    one.realised += realised
    one.fees += fees
    one.fills += 1
    if side == "buy":
        one.bought += notional
    else:
        one.sold += notional
    if realised > 0:
        one.wins, one.won = one.wins + 1, one.won + realised
    elif realised < 0:
        one.losses, one.lost = one.losses + 1, one.lost - realised
    traded = carry.instrument_days.setdefault((day, instrument), InstrumentFigures())
    traded.quantity += quantity
    traded.notional += notional
    traded.fills += 1
    traded.realised += realised
    traded.fees += fees


OLDER = {
    "order": 'SELECT account_id, created_at, id FROM "order" WHERE recorded_seq = 0',
    "fill": "SELECT account_id, at, id FROM fill WHERE seq = 0",
    "position": "SELECT account_id, at, position_id FROM fill WHERE seq = 0 AND position_id IS NOT NULL",
    "lot": "SELECT f.account_id, f.at, x.id FROM lot x JOIN fill f ON f.id = x.id WHERE f.seq = 0",
    "lot_match": (
        "SELECT f.account_id, f.at, x.fill_id, x.lot_id FROM lot_match x JOIN fill f ON f.id = x.fill_id "
        "WHERE f.seq = 0"
    ),
    "ledger_entry": "SELECT account_id, at, account_id, asset_id, movement, reference FROM ledger_entry",
}
"""Account, time and key of the rows that only the first edition can have written."""


def older_keys(reader: Reader, found: dict[str, Carry]) -> dict[str, set[Any]]:
    """The keys of each table's rows from before the journal's telling, those told in a carried record apart."""
    if not found:
        return {}
    keys: dict[str, set[Any]] = {table: set() for table in OLDER}
    for table, query in OLDER.items():
        for account, at, *key in reader.stream(query):
            carry = found.get(read_hex(account))
            if carry is not None and read_micros(at) <= carry.at:
                parts = tuple(part if isinstance(part, str) else read_hex(part) for part in key)
                keys[table].add(parts if len(parts) > 1 else parts[0])
    for carry in found.values():
        keys["position"] -= carry.positions.keys()
        keys["lot"] -= carry.lots
    return keys
