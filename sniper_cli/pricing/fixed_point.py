"""Powers in 18-decimal fixed point, with the roundings of Balancer's contracts.

A weighted pool's price needs x^y with a fraction for y. The contracts take it as exp(y · ln x), each by splitting off
precomputed powers of two and a short series, and then widen the result by the error that this can have made, up or
down, whichever favours the pool. To predict them to the wei the same digits must be dropped at the same places;
division truncates towards zero, as in Solidity.

Source: Balancer LogExpMath and FixedPoint (v2 and v3 vaults); constants are e^(2^n) as published there.
"""

from __future__ import annotations

from collections.abc import Callable

ONE = 10**18
ONE_20 = 10**20
ONE_36 = 10**36
MAX_POW_RELATIVE_ERROR = 10_000
"""Of the power function, in 10^-18."""
LARGEST_EXPONENT = 130 * ONE
SMALLEST_EXPONENT = -41 * ONE
NEAR_ONE = ONE // 10
"""Within so much of one the logarithm is taken with 36 decimals."""
MILD_EXPONENT = 2**254 // ONE_20

_WHOLE_POWERS = (
    (128 * ONE, 38877084059945950922200000000000000000000000000000000000),
    (64 * ONE, 6235149080811616882910000000),
)
"""2^7 and 2^6, and e to them as whole numbers."""
_POWERS = (
    (32 * ONE_20, 7896296018268069516100000000000000),
    (16 * ONE_20, 888611052050787263676000000),
    (8 * ONE_20, 298095798704172827474000),
    (4 * ONE_20, 5459815003314423907810),
    (2 * ONE_20, 738905609893065022723),
    (ONE_20, 271828182845904523536),
    (ONE_20 // 2, 164872127070012814685),
    (ONE_20 // 4, 128402541668774148407),
    (ONE_20 // 8, 113314845306682631683),
    (ONE_20 // 16, 106449445891785942956),
)
"""2^5 down to 2^-4, and e to them, with 20 decimals."""
_EXP_POWERS = _POWERS[:8]
"""The exponential needs no finer ones."""
_EXP_TERMS, _LN_TERMS, _LN_36_TERMS = 12, 11, 15


class OutOfBounds(ValueError):
    """The contract would revert: an argument lies beyond what the fixed-point functions take."""


def truncated(numerator: int, denominator: int) -> int:
    """The quotient, rounded towards zero."""
    quotient = abs(numerator) // abs(denominator)
    return quotient if (numerator < 0) == (denominator < 0) else -quotient


def mul_down(a: int, b: int) -> int:
    return a * b // ONE


def mul_up(a: int, b: int) -> int:
    return -(-a * b // ONE)


def div_down(a: int, b: int) -> int:
    return a * ONE // b


def div_up(a: int, b: int) -> int:
    return -(-a * ONE // b)


def complement(x: int) -> int:
    """One less x, and nothing for x above one."""
    return max(0, ONE - x)


def pow_down(x: int, y: int) -> int:
    """x^y, never too large. Raises OutOfBounds."""
    exact = _simple_power(x, y, mul_down)
    if exact is not None:
        return exact
    raw = power(x, y)
    return max(0, raw - mul_up(raw, MAX_POW_RELATIVE_ERROR) - 1)


def pow_up(x: int, y: int) -> int:
    """x^y, never too small. Raises OutOfBounds."""
    exact = _simple_power(x, y, mul_up)
    if exact is not None:
        return exact
    raw = power(x, y)
    return raw + mul_up(raw, MAX_POW_RELATIVE_ERROR) + 1


def _simple_power(x: int, y: int, multiplied: Callable[[int, int], int]) -> int | None:
    """Powers that the contracts take by multiplying, in the direction that was asked for.

    Balancer's own TypeScript and Python round them up both ways; the contracts of both vaults do not.
    """
    if y == ONE:
        return x
    if y in {2 * ONE, 4 * ONE}:
        square = multiplied(x, x)
        return square if y == 2 * ONE else multiplied(square, square)
    return None


def power(x: int, y: int) -> int:
    """x^y as exp(y · ln x), with the functions' own error. Raises OutOfBounds."""
    if y == 0:
        return ONE
    if x == 0:
        return 0
    if x >= 2**255 or y >= MILD_EXPONENT:
        raise OutOfBounds("the base or the exponent is too large")
    if abs(x - ONE) < NEAR_ONE:
        logarithm = _ln_36(x)
        whole = truncated(logarithm, ONE)
        exponent = whole * y + truncated((logarithm - whole * ONE) * y, ONE)
    else:
        exponent = _ln(x) * y
    exponent = truncated(exponent, ONE)
    if not SMALLEST_EXPONENT <= exponent <= LARGEST_EXPONENT:
        raise OutOfBounds("the product of logarithm and exponent is out of bounds")
    return exp(exponent)


def exp(x: int) -> int:
    """e^x. Raises OutOfBounds."""
    if not SMALLEST_EXPONENT <= x <= LARGEST_EXPONENT:
        raise OutOfBounds("the exponent is out of bounds")
    if x < 0:
        return ONE * ONE // exp(-x)
    first = 1
    for part, value in _WHOLE_POWERS:
        if x >= part:
            x -= part
            first = value
            break
    x *= 100
    product = ONE_20
    for part, value in _EXP_POWERS:
        if x >= part:
            x -= part
            product = product * value // ONE_20
    term = x
    series = ONE_20 + x
    for count in range(2, _EXP_TERMS + 1):
        term = term * x // ONE_20 // count
        series += term
    return product * series // ONE_20 * first // 100


def ln(x: int) -> int:
    """The natural logarithm. Raises OutOfBounds for nothing and less."""
    if x <= 0:
        raise OutOfBounds("no logarithm of nothing")
    return truncated(_ln_36(x), ONE) if abs(x - ONE) < NEAR_ONE else _ln(x)


def _ln(x: int) -> int:
    if x < ONE:
        return -_ln(ONE * ONE // x)
    total = 0
    for part, value in _WHOLE_POWERS:
        if x >= value * ONE:
            x //= value
            total += part
    total *= 100
    x *= 100
    for part, value in _POWERS:
        if x >= value:
            x = x * ONE_20 // value
            total += part
    return (total + 2 * _series(x, ONE_20, _LN_TERMS)) // 100


def _ln_36(x: int) -> int:
    return 2 * _series(x * ONE, ONE_36, _LN_36_TERMS)


def _series(x: int, one: int, last: int) -> int:
    """artanh((x − 1) / (x + 1)), half the logarithm, by its series to the power `last`."""
    z = truncated((x - one) * one, x + one)
    squared = truncated(z * z, one)
    numerator = total = z
    for odd in range(3, last + 1, 2):
        numerator = truncated(numerator * squared, one)
        total += truncated(numerator, odd)
    return total
