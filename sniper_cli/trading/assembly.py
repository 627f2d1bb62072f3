"""Builds the desk of a profile: paper with the simulated market, or a chain with its node, exchange and wallet.

Opening a desk recovers first: what a crash left open is settled before anything else happens on the account.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.books.records import INLINE
from sniper_cli.errors import (
    ConfigurationError,
    InsufficientFunds,
    KillSwitchTripped,
    LiveNotConfirmed,
    NetworkError,
    NotFound,
    OrderRefused,
)
from sniper_cli.settings.model import Mode
from sniper_cli.trading.desk import OrderDesk
from sniper_cli.trading.intents import OrderIntent
from state.accounts import Account, Asset, Instrument, VenueKind
from state.columns import utc_now
from state.identifiers import short
from state.orders import UNRESOLVED, Order, OrderState, Side
from state.positions import Position, PositionState, open_positions

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchange
    from sniper_cli.chains.node import Node
    from sniper_cli.chains.relays import Relay
    from sniper_cli.context import Context
    from sniper_cli.secrets.wallets import Wallet
    from sniper_cli.trading.bulk import Closed
    from sniper_cli.trading.local import LocalWalk
    from sniper_cli.venues.evm import Signer
    from sniper_cli.venues.paper import PaperVenue
    from sniper_cli.venues.venue import Venue

LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class OpenDesk:
    """A desk with the profile's account; on a chain, with its node and exchange."""

    desk: OrderDesk
    account: Account
    venue: Venue | PaperVenue
    node: Node | None = None
    exchange: Exchange | None = None

    async def settled(self, order: AnyOrder, seconds: float) -> AnyOrder:
        """The order once its fate is known, or as it stands after so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while order.state in UNRESOLVED and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LOOK_SECONDS)
            await self.desk.refresh(self.account.id)
            order = self.desk.order(order.id)
        return order


@asynccontextmanager
async def open_desk(
    context: Context,
    *,
    live: bool = False,
    recover: bool = True,
    bulk: bool = False,
    address: str | None = None,
) -> AsyncIterator[OpenDesk]:
    """The desk of a profile, given back at the end. `bulk`: for orders by the thousand, whose rows may follow.

    `address`: on a chain, another than that of the profile's wallet.

    Raises LiveNotConfirmed, ConfigurationError, SecretMissing, WrongChain, NetworkError.
    """
    if context.settings.mode is Mode.LIVE and not live:
        raise LiveNotConfirmed(
            f"the profile {context.profile!r} trades live money", hint="add --live to mean it"
        )
    paper = context.settings.mode is Mode.PAPER
    async with _open_paper(context) if paper else open_chain(context, address=address) as opened:
        if bulk:
            opened.desk.books.defer_above = INLINE
        # At a venue that is here no order's fate is ever open: each walk settles before it does anything.
        if recover and opened.exchange is not None:
            await opened.desk.recover(opened.account.id)
        yield opened


@asynccontextmanager
async def _open_paper(context: Context) -> AsyncIterator[OpenDesk]:
    from sniper_cli.market.simulated import SimulatedMarket
    from sniper_cli.venues.paper import Conditions, FeeSchedule, PaperVenue, ensure_account

    paper = context.settings.paper
    account = ensure_account(
        context.database,
        context.account_name,
        deposit=paper.deposit,
        margin=paper.margin,
        actor=context.actor,
    )
    fees = FeeSchedule(paper.maker_bps, paper.taker_bps)
    conditions = Conditions(fees, paper.latency_ms, paper.slippage_bps, paper.impact_bps)
    venue = PaperVenue(SimulatedMarket(context.settings.market_seed), conditions=conditions)
    with closing(OrderDesk(context.database, {VenueKind.PAPER: venue}, actor=context.actor)) as desk:
        yield OpenDesk(desk, account, venue)


@asynccontextmanager
async def open_chain(
    context: Context, *, actor: str | None = None, address: str | None = None
) -> AsyncIterator[OpenDesk]:
    """The desk of a chain profile, nothing recovered yet. `actor` stands in the journal; none: the person."""
    async with open_several(context, [_wallet_at(context, address)], actor=actor) as opened:
        yield opened[0]


@asynccontextmanager
async def open_several(
    context: Context, wallets: Sequence[str], *, actor: str | None = None
) -> AsyncIterator[list[OpenDesk]]:
    """A desk for each wallet, over the same node and relays.

    Raises ConfigurationError, SecretMissing, WrongPassphrase, NotFound, WrongChain, NetworkError.
    """
    from sniper_cli.endpoints.relays import relays_from

    async with open_market(context) as (node, exchange), AsyncExitStack() as ways:
        relays = relays_from(context.resolved, context.paths, context.database)
        for relay in relays.values():
            await ways.enter_async_context(relay)
        signers = await asyncio.gather(*(_signer(context, wallet) for wallet in wallets))
        desks = []
        for wallet, signer in zip(wallets, signers, strict=True):
            opened = await _desk_of(context, node, exchange, relays, wallet, signer, actor)
            ways.callback(opened.desk.close)
            desks.append(opened)
        yield desks


async def _desk_of(
    context: Context,
    node: Node,
    exchange: Exchange,
    relays: Mapping[str, Relay],
    wallet: str,
    signer: Signer,
    actor: str | None,
) -> OpenDesk:
    """One wallet's account and desk."""
    from sniper_cli.chains.exchange import exchanges_from
    from sniper_cli.portfolio.accounts import ensure_evm_account
    from sniper_cli.risk.limits import Limits
    from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy

    sniping, who = context.settings.sniping, actor or context.actor
    name = _account_name(context, wallet, exchange.chain_id, signer.address)
    account = await ensure_evm_account(
        context.database, node, exchange, signer.address, name, actor=context.actor
    )
    venue = EvmVenue(
        context.database,
        node,
        exchanges_from(context.settings.chain, context.paths),
        signer,
        ExecutionPolicy.from_settings(sniping, context.settings.fees, exchange.chain_id),
        actor=who,
        relays=relays,
    )
    desk = OrderDesk(
        context.database, {VenueKind.EVM: venue}, limits=Limits.from_settings(sniping), actor=who
    )
    return OpenDesk(desk, account, venue, node, exchange)


def _account_name(context: Context, wallet: str, chain_id: int, address: str) -> str:
    """The profile's account for its own wallet; for another the one that its address has, or a name made of both."""
    if wallet == wallet_of(context).name:
        return context.account_name
    same = select(Account.name).where(Account.chain_id == chain_id, Account.address == address.lower())
    with context.database.read() as session:
        return session.exec(same).first() or f"{context.account_name}-{wallet}"


def _wallet_at(context: Context, address: str | None) -> str:
    """The wallet with an address, the profile's own if none is named. Raises NotFound."""
    from sniper_cli.secrets.wallets import list_wallets

    own = wallet_of(context)
    if address is None or own.address.lower() == address.lower():
        return own.name
    for wallet in list_wallets(context.paths):
        if wallet.address.lower() == address.lower():
            return wallet.name
    raise NotFound(f"there is no wallet with the address {address}", hint="sniper wallet list")


async def _signer(context: Context, name: str) -> Signer:
    """A wallet, opened: scrypt takes a second, off the loop."""
    from sniper_cli.secrets.passphrases import passphrase_for
    from sniper_cli.secrets.wallets import open_wallet

    passphrase = passphrase_for(context.settings.secrets, context.paths.data, name)
    return await asyncio.to_thread(open_wallet, context.paths, name, passphrase)


def wallet_of(context: Context) -> Wallet:
    """The wallet that the profile names, or the only one there is. Raises ConfigurationError, NotFound."""
    from sniper_cli.secrets.wallets import find_wallet, list_wallets

    if context.settings.wallet:
        return find_wallet(context.paths, context.settings.wallet)
    wallets = list_wallets(context.paths)
    if not wallets:
        raise NotFound("there is no wallet to sign with", hint="sniper wallet create main")
    if len(wallets) > 1:
        names = ", ".join(wallet.name for wallet in wallets)
        raise ConfigurationError(
            f"the profile {context.profile!r} names no wallet, and there are several: {names}",
            hint=f"sniper config set wallet {wallets[0].name}",
        )
    return wallets[0]


@asynccontextmanager
async def open_market(context: Context) -> AsyncIterator[tuple[Node, Exchange]]:
    """The profile's node and exchange, without a wallet. Raises ConfigurationError, WrongChain, NetworkError."""
    from sniper_cli.chains.exchange import exchange_from
    from sniper_cli.endpoints.assembly import nodes_from

    chain = context.settings.chain
    exchange = exchange_from(chain, context.paths)
    async with nodes_from(context.resolved, context.paths, context.database) as node:
        await node.check_chain(chain.chain_id)
        yield node, exchange


def address_behind(context: Context, kind: type[Order | Position], identifier: UUID) -> str | None:
    """The address that an order or a position belongs to: its wallet is the one to open. None on paper."""
    with context.database.read() as session:
        row: Any = session.get(kind, identifier)
        return None if row is None else session.get_one(Account, row.account_id).address


async def close_position(
    context: Context, position_id: UUID, *, live: bool = False, wait_seconds: float = 30
) -> str:
    """Sell everything a position holds, at the market; a sentence on what came of it.

    Raises OrderRefused with the reasons, NotFound, NetworkError.
    """
    address = address_behind(context, Position, position_id)
    async with open_desk(context, live=live, address=address) as opened:
        order = await sell_position(opened, position_id, wait_seconds=wait_seconds)
    return f"order {short(order.id)} is {order.state.value.replace('_', ' ')}"


async def sell_position(
    opened: OpenDesk, position_id: UUID, *, quantity: int | None = None, wait_seconds: float = 30
) -> AnyOrder:
    """One market order for all that is left of a position, or so many units of it.

    Raises OrderRefused, NotFound, NetworkError.
    """
    with opened.desk.database.read() as session:
        position = session.get(Position, position_id)
        if position is None:
            raise NotFound(f"there is no position {position_id}", hint="sniper position list --all")
        session.expunge(position)
    if position.state is PositionState.CLOSED:
        raise OrderRefused(
            "the position is closed already", hint=f"sniper position show {short(position.id)}"
        )
    if opened.exchange is None:
        order = close_held(opened, position, quantity).orders[0]
        raise_unless_taken(order)
        return order
    intent = OrderIntent(
        account_id=position.account_id,
        instrument_id=position.instrument_id,
        side=Side.SELL,
        client_order_id=_closing(position, quantity),
        quantity=position.quantity if quantity is None else quantity,
        reason={"origin": "person", "rule": "closed_by_hand"},
        launch_id=position.launch_id,
        position_id=position.id,
    )
    outcome = (await opened.desk.submit([intent]))[0]
    raise_unless_taken(outcome.order)
    return await opened.settled(outcome.order, wait_seconds)


def _closing(position: Position, quantity: int | None) -> str:
    """The position's version makes a second press of the button the same order, a later sale another one."""
    return f"position-{position.id}-close-{position.version}" + ("" if quantity is None else f"-{quantity}")


def close_held(
    opened: OpenDesk, position: Position, quantity: int | None = None, *, dry_run: bool = False
) -> Closed:
    """Close a position at a venue that is here: what else would close it ends first. Raises OrderRefused."""
    from sniper_cli.trading.bulk import close_here

    def work(walk: LocalWalk) -> Closed:
        held = walk.book.positions.get(position.instrument_id)
        if held is None or not held.quantity:
            raise OrderRefused(
                "the position is closed already", hint=f"sniper position show {short(position.id)}"
            )
        return close_here(walk, held, quantity, _closing(position, quantity))

    venue: PaperVenue = opened.venue  # type: ignore[assignment]
    return opened.desk.walk_here(opened.account, venue, work, dry_run=dry_run)


def raise_unless_taken(order: AnyOrder) -> None:
    """Raise OrderRefused for a refused order, NetworkError for one that could not be given to its venue."""
    if order.state is OrderState.REFUSED:
        failed = failed_checks(order)
        raise _refusal(failed)(
            f"the order was refused: {order.explanation}",
            hint=f"sniper explain {short(order.id)}",
            order=str(order.id),
            checks=failed,
        )
    if order.state is OrderState.RECORDED:
        raise NetworkError(
            f"the order is recorded, but {order.explanation or 'not known to be sent'}",
            hint=f"sniper order show {short(order.id)}",
            order=str(order.id),
        )


def failed_checks(order: AnyOrder) -> list[dict[str, Any]]:
    """The checks that said no, as they stand with the order."""
    return [check for check in order.checks if isinstance(check, dict) and not check["passed"]]


def _refusal(failed: list[dict[str, Any]]) -> type[OrderRefused]:
    """The error that says most precisely why: the kill switch before missing funds before any other rule."""
    names = {check["name"] for check in failed}
    return (
        KillSwitchTripped
        if "kill_switch" in names
        else InsufficientFunds
        if "funds" in names
        else OrderRefused
    )


async def resolve_instrument(opened: OpenDesk, text: str) -> tuple[Instrument, Asset, Asset]:
    """An instrument with its assets, by symbol or id; on a chain also by the token's address. Raises NotFound."""
    from sniper_cli.trading.lookup import find_instrument

    address = text.rsplit(":", 1)[-1].lower()
    if (
        opened.node is not None
        and opened.exchange is not None
        and len(address) == 42
        and address.startswith("0x")
    ):
        await _introduce(opened, opened.node, opened.venue, address)
    with opened.desk.database.read() as session:
        instrument = find_instrument(session, text, opened.account.venue)
        base, quote = (
            session.get_one(Asset, instrument.base_asset),
            session.get_one(Asset, instrument.quote_asset),
        )
        session.expunge_all()
    return instrument, base, quote


async def _introduce(opened: OpenDesk, node: Node, venue: Venue | PaperVenue, token: str) -> None:
    """Make the instrument of a token's deepest pool; leave alone what has none, and a token that is traded already."""
    from sniper_cli.chains import abi
    from sniper_cli.pools.finding import find_deepest
    from sniper_cli.venues.evm import EvmVenue
    from sniper_cli.venues.evm.instruments import ensure_instrument
    from state.accounts import evm_asset_id

    assert isinstance(venue, EvmVenue)
    asset = evm_asset_id(venue.exchanges.chain_id, token)
    with opened.desk.database.read() as session:
        if session.exec(select(Instrument.id).where(Instrument.base_asset == asset)).first() is not None:
            return
    pool = await find_deepest(node, venue.exchanges, token)
    decimals, symbol, name = await node.batch(
        [
            ("eth_call", [{"to": token, "data": data}, "latest"])
            for data in (abi.CALL_DECIMALS, abi.CALL_SYMBOL, abi.CALL_NAME)
        ],
        return_errors=True,
    )
    if pool is None or not isinstance(decimals, str) or len(decimals) < 66:
        return
    with opened.desk.database.write() as session:
        ensure_instrument(
            session,
            pool,
            symbol=_clean(symbol),
            name=_clean(name),
            decimals=min(77, int(decimals[:66], 16)),
        )


def _clean(answer: object) -> str:
    """A name that a stranger wrote, fit for one line."""
    from sniper_cli.chains import abi

    text = abi.text(answer) if isinstance(answer, str) else ""
    return "".join(letter for letter in text if letter.isprintable())[:40].strip()


async def settle_paper(context: Context) -> None:
    """Paper accounts settle when they are touched: replay the market since the last look, and mark positions."""
    if context.settings.mode is not Mode.PAPER:
        return
    async with open_desk(context) as opened:
        await opened.desk.refresh(opened.account.id)
        _mark(opened)


def _mark(opened: OpenDesk) -> None:
    venue: PaperVenue = opened.venue  # type: ignore[assignment]
    with opened.desk.database.read() as session:
        held = {p.id: (p.instrument_id, p.quantity) for p in open_positions(session, opened.account.id)}
    if not held:
        return
    worth = {key: venue.proceeds(instrument, quantity) for key, (instrument, quantity) in held.items()}
    with opened.desk.database.write() as session:
        for position in open_positions(session, opened.account.id):
            if position.id in worth:
                position.mark_value, position.marked_at = worth[position.id], utc_now()
                position.peak_value = max(position.peak_value, worth[position.id])
                session.add(position)
