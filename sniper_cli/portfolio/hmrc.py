"""Disposals as the United Kingdom counts them: same day, then thirty days, then the pool.

HMRC Cryptoassets Manual, CRYPTO22200 ff. (TCGA 1992, ss. 104-106A): all purchases of a day are one purchase, all
sales one disposal. A disposal is matched with purchases of the same day; then with purchases of the thirty days after
it, earliest first, earlier disposals before later ones; the rest comes from the section 104 pool at its average cost.

Shares of a pool are fractions that no unit divides: costs are exact fractions here, and rounded only where they are
printed (HMRC rounds to whole pounds, in the taxpayer's favour). This is arithmetic, not advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

LATER = timedelta(days=30)
Number = int | Decimal | Fraction


class NotHeld(ValueError):
    """More was disposed of than the pool holds."""


class Rule(StrEnum):
    SAME_DAY = "same_day"
    THIRTY_DAYS = "30_day"
    POOL = "section_104"


@dataclass(frozen=True, slots=True)
class Deal:
    """A purchase or sale. `amount` is the price, the fee apart; both are allowable."""

    at: date
    buys: bool
    quantity: Number
    amount: Number
    fee: Number = 0


@dataclass(frozen=True, slots=True)
class Match:
    rule: Rule
    acquired: date | None
    """None for the pool."""
    quantity: Fraction
    cost: Fraction


@dataclass(frozen=True, slots=True)
class UkDisposal:
    """All sales of a day."""

    at: date
    quantity: Fraction
    proceeds: Fraction
    """Before fees; those are allowable costs."""
    allowable_cost: Fraction
    matches: tuple[Match, ...]

    @property
    def gain(self) -> Fraction:
        return self.proceeds - self.allowable_cost


@dataclass(frozen=True, slots=True)
class UkResult:
    disposals: tuple[UkDisposal, ...]
    pool_quantity: Fraction
    pool_cost: Fraction

    @property
    def total_gain(self) -> Fraction:
        return sum((disposal.gain for disposal in self.disposals), Fraction(0))


@dataclass(slots=True)
class _Day:
    """A day's purchases and sales, each as one, and what is not matched yet."""

    at: date
    bought: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    sold: Fraction = Fraction(0)
    proceeds: Fraction = Fraction(0)
    fees: Fraction = Fraction(0)
    bought_left: Fraction = Fraction(0)
    sold_left: Fraction = Fraction(0)
    matches: list[Match] = field(default_factory=list)

    def add(self, deal: Deal) -> None:
        quantity, amount, fee = Fraction(deal.quantity), Fraction(deal.amount), Fraction(deal.fee)
        if deal.buys:
            self.bought += quantity
            self.bought_left += quantity
            self.cost += amount + fee
        else:
            self.sold += quantity
            self.sold_left += quantity
            self.proceeds += amount
            self.fees += fee

    def match(self, purchase: _Day, rule: Rule) -> None:
        """Match what is left of this day's disposal with what is left of a day's purchase."""
        quantity = min(self.sold_left, purchase.bought_left)
        if quantity:
            cost = purchase.cost * quantity / purchase.bought
            self.matches.append(Match(rule, purchase.at, quantity, cost))
            self.sold_left -= quantity
            purchase.bought_left -= quantity


def uk_disposals(deals: Iterable[Deal]) -> UkResult:
    """Match every disposal. Raises `NotHeld` where the pool does not reach."""
    days: dict[date, _Day] = {}
    for deal in sorted(deals, key=lambda deal: deal.at):
        days.setdefault(deal.at, _Day(deal.at)).add(deal)
    in_order = list(days.values())
    for day in in_order:
        day.match(day, Rule.SAME_DAY)
    for place, day in enumerate(in_order):
        for later in in_order[place + 1 :]:
            if not day.sold_left or later.at - day.at > LATER:
                break
            day.match(later, Rule.THIRTY_DAYS)
    return _through_the_pool(in_order)


def _through_the_pool(days: Iterable[_Day]) -> UkResult:
    quantity = cost = Fraction(0)
    disposals = []
    for day in days:
        if day.bought_left:
            cost += day.cost * day.bought_left / day.bought
            quantity += day.bought_left
        if day.sold_left:
            if day.sold_left > quantity:
                raise NotHeld(f"{day.at}: {day.sold_left} are disposed of, the pool holds {quantity}")
            share = cost * day.sold_left / quantity
            day.matches.append(Match(Rule.POOL, None, day.sold_left, share))
            quantity, cost = quantity - day.sold_left, cost - share
        if day.sold:
            allowable = day.fees + sum((match.cost for match in day.matches), Fraction(0))
            disposals.append(UkDisposal(day.at, day.sold, day.proceeds, allowable, tuple(day.matches)))
    return UkResult(tuple(disposals), quantity, cost)


__all__ = ["Deal", "Match", "NotHeld", "Rule", "UkDisposal", "UkResult", "uk_disposals"]
