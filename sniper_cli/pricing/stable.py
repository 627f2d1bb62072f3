"""A StableSwap pool as Curve's contracts compute it: flat near balance, constant product far from it.

    A·n^n·Σx + D = A·D·n^n + D^(n+1) / (n^n·∏x)          StableSwap whitepaper, § 2

The contracts solve for D and for one balance by Newton's method in whole numbers, and what they pay depends on where
the iteration stops. They exist with the amplification A as such and with A times 100 (`precision`); both are here.
`amplification` is A·n^(n−1) of the whitepaper, as the contracts store it; balances are scaled to 18 decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sniper_cli.pricing.constant_product import ImpossibleSwap

FEE_DENOMINATOR = 10**10
PRECISION = 10**18
A_PRECISION = 100
ROUNDS = 255
"""After so many the contract reverts."""
MOST_COINS = 8


def invariant(
    balances: Sequence[int], amplification: int, *, precision: int = A_PRECISION, newer: bool = False
) -> int:
    """D, the sum of the balances at equal price. Raises ImpossibleSwap where it does not converge.

    `newer`: as StableSwap-NG rounds, which divides by n^n once and not by n at every coin.
    """
    count, total = len(balances), sum(balances)
    if total == 0:
        return 0
    if min(balances) <= 0:
        raise ImpossibleSwap("the pool has an empty side")
    found, leverage = total, amplification * precision * count
    for _ in range(ROUNDS):
        product = found
        for balance in balances:
            product = product * found // (balance if newer else balance * count)
        if newer:
            product //= count**count
        former = found
        weight = leverage * total // precision + product * count
        divisor = (leverage - precision) * found // precision + (count + 1) * product
        found = weight * found // divisor
        if abs(found - former) <= 1:
            return found
    raise ImpossibleSwap("the invariant does not converge")


def balance_given_invariant(
    balances: Sequence[int], index: int, d: int, amplification: int, *, precision: int = A_PRECISION
) -> int:
    """The balance of one coin at which the others and D hold (the contracts' get_y and get_y_D).

    Raises ImpossibleSwap where it does not converge.
    """
    count, leverage = len(balances), amplification * precision * len(balances)
    product, total = d, 0
    for place, balance in enumerate(balances):
        if place != index:
            total += balance
            product = product * d // (balance * count)
    product = product * d * precision // (leverage * count)
    linear = total + d * precision // leverage
    found = d
    for _ in range(ROUNDS):
        former = found
        found = (found * found + product) // (2 * found + linear - d)
        if abs(found - former) <= 1:
            return found
    raise ImpossibleSwap("the balance does not converge")


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a trade pays, and how that comes about; scaled to 18 decimals."""

    balance: int
    """Of the going coin afterwards, fee apart."""
    before_fee: int
    fee: int

    @property
    def paid(self) -> int:
        return self.before_fee - self.fee


def exchange(
    balances: Sequence[int],
    amplification: int,
    coming: int,
    going: int,
    amount: int,
    fee: int,
    *,
    precision: int = A_PRECISION,
    newer: bool = False,
) -> Exchange:
    """Trade `amount` (scaled) of one coin for another; `fee` in 10^-10. Raises ImpossibleSwap."""
    _require(balances, coming, going, amount)
    d = invariant(balances, amplification, precision=precision, newer=newer)
    moved = list(balances)
    moved[coming] += amount
    left = balance_given_invariant(moved, going, d, amplification, precision=precision)
    before_fee = balances[going] - left - 1  # one unit less: roundings are the pool's
    if before_fee <= 0:
        raise ImpossibleSwap("nothing comes out")
    return Exchange(left, before_fee, before_fee * fee // FEE_DENOMINATOR)


def dynamic_fee(coming: int, going: int, fee: int, multiplier: int) -> int:
    """StableSwap-NG's fee at average balances of both coins: it grows with imbalance. All in 10^-10."""
    if multiplier <= FEE_DENOMINATOR:
        return fee
    squared = (coming + going) ** 2
    return (
        multiplier * fee // ((multiplier - FEE_DENOMINATOR) * 4 * coming * going // squared + FEE_DENOMINATOR)
    )


@dataclass(frozen=True, slots=True)
class StablePool:
    """A pool of two to eight coins. Amounts in the coins' base units."""

    balances: tuple[int, ...]
    """In base units."""
    amplification: int
    fee: int
    """In 10^-10 of what goes out."""
    rates: tuple[int, ...] = ()
    """10^(36 − decimals) a coin, times what it is worth; none: 18 decimals each."""
    precision: int = A_PRECISION
    multiplier: int = 0
    """StableSwap-NG's off-peg fee multiplier, in 10^-10; 0 where the fee is fixed."""
    newer: bool = False
    """A pool of StableSwap-NG."""
    admin_fee: int = 0
    """The share of the fee that leaves the pool, in 10^-10."""

    @property
    def scaled(self) -> tuple[int, ...]:
        """The balances with 18 decimals."""
        return tuple(balance * self._rate(place) // PRECISION for place, balance in enumerate(self.balances))

    def amount_out(self, amount_in: int, token_in: int, token_out: int) -> int:
        """What the pool pays for an exact input. Raises ImpossibleSwap."""
        return self._trade(amount_in, token_in, token_out)[0]

    def amount_in(self, amount_out: int, token_in: int, token_out: int) -> int:
        """The least input for which the pool pays at least `amount_out`, by bisection. Raises ImpossibleSwap."""
        if amount_out <= 0 or amount_out >= self.balances[token_out]:
            raise ImpossibleSwap(f"the pool cannot pay {amount_out}")
        low, high = 0, max(1, amount_out * self._rate(token_out) // self._rate(token_in))
        while self._pays(high, token_in, token_out) < amount_out:
            low, high = high, 2 * high
            if high.bit_length() > 256:
                raise ImpossibleSwap(f"no amount brings {amount_out}")
        while high - low > 1:
            middle = (low + high) // 2
            if self._pays(middle, token_in, token_out) < amount_out:
                low = middle
            else:
                high = middle
        return high

    def after(self, amount_in: int, token_in: int, token_out: int) -> StablePool:
        """The pool once an exact input has been traded, without the share of the fee that leaves it."""
        paid, fee = self._trade(amount_in, token_in, token_out)
        balances = list(self.balances)
        balances[token_in] += amount_in
        admin = fee * self.admin_fee // FEE_DENOMINATOR * PRECISION // self._rate(token_out)
        balances[token_out] -= paid + admin
        return replace(self, balances=tuple(balances))

    def _trade(self, amount_in: int, token_in: int, token_out: int) -> tuple[int, int]:
        """What is paid in base units, and the fee scaled to 18 decimals."""
        scaled = self.scaled
        amount = amount_in * self._rate(token_in) // PRECISION
        traded = exchange(
            scaled,
            self.amplification,
            token_in,
            token_out,
            amount,
            0,
            precision=self.precision,
            newer=self.newer,
        )
        middle_in = (2 * scaled[token_in] + amount) // 2
        middle_out = (scaled[token_out] + traded.balance) // 2
        rate = dynamic_fee(middle_in, middle_out, self.fee, self.multiplier)
        fee = traded.before_fee * rate // FEE_DENOMINATOR
        return (traded.before_fee - fee) * PRECISION // self._rate(token_out), fee

    def _pays(self, amount_in: int, token_in: int, token_out: int) -> int:
        try:
            return self.amount_out(amount_in, token_in, token_out)
        except ImpossibleSwap:
            return 0

    def _rate(self, place: int) -> int:
        return self.rates[place] if self.rates else PRECISION


def _require(balances: Sequence[int], coming: int, going: int, amount: int) -> None:
    if not 2 <= len(balances) <= MOST_COINS:
        raise ImpossibleSwap(f"a pool has two to {MOST_COINS} coins, not {len(balances)}")
    if coming == going:
        raise ImpossibleSwap("a coin cannot be traded for itself")
    if amount <= 0:
        raise ImpossibleSwap("nothing goes in")
