"""Accounts: opened with what stands at the address, noticed deposits, and what they are worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session, select

from sniper_cli.books.cash import move_cash
from sniper_cli.books.records import Books, Page
from sniper_cli.errors import ConfigurationError
from state import journal
from state.accounts import (
    Account,
    Asset,
    Balance,
    Movement,
    VenueKind,
    balance_of,
    evm_asset_id,
    find_account,
)
from state.database import Database
from state.errors import RowNotFound
from state.orders import working_orders
from state.positions import Position, open_positions

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchange
    from sniper_cli.chains.node import Head, Node

COIN_DECIMALS = 18


@dataclass(frozen=True, slots=True)
class AccountSummary:
    """What an account is worth, in units of its reporting asset."""

    account_id: UUID
    name: str
    cash: int
    reserved: int
    """What working orders may still cost."""
    marks: int
    """What selling all open positions would bring; an unmarked position counts at cost."""
    open_positions: int
    realised: int
    fees: int

    @property
    def equity(self) -> int:
        return self.cash + self.marks

    @property
    def available(self) -> int:
        return self.cash - self.reserved


async def ensure_evm_account(
    database: Database, node: Node, exchange: Exchange, address: str, name: str, *, actor: str = "sniper"
) -> Account:
    """The account of an address; opened, if it is new, with the chain's balance as the opening deposit.

    Raises ConfigurationError when the name belongs to another address, or when the chain has forgotten
    transactions that the account has seen mined (a devnet begun anew under the same name).
    """
    head = await node.head()
    balance, nonce = await _standing(node, address, head)

    def work(session: Session) -> Account:
        known = find_account(session, name)
        if known is not None:
            return _checked(session, known, exchange.chain_id, address, nonce)
        native = ensure_coin(session, exchange.chain_id, exchange.coin)
        account = Account(
            name=name,
            venue=VenueKind.EVM,
            chain_id=exchange.chain_id,
            address=address.lower(),
            reporting_asset=native.id,
        )
        session.add(account)
        session.flush()
        journal.append(
            session,
            "account.created",
            account.id,
            {"name": name, "venue": "evm", "chain_id": exchange.chain_id, "address": account.address},
            actor=actor,
        )
        with Books(database, actor=actor).within(session, account.id, kind="desk.cash") as page:
            book_deposit(page, native.id, balance, {"block": head.number, "hash": head.hash})
        session.refresh(account)  # its version is the books' now
        return account

    return database.transact(work)


def book_deposit(
    page: Page, asset_id: str, amount: int, moment: dict[str, object], *, movement: Movement | None = None
) -> None:
    """Book what came in from (or, negative, went out to) somewhere outside, as seen at a block."""
    if amount == 0:
        return
    kind = movement or (Movement.DEPOSIT if amount > 0 else Movement.WITHDRAWAL)
    reference = f"block:{moment['block']}:{moment['hash']}"
    move_cash(page, asset_id, kind, amount, reference=reference, facts=dict(moment))


def ensure_coin(session: Session, chain_id: int, symbol: str) -> Asset:
    """The asset of a chain's own coin."""
    asset = session.get(Asset, evm_asset_id(chain_id))
    if asset is None:
        asset = Asset(id=evm_asset_id(chain_id), symbol=symbol, decimals=COIN_DECIMALS)
        session.add(asset)
        session.flush()
    return asset


def summary(session: Session, account: Account) -> AccountSummary:
    """Cash, marks and profit of one account."""
    positions = open_positions(session, account.id)
    everything = session.exec(select(Position).where(Position.account_id == account.id)).all()
    return AccountSummary(
        account_id=account.id,
        name=account.name,
        cash=balance_of(session, account.id, account.reporting_asset),
        reserved=sum(order.still_reserved for order in working_orders(session, account.id)),
        marks=sum(p.cost if p.mark_value is None else p.mark_value for p in positions),
        open_positions=len(positions),
        realised=sum(p.realised for p in everything),
        fees=sum(p.fees for p in everything),
    )


def balances(session: Session, account_id: UUID) -> list[tuple[Asset, int]]:
    """What the ledger says the account holds, asset by asset, zeros left out."""
    query = select(Asset, Balance).where(Balance.account_id == account_id, Balance.asset_id == Asset.id)
    rows = [(asset, balance.amount) for asset, balance in session.exec(query).all() if balance.amount]
    return sorted(rows, key=lambda row: row[0].id)


def require_account(session: Session, account_id: UUID) -> Account:
    """An account by its id. Raises RowNotFound."""
    account = session.get(Account, account_id)
    if account is None:
        raise RowNotFound(f"there is no account {account_id}", hint="sniper init")
    return account


def _checked(session: Session, account: Account, chain_id: int, address: str, nonce: int) -> Account:
    if (account.chain_id, account.address) != (chain_id, address.lower()):
        raise ConfigurationError(
            f"account {account.name!r} belongs to {account.address} on chain {account.chain_id}, "
            f"not to {address.lower()} on chain {chain_id}",
            hint="sniper config show",
        )
    from state.transactions import highest_mined_nonce

    highest = highest_mined_nonce(session, chain_id, address.lower())
    if highest is not None and nonce <= highest:
        raise ConfigurationError(
            f"chain {chain_id} knows {nonce} transactions of {address.lower()}, the record has {highest + 1}: "
            "this is another chain than the one the account traded on, or a node that is far behind",
            hint="SNIPER_HOME=/a/new/folder sniper init",
        )
    return account


async def _standing(node: Node, address: str, head: Head) -> tuple[int, int]:
    balance, nonce = await node.batch(
        [
            ("eth_getBalance", [address, hex(head.number)]),
            ("eth_getTransactionCount", [address, hex(head.number)]),
        ]
    )
    return int(balance, 16), int(nonce, 16)
