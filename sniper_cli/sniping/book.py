"""The sniper's view of its account: which positions opened, which closed, and what each still needs.

Driven by the state and by nothing else: it compares the open positions with those it knew. So a purchase
mined while the program was down is taken up like one mined a second ago.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.errors import OrderRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.sniping.attempts import is_exit, sales_of, sold_by_steps, sold_for
from sniper_cli.sniping.events import BuyFailed, PositionClosed, PositionOpened, SniperEvent
from sniper_cli.sniping.launches import sell_tax_bps
from sniper_cli.sniping.marks import Holding
from sniper_cli.sniping.rules import ExitRules
from sniper_cli.sniping.run import Run
from sniper_cli.sniping.sales import FAILED
from sniper_cli.sniping.trial import trial_id
from sniper_cli.venues.evm.instruments import pool_of
from state.accounts import Asset, Instrument
from state.launches import Decision, Launch
from state.orders import Order, Side, find_by_client_id
from state.positions import Position, PositionState, open_positions
from state.transactions import ChainTransaction, TransactionState


class Book:
    """Open positions, as of the last look."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.holdings: dict[UUID, Holding] = {}
        self._buys: dict[UUID, tuple[str, str]] = {}
        self._sales: set[UUID] = set()
        self.fallen: dict[UUID, list[Order]] = {}
        """Positions whose last sale was sent and has failed since the last look, with their sales by rules."""

    def expect(self, order_id: UUID, token: str, symbol: str) -> None:
        """A purchase is on its way: say so if it fails."""
        self._buys[order_id] = (token, symbol)

    @property
    def tokens(self) -> dict[str, Holding]:
        """Holdings by their token."""
        return {holding.token: holding for holding in self.holdings.values()}

    @property
    def pools(self) -> dict[str, Holding]:
        return {holding.pool: holding for holding in self.holdings.values()}

    def look(self, *, quietly: bool = False) -> list[Holding]:
        """Read the open positions; tell what opened, closed and failed since. The holdings that are new."""
        with self._run.database.read() as session:
            found = {
                position.id: position
                for position in open_positions(session, self._run.account_id)
                if position.id in self.holdings or not _is_on_trial(session, position)
            }
            opened = [self._holding(session, p) for key, p in found.items() if key not in self.holdings]
            gone = [holding for key, holding in self.holdings.items() if key not in found]
            events: list[SniperEvent] = [_opened(session, holding) for holding in opened]
            events += [sold for holding in gone if (sold := _closed(session, holding)) is not None]
            events += self._failed_buys(session)
            sales = sales_of(session, self._run.account_id, found)
            self._note_failures(sales)
            session.expunge_all()  # what is read stays readable after the snapshot is given up
        kept = {
            key: _with_sales(replace(holding, position=found[key]), sales[key])
            for key, holding in self.holdings.items()
            if key in found
        }
        self.holdings = kept | {h.id: _with_sales(h, sales[h.id]) for h in opened}
        self._give_rules(opened)
        for event in () if quietly else events:
            self._run.tell(event)
        return opened

    def _holding(self, session: Session, position: Position) -> Holding:
        instrument = session.get_one(Instrument, position.instrument_id)
        asset = session.get_one(Asset, instrument.base_asset)
        launch = session.get(Launch, position.launch_id) if position.launch_id else None
        return Holding(
            position=position,
            pool=(instrument.pool or "").lower(),
            token=asset.id.rpartition(":")[2],
            symbol=asset.symbol,
            decimals=asset.decimals,
            sell_tax_bps=sell_tax_bps(launch),
            market=self._market(instrument),
            launch_block=launch.block_number if launch else None,
            entry_liquidity=launch.liquidity if launch else None,
        )

    def _market(self, instrument: Instrument) -> Pool | None:
        """The pool; none where its exchange is not set up any more, which its sale will say."""
        try:
            return pool_of(instrument, self._run.watched)
        except OrderRefused:
            return None

    def _give_rules(self, holdings: list[Holding]) -> None:
        """Fix the exit rules of new positions: what the settings say now, and the pool as it was judged."""
        fresh = [holding for holding in holdings if not holding.position.exit_rules]
        if not fresh:
            return
        rules = ExitRules.from_settings(self._run.settings.exits).as_json()

        def write(session: Session) -> None:
            for holding in fresh:
                entry = None if holding.entry_liquidity is None else str(holding.entry_liquidity)
                position = session.get_one(Position, holding.id)
                original = str(holding.position.quantity)
                position.exit_rules = {**rules, "entry_liquidity": entry, "original": original}
                holding.position.exit_rules = position.exit_rules
                session.add(position)

        self._run.database.transact(write)

    def _note_failures(self, sales: dict[UUID, list[Order]]) -> None:
        """Sales known to be at work that have failed since."""
        latest = {key: [order for order in orders if is_exit(order)] for key, orders in sales.items()}
        self.fallen = {
            key: orders
            for key, orders in latest.items()
            if orders and orders[-1].id in self._sales and orders[-1].state in FAILED
        }
        self._sales = {order.id for orders in latest.values() for order in orders if order.is_working}

    def _failed_buys(self, session: Session) -> list[BuyFailed]:
        failed = []
        for order_id, (token, symbol) in list(self._buys.items()):
            order = session.get_one(Order, order_id)
            if order.is_working:
                continue
            del self._buys[order_id]
            if order.state in FAILED:
                reason = order.explanation or order.state.value
                failed.append(BuyFailed(order_id=order_id, token=token, symbol=symbol, reason=reason))
        return failed


def _is_on_trial(session: Session, position: Position) -> bool:
    """A launch's trial is under way: its own sale ends this position, unless it is given up. Then it is like any."""
    launch = None if position.launch_id is None else session.get(Launch, position.launch_id)
    if launch is None or launch.decision is not Decision.WAITING or launch.vanished_at is not None:
        return False
    return find_by_client_id(session, position.account_id, trial_id(launch.id, Side.BUY)) is not None


def _with_sales(holding: Holding, sales: list[Order]) -> Holding:
    """What of a holding follows from its sales so far."""
    request = holding.position.exit_rules.get("request") or {}
    asked = sold_for(str(request.get("id")), sales) if request else 0
    return replace(holding, sold=sold_by_steps(sales), asked=asked)


def _opened(session: Session, holding: Holding) -> PositionOpened:
    position = holding.position
    block = _block_of_buy(session, position)
    later = None if block is None or holding.launch_block is None else block - holding.launch_block
    return PositionOpened(
        position_id=position.id,
        launch_id=position.launch_id,
        token=holding.token,
        symbol=holding.symbol,
        quantity=position.quantity,
        decimals=holding.decimals,
        spent=position.spent,
        block_number=block,
        blocks_after_launch=later,
    )


def _closed(session: Session, holding: Holding) -> PositionClosed | None:
    position = session.get(Position, holding.id)
    if position is None or position.state is not PositionState.CLOSED:
        return None
    return PositionClosed(
        position_id=position.id,
        token=holding.token,
        symbol=holding.symbol,
        rule=position.exit_rule or "closed by hand",
        spent=position.spent,
        received=position.received,
        costs=position.fees,
        profit=position.profit,
    )


def _block_of_buy(session: Session, position: Position) -> int | None:
    """The block in which the purchase was mined."""
    if position.launch_id is None:
        return None
    query = (
        select(ChainTransaction.block_number)
        .join(Order, col(Order.id) == col(ChainTransaction.order_id))
        .where(
            Order.launch_id == position.launch_id,
            Order.account_id == position.account_id,
            Order.side == Side.BUY,
            ChainTransaction.state == TransactionState.MINED,
        )
        .order_by(col(ChainTransaction.id))
    )
    return session.exec(query).first()
