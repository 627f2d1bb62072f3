"""All tables, imported in one place for migrations and for tests that build a schema."""

from __future__ import annotations

from sqlmodel import SQLModel

from state.accounts import Account, Asset, Balance, Instrument, LedgerEntry
from state.controls import ControlVersion, KillSwitch
from state.endpoints import Endpoint, EndpointReading
from state.journal import JournalHead, JournalRecord
from state.launches import ChainCursor, Judgement, Launch
from state.limits import EquityPeak, RiskLimit
from state.locks import Lease
from state.orders import Fill, Order, OrderChange
from state.positions import Lot, LotMatch, Position
from state.projections import InstrumentDay, Projection, StrategyDay
from state.transactions import ChainTransaction

TABLES: tuple[type[SQLModel], ...] = (
    Account,
    Asset,
    Balance,
    ChainCursor,
    ChainTransaction,
    ControlVersion,
    Endpoint,
    EndpointReading,
    EquityPeak,
    Fill,
    Instrument,
    InstrumentDay,
    JournalHead,
    JournalRecord,
    Judgement,
    KillSwitch,
    Launch,
    Lease,
    LedgerEntry,
    Lot,
    LotMatch,
    Order,
    OrderChange,
    Position,
    Projection,
    RiskLimit,
    StrategyDay,
)

metadata = SQLModel.metadata
for _table in metadata.tables.values():
    for _index in _table.indexes:
        # Partial on SQLite, partial on Postgres; said here, for naming a dialect imports it, 30 ms of every command.
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]
metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
