"""What open positions are worth at a block: one batch of reads for all of them, one write.

The mark is what the pool would pay for everything held, by its exact formula and after the token's sales tax:
the figure that exits, profits and screens look at. A pool that ends before the position does pays for a part; that
part's price is the mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session, col

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.pools.filling import filled_by
from sniper_cli.pools.pool import Pool
from sniper_cli.pricing.constant_product import after_tax
from sniper_cli.pricing.sides import ConcentratedSide, PoolSide
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

    side: PoolSide
    """As a purchase sees it."""
    liquidity: int
    """What must go in to quadruple its price: a V2 pool's reserve of the coin, of any pool its measure."""
    shares: int
    """Pool shares in existence, or a concentrated pool's liquidity at its price: what a removal is a share of."""
    balance: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What a holding is worth, and the reading that says so."""

    value: int
    quantity: int
    """What could be sold: the ledger's quantity, or the chain's balance where that is less."""
    reading: PoolReading


async def read_marks(run: Run, holdings: Sequence[Holding]) -> dict[UUID, Mark]:
    """The marks of all holdings; a holding whose pool or token does not answer has none. Raises NetworkError."""
    markets = {market.id: market for market in (market_of(run, holding) for holding in holdings)}
    asked = [_questions(run, holding) for holding in holdings]
    seen = await run.sights.look(run.node, list(markets.values()), [one for mine in asked for one in mine])
    run.sights.keep(markets)
    sides = dict(zip(markets, seen.sides, strict=True))
    answers, marks = iter(seen.answers), {}
    for holding, mine in zip(holdings, asked, strict=True):
        reading = _reading(sides[market_of(run, holding).id], list(islice(answers, len(mine))))
        if reading is not None:
            marks[holding.id] = mark(holding, reading)
    return marks


def mark(holding: Holding, reading: PoolReading) -> Mark:
    """Price a holding by a reading."""
    quantity = min(holding.position.quantity, reading.balance)
    return Mark(value_of(quantity, holding.sell_tax_bps, reading.side), quantity, reading)


def value_of(quantity: int, tax_bps: int, side: PoolSide | None) -> int:
    """What a quantity would bring, by a pool as a purchase sees it."""
    return 0 if side is None else filled_by(side.reversed, after_tax(quantity, tax_bps)).paid


def market_of(run: Run, holding: Holding) -> Pool:
    """The pool of a holding."""
    return holding.market or Pool(run.exchange, holding.pool, holding.token, run.exchange.wrapped)


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
            "liquidity": str(marked.reading.liquidity),
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


def _questions(run: Run, holding: Holding) -> list[tuple[str, list[Any]]]:
    """What is held, and of a V2 pool how many shares there are."""
    held = (holding.token, abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [run.address]))
    pair = market_of(run, holding).protocol is Protocol.V2
    asked = (held, (holding.pool, abi.CALL_TOTAL_SUPPLY)) if pair else (held,)
    return [("eth_call", [{"to": to, "data": data}, "latest"]) for to, data in asked]


def _reading(side: PoolSide | None, answers: Sequence[object]) -> PoolReading | None:
    if side is None:
        return None
    try:
        balance, *supply = (abi.word(str(answer), 0) for answer in answers)
    except ValueError:  # refused, or an answer that is no number
        return None
    shares = side.pool.liquidity if isinstance(side, ConcentratedSide) else supply[0]
    return PoolReading(side, side.depth, shares, balance)
