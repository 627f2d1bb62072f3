"""What a demo comes to: each launch beside what its token really was, each trade to the wei, and the reconciliation.

Read from the state after the run; the staging's truth joins only here, the sniper never sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlmodel import Session, col, select

from sniper_cli.demo.truth import Truth
from state.launches import Launch
from state.orders import Order, OrderState, Side
from state.positions import Position
from state.transactions import ChainTransaction, Purpose, TransactionState

if TYPE_CHECKING:
    from sniper_cli.trading.reconciliation import Reconciliation

WORDS = {"uniswap_v2": "V2", "uniswap_v3": "V3", "uniswap_v4": "v4"}
"""Protocols as their makers write them."""
BUY_FAILED = "buy_failed"
"""The rule of a purchase that was mined and brought nothing but its gas."""


@dataclass(frozen=True, slots=True)
class LaunchLine:
    """A launch, the verdict on it, and what its token really was (none of both for a stranger's token)."""

    token: str
    pool: str
    symbol: str
    kind: str | None
    bad: bool | None
    verdict: str
    reasons: tuple[str, ...]
    decision: str
    bought: bool
    latency_us: int | None
    protocol: str = "uniswap_v2"

    @property
    def latency_ms(self) -> float | None:
        """For reading; the exact figure is `latency_us`."""
        return None if self.latency_us is None else round(self.latency_us / 1000, 1)


@dataclass(frozen=True, slots=True)
class TradeLine:
    """A position from its purchase to its sale, or a purchase that failed. Amounts in wei."""

    token: str
    symbol: str
    entry_tx: str | None
    exit_tx: str | None
    exit_rule: str | None
    spent_wei: int
    received_wei: int
    gas_wei: int

    @property
    def profit_wei(self) -> int:
        return self.received_wei - self.spent_wei - self.gas_wei


@dataclass(frozen=True, slots=True)
class DemoReport:
    """The whole outcome. `differences` are assets where ledger and chain do not agree: asset, ledger, chain."""

    seed: int
    duration_s: int | float
    launches: tuple[LaunchLine, ...]
    trades: tuple[TradeLine, ...]
    ledger_wei: int
    chain_wei: int
    reconciled: bool
    differences: tuple[tuple[str, int, int], ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The object of `sniper demo --json`; amounts of wei are strings."""
        return {
            "seed": self.seed,
            "duration_s": self.duration_s,
            "reconciled": self.reconciled,
            "launches": [
                {
                    "token": line.token,
                    "pool": line.pool,
                    "protocol": line.protocol,
                    "kind": line.kind,
                    "bad": line.bad,
                    "verdict": line.verdict,
                    "reasons": list(line.reasons),
                    "bought": line.bought,
                    "latency_ms": line.latency_ms,
                }
                for line in self.launches
            ],
            "trades": [
                {
                    "token": line.token,
                    "entry_tx": line.entry_tx,
                    "exit_tx": line.exit_tx,
                    "exit_rule": line.exit_rule,
                    "spent_wei": str(line.spent_wei),
                    "received_wei": str(line.received_wei),
                    "gas_wei": str(line.gas_wei),
                    "profit_wei": str(line.profit_wei),
                }
                for line in self.trades
            ],
            "balances": {"ledger_wei": str(self.ledger_wei), "chain_wei": str(self.chain_wei)},
        }


def protocol_word(protocol: str) -> str:
    """A protocol for reading: `V3` for `uniswap_v3`."""
    return WORDS.get(protocol, protocol)


def balances(reconciliation: Reconciliation, coin: str) -> dict[str, Any]:
    """The coin's two figures, and every asset in which ledger and chain differ."""
    line = next(line for line in reconciliation.lines if line.asset_id == coin)
    return {
        "ledger_wei": line.ledger,
        "chain_wei": line.venue,
        "reconciled": reconciliation.equal,
        "differences": tuple((x.asset_id, x.ledger, x.venue) for x in reconciliation.differences),
    }


def launch_lines(session: Session, chain_id: int, truths: Mapping[str, Truth]) -> tuple[LaunchLine, ...]:
    """Every launch seen, oldest first."""
    query = select(Launch).where(Launch.chain_id == chain_id).order_by(col(Launch.id))
    bought = {
        identifier
        for identifier in session.exec(select(Position.launch_id).distinct()).all()
        if identifier is not None
    }
    return tuple(_launch_line(launch, truths.get(launch.token), bought) for launch in session.exec(query))


def _launch_line(launch: Launch, truth: Truth | None, bought: set[UUID]) -> LaunchLine:
    return LaunchLine(
        token=launch.token,
        pool=launch.pool,
        symbol=launch.symbol,
        kind=truth.kind if truth else None,
        bad=truth.bad if truth else None,
        verdict=launch.verdict.value,
        reasons=tuple(launch.reasons),
        decision=launch.decision.value,
        bought=launch.id in bought,
        latency_us=launch.latency_us,
        protocol=launch.protocol,
    )


def trade_lines(session: Session, account_id: UUID) -> tuple[TradeLine, ...]:
    """Every position, oldest first, then the purchases that failed but cost gas."""
    orders = session.exec(select(Order).where(Order.account_id == account_id).order_by(col(Order.id))).all()
    mined = _mined(session, account_id)
    query = select(Position).where(Position.account_id == account_id).order_by(col(Position.id))
    trades = [_trade(session, position, orders, mined) for position in session.exec(query)]
    return (*trades, *_failed(session, orders, mined))


def _trade(
    session: Session,
    position: Position,
    orders: Sequence[Order],
    mined: Mapping[UUID, list[ChainTransaction]],
) -> TradeLine:
    own = [order for order in orders if order.position_id == position.id]
    symbol, token = _token(session, position.instrument_id)
    return TradeLine(
        token=token,
        symbol=symbol,
        entry_tx=_hash(own, mined, Side.BUY),
        exit_tx=_hash(own, mined, Side.SELL),
        exit_rule=position.exit_rule,
        spent_wei=position.spent,
        received_wei=position.received,
        gas_wei=position.fees,
    )


def _failed(
    session: Session, orders: Iterable[Order], mined: Mapping[UUID, list[ChainTransaction]]
) -> list[TradeLine]:
    """Purchases that reverted: nothing was bought, the gas is gone all the same."""
    lines = []
    for order in orders:
        sent = mined.get(order.id, [])
        if order.state is not OrderState.REJECTED or order.position_id is not None or not sent:
            continue
        symbol, token = _token(session, order.instrument_id)
        gas = sum(transaction.gas_cost or 0 for transaction in sent)
        lines.append(TradeLine(token, symbol, sent[-1].tx_hash, None, BUY_FAILED, 0, 0, gas))
    return lines


def _mined(session: Session, account_id: UUID) -> dict[UUID, list[ChainTransaction]]:
    """Transactions that stand in a block, by their order."""
    query = select(ChainTransaction).where(
        ChainTransaction.account_id == account_id,
        col(ChainTransaction.state).in_([TransactionState.MINED, TransactionState.REVERTED]),
    )
    found: dict[UUID, list[ChainTransaction]] = {}
    for transaction in session.exec(query.order_by(col(ChainTransaction.id))):
        if transaction.order_id is not None:
            found.setdefault(transaction.order_id, []).append(transaction)
    return found


def _hash(orders: Iterable[Order], mined: Mapping[UUID, list[ChainTransaction]], side: Side) -> str | None:
    """The transaction of the last order of that side that went through."""
    purpose = Purpose.BUY if side is Side.BUY else Purpose.SELL
    hashes = [
        transaction.tx_hash
        for order in orders
        if order.side is side
        for transaction in mined.get(order.id, [])
        if transaction.purpose is purpose and transaction.state is TransactionState.MINED
    ]
    return hashes[-1] if hashes else None


def _token(session: Session, instrument_id: str) -> tuple[str, str]:
    from state.accounts import Asset, Instrument

    asset = session.get_one(Asset, session.get_one(Instrument, instrument_id).base_asset)
    return asset.symbol, asset.id.rpartition(":")[2]
