"""Accounts, the assets they hold, the instruments they trade, and the ledger of every movement.

Amounts are whole base units of their asset. A balance is the sum of its ledger entries, kept beside them so
that a check before an order reads one row. Both are projections of the journal.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import Exact, json_field, units_field, utc_now, word_field
from state.database import lock_row
from state.errors import RowNotFound
from state.identifiers import new_id
from state.positions import LotMethod

NATIVE = "native"
"""The token part of a chain's own coin in an asset id: `evm:31337:native`."""


class VenueKind(StrEnum):
    PAPER = "paper"
    EVM = "evm"


class Movement(StrEnum):
    """Why a balance changed."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    BUY = "buy"
    SELL = "sell"
    FEE = "fee"
    GAS = "gas"
    INTEREST = "interest"
    """What borrowed money costs."""
    FUNDING = "funding"
    """What holders of perpetual positions pay one another."""
    TRANSFER = "transfer"
    """Between two accounts of ours."""
    ADJUSTMENT = "adjustment"
    """The venue holds another amount than the trades explain (a rebasing or confiscating token)."""


COUNTERPARTS: dict[Movement, str] = {
    Movement.DEPOSIT: "outside",
    Movement.WITHDRAWAL: "outside",
    Movement.BUY: "trading",
    Movement.SELL: "trading",
    Movement.FEE: "fees",
    Movement.GAS: "fees",
    Movement.INTEREST: "fees",
    Movement.FUNDING: "funding",
    Movement.TRANSFER: "transfers",
    Movement.ADJUSTMENT: "adjustments",
}
"""The other side of each movement: every entry debits one and credits the other, so that the books always balance."""


class Asset(SQLModel, table=True):
    """Something that can be held. Ids: `paper:USDT`, `evm:31337:native`, `evm:31337:0x…` (lower case)."""

    id: str = Field(primary_key=True)
    symbol: str
    name: str = ""
    decimals: int

    def amount(self, units: int) -> Decimal:
        """Base units as a Decimal of the asset, exact."""
        return Decimal(units).scaleb(-self.decimals, context=_WIDE)

    def units(self, amount: Decimal) -> int:
        """A Decimal as base units; a digit finer than the asset has is refused.

        Raises ValueError.
        """
        scaled = amount.scaleb(self.decimals, context=_WIDE)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} {self.symbol} is finer than the asset's {self.decimals} decimals")
        return int(scaled)


class Instrument(SQLModel, table=True):
    """What can be traded: a pair of assets at a venue. Ids: `paper:BTC/USDT`, `evm:31337:0x<pool>`."""

    id: str = Field(primary_key=True)
    venue: VenueKind = word_field(VenueKind)
    symbol: str = Field(index=True)
    base_asset: str = Field(foreign_key="asset.id")
    quote_asset: str = Field(foreign_key="asset.id")
    tick: Decimal | None = Field(default=None, sa_type=Exact)
    """Price step; none where the venue has no step (a pool)."""
    lot: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Quantity step in base units."""
    minimum_notional: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Smallest order in quote units."""
    maximum_notional: int | None = Field(default=None, sa_type=sa.BigInteger)
    """Largest order in quote units."""
    pool: str | None = None
    """Address of the pool, for an EVM instrument; in Uniswap v4 the pool's 32-byte id."""
    terms: dict[str, Any] = json_field()
    """What else a swap in the pool must name: `protocol`, `factory`, `quote`, `fee`, `tick_spacing`, `hooks`."""


class Account(SQLModel, table=True):
    """Where money stands: a paper account or an address on a chain. Its row is the one writer's lock."""

    id: UUID = Field(default_factory=new_id, primary_key=True)
    tenant_id: str = Field(default="main", index=True)
    name: str = Field(unique=True)
    venue: VenueKind = word_field(VenueKind)
    chain_id: int | None = Field(default=None, sa_type=sa.BigInteger)
    address: str | None = None
    reporting_asset: str = Field(foreign_key="asset.id")
    version: int = 0
    """Grows with every change to the account's orders, positions or cash: caches compare it."""
    settled_until: int = Field(default=0, sa_type=sa.BigInteger)
    """The second (since 1970) up to which the paper market has been replayed for its orders."""
    lot_method: LotMethod = word_field(LotMethod, default=LotMethod.FIFO)
    """Which lots its closing trades take."""
    margin: Decimal = Field(default=Decimal(0), sa_column=sa.Column(Exact, nullable=False))
    """Leverage allowed: 0 trades with its own money only and cannot be short; 3 may hold three times its equity."""
    created_at: datetime = Field(default_factory=utc_now)


class Balance(SQLModel, table=True):
    """What an account holds of an asset: the sum of its ledger entries."""

    account_id: UUID = Field(primary_key=True)
    asset_id: str = Field(primary_key=True)
    amount: int = units_field()


class LedgerEntry(SQLModel, table=True):
    """One movement of one asset, never changed afterwards."""

    __tablename__ = "ledger_entry"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID
    asset_id: str
    movement: Movement = word_field(Movement)
    counterpart: str
    """The other side of the double entry: `outside`, `trading`, `fees` …; it moves by the same amount the other way."""
    amount: int = units_field()
    """Signed: what came in is positive."""
    reference: str
    """What caused it: a transaction's or a deposit's id; of trades, the journal record that tells the fills."""
    at: datetime = Field(default_factory=utc_now)

    __table_args__ = (sa.UniqueConstraint("account_id", "asset_id", "movement", "reference"),)


def lock_account(session: Session, account_id: UUID) -> Account:
    """Take the account for writing: until the transaction ends nobody else changes what belongs to it.

    What changes its books goes through `sniper_cli.books`, which takes it too and counts its version.
    """
    account = lock_row(session, Account, account_id)
    if account is None:
        raise RowNotFound(f"there is no account {account_id}", hint="sniper init")
    return account


def find_account(session: Session, name: str) -> Account | None:
    """An account by its name."""
    return session.exec(select(Account).where(Account.name == name)).first()


def balance_of(session: Session, account_id: UUID, asset_id: str) -> int:
    """What the ledger says the account holds, in base units; 0 for an asset never touched."""
    row = session.get(Balance, (account_id, asset_id))
    return row.amount if row else 0


def evm_asset_id(chain_id: int, token: str = NATIVE) -> str:
    """The asset id of a token's address, or of the chain's own coin."""
    return f"evm:{chain_id}:{token.lower()}"


def evm_instrument_id(chain_id: int, pool: str) -> str:
    """The instrument id of a pool's address."""
    return f"evm:{chain_id}:{pool.lower()}"


_WIDE = Context(prec=160)
"""Digits enough for 2^256 with 77 decimals; the default context would round at 28."""
