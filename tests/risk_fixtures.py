"""A paper account with limits, whose clock stands where a test puts it: prices are known, and money is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.market.instruments import INSTRUMENTS
from sniper_cli.risk.setting import Wanted, Whom, remove_limit, set_limit
from sniper_cli.risk.usage import Use, usage
from sniper_cli.trading.intents import OrderIntent
from state.database import Database
from state.limits import OnBreach
from state.orders import OrderState, OrderType, Side
from tests.paper_fixtures import BTC, COIN, DOLLAR, ETH, SOL, Clock, PaperDesk, paper_desk

BUY, SELL = Side.BUY, Side.SELL
PERSON = "user:ada"


class RiskDesk:
    """Orders at the paper market, and limits on them."""

    def __init__(self, paper: PaperDesk, clock: Clock) -> None:
        self.paper, self.clock = paper, clock
        self.database = paper.database

    @property
    def scope(self) -> str:
        """The account's, as the kill switch names it."""
        return f"account:{self.paper.account.id}"

    def limit(self, name: str, value: object, **options: Any) -> None:
        whom = Whom(
            **{key: options.pop(key) for key in ("tenant", "strategy", "instrument") if key in options}
        )
        wanted = Wanted(name, str(value), whom, **options)
        set_limit(self.database, wanted, account="paper", actor=PERSON)

    def unlimit(self, name: str, **options: Any) -> None:
        remove_limit(self.database, name, Whom(**options), account="paper", actor=PERSON)

    def place(
        self, side: Side, quantity: int | None = None, instrument: str = BTC, **fields: Any
    ) -> BookedOrder:
        """An order at market, or at its `price`; what became of it."""
        return self.batch([self.intent(side, quantity, instrument, **fields)])[0]

    def intent(
        self, side: Side, quantity: int | None = None, instrument: str = BTC, **fields: Any
    ) -> OrderIntent:
        price = fields.pop("price", None)
        if price is not None:
            fields |= {"type": OrderType.LIMIT, "limit_price": Decimal(price)}
        return self.paper.intent(side, instrument, quantity=quantity, **fields)

    def batch(self, intents: Sequence[OrderIntent]) -> list[BookedOrder]:
        assert self.paper.desk is not None
        desk = self.paper.desk
        return [outcome.order for outcome in asyncio.run(desk.submit(intents))]

    def worth(self, quantity: int, instrument: str = BTC) -> int:
        """Quote units of so many base units at the present price."""
        spec = INSTRUMENTS[instrument]
        ticks = int(self.paper.price(instrument) / spec.tick)
        return spec.notional(ticks, quantity // spec.lot_units)

    def dollars(self, units: int) -> str:
        return f"{Decimal(units) / DOLLAR:f}"

    def uses(self) -> dict[str, Use]:
        """What each limit has counted, by its name."""
        assert self.paper.desk is not None
        return {use.limit.name: use for use in usage(self.paper.desk.held(self.paper.account.id).gate)}

    def margin(self, leverage: str) -> None:
        """Let the account hold so many times its equity, and be short."""
        from sniper_cli.books.events import Renamed

        assert self.paper.desk is not None
        event = Renamed("fifo", leverage)
        self.paper.desk.books.turn(self.paper.account.id, lambda page: page.add(event))
        self.paper.restart()


@contextmanager
def risk_desk(database: Database) -> Iterator[RiskDesk]:
    """A desk at noon of a day that has not come, with a hundred thousand dollars."""
    from unittest.mock import patch

    with paper_desk(database) as paper:
        clock = paper.clock
        with (
            patch("sniper_cli.risk.switch.utc_now", clock),
            patch("sniper_cli.risk.setting.utc_now", clock),
        ):
            yield RiskDesk(paper, clock)


def refused_by(order: BookedOrder) -> set[str]:
    """The checks that said no."""
    return {check["name"] for check in order.checks if isinstance(check, dict)}


def passed(order: BookedOrder, name: str) -> list[Any]:
    """The figures of a check that passed."""
    return next(check[1:] for check in order.checks if isinstance(check, list) and check[0] == name)


__all__ = [
    "BTC", "BUY", "COIN", "DOLLAR", "ETH", "PERSON", "SELL", "SOL", "OnBreach", "OrderState", "RiskDesk", "passed",
    "refused_by", "risk_desk",
]  # fmt: skip
