"""Tokens as people name them: by address, or the chain's coin by its name, wrapped by a W before it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.errors import NotFound, UsageProblem

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
COIN_DECIMALS = 18
MOST_DECIMALS = 77
"""10^77 is the last power of ten in a word; a token that claims more is none."""
WIDE = Context(prec=160)
"""The default context would round at 28 digits; a token's amount has up to 78."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as pools know it, and whether the coin itself is meant."""

    address: str
    symbol: str
    decimals: int
    coin: bool = False

    def spelled(self, units: int) -> str:
        """Base units as a whole amount, exact."""
        return f"{Decimal(units).scaleb(-self.decimals, WIDE).normalize(WIDE):f}"

    def units(self, amount: str) -> int:
        """A whole amount in base units. Raises UsageProblem for what is no amount, or finer than the token."""
        try:
            number = Decimal(amount)
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or number <= 0:
            raise UsageProblem(f"{amount!r} is no amount", hint="sniper route quote --help")
        units = number.scaleb(self.decimals, WIDE)
        if units != units.to_integral_value(context=WIDE):
            raise UsageProblem(
                f"{self.symbol or self.address} has {self.decimals} decimals, {amount} has more",
                hint="sniper route quote --help",
            )
        return int(units)


def address_meant(word: str, exchanges: Exchanges) -> tuple[str, bool]:
    """The token's address, and whether the coin itself is meant. Raises UsageProblem."""
    coin = exchanges.coin.lower()
    if word.lower() in (coin, f"w{coin}"):
        return exchanges.wrapped, word.lower() == coin
    if ADDRESS.fullmatch(word):
        return word.lower(), False
    raise UsageProblem(
        f"{word!r} is no token: an address, {exchanges.coin} or W{exchanges.coin}",
        hint="sniper route quote --help",
    )


async def read_tokens(node: Node, addresses: Iterable[str], block: int) -> dict[str, Token]:
    """What tokens say of themselves. Raises NotFound for what is no token, NetworkError."""
    wanted = tuple(dict.fromkeys(addresses))
    answers = await node.batch(
        [
            ("eth_call", [{"to": token, "data": data}, hex(block)])
            for token in wanted
            for data in (abi.CALL_DECIMALS, abi.CALL_SYMBOL)
        ],
        return_errors=True,
    )
    found = {}
    for place, token in enumerate(wanted):
        decimals, symbol = answers[2 * place : 2 * place + 2]
        count = abi.word(decimals, 0) if isinstance(decimals, str) and len(decimals) >= 66 else None
        if count is None or count > MOST_DECIMALS:
            raise NotFound(
                f"there is no token at {token}: it does not tell its decimals", hint="sniper chain list"
            )
        found[token] = Token(token, abi.text(symbol) if isinstance(symbol, str) else "", count)
    return found
