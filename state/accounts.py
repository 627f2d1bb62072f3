"""Accounts, the assets they hold, the instruments they trade, and the ledger of every movement.

Amounts are whole base units of their asset. A balance is the sum of its ledger entries, kept beside them so
that a check before an order reads one row; `post` is the only way either changes.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, select

from state.columns import Exact, units_field, utc_now, word_field
from state.database import lock_row
from state.errors import RowNotFound
from state.identifiers import new_id

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
    ADJUSTMENT = "adjustment"
    """The venue holds another amount than the trades explain (a rebasing or confiscating token)."""


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
    pool: str | None = None
    """Address of the pool, for an EVM instrument."""


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
    created_at: datetime = Field(default_factory=utc_now)


class Balance(SQLModel, table=True):
    """What an account holds of an asset: the sum of its ledger entries."""

    account_id: UUID = Field(foreign_key="account.id", primary_key=True)
    asset_id: str = Field(foreign_key="asset.id", primary_key=True)
    amount: int = units_field()


class LedgerEntry(SQLModel, table=True):
    """One movement of one asset, never changed afterwards."""

    __tablename__ = "ledger_entry"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    account_id: UUID = Field(foreign_key="account.id", index=True)
    asset_id: str = Field(foreign_key="asset.id")
    movement: Movement = word_field(Movement)
    amount: int = units_field()
    """Signed: what came in is positive."""
    reference: str
    """What caused it: a fill's, a transaction's or a deposit's id."""
    at: datetime = Field(default_factory=utc_now)

    __table_args__ = (sa.UniqueConstraint("account_id", "asset_id", "movement", "reference"),)


def lock_account(session: Session, account_id: UUID) -> Account:
    """Take the account for writing: until the transaction ends nobody else changes what belongs to it."""
    account = lock_row(session, Account, account_id)
    if account is None:
        raise RowNotFound(f"there is no account {account_id}", hint="sniper init")
    account.version += 1
    session.add(account)
    return account


def find_account(session: Session, name: str) -> Account | None:
    """An account by its name."""
    return session.exec(select(Account).where(Account.name == name)).first()


def post(
    session: Session,
    account_id: UUID,
    asset_id: str,
    movement: Movement,
    amount: int,
    *,
    reference: object,
    at: datetime | None = None,
) -> bool:
    """Book a movement and its balance. The same movement for the same reference counts once; False if it was there."""
    known = session.exec(
        select(LedgerEntry.id).where(
            LedgerEntry.account_id == account_id,
            LedgerEntry.asset_id == asset_id,
            LedgerEntry.movement == movement,
            LedgerEntry.reference == str(reference),
        )
    ).first()
    if known is not None:
        return False
    balance = lock_row(session, Balance, (account_id, asset_id))
    if balance is None:
        balance = Balance(account_id=account_id, asset_id=asset_id, amount=0)
    balance.amount += amount
    session.add(balance)
    session.add(
        LedgerEntry(
            account_id=account_id,
            asset_id=asset_id,
            movement=movement,
            amount=amount,
            reference=str(reference),
            at=at or utc_now(),
        )
    )
    return True


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
