"""Journal records in words: one short sentence each, for event logs and timelines.

Unknown kinds and missing figures are shown as they are: an event log that hides what it does not know is no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

Data = Mapping[str, Any]

COIN_DECIMALS = 18
QUIET = frozenset(
    {"id", "account_id", "order_id", "launch_id", "position_id", "instrument_id", "report", "checks", "raw"}
)
"""Keys that say nothing to a person in a single line."""


def sentence(kind: str, data: Data, *, coin: str = "") -> str:
    """What a record says, without its kind."""
    words = SENTENCES.get(kind)
    text = words(data, coin) if words else ""
    return text or facts(data)


def facts(data: Data, limit: int = 6) -> str:
    """The figures of a record as `key value` pairs, the first few."""
    pairs = (
        f"{key.replace('_', ' ')} {_plain(value)}"
        for key, value in data.items()
        if key not in QUIET and isinstance(value, str | int | bool) and value != ""
    )
    return ", ".join(list(pairs)[:limit])


def address(value: object) -> str:
    """An address or a hash as people recognise it: head and tail."""
    text = str(value)
    return f"{text[:6]}…{text[-4:]}" if text.startswith("0x") and len(text) > 14 else text


def coins(units: object, coin: str, places: int = 4) -> str:
    """Wei as coins, for a sentence; the exact figure stands in the record."""
    try:
        amount = Decimal(str(units)).scaleb(-COIN_DECIMALS)
    except InvalidOperation:
        return str(units)
    return f"{amount:,.{places}f} {coin}".strip()


def _plain(value: object) -> str:
    return (
        address(value)
        if isinstance(value, str)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _get(data: Data, *names: str) -> str:
    """The first of these keys that has a value."""
    for name in names:
        value = data.get(name)
        if value not in (None, "", [], {}):
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return ""


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _launch_seen(data: Data, coin: str) -> str:
    del coin
    where = _get(data, "block_number", "block")
    return _join(
        _get(data, "symbol") or address(_get(data, "token")), f"seen in block {where}" if where else "seen"
    )


def _launch_judged(data: Data, coin: str) -> str:
    del coin
    verdict = _get(data, "verdict").replace("_", " ")
    why = _get(data, "reasons")
    return _join(_get(data, "symbol"), f"is {verdict}" if verdict else "", f"– {why}" if why else "")


def _launch_decided(data: Data, coin: str) -> str:
    del coin
    why = _get(data, "explanation", "reason", "detail", "reasons")
    return _join(_get(data, "symbol"), _get(data, "decision"), f"– {why}" if why else "")


def _order(verb: str) -> Callable[[Data, str], str]:
    def words(data: Data, coin: str) -> str:
        what = _join(_get(data, "side"), _get(data, "symbol"))
        budget = data.get("budget")
        why = _get(data, "explanation", "rule")
        return _join(
            what,
            verb,
            f"for {coins(budget, coin)}" if budget else "",
            f"– {why.replace('_', ' ')}" if why else "",
        )

    return words


def _order_state(data: Data, coin: str) -> str:
    del coin
    why = _get(data, "explanation")
    return (
        _join("now", _get(data, "state", "to").replace("_", " "), f"– {why}" if why else "") if data else ""
    )


def _filled(data: Data, coin: str) -> str:
    notional = data.get("notional")
    what = _join(_get(data, "side"), _get(data, "symbol"))
    return _join(what, "filled", f"for {coins(notional, coin)}" if notional else "")


def _transaction(verb: str) -> Callable[[Data, str], str]:
    def words(data: Data, coin: str) -> str:
        block = _get(data, "block_number", "block")
        gas = data.get("gas_cost")
        nonce = _get(data, "nonce")
        return _join(
            _get(data, "purpose"),
            verb,
            f"in block {block}" if block else "",
            f"with nonce {nonce}" if nonce and not block else "",
            f"gas {coins(gas, coin, 6)}" if gas else "",
            f"– {error}" if (error := _get(data, "error")) else "",
        )

    return words


def _position_closed(data: Data, coin: str) -> str:
    profit = data.get("profit", data.get("realised"))
    rule = _get(data, "exit_rule", "rule").replace("_", " ")
    return _join(
        _get(data, "symbol"),
        f"closed by {rule}" if rule else "closed",
        f"profit {coins(profit, coin)}" if profit else "",
    )


def _position_opened(data: Data, coin: str) -> str:
    spent = data.get("spent")
    return _join(_get(data, "symbol"), "opened", f"for {coins(spent, coin)}" if spent else "")


def _switch(verb: str) -> Callable[[Data, str], str]:
    def words(data: Data, coin: str) -> str:
        del coin
        why = _get(data, "reason")
        return _join(verb, f"– {why}" if why else "")

    return words


SENTENCES: dict[str, Callable[[Data, str], str]] = {
    "launch.seen": _launch_seen,
    "launch.judged": _launch_judged,
    "launch.decided": _launch_decided,
    "order.recorded": _order("recorded"),
    "order.refused": _order("refused"),
    "order.sent": _order("sent"),
    "order.state": _order_state,
    "order.filled": _filled,
    "transaction.recorded": _transaction("signed and recorded"),
    "transaction.sent": _transaction("sent"),
    "transaction.mined": _transaction("mined"),
    "transaction.reverted": _transaction("reverted"),
    "transaction.dropped": _transaction("dropped"),
    "transaction.replaced": _transaction("replaced"),
    "position.opened": _position_opened,
    "position.closed": _position_closed,
    "kill.tripped": _switch("kill switch tripped"),
    "kill.reset": _switch("kill switch reset, trading resumes"),
}
