"""What open positions are worth at a block: one batch of reads for all of them, one write.

The mark is what the pool would pay for everything held, by its exact formula and after the token's sales tax:
the figure that exits, profits and screens look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from sniper_cli.chains import abi
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.constant_product import ImpossibleSwap, Reserves, after_tax, amount_out
from sniper_cli.sniping.run import Run
from state.positions import Position, PositionState


@dataclass(frozen=True, slots=True)
class Holding:
    """An open position with what is needed to price and to sell it. Addresses in lower case."""

    position: Position
    pool: str
    token: str
    symbol: str
    decimals: int
    sell_tax_bps: int = 0
    launch_block: int | None = None
    entry_liquidity: int | None = None
    """The pool's reserve of the coin when its token was judged."""
    sold: tuple[tuple[Decimal, int], ...] = ()
    """What each step of the ladder has sold."""
    market: Pool | None = None
    asked: int = 0
    """What has been sold for the request that stands in the position."""

    @property
    def id(self) -> UUID:
        return self.position.id


@dataclass(frozen=True, slots=True)
class PoolReading:
    """A pool at a block, and how much of its token the account really has."""

    token_reserve: int
    coin_reserve: int
    shares: int
    """Pool shares in existence: what a removal is a share of."""
    balance: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What a holding is worth, and the reading that says so."""

    value: int
    quantity: int
    """What could be sold: the ledger's quantity, or the chain's balance where that is less."""
    reading: PoolReading


async def read_marks(run: Run, holdings: Sequence[Holding], block: str = "latest") -> dict[UUID, Mark]:
    """The marks of all holdings; a holding whose pool or token does not answer has none."""
    calls = [call for holding in holdings for call in _calls(run, holding, block)]
    answers = await run.node.batch(calls, return_errors=True)
    marks = {}
    for place, holding in enumerate(holdings):
        reading = _reading(run, holding, answers[3 * place : 3 * place + 3])
        if reading is not None:
            marks[holding.id] = mark(holding, reading)
    return marks


def mark(holding: Holding, reading: PoolReading) -> Mark:
    """Price a holding by a reading."""
    quantity = min(holding.position.quantity, reading.balance)
    try:
        reaches_pool = after_tax(quantity, holding.sell_tax_bps)
        value = amount_out(reaches_pool, Reserves(reading.token_reserve, reading.coin_reserve))
    except ImpossibleSwap:
        value = 0
    return Mark(value, quantity, reading)


def best_price(best: Any, marked: Mark, quantity: int) -> list[str]:
    """The highest value that a quantity was ever marked at, by the unit; as text, as JSON keeps it."""
    if best and int(best[0]) * quantity >= marked.value * int(best[1]):
        return list(best)
    return [str(marked.value), str(quantity)]


def write_marks(
    session: Session, holdings: Sequence[Holding], marks: dict[UUID, Mark], now: datetime
) -> None:
    """Write the marks of one block. Only the marks' own columns: quantities and cash are the desk's.

    The rules are read again in this transaction: somebody may have edited them, or asked for a sale, since.
    """
    ids = [holding.id for holding in holdings if holding.id in marks]
    query = sa.select(col(Position.id), col(Position.exit_rules)).where(col(Position.id).in_(ids))
    rows = session.execute(query.with_for_update()).all() if ids else ()
    kept = {row[0]: row[1] for row in rows}
    for holding in holdings:
        marked = marks.get(holding.id)
        if marked is None:
            continue
        position = holding.position
        position.mark_value, position.marked_at = marked.value, now
        position.peak_value = max(position.peak_value, marked.value + position.received)
        position.exit_rules = {
            **kept.get(position.id, position.exit_rules),
            "liquidity": str(marked.reading.coin_reserve),
            "best": best_price(position.exit_rules.get("best"), marked, position.quantity),
        }
        session.execute(
            sa.update(Position)
            .where(col(Position.id) == position.id, col(Position.state) == PositionState.OPEN)
            .values(
                mark_value=position.mark_value,
                marked_at=now,
                peak_value=position.peak_value,
                exit_rules=position.exit_rules,
            )
        )


def _calls(run: Run, holding: Holding, block: str) -> list[tuple[str, list[object]]]:
    asked = (
        (holding.pool, abi.CALL_GET_RESERVES),
        (holding.pool, abi.CALL_TOTAL_SUPPLY),
        (holding.token, abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [run.address])),
    )
    return [("eth_call", [{"to": to, "data": data}, block]) for to, data in asked]


def _reading(run: Run, holding: Holding, answers: Sequence[object]) -> PoolReading | None:
    try:
        first, second = abi.reserves(str(answers[0]))
        shares, balance = abi.word(str(answers[1]), 0), abi.word(str(answers[2]), 0)
    except ValueError:  # refused, or an answer that is no number
        return None
    is_first = int(holding.token, 16) < int(run.exchange.wrapped, 16)
    token_reserve, coin_reserve = (first, second) if is_first else (second, first)
    return PoolReading(token_reserve, coin_reserve, shares, balance)
