"""A Uniswap V2 pool as the contract computes it: integers, floor on the way out, plus one on the way in.

    x · y ≥ k,  with the fee kept in the pool                      Uniswap v2 whitepaper, § 3.2.1
    out = floor(in·φ·R_out / (R_in·1000 + in·φ)),  φ = 997         UniswapV2Library.getAmountOut
    in  = floor(R_in·out·1000 / ((R_out − out)·φ)) + 1             UniswapV2Library.getAmountIn

Fees are given in basis points of what goes in (30 for Uniswap); reserves and amounts in base units. Nothing
here is a float, so what is quoted is what the pair pays, to the wei.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, localcontext
from math import isqrt

UNISWAP_FEE_BPS = 30
BPS = 10_000
MINIMUM_LIQUIDITY = 1000
"""Liquidity tokens that the first mint locks for ever."""
MAX_RESERVE = 2**112 - 1
"""The pair keeps its reserves in uint112 and reverts with OVERFLOW beyond."""
PRICE_DIGITS = 80


class ImpossibleSwap(ValueError):
    """No such trade exists in the pool: nothing in, an empty side, or more asked for than stands there."""


@dataclass(frozen=True, slots=True)
class Reserves:
    """The two sides of a pool as seen by a trade: what goes in joins `coming`, what comes out leaves `going`."""

    coming: int
    going: int
    fee_bps: int = UNISWAP_FEE_BPS

    @property
    def product(self) -> int:
        """The invariant k; a swap never lowers it."""
        return self.coming * self.going

    @property
    def depth(self) -> int:
        """What must go in, before fees, to quadruple the price."""
        return self.coming

    @property
    def reversed(self) -> Reserves:
        """The same pool seen by a trade in the other direction."""
        return Reserves(self.going, self.coming, self.fee_bps)

    def pays(self, amount: int) -> int:
        """What the pool pays for `amount`. Raises ImpossibleSwap."""
        return amount_out(amount, self)

    def asks(self, amount: int) -> int:
        """The least input for which the pool pays `amount`. Raises ImpossibleSwap."""
        return amount_in(amount, self)

    def moved(self, amount: int) -> Reserves:
        """The reserves once `amount` has been traded. Raises ImpossibleSwap."""
        return self.after(amount, amount_out(amount, self))

    def after(self, amount_in: int, amount_out: int) -> Reserves:
        """The reserves once a swap of these amounts is done."""
        if amount_out >= self.going:
            raise ImpossibleSwap(f"{amount_out} of {self.going} units cannot leave the pool")
        return Reserves(self.coming + amount_in, self.going - amount_out, self.fee_bps)


@dataclass(frozen=True, slots=True)
class Quote:
    """What a trade would bring when the token keeps its tax."""

    amount_in: int
    """Sent by the trader."""
    reaches_pool: int
    """What is left of it at the pool, after a tax on the way in."""
    leaves_pool: int
    amount_out: int
    """Received by the trader, after a tax on the way out."""
    impact_bps: int
    after: Reserves


def amount_out(amount_in: int, reserves: Reserves) -> int:
    """What the pool pays for `amount_in`."""
    if amount_in <= 0:
        raise ImpossibleSwap("nothing goes in")
    if reserves.coming <= 0 or reserves.going <= 0:
        raise ImpossibleSwap("the pool has an empty side")
    with_fee = amount_in * (BPS - reserves.fee_bps)
    return with_fee * reserves.going // (reserves.coming * BPS + with_fee)


def amount_in(amount_out: int, reserves: Reserves) -> int:
    """The least input for which the pool pays at least `amount_out`.

    The contract's formula (quotient plus one) asks for one unit more than needed when the division is exact;
    see `router_amount_in` for what the router will take.
    """
    asked = router_amount_in(amount_out, reserves)
    return asked - 1 if asked > 1 and _pays(asked - 1, amount_out, reserves) else asked


def router_amount_in(amount_out: int, reserves: Reserves) -> int:
    """What `getAmountIn` of the router asks for `amount_out`."""
    if amount_out <= 0:
        raise ImpossibleSwap("nothing is asked for")
    if reserves.coming <= 0 or amount_out >= reserves.going:
        raise ImpossibleSwap(f"the pool cannot pay {amount_out} out of {reserves.going}")
    numerator = reserves.coming * amount_out * BPS
    return numerator // ((reserves.going - amount_out) * (BPS - reserves.fee_bps)) + 1


def _pays(offered: int, wanted: int, reserves: Reserves) -> bool:
    return amount_out(offered, reserves) >= wanted


def quote(amount: int, reserves: Reserves, *, tax_in_bps: int = 0, tax_out_bps: int = 0) -> Quote:
    """A trade of a token that takes a tax: `tax_in_bps` of what goes to the pool, `tax_out_bps` of what leaves.

    A sale pays its tax on the way in, a purchase on the way out; taxes round down, as tokens compute them.
    """
    reaches = after_tax(amount, tax_in_bps)
    leaves = amount_out(reaches, reserves)
    return Quote(
        amount_in=amount,
        reaches_pool=reaches,
        leaves_pool=leaves,
        amount_out=after_tax(leaves, tax_out_bps),
        impact_bps=price_impact_bps(reaches, reserves),
        after=reserves.after(reaches, leaves),
    )


def after_tax(amount: int, tax_bps: int) -> int:
    """What is left when a token keeps `tax_bps` of a transfer, computed `amount − floor(amount·tax)`."""
    return amount - amount * tax_bps // BPS


def tax_bps(sent: int, arrived: int) -> int:
    """The tax that explains `arrived` out of `sent`, in whole basis points, rounded against the token.

    A rounding of the token's own division (at most one unit) is not shown as a basis point of tax.
    """
    if sent <= 0:
        raise ImpossibleSwap("nothing was sent")
    lost = sent - arrived
    return -(-(lost - 1) * BPS // sent) if lost > 1 else 0


def equivalent(amount: int, reserves: Reserves) -> int:
    """`amount` of the coming side in units of the going side at the pool's price, without fee or impact."""
    if amount <= 0:
        raise ImpossibleSwap("nothing to convert")
    if reserves.coming <= 0 or reserves.going <= 0:
        raise ImpossibleSwap("the pool has an empty side")
    return amount * reserves.going // reserves.coming


def price(reserves: Reserves) -> Decimal:
    """Units of the coming side for one unit of the going side."""
    if reserves.coming <= 0 or reserves.going <= 0:
        raise ImpossibleSwap("the pool has an empty side")
    with localcontext() as context:
        context.prec = PRICE_DIGITS
        return Decimal(reserves.coming) / Decimal(reserves.going)


def price_impact_bps(amount_in: int, reserves: Reserves, *, with_fee: bool = False) -> int:
    """How far the trade's own price stands behind the pool's, rounded up; the pool's fee apart unless asked."""
    fair = amount_in * reserves.going
    if fair <= 0 or reserves.coming <= 0:
        raise ImpossibleSwap("nothing to trade")
    fee = reserves.fee_bps if with_fee else 0
    received_scaled = amount_in * (BPS - fee) * reserves.going
    paid = reserves.coming * BPS + amount_in * (BPS - fee)
    return -(-(fair * paid - received_scaled * reserves.coming) * BPS // (fair * paid))


def share_of_pool_bps(amount: int, reserve: int) -> int:
    """`amount` as a share of a reserve, rounded up: 10 000 and more for an empty one."""
    return -(-amount * BPS // reserve) if reserve > 0 else BPS


def first_liquidity(amount_0: int, amount_1: int) -> int:
    """Liquidity tokens that the first mint creates, the locked minimum included."""
    return isqrt(amount_0 * amount_1)
