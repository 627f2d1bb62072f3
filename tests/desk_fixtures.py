"""A desk on a real chain for tests: an account of its own, a listed token, and the means to trade it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from eth_account import Account as EthAccount
from sqlmodel import select

from sniper_cli.books.verification import verify
from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.portfolio.accounts import ensure_evm_account
from sniper_cli.risk.limits import Limits
from sniper_cli.trading.desk import OrderDesk, no_checkpoint
from sniper_cli.trading.intents import OrderIntent, OrderOutcome
from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy, LocalSigner
from sniper_cli.venues.evm.instruments import ensure_instrument
from state.accounts import Account, Balance, LedgerEntry, VenueKind, balance_of
from state.database import Database
from state.orders import WORKING, Order, Side
from state.positions import Lot, Position, PositionState

WEI = 10**18


@dataclass(slots=True)
class Trader:
    """One address with ten coins, its account, its desk and one listed token."""

    database: Database
    node: Node
    exchange: Exchange
    key: str
    desk: OrderDesk
    venue: EvmVenue
    account: Account
    token: str
    pool: str
    instrument_id: str

    @property
    def coin(self) -> str:
        return self.account.reporting_asset

    @property
    def token_asset(self) -> str:
        return f"evm:{self.exchange.chain_id}:{self.token}"

    def buy_intent(
        self, budget: int = WEI // 10, client_order_id: str | None = None, **fields: Any
    ) -> OrderIntent:
        return OrderIntent(
            account_id=self.account.id,
            instrument_id=self.instrument_id,
            side=Side.BUY,
            client_order_id=client_order_id or f"buy-{uuid4()}",
            budget=budget,
            **fields,
        )

    def sell_intent(self, quantity: int, client_order_id: str | None = None, **fields: Any) -> OrderIntent:
        return OrderIntent(
            account_id=self.account.id,
            instrument_id=self.instrument_id,
            side=Side.SELL,
            client_order_id=client_order_id or f"sell-{uuid4()}",
            quantity=quantity,
            **fields,
        )

    async def buy(self, budget: int = WEI // 10, **fields: Any) -> OrderOutcome:
        return (await self.desk.submit([self.buy_intent(budget, **fields)]))[0]

    async def sell(self, quantity: int, **fields: Any) -> OrderOutcome:
        return (await self.desk.submit([self.sell_intent(quantity, **fields)]))[0]

    async def refresh(self, rounds: int = 1) -> None:
        for _ in range(rounds):
            await self.desk.refresh(self.account.id)

    def order(self, order_id: UUID) -> Order:
        return self.desk.order(order_id)

    def position(self) -> Position | None:
        with self.database.read() as session:
            found = session.exec(select(Position).where(Position.state == PositionState.OPEN)).first()
            session.expunge_all()
            return found

    def rows(self, model: type[Any], *conditions: Any) -> list[Any]:
        with self.database.read() as session:
            rows = list(session.exec(select(model).where(*conditions).order_by(model.id)).all())
            session.expunge_all()
            return rows

    def ledger(self, asset_id: str) -> int:
        with self.database.read() as session:
            return balance_of(session, self.account.id, asset_id)

    async def coins_on_chain(self) -> int:
        return int(await self.node.call("eth_getBalance", [self.venue.address, "latest"]), 16)

    async def another_process(
        self, checkpoint: Callable[[str], None] = no_checkpoint, **policy: Any
    ) -> OrderDesk:
        """A second desk on the same state, as a restarted or a second process would have."""
        return make_desk(self.database, self.node, self.venue.exchanges, self.key, checkpoint, **policy)


def make_desk(
    database: Database,
    node: Node,
    exchange: Exchange | Exchanges,
    key: str,
    checkpoint: Callable[[str], None] = no_checkpoint,
    limits: Limits | None = None,
    **policy: Any,
) -> OrderDesk:
    venue = EvmVenue(
        database,
        node,
        exchange,
        LocalSigner(key),
        ExecutionPolicy(**policy),
        checkpoint=checkpoint,
        actor="test",
    )
    return OrderDesk(database, {VenueKind.EVM: venue}, limits=limits, actor="test", checkpoint=checkpoint)


async def make_trader(
    database: Database,
    node: Node,
    exchanges: Exchange | Exchanges,
    token: str,
    pool: str | Pool,
    *,
    symbol: str = "TKN",
    **policy: Any,
) -> Trader:
    """A fresh key with ten coins."""
    exchange = exchanges.listed[0] if isinstance(exchanges, Exchanges) else exchanges
    market = pool if isinstance(pool, Pool) else pair_of(exchange, token, pool)
    key = "0x" + EthAccount.create().key.hex().removeprefix("0x")
    address = LocalSigner(key).address
    await node.call("anvil_setBalance", [address, hex(10 * WEI)])
    desk = make_desk(database, node, exchanges, key, **policy)
    account = await ensure_evm_account(database, node, exchange, address, "main", actor="test")
    with database.write() as session:
        instrument_id = ensure_instrument(session, market, symbol=symbol, decimals=18).id
    venue = desk.venues[VenueKind.EVM]
    assert isinstance(venue, EvmVenue)
    return Trader(database, node, exchange, key, desk, venue, account, token, market.id, instrument_id)


def assert_books_balance(database: Database) -> None:
    """Every balance is the sum of its ledger, every position the sum of its lots, nothing is below zero.

    And the tables are what the journal tells.
    """
    proved = verify(database)
    assert proved.whole, proved.findings
    with database.read() as session:
        entries = session.exec(select(LedgerEntry)).all()
        for balance in session.exec(select(Balance)).all():
            booked = sum(
                e.amount
                for e in entries
                if (e.account_id, e.asset_id) == (balance.account_id, balance.asset_id)
            )
            assert booked == balance.amount
            assert balance.amount >= 0
        lots = session.exec(select(Lot)).all()
        for position in session.exec(select(Position)).all():
            assert sum(lot.remaining for lot in lots if lot.position_id == position.id) == abs(
                position.quantity
            )
            assert (position.quantity == 0) == (position.state is PositionState.CLOSED)
            cost = sum(
                lot.cost - lot.cost * (lot.quantity - lot.remaining) // lot.quantity
                for lot in lots
                if lot.position_id == position.id
            )
            assert cost == position.cost


def working(database: Database) -> int:
    with database.read() as session:
        return sum(order.state in WORKING for order in session.exec(select(Order)).all())
