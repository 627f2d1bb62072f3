"""Approvals for people: what may still be taken of our tokens, read from the chain, and an end to it.

Looked at are the tokens that an account ever ordered, and of each whoever this program could have let take it: the
routers of the chain's exchanges, and Permit2 before v4's. Whom else another program has let is not known here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.errors import (
    ConfigurationError,
    NotFound,
    OrderRefused,
    PartlyDone,
    UsageProblem,
)
from sniper_cli.pools import swaps
from sniper_cli.pools.pool import Pool
from sniper_cli.settings.model import Mode
from sniper_cli.trading.amounts import trimmed
from sniper_cli.trading.assembly import OpenDesk, open_desk, open_market
from sniper_cli.trading.mending import sign_more
from sniper_cli.venues.evm.approvals import allowance_questions, left_of
from sniper_cli.venues.evm.approving import UNLIMITED
from sniper_cli.venues.evm.instruments import pool_of
from state.accounts import Account, Asset, Instrument, VenueKind
from state.orders import Order, Side
from state.positions import open_positions
from state.transactions import PENDING, ChainTransaction, Purpose, transactions_of

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchanges
    from sniper_cli.context import Context
    from sniper_cli.venues.evm import EvmVenue

Agree = Callable[[str], None]
LOOK_SECONDS = 0.2
COIN = 18


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """Somebody's right to take a token of ours, as the chain says. Quantities in whole tokens."""

    account: str
    token: str
    symbol: str
    exchange: str
    protocol: str
    spender: str
    allowance: Decimal
    unlimited: bool
    """More than any token has: what earlier editions gave."""
    needed: Decimal
    """What open positions will sell by it."""
    state: str
    """`needed`, or `loose`: no position is open that would use it."""
    order_id: UUID
    """The newest order in the token there: its story tells of the approval."""


@dataclass(frozen=True, slots=True)
class RevokedView:
    """What came of taking an approval back."""

    account: str
    token: str
    symbol: str
    exchange: str
    spender: str
    allowance: Decimal
    gas_at_most: Decimal | None
    """In whole coins, at the fee cap."""
    tx_hash: str | None
    state: str
    """`planned`, `sent`, `mined`, `reverted` …; `refused`: nothing was sent."""
    explanation: str | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Known:
    """A token that was traded by a router, before the chain is asked."""

    account: Account
    pool: Pool
    asset: Asset
    order: Order
    needed: int


async def approvals(context: Context, account: str | None = None) -> list[ApprovalView]:
    """What may still be taken of the tokens that accounts of the profile's chain ever ordered.

    Raises NotFound, ConfigurationError, NetworkError.
    """
    _require_chain(context)
    async with open_market(context) as (node, _):
        known = _known(context, account)
        asked = [allowance_questions(one.pool, str(one.account.address)) for one in known]
        answers = iter(await node.batch([each for mine in asked for each in mine], return_errors=True))
        left = [left_of([next(answers) for _ in mine]) for mine in asked]
    return [_view(one, amount) for one, amount in zip(known, left, strict=True) if amount]


async def revoke(
    context: Context,
    tokens: Sequence[str],
    agree: Agree,
    *,
    loose: bool = False,
    everything: bool = False,
    dry_run: bool = False,
    live: bool = False,
    wait_seconds: float = 30,
) -> list[RevokedView]:
    """Take approvals of the profile's account back: those of tokens, the loose ones, or all.

    Raises UsageProblem, NotFound, OrderRefused, PartlyDone, NetworkError, LiveNotConfirmed.
    """
    _require_chain(context)
    if (bool(tokens), loose, everything).count(True) != 1:
        raise UsageProblem("name tokens, or --loose, or --all", hint="sniper wallet approvals revoke --help")
    async with open_desk(context, live=live) as opened:
        open_ones = {
            (view.token, view.spender): view for view in await approvals(context, opened.account.name)
        }
        known = {
            (one.pool.token, swaps.spender(one.pool)): one for one in _known(context, opened.account.name)
        }
        chosen = [view for view in open_ones.values() if _is_meant(view, tokens, loose=loose)]
        _require_all_found(tokens, chosen)
        if chosen and not dry_run:
            agree(_question(chosen))
        done = [
            await _take_back(opened, known[view.token, view.spender], view, dry_run=dry_run)
            for view in chosen
        ]
        if not dry_run:
            done = [await _settled(opened, view, wait_seconds) for view in done]
    return _told(done)


def _is_meant(view: ApprovalView, tokens: Sequence[str], *, loose: bool) -> bool:
    if tokens:
        wanted = {token.lower() for token in tokens}
        return view.token in wanted or view.symbol.lower() in wanted
    return view.state == "loose" or not loose


def _require_all_found(tokens: Sequence[str], chosen: Sequence[ApprovalView]) -> None:
    there = {word for view in chosen for word in (view.token, view.symbol.lower())}
    for token in tokens:
        if token.lower() not in there:
            raise NotFound(
                f"nobody may take any {token}: there is no approval of it",
                hint="sniper wallet approvals list",
            )


def _question(chosen: Sequence[ApprovalView]) -> str:
    names = ", ".join(f"{view.symbol} from {view.exchange}" for view in chosen)
    needed = [view.symbol for view in chosen if view.state == "needed"]
    warning = f" (held still: the sale of {', '.join(needed)} will take a transaction more)" if needed else ""
    return f"Take back {len(chosen)} approval(s), {names}{warning}?"


async def _take_back(opened: OpenDesk, one: Known, view: ApprovalView, *, dry_run: bool) -> RevokedView:
    """Plan, record and send one; a token that refuses is told, not raised: the others are tried, too."""
    venue: EvmVenue = opened.venue  # type: ignore[assignment]
    said = RevokedView(
        view.account, view.token, view.symbol, view.exchange, view.spender, view.allowance,
        None, None, "planned", None, dry_run,
    )  # fmt: skip
    try:
        plan = await venue.grants.plan_end_of(one.pool)
    except OrderRefused as refused:
        return replace(said, state="refused", explanation=refused.message)
    if plan is None:
        return replace(said, state="gone", explanation="it was taken back meanwhile")
    gas = sum(call.gas_limit for call in plan.calls) * plan.fees.max_fee
    said = replace(said, gas_at_most=trimmed(Decimal(gas).scaleb(-COIN)))
    if dry_run:
        return said
    before = {each.id for each in _revocations(opened, one.order)}
    sign_more(opened.desk, opened.account, one.order, plan, venue.record_taking_back)
    await opened.desk.give(venue, opened.desk.order(one.order.id))
    mine = [each for each in _revocations(opened, one.order) if each.id not in before]
    return replace(said, tx_hash=mine[-1].tx_hash, state=mine[-1].state.value)


async def _settled(opened: OpenDesk, view: RevokedView, seconds: float) -> RevokedView:
    """The view once its transaction stands in a block, or as it stands after so many seconds."""
    if view.tx_hash is None:
        return view
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        with opened.desk.database.read() as session:
            query = select(ChainTransaction).where(ChainTransaction.tx_hash == view.tx_hash)
            row = session.exec(query).one()
            state, error = row.state, row.error
        if state not in PENDING or loop.time() >= deadline:
            return replace(view, state=state.value, explanation=error)
        await opened.desk.refresh(opened.account.id)
        await asyncio.sleep(LOOK_SECONDS)


def _told(done: list[RevokedView]) -> list[RevokedView]:
    """Raise where nothing, or not everything, was taken back."""
    refused = [view for view in done if view.state == "refused"]
    if refused and not done[0].dry_run:
        words = "; ".join(str(view.explanation) for view in refused)
        if len(refused) == len(done):
            raise OrderRefused(words, hint="sniper wallet approvals list")
        raise PartlyDone(
            f"{len(done) - len(refused)} of {len(done)} approvals are taken back: {words}",
            hint="sniper wallet approvals list",
            refused=[view.token for view in refused],
        )
    return done


def _revocations(opened: OpenDesk, order: Order) -> list[ChainTransaction]:
    with opened.desk.database.read() as session:
        found = [each for each in transactions_of(session, order.id) if each.purpose is Purpose.REVOKE]
        session.expunge_all()
    return found


def _known(context: Context, account: str | None) -> list[Known]:
    """The tokens that accounts ever ordered, by who may take them. Raises NotFound."""
    from sniper_cli.chains.exchange import exchanges_from

    exchanges = exchanges_from(context.settings.chain, context.paths)
    with context.database.read() as session:
        query = select(Account).where(Account.venue == VenueKind.EVM, Account.chain_id == exchanges.chain_id)
        accounts = [
            one for one in session.exec(query.order_by(col(Account.name))) if account in (None, one.name)
        ]
        if account is not None and not accounts:
            raise NotFound(
                f"there is no account {account!r} on chain {exchanges.chain_id}", hint="sniper account list"
            )
        found = [known for one in accounts for known in _of_account(session, one, exchanges)]
        session.expunge_all()
    return found


def _of_account(session: Session, account: Account, exchanges: Exchanges) -> list[Known]:
    found: dict[tuple[str, str], Known] = {}
    query = select(Order).where(Order.account_id == account.id, Order.side == Side.BUY)
    for order in session.exec(query.order_by(col(Order.id))).all():
        instrument = session.get(Instrument, order.instrument_id)
        if instrument is None:  # refused before there was one
            continue
        try:
            pool = pool_of(instrument, exchanges)
        except OrderRefused:  # on an exchange that is not set up any more: who may take it is not known
            continue
        asset = session.get_one(Asset, instrument.base_asset)
        for each in (one for one in exchanges.listed if one.factory in exchanges.traded):
            through = Pool(each, "", pool.token, each.wrapped)
            found[pool.token, swaps.spender(through)] = Known(account, through, asset, order, 0)
    for position in open_positions(session, account.id):
        instrument = session.get_one(Instrument, position.instrument_id)
        try:
            pool = pool_of(instrument, exchanges)
        except OrderRefused:
            continue
        key = pool.token, swaps.spender(pool)
        if key in found:
            found[key] = replace(found[key], needed=found[key].needed + max(0, position.quantity))
    return list(found.values())


def _view(one: Known, amount: int) -> ApprovalView:
    return ApprovalView(
        one.account.name,
        one.pool.token,
        one.asset.symbol,
        one.pool.exchange.name,
        one.pool.protocol.value,
        swaps.spender(one.pool),
        trimmed(one.asset.amount(amount)),
        amount >= UNLIMITED,
        trimmed(one.asset.amount(one.needed)),
        "needed" if one.needed else "loose",
        one.order.id,
    )


def _require_chain(context: Context) -> None:
    if context.settings.mode is Mode.PAPER:
        raise ConfigurationError(
            f"the profile {context.profile!r} trades on paper, where nothing is approved",
            hint="sniper profile list",
        )
