"""Does a token pass for another? Its name and symbol are compared as the eye sees them, not as they are spelled.

A Cyrillic а looks like a Latin a, a zero width joiner like nothing at all. What a name looks like is its *skeleton*
(after Unicode TR39; here the letters that a Latin reader takes for his own, a part of the standard's table).
"""

from __future__ import annotations

import unicodedata

from sniper_cli.safety.lines import Group, Line, failed, passed, unproven

NAME = "impersonation"
KNOWN = {
    "USDT": "Tether USD", "USDC": "USD Coin", "DAI": "Dai Stablecoin", "WETH": "Wrapped Ether",
    "WBTC": "Wrapped BTC", "WBNB": "Wrapped BNB", "BNB": "BNB", "ETH": "Ethereum", "BTC": "Bitcoin",
    "UNI": "Uniswap", "LINK": "ChainLink Token", "AAVE": "Aave Token", "MKR": "Maker", "LDO": "Lido DAO Token",
    "STETH": "Liquid staked Ether 2.0", "WSTETH": "Wrapped liquid staked Ether 2.0", "SHIB": "SHIBA INU",
    "PEPE": "Pepe", "ARB": "Arbitrum", "OP": "Optimism", "POL": "Polygon Ecosystem Token", "MATIC": "Matic Token",
    "CRV": "Curve DAO Token", "FRAX": "Frax", "PYUSD": "PayPal USD", "USDE": "USDe", "FDUSD": "First Digital USD",
    "TUSD": "TrueUSD", "CBBTC": "Coinbase Wrapped BTC", "CAKE": "PancakeSwap Token", "SOL": "Solana",
    "DOGE": "Dogecoin", "XRP": "XRP", "TRX": "TRON", "ENS": "Ethereum Name Service", "GRT": "Graph Token",
}  # fmt: skip
"""Well-known tokens by symbol. A launch that bears one of these is never the real one: that has had its pools long."""
LOOKS = str.maketrans(
    "АВЕКМНОРСТУХІЅЈԚԜаеорсухіѕјԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανι",
    "ABEKMHOPCTYXISJQWaeopcyxisjdqwABEZHIKMNOPTYXoavi",
)
"""Cyrillic and Greek letters that look Latin."""
FIGURES = str.maketrans("0135$|!", "oiessli")
"""Figures and signs that are read as letters, after lower case: 0 o, 1 i, 3 e, 5 s, $ s, | l, ! i."""
USUAL_DECIMALS = (6, 8, 9, 18)


def visible(text: str) -> str:
    """The text without what nobody sees, in its compatible form: `ＵＳＤＴ` and `U\u200bSDT` are USDT."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in plain if unicodedata.category(letter) not in {"Cf", "Cc", "Mn", "Me"})


def skeleton(text: str) -> str:
    """What a Latin reader sees, in lower case and without spaces."""
    seen = visible(text).translate(LOOKS).casefold().translate(FIGURES)
    return "".join(letter for letter in seen if letter.isalnum())


SYMBOLS = {skeleton(symbol): symbol for symbol in KNOWN}
NAMES = {skeleton(name): symbol for symbol, name in KNOWN.items()}


def judge_metadata(symbol: str, name: str, decimals: int | None, *, raw: str = "") -> list[Line]:
    """Whether name or symbol pass for another token's, and whether the decimals are usual.

    `raw` are name and symbol as the contract spells them, where invisible characters are still in.
    """
    lines = []
    taken = SYMBOLS.get(skeleton(symbol)) or NAMES.get(skeleton(name))
    odd = raw and visible(raw) != unicodedata.normalize("NFKD", raw)
    if taken is not None:
        exact = symbol == taken or name == KNOWN[taken]
        words = "bears" if exact else "looks like"
        lines.append(
            failed(NAME, Group.METADATA, f"{symbol!r} ({name!r}) {words} {taken}'s name", figure=taken)
        )
    elif odd:
        lines.append(failed(NAME, Group.METADATA, f"{symbol!r} ({name!r}) hides invisible characters"))
    elif not symbol and not name:
        lines.append(unproven(NAME, Group.METADATA, "the token has neither a name nor a symbol"))
    else:
        lines.append(passed(NAME, Group.METADATA, f"{symbol!r} ({name!r}) is no well-known token's name"))
    if decimals in USUAL_DECIMALS:
        lines.append(passed("decimals", Group.METADATA, f"{decimals} decimals", figure=str(decimals)))
    else:
        words = "no decimals are told" if decimals is None else f"{decimals} decimals are unusual"
        lines.append(unproven("decimals", Group.METADATA, words))
    return lines
