"""A weighted pool as Balancer's contracts compute it: ∏ balance^weight stays the same in a trade.

    out = Bo · (1 − (Bi / (Bi + in))^(wi/wo))        in = Bi · ((Bo / (Bo − out))^(wo/wi) − 1)

Balances and amounts are scaled to 18 decimals (`scale_up`, `scale_down`), weights add up to one. The fee is taken of
what comes in; roundings favour the pool. Source: Balancer whitepaper § 3; WeightedMath of the v2 and v3 vaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from sniper_cli.pricing.constant_product import PRICE_DIGITS, ImpossibleSwap
from sniper_cli.pricing.fixed_point import (
    ONE,
    OutOfBounds,
    complement,
    div_down,
    div_up,
    mul_down,
    mul_up,
    pow_down,
    pow_up,
)

MAX_IN_RATIO = MAX_OUT_RATIO = 3 * ONE // 10
"""Of a balance, in one swap: the power function is only good for so much."""


def out_given_in(balance_in: int, weight_in: int, balance_out: int, weight_out: int, amount_in: int) -> int:
    """What the pool pays for an amount that is net of the fee. Raises ImpossibleSwap."""
    if amount_in > mul_down(balance_in, MAX_IN_RATIO):
        raise ImpossibleSwap("more than 30 % of the pool's balance goes in")
    base = div_up(balance_in, balance_in + amount_in)
    ratio = pow_up(base, div_down(weight_in, weight_out))
    return mul_down(balance_out, complement(ratio))


def in_given_out(balance_in: int, weight_in: int, balance_out: int, weight_out: int, amount_out: int) -> int:
    """What the pool asks for an amount, before the fee is put on top. Raises ImpossibleSwap."""
    if amount_out > mul_down(balance_out, MAX_OUT_RATIO):
        raise ImpossibleSwap("more than 30 % of the pool's balance goes out")
    base = div_up(balance_out, balance_out - amount_out)
    ratio = pow_up(base, div_up(weight_out, weight_in))
    return mul_up(balance_in, ratio - ONE)


def invariant(weights: Sequence[int], balances: Sequence[int], *, round_up: bool = False) -> int:
    """∏ balance^weight. Raises ImpossibleSwap for an empty pool."""
    product = ONE
    for weight, balance in zip(weights, balances, strict=True):
        share = pow_up(balance, weight) if round_up else pow_down(balance, weight)
        product = mul_up(product, share) if round_up else mul_down(product, share)
    if product == 0:
        raise ImpossibleSwap("the pool has an empty side")
    return product


def balance_given_invariant(balance: int, weight: int, ratio: int) -> int:
    """The balance of one token at which the invariant has grown by `ratio`, rounded up."""
    return mul_up(balance, pow_up(ratio, div_up(ONE, weight)))


def scale_up(amount: int, factor: int, rate: int = ONE, *, round_up: bool = False) -> int:
    """Base units as 18 decimals: `factor` is 10^(18 − decimals), `rate` what the token is worth in its underlying."""
    return mul_up(amount * factor, rate) if round_up else mul_down(amount * factor, rate)


def scale_down(amount: int, factor: int, rate: int = ONE, *, round_up: bool = False) -> int:
    """18 decimals as base units."""
    scale = factor * rate
    return -(-amount * ONE // scale) if round_up else amount * ONE // scale


@dataclass(frozen=True, slots=True)
class WeightedPool:
    """A pool of two and more tokens, of the v3 vault or the v2 one. Amounts in the tokens' base units."""

    balances: tuple[int, ...]
    """Scaled to 18 decimals, with the tokens' rates."""
    weights: tuple[int, ...]
    fee: int
    """Of what comes in, in 10^-18."""
    factors: tuple[int, ...] = ()
    """10^(18 − decimals) a token; none: all have 18."""
    rates: tuple[int, ...] = ()
    """Worth of a token in its underlying, in 10^-18; none: one."""
    older: bool = False
    """A pool of the v2 vault, which reckons its fee in base units, before they are scaled."""

    def amount_out(self, amount_in: int, token_in: int, token_out: int) -> int:
        """What the pool pays for an exact input. Raises ImpossibleSwap."""
        if amount_in <= 0:
            raise ImpossibleSwap("nothing goes in")
        if self.older:
            net = scale_up(amount_in - mul_up(amount_in, self.fee), *self.scale_of(token_in))
        else:
            given = scale_up(amount_in, *self.scale_of(token_in))
            net = given - mul_up(given, self.fee)
        try:
            paid = out_given_in(*self._sides(token_in, token_out), net)
        except OutOfBounds as bounds:
            raise ImpossibleSwap(str(bounds)) from bounds
        return scale_down(paid, *self._scale_up_rate(token_out))

    def amount_in(self, amount_out: int, token_in: int, token_out: int) -> int:
        """What the pool asks for an exact output. Raises ImpossibleSwap."""
        if amount_out <= 0:
            raise ImpossibleSwap("nothing is asked for")
        wanted = scale_up(amount_out, *self._scale_up_rate(token_out), round_up=True)
        try:
            needed = in_given_out(*self._sides(token_in, token_out), wanted)
        except OutOfBounds as bounds:
            raise ImpossibleSwap(str(bounds)) from bounds
        if self.older:
            return div_up(scale_down(needed, *self.scale_of(token_in), round_up=True), ONE - self.fee)
        with_fee = needed + -(-needed * self.fee // (ONE - self.fee))
        return scale_down(with_fee, *self.scale_of(token_in), round_up=True)

    def after(self, amount_in: int, amount_out: int, token_in: int, token_out: int) -> WeightedPool:
        """The pool once a swap of these amounts is done; the whole fee stays in it."""
        balances = list(self.balances)
        balances[token_in] += scale_up(amount_in, *self.scale_of(token_in))
        balances[token_out] -= scale_up(amount_out, *self.scale_of(token_out), round_up=True)
        return replace(self, balances=tuple(balances))

    def price(self, token_in: int, token_out: int) -> Decimal:
        """Units of the coming token for one unit of the going token, fee apart: (Bi/wi) / (Bo/wo)."""
        with localcontext() as context:
            context.prec = PRICE_DIGITS
            coming = Decimal(self.balances[token_in]) / self.weights[token_in]
            return coming / (Decimal(self.balances[token_out]) / self.weights[token_out])

    def _sides(self, token_in: int, token_out: int) -> tuple[int, int, int, int]:
        return (
            self.balances[token_in],
            self.weights[token_in],
            self.balances[token_out],
            self.weights[token_out],
        )

    def scale_of(self, token: int) -> tuple[int, int]:
        """By what a token's base units become 18 decimals: a factor, and its rate."""
        factor = self.factors[token] if self.factors else 1
        return factor, self.rates[token] if self.rates else ONE

    def _scale_up_rate(self, token: int) -> tuple[int, int]:
        """The vault rounds the rate of what goes out up by one unit, where it is not one."""
        factor, rate = self.scale_of(token)
        return factor, rate if rate == ONE else rate + 1
