"""The EVM venue: an order is a signed transaction, its fate is a receipt.

`plan` and `report` talk to the node and write nothing; `record`, `settle` and the other writing steps run inside
the desk's transaction and talk to nobody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains.broadcast import Broadcast
from sniper_cli.chains.broadcast import Fate as Said
from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.chains.fee_history import read_market
from sniper_cli.chains.fees import Fees
from sniper_cli.chains.node import Node
from sniper_cli.chains.relays import Relay
from sniper_cli.errors import OrderRefused
from sniper_cli.pools.following import Sights
from sniper_cli.trading.intents import CheckResult, OrderIntent
from sniper_cli.venues.evm import remedies as cures
from sniper_cli.venues.evm.behind import plan_behind
from sniper_cli.venues.evm.calls import Call, SwapRequest
from sniper_cli.venues.evm.counting import count_holdings
from sniper_cli.venues.evm.doors import Doors
from sniper_cli.venues.evm.gas_budget import check_gas, day_allows
from sniper_cli.venues.evm.granting import Grants
from sniper_cli.venues.evm.instruments import ensure_instrument, launched_pool, pool_of
from sniper_cli.venues.evm.l1_cost import with_l1_fee
from sniper_cli.venues.evm.nonces import least_nonce, not_below
from sniper_cli.venues.evm.planning import plan_swap
from sniper_cli.venues.evm.policy import ExecutionPolicy, Strategy
from sniper_cli.venues.evm.quoting import read_quotes
from sniper_cli.venues.evm.recording import MEMPOOL, Way, figures, free_nonces, outcome, sign_and_store
from sniper_cli.venues.evm.reports import TRADES, Fate, fates, look, outcomes, report_of
from sniper_cli.venues.evm.routed import plan_route
from sniper_cli.venues.evm.signer import Signer
from sniper_cli.venues.venue import Asked, Granted, Holdings, Plan, Quoted, Remedy, RemedyKind, Report
from state import journal
from state.accounts import Account, Asset, Instrument, VenueKind
from state.columns import utc_now
from state.database import Database, lock_row
from state.launches import Launch
from state.orders import WORKING, Order, OrderState, Side
from state.transactions import (
    PENDING,
    SETTLED,
    ChainTransaction,
    Channel,
    Purpose,
    TransactionState,
    live_nonces,
    transactions_of,
)

T = TransactionState


class EvmVenue:
    """Buys and sells tokens against the coin on a chain's exchanges, for one address."""

    kind = VenueKind.EVM

    def __init__(
        self,
        database: Database,
        node: Node,
        exchanges: Exchanges | Exchange,
        signer: Signer,
        policy: ExecutionPolicy | None = None,
        *,
        actor: str = "sniper",
        checkpoint: Callable[[str], None] | None = None,
        relays: Mapping[str, Relay] | None = None,
    ) -> None:
        self.database = database
        self.node = node
        self.exchanges = exchanges if isinstance(exchanges, Exchanges) else Exchanges((exchanges,))
        self.signer = signer
        self.policy = policy or ExecutionPolicy()
        self.address = signer.address.lower()
        self.actor = actor
        self._checkpoint = checkpoint or (lambda _step: None)
        self._fresh: set[UUID] = set()
        """Signed by this process and never given to any node: only such bytes may be given up on a node's word."""
        self._head = 0
        """The highest block seen, for ages counted in blocks."""
        self.doors = Doors(relays or {})
        self.sights = Sights()
        self.grants = Grants(database, node, self.exchanges, self.address, self._priced, self._store)

    # -- placing ------------------------------------------------------------------------------------------------

    async def plan(self, account: Account, instrument: Instrument, intent: OrderIntent) -> Plan:
        """Work out the swap. Raises OrderRefused, NetworkError."""
        self._require(account)
        with self.database.read() as session:
            base, quote = (
                session.get_one(Asset, instrument.base_asset),
                session.get_one(Asset, instrument.quote_asset),
            )
            tax = _known_tax(session, account, instrument, intent)
            session.expunge_all()
        policy = await self._priced()
        pool = pool_of(instrument, self.exchanges)
        planned = (
            plan_behind(self.node, pool, policy, self.address, intent)
            if intent.behind is not None
            else plan_swap(self.node, self.sights, pool, policy, self.address, (base, quote), intent, tax)
            if intent.route is None
            else plan_route(self.node, self.exchanges, pool, policy, self.address, (base, quote), intent, tax)
        )
        plan, least = await asyncio.gather(
            planned,
            least_nonce(self.node, self.address, must_agree=intent.side is Side.BUY),
        )
        plan = replace(plan, request=not_below(plan.request, least))
        self._head = max(self._head, plan.request.head.number)
        self.doors.way(policy, intent.side, self._head)
        return await with_l1_fee(self.node, policy, plan)

    async def _priced(self) -> ExecutionPolicy:
        """The policy, with the market's tips of the newest block known where its strategy asks for them."""
        policy = self.policy
        if policy.strategy is Strategy.FIXED:
            return policy
        if policy.market is None or policy.market.block < self._head:
            market = await read_market(self.node, policy.percentiles, policy.history_blocks)
            self.policy = policy = replace(policy, market=market)
        return policy

    def check_costs(self, session: Session, account: Account, plan: Plan) -> CheckResult | None:
        """What a purchase's gas would break of the caps, under the account's lock."""
        if plan.intent.side is Side.SELL:
            return None
        return check_gas(session, account, plan.request, self.policy, coin=self.exchanges.coin)

    async def quotes(self, asked: Sequence[Asked]) -> list[Quoted | None]:
        """What the pools would pay now. Raises NetworkError."""
        return await read_quotes(self.node, self.sights, self.exchanges, asked)

    def record(self, session: Session, account: Account, order: AnyOrder, plan: Plan) -> None:
        """Allot nonces, sign, store. The order's reference is the hash of its swap."""
        request: SwapRequest = plan.request
        way = self.doors.way(self.policy, plan.intent.side, request.head.number)
        order.venue_reference = self._store(session, account, order, request, way).tx_hash

    def _store(
        self, session: Session, account: Account, order: AnyOrder, request: SwapRequest, way: Way = MEMPOOL
    ) -> ChainTransaction:
        """Its calls under the next nonces; the last of them."""
        nonces = free_nonces(
            session, self.exchanges.chain_id, self.address, request.pending_nonce, len(request.calls)
        )
        return [
            self._sign(
                session, account, order, call, nonce, request.fees, request.head.number, request.deadline, way
            )
            for call, nonce in zip(request.calls, nonces, strict=True)
        ][-1]

    def _sign(
        self,
        session: Session,
        account: Account,
        order: AnyOrder,
        call: Call,
        nonce: int,
        fees: Fees,
        planned_block: int,
        deadline: int | None,
        way: Way = MEMPOOL,
    ) -> ChainTransaction:
        """Sign a call under a nonce and store it. Only a trade's contract reads a deadline."""
        transaction = sign_and_store(
            session,
            account,
            order,
            call,
            signer=self.signer,
            nonce=nonce,
            fees=fees,
            planned_block=planned_block,
            deadline=deadline if call.purpose in TRADES else None,
            actor=self.actor,
            way=way,
            legacy=self.policy.legacy,
        )
        self._fresh.add(transaction.id)
        return transaction

    async def send(self, order: AnyOrder) -> Report:
        """Broadcast what is recorded and not yet mined, lowest nonce first. Raises NetworkError: fate unknown."""
        with self.database.read() as session:
            transactions = transactions_of(session, order.id)
            session.expunge_all()
        changed: dict[UUID, Fate] = {}
        pending = sorted((t for t in transactions if t.state in PENDING), key=lambda t: t.nonce)
        refused: str | None = None
        with_it = False
        for transaction in pending:
            fresh = transaction.id in self._fresh
            if refused is not None and fresh:
                changed[transaction.id] = Fate(transaction.id, T.DROPPED, error=f"never sent: {refused}")
                continue
            self._fresh.discard(transaction.id)
            if transaction.purpose is Purpose.CANCEL:
                await self._take_back(transaction, transactions)
            bundled = transaction.channel is Channel.BUNDLE
            if not (bundled and with_it):
                others = [
                    t for t in pending if bundled and t.channel is Channel.BUNDLE and t is not transaction
                ]
                said = await self.doors.send(self.node, order.id, transaction, others)
                with_it = with_it or bundled
            self._checkpoint(f"sent_{transaction.purpose.value}")
            fate = self._fate(transaction, said, fresh=fresh)
            if fate.state is T.DROPPED:
                refused = said.words
            changed[transaction.id] = fate
        return report_of(order, transactions, changed, {}, {})

    async def _take_back(self, end: ChainTransaction, transactions: Sequence[ChainTransaction]) -> None:
        """A relay that has what is ended here shall forget it; the nonce sees to it that nothing hangs on that."""
        for hidden in transactions:
            if (
                hidden.nonce == end.nonce
                and hidden.channel is not Channel.PUBLIC
                and end.order_id is not None
            ):
                await self.doors.take_back(end.order_id, hidden, self._head)

    def _fate(self, transaction: ChainTransaction, said: Broadcast, *, fresh: bool) -> Fate:
        """What a node's answer proves: little, unless these bytes were never given to any node before."""
        if said.may_be_mined or said.fate is Said.NONCE_USED or not fresh:
            sent_block = (
                self._head or transaction.planned_block if said.may_be_mined else transaction.sent_block
            )
            error = None if said.may_be_mined else said.words
            return Fate(transaction.id, T.SENT, sent_block=sent_block, error=error)
        return Fate(transaction.id, T.DROPPED, error=f"the node refused it: {said.words}")

    # -- finding out --------------------------------------------------------------------------------------------

    async def report(self, orders: Sequence[AnyOrder]) -> list[Report]:
        """What became of these orders, by the receipts of their transactions."""
        with self.database.read() as session:
            transactions = [t for order in orders for t in transactions_of(session, order.id)]
            instruments = {o.id: session.get_one(Instrument, o.instrument_id) for o in orders}
            session.expunge_all()
        if not transactions:
            return [_without_transactions(order) for order in orders]
        seen = await look(self.node, self.address, transactions)
        self._head = seen.head
        changed = fates(transactions, seen)
        trades, reverts = await outcomes(
            self.node, self.exchanges, self.address, transactions, instruments, seen, changed
        )
        return [report_of(order, transactions, changed, trades, reverts) for order in orders]

    def settle(self, session: Session, account: Account, order: AnyOrder, report: Report) -> None:  # noqa: ARG002
        """Write what became of each transaction."""
        for fate in report.details or ():
            transaction = lock_row(session, ChainTransaction, fate.transaction_id)
            if transaction is not None:
                self._settle(session, transaction, fate)

    def _settle(self, session: Session, transaction: ChainTransaction, fate: Fate) -> None:
        if fate.undone:
            transaction.undone += 1
            transaction.block_number = transaction.block_hash = transaction.gas_used = (
                transaction.gas_cost
            ) = None
            transaction.settled_at = None
            transaction.move_to(T.SENT)
            data = {**figures(transaction), "undone": transaction.undone}
            journal.append(session, "transaction.sent", transaction.id, data, actor=self.actor)
        before = transaction.state
        if fate.state is not before:
            transaction.move_to(fate.state)
        transaction.error = fate.error
        transaction.sent_block = fate.sent_block if fate.sent_block is not None else transaction.sent_block
        if fate.state is T.SENT:
            transaction.sent_at = utc_now()
        elif fate.state in SETTLED:
            transaction.block_number, transaction.block_hash = fate.block_number, fate.block_hash
            transaction.gas_used, transaction.gas_cost = fate.gas_used, fate.gas_cost
        if fate.state not in PENDING:
            transaction.settled_at = utc_now()
        session.add(transaction)
        if fate.state is T.DROPPED:
            self._restore(session, transaction)
        if fate.state is not before:
            data = {**figures(transaction), **outcome(transaction)}
            journal.append(session, f"transaction.{fate.state.value}", transaction.id, data, actor=self.actor)

    def _restore(self, session: Session, dropped: ChainTransaction) -> None:
        """A replacement that the node refused: what it was to replace is the one meant again."""
        for sibling in transactions_of(session, dropped.order_id) if dropped.order_id else ():
            same = sibling.nonce == dropped.nonce and sibling.id != dropped.id
            if (
                same
                and sibling.state is T.REPLACED
                and dropped.error
                and dropped.error.startswith("the node refused")
            ):
                sibling.move_to(T.SENT)
                session.add(sibling)
                return

    def revisit(self, session: Session, account: Account) -> list[AnyOrder]:
        """Orders with transactions on their way, or mined so lately that a reorganisation may take them back."""
        mine = ChainTransaction.account_id == account.id
        newest = session.exec(select(sa.func.max(ChainTransaction.block_number)).where(mine)).one() or 0
        since = max(self._head, newest) - self.policy.confirmations
        recent = sa.or_(
            col(ChainTransaction.state).in_(PENDING),
            col(ChainTransaction.block_number) >= since,
            sa.and_(col(ChainTransaction.state) == T.DROPPED, col(ChainTransaction.planned_block) >= since),
        )
        query = select(ChainTransaction.order_id).where(mine, recent).distinct()
        ids = [order_id for order_id in session.exec(query).all() if order_id is not None]
        return list(session.exec(select(Order).where(col(Order.id).in_(ids)).order_by(col(Order.id))).all())

    # -- mending ------------------------------------------------------------------------------------------------

    async def remedies(self, orders: Sequence[AnyOrder], *, recovering: bool = False) -> list[Remedy]:  # noqa: ARG002
        """What to do about transactions that no block and perhaps no node holds; at most one thing an order."""
        with self.database.read() as session:
            transactions = [t for order in orders for t in transactions_of(session, order.id)]
            session.expunge_all()
        if not any(t.state in PENDING for t in transactions):
            return []
        head, patients = await cures.examine(self.node, self.address, orders, transactions)
        self._head = head.number
        policy = await self._priced()
        found: dict[UUID, Remedy] = {}
        for patient in patients:
            if patient.order.id not in found:
                remedy = cures.remedy_for(patient, head, policy, self.address)
                if remedy is not None:
                    found[patient.order.id] = remedy
        return list(found.values())

    async def kill(self, order: AnyOrder) -> Remedy:
        """End an order: a transfer of nothing under its nonce. Raises OrderRefused when it is over."""
        transaction = self._pending_trade(order)
        head = await self.node.head()
        return cures.kill(order, transaction, head, await self._priced(), self.address, "cancelled")

    async def hasten(self, order: AnyOrder, *, urgency: int, outbid_fee: int | None) -> Remedy:
        """Raise an order's bid. Raises OrderRefused when it is over or the cap forbids it."""
        transaction = self._pending_trade(order)
        head = await self.node.head()
        policy = await self._priced()
        return cures.hasten(order, transaction, head, policy, urgency=urgency, outbid_fee=outbid_fee)

    def record_remedy(self, session: Session, account: Account, order: AnyOrder, remedy: Remedy) -> bool:
        """Sign the replacement under the same nonce and store it; False when the old one is not pending any more."""
        cure: cures.Replacement = remedy.details
        old = lock_row(session, ChainTransaction, cure.replaced.id)
        if old is None or old.state not in PENDING:
            return False
        self._require_sender(old)
        if cure.nonce is not None:
            return self._fill(session, account, order, cure, cure.nonce)
        if remedy.kind is RemedyKind.REPLACE and order.side is Side.BUY and old.purpose is Purpose.BUY:
            worst = cure.call.gas_limit * (cure.fees.max_fee - old.max_fee)
            if not day_allows(session, account, worst, self.policy):
                return False
        planned = old.planned_block if old.planned_block is not None else cure.planned_block
        way = self.doors.way_by(cure.channel, self.policy, cure.planned_block)
        new = self._sign(
            session, account, order, cure.call, old.nonce, cure.fees, planned, cure.deadline, way
        )
        self._fresh.discard(old.id)
        old.move_to(T.REPLACED)
        old.error = remedy.why
        session.add(old)
        data = {**figures(old), "by": new.tx_hash, "kind": remedy.kind.value, "why": remedy.why}
        journal.append(session, "transaction.replaced", old.id, data, actor=self.actor)
        if remedy.kind is RemedyKind.REPLACE and new.purpose in TRADES:
            order.venue_reference = new.tx_hash
        return True

    def _fill(
        self, session: Session, account: Account, order: AnyOrder, cure: cures.Replacement, nonce: int
    ) -> bool:
        """Use a nonce up that nobody uses; False where one of ours has claimed it since."""
        if nonce in live_nonces(session, self.exchanges.chain_id, self.address, nonce):
            return False
        self._sign(session, account, order, cure.call, nonce, cure.fees, cure.planned_block, None)
        return True

    async def cancel(self, order: AnyOrder) -> Report:
        """Not in one step: a chain forgets nothing. The desk records and sends a `kill`."""
        raise OrderRefused("a sent transaction can only be outbid", hint=f"sniper order cancel {order.id}")

    # -- approvals ----------------------------------------------------------------------------------------------

    async def plan_exit(self, order: AnyOrder) -> SwapRequest | None:
        """The approval that the sale of a position will need; None where the router may take so many already."""
        return await self.grants.plan(order)

    def record_exit(self, session: Session, account: Account, order: AnyOrder, plan: Any) -> bool:
        """Store the approval; False where one for as many is on its way or mined since."""
        return self.grants.record(session, account, order, plan)

    async def loose(self, account: Account) -> list[Granted]:
        """The approvals that nothing needs any more and something is left of. Raises NetworkError."""
        return [] if self.policy.keep_approvals else await self.grants.loose(account)

    async def plan_revocation(self, granted: Granted) -> SwapRequest | None:
        """What takes an approval back; None where nothing is left of it. Raises OrderRefused, NetworkError."""
        return await self.grants.plan_end(granted)

    def record_revocation(
        self, session: Session, account: Account, order: AnyOrder, granted: Granted, plan: Any
    ) -> bool:
        """Store it; False where it was taken back since, or is needed again."""
        return self.grants.record_end(session, account, order, granted, plan)

    def record_taking_back(self, session: Session, account: Account, order: AnyOrder, plan: Any) -> bool:
        """Store it because somebody asks for it, whatever is held: a sale will send an approval of its own."""
        self._store(session, account, order, plan)
        return True

    # -- counting -----------------------------------------------------------------------------------------------

    async def holdings(self, account: Account, asset_ids: Sequence[str]) -> Holdings:
        """The address's balances at one block."""
        self._require(account)
        return await count_holdings(self.database, self.node, account, self.address, asset_ids)

    # -- the rest -----------------------------------------------------------------------------------------------

    def introduce(self, session: Session, account: Account, instrument_id: str) -> bool:  # noqa: ARG002
        """The instrument of a launch that was seen."""
        pool = instrument_id.rsplit(":", 1)[-1]
        query = select(Launch).where(Launch.chain_id == self.exchanges.chain_id, Launch.pool == pool)
        launch = session.exec(query).first()
        market = None if launch is None else launched_pool(launch, self.exchanges)
        if launch is None or market is None:
            return False
        ensure_instrument(session, market, symbol=launch.symbol, name=launch.name, decimals=launch.decimals)
        return True

    def _pending_trade(self, order: AnyOrder) -> ChainTransaction:
        with self.database.read() as session:
            transactions = [
                t for t in transactions_of(session, order.id) if t.state in PENDING and t.purpose in TRADES
            ]
            session.expunge_all()
        if not transactions:
            raise OrderRefused(
                f"order {order.id} has no transaction that could still be replaced",
                hint=f"sniper explain {order.id}",
            )
        self._require_sender(transactions[-1])
        return transactions[-1]

    def _require_sender(self, transaction: ChainTransaction) -> None:
        """Another wallet's nonces are not ours to sign for. Raises OrderRefused."""
        if transaction.sender != self.address:
            raise OrderRefused(
                f"the transaction is of {transaction.sender}, the wallet is {self.address}",
                hint="sniper wallet list",
            )

    def _require(self, account: Account) -> None:
        if account.address != self.address or account.chain_id != self.exchanges.chain_id:
            raise OrderRefused(
                f"account {account.name!r} belongs to {account.address}, the wallet is {self.address}",
                hint="sniper wallet list",
            )


def _known_tax(session: Session, account: Account, instrument: Instrument, intent: OrderIntent) -> int:
    """What the token keeps of this trade: as the intent says, else as it was judged, else nothing."""
    if intent.tax_bps is not None:
        return intent.tax_bps
    query = select(Launch).where(Launch.chain_id == account.chain_id, Launch.pool == instrument.pool)
    launch = session.exec(query).first()
    side = "buy_tax_bps" if intent.side is Side.BUY else "sell_tax_bps"
    return min(9_999, int((launch.report.get(side) if launch is not None else None) or 0))


def _without_transactions(order: AnyOrder) -> Report:
    state = OrderState.DROPPED if order.state in WORKING else order.state
    return Report(order.id, state, explanation="nothing was ever signed for it")
