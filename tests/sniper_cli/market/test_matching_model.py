"""The order book against one that is too simple to be wrong: a list that is searched from end to end each time."""

from __future__ import annotations

import random
from copy import deepcopy
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sniper_cli.market.book_outcomes import Outcome, PostOnly, SelfTrade, Status
from sniper_cli.market.matching import OrderBook, RestingRow
from state.orders import Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL


@dataclass
class Naive:
    """Orders in the order in which they came: `[id, owner, side, price, shown, hidden, display]`."""

    orders: list[list] = field(default_factory=list)

    def rivals(self, side: Side, price: int | None) -> list[list]:
        """What an order could trade with, the next one first. `sorted` keeps the order of arrival."""
        sign = 1 if side is BUY else -1
        facing = [one for one in self.orders if one[2] != side.value]
        within = [one for one in facing if price is None or sign * one[3] <= sign * price]
        return sorted(within, key=lambda one: sign * one[3])

    def place(self, new: dict) -> tuple[list, list, int, bool]:
        """Fills, what self-trade prevention took, lots left, whether they rest."""
        if new["post_only"] is not None and self.rivals(new["side"], new["price"]):
            best = self.rivals(new["side"], new["price"])[0][3]
            price = best - 1 if new["side"] is BUY else best + 1
            if new["post_only"] is PostOnly.REJECT or price < 1:
                return [], [], new["lots"], False
            new = new | {"price": price}
        if new["tif"] is TimeInForce.FOK:
            rehearsal = deepcopy(self).place(new | {"tif": TimeInForce.IOC})
            if sum(lots for _, _, lots in rehearsal[0]) < new["lots"]:
                return [], [], new["lots"], False
        fills, prevented, left, ended = self.take(new)
        rests = bool(left) and not ended and new["price"] is not None and new["tif"] is TimeInForce.GTC
        if rests:
            shown = min(left, new["display"] or left)
            self.orders.append(
                [
                    new["id"],
                    new["owner"],
                    new["side"].value,
                    new["price"],
                    shown,
                    left - shown,
                    new["display"],
                ]
            )
        return fills, prevented, left, rests

    def take(self, new: dict) -> tuple[list, list, int, bool]:
        fills, prevented, left = [], [], new["lots"]
        while left and (rivals := self.rivals(new["side"], new["price"])):
            maker = rivals[0]
            own = new["owner"] is not None and maker[1] == new["owner"]
            mode = new["self_trade"] if own else SelfTrade.ALLOW
            if mode in (SelfTrade.CANCEL_OLDEST, SelfTrade.CANCEL_BOTH):
                prevented.append((maker[0], maker[3], maker[4] + maker[5]))
                self.orders.remove(maker)
            if mode in (SelfTrade.CANCEL_NEWEST, SelfTrade.CANCEL_BOTH):
                return fills, prevented, left, True
            if mode is SelfTrade.CANCEL_OLDEST:
                continue
            lots = min(left, maker[4])
            (prevented if mode is SelfTrade.DECREMENT else fills).append((maker[0], maker[3], lots))
            left -= lots
            maker[4] -= lots
            if not maker[4]:
                self.orders.remove(maker)
                if maker[5]:
                    maker[4] = min(maker[6], maker[5])
                    maker[5] -= maker[4]
                    self.orders.append(maker)
        return fills, prevented, left, False

    def depth(self, side: Side) -> list[tuple[int, int]]:
        prices: dict[int, int] = {}
        for one in self.orders:
            if one[2] == side.value:
                prices[one[3]] = prices.get(one[3], 0) + one[4]
        return sorted(prices.items(), reverse=side is BUY)


prices = st.integers(1, 6)
sizes = st.integers(1, 9)
owners = st.sampled_from([None, 1, 1, 2])
modes = st.sampled_from(SelfTrade)


class MatchingModel(RuleBasedStateMachine):
    """Every order goes to both books; both must answer alike and hold the same."""

    def __init__(self) -> None:
        super().__init__()
        self.book = OrderBook()
        self.naive = Naive()
        self.count = 0
        self.in_out = 0
        """Lots placed less lots that have gone one way or another: what must be in the book."""

    @rule(
        side=st.sampled_from(Side),
        price=st.one_of(prices, prices, prices, st.none()),
        lots=sizes,
        tif=st.sampled_from([TimeInForce.GTC] * 4 + [TimeInForce.IOC, TimeInForce.FOK]),
        owner=owners,
        post_only=st.sampled_from([None, None, None, PostOnly.REJECT, PostOnly.SLIDE]),
        display=st.sampled_from([0, 0, 1, 2, 3]),
        mode=modes,
    )
    def place(
        self,
        side: Side,
        price: int | None,
        lots: int,
        tif: TimeInForce,
        owner: int | None,
        post_only: PostOnly | None,
        display: int,
        mode: SelfTrade,
    ) -> None:
        if price is None or tif is not TimeInForce.GTC:
            post_only = None
        self.count += 1
        outcome = self.book.place(self.count, side, price, lots, tif, owner, post_only, display, mode)
        self.compare(
            outcome,
            {
                "id": self.count, "side": side, "price": price, "lots": lots, "tif": tif, "owner": owner,
                "post_only": post_only, "display": display, "self_trade": mode,
            },
        )  # fmt: skip

    def compare(self, outcome: Outcome, new: dict) -> None:
        fills, prevented, left, rests = self.naive.place(new)
        assert [(one.maker, one.price, one.lots) for one in outcome.fills] == fills
        assert [(one.maker, one.price, one.lots) for one in outcome.prevented] == prevented
        assert outcome.remaining == left
        assert (outcome.status in (Status.RESTING, Status.PARTIALLY_FILLED_RESTING)) == rests
        filled = sum(lots for _, _, lots in fills)
        assert (outcome.status is Status.FILLED) == (filled == new["lots"])
        sign = 1 if new["side"] is BUY else -1
        assert [sign * price for _, price, _ in fills] == sorted(sign * price for _, price, _ in fills)
        self.in_out += (left if rests else 0) - filled - sum(lots for _, _, lots in prevented)

    @precondition(lambda self: self.naive.orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        gone = data.draw(st.sampled_from(self.naive.orders))
        self.naive.orders.remove(gone)
        assert self.book.cancel(gone[0]) == gone[4] + gone[5]
        self.in_out -= gone[4] + gone[5]

    @precondition(lambda self: self.naive.orders)
    @rule(data=st.data(), price=st.one_of(st.none(), prices), lots=st.one_of(st.none(), sizes), mode=modes)
    def amend(self, data: st.DataObject, price: int | None, lots: int | None, mode: SelfTrade) -> None:
        one = data.draw(st.sampled_from(self.naive.orders))
        order_id, owner, side, was_price, shown, hidden, display = one
        outcome = self.book.amend(order_id, price=price, lots=lots, self_trade=mode)
        price, lots = price or was_price, lots or shown + hidden
        if price == was_price and lots <= shown + hidden:
            assert (outcome.status, outcome.remaining) == (Status.RESTING, lots)
            self.in_out -= shown + hidden - lots
            one[4] = min(shown, lots)
            one[5] = lots - one[4]
            return
        self.naive.orders.remove(one)
        self.in_out -= shown + hidden
        self.compare(
            outcome,
            {
                "id": order_id, "side": Side(side), "price": price, "lots": lots, "tif": TimeInForce.GTC,
                "owner": owner, "post_only": None, "display": display, "self_trade": mode,
            },
        )  # fmt: skip

    @rule(owner=st.sampled_from([1, 2]), side=st.sampled_from([None, BUY, SELL]))
    def cancel_all(self, owner: int, side: Side | None) -> None:
        gone = [one for one in self.naive.orders if one[1] == owner and side in (None, Side(one[2]))]
        assert self.book.cancel_all(owner, side) == [(one[0], one[4] + one[5]) for one in gone]
        self.naive.orders = [one for one in self.naive.orders if one not in gone]
        self.in_out -= sum(one[4] + one[5] for one in gone)

    @rule()
    def restart(self) -> None:
        self.book = OrderBook.load(self.book.dump())

    @invariant()
    def both_hold_the_same_orders_by_time(self) -> None:
        rows: list[RestingRow] = self.book.dump()
        assert [list(row) for row in rows] == self.naive.orders
        assert sum(row[4] + row[5] for row in rows) == self.in_out

    @invariant()
    def both_show_the_same_and_are_not_crossed(self) -> None:
        assert self.book.depth() == (self.naive.depth(BUY), self.naive.depth(SELL))
        bid, ask = self.book.best_bid, self.book.best_ask
        assert bid is None or ask is None or bid < ask
        for side in Side:
            reachable = sum(one[4] + one[5] for one in self.naive.rivals(side, 3))
            assert self.book.available(side, 3) == reachable


TestMatchingModel = MatchingModel.TestCase
TestMatchingModel.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)


def test_a_long_day_of_quoting_ends_alike() -> None:
    """Long enough for queues and heaps to be swept many times, which the machine above never gets to."""
    dice, book, naive = random.Random(7), OrderBook(), Naive()
    for order_id in range(6_000):
        if naive.orders and dice.random() < 0.45:
            gone = dice.choice(naive.orders[-300:])
            naive.orders.remove(gone)
            assert book.cancel(gone[0]) == gone[4] + gone[5]
            continue
        side, display = dice.choice([BUY, SELL]), dice.choice([0, 0, 0, 2])
        away = dice.choice([1, 2, 3, 30 + order_id % 50]) if dice.random() < 0.9 else -5
        price, lots = (100 - away if side is BUY else 100 + away), dice.randint(1, 30)
        outcome = book.place(order_id, side, price, lots, display=display)
        new = {"id": order_id, "side": side, "price": price, "lots": lots, "tif": TimeInForce.GTC}
        new |= {"owner": None, "post_only": None, "display": display, "self_trade": SelfTrade.ALLOW}
        fills, _, left, _ = naive.place(new)
        assert [(one.maker, one.price, one.lots) for one in outcome.fills] == fills
        assert outcome.remaining == left
    assert [list(row) for row in book.dump()] == naive.orders
    assert book.depth() == (naive.depth(BUY), naive.depth(SELL))
