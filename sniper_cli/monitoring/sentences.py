"""Journal records in words: one short sentence each, for event logs and timelines.

Unknown kinds and missing figures are shown as they are: an event log that hides what it does not know is no log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from typing import Any

Data = Mapping[str, Any]
Words = Callable[[Data, "Money"], str]

SIX_DIGITS = Context(prec=6)

QUIET = frozenset(
    {"id", "account_id", "order_id", "launch_id", "position_id", "instrument_id", "report", "checks", "raw"}
)
"""Keys that say nothing to a person in a single line."""


@dataclass(frozen=True, slots=True)
class Money:
    """What amounts in records are counted in."""

    coin: str = ""
    decimals: int = 18
    base: str = ""
    """What is traded for coins, where that is known."""
    base_decimals: int = 0


def sentence(kind: str, data: Data, money: Money) -> str:
    """What a record says, without its kind."""
    words = SENTENCES.get(kind)
    if words is None and kind.startswith("desk."):
        words = _batch
    text = words(data, money) if words else ""
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


def coins(units: object, money: Money, places: int = 4) -> str:
    """Base units as coins, for a sentence; the exact figure stands in the record."""
    try:
        amount = Decimal(str(units)).scaleb(-money.decimals)
    except InvalidOperation:
        return str(units)
    return f"{amount:,.{places}f} {money.coin}".strip()


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


def _launch_seen(data: Data, money: Money) -> str:
    del money
    if data.get("source") == "pending":
        return _join("pool announced by a waiting transaction, for block", _get(data, "block_number"))
    return _join("pool seen in block", _get(data, "block_number", "block"))


def _launch_listed(data: Data, money: Money) -> str:
    del money
    return _join("mined as announced, in block", _get(data, "block_number"))


def _launch_withdrawn(data: Data, money: Money) -> str:
    del money
    return _join("withdrawn", _because(_get(data, "reason")))


def _launch_in(words: str) -> Words:
    def said(data: Data, money: Money) -> str:
        del money
        return _join(words, _get(data, "block_number", "from_number"))

    return said


def _launch_judged(data: Data, money: Money) -> str:
    del money
    verdict = _get(data, "verdict").replace("_", " ")
    return _join(verdict, _because(_get(data, "reasons")))


def _launch_decided(data: Data, money: Money) -> str:
    del money
    return _join(_get(data, "decision"), _because(_get(data, "reason", "explanation", "reasons")))


def _order(verb: str) -> Words:
    def words(data: Data, money: Money) -> str:
        budget = data.get("budget")
        reason = data.get("reason")
        why = _get(data, "why", "explanation")
        if not why and isinstance(reason, Mapping):
            why = _get(reason, "detail", "rule", "origin").replace("_", " ")
        done = "held" if data.get("state") == "held" else verb
        size = "" if budget else _size(data, money)
        return _join(
            _get(data, "side"),
            f"{done}: {size}" if size else done,
            f"for {coins(budget, money)}" if budget else "",
            f"at {data['limit_price']}" if data.get("limit_price") else "",
            _because(why),
        )

    return words


def _size(data: Data, money: Money) -> str:
    """How much of what is traded, in the digits that matter; the exact figure stands in the record."""
    quantity = data.get("quantity")
    if quantity is None or not money.base:
        return ""
    try:
        amount = Decimal(str(quantity)).scaleb(-money.base_decimals)
    except InvalidOperation:
        return ""
    text = (
        f"{amount:,.4f}".rstrip("0").rstrip(".")
        if amount >= 1
        else f"{SIX_DIGITS.plus(amount).normalize():f}"
    )
    return f"{text} {money.base}"


def _order_sent(data: Data, money: Money) -> str:
    del money
    reference = _get(data, "venue_reference", "hash", "tx_hash")
    return _join("given to the venue", f"as {address(reference)}" if reference else "")


def _order_state(data: Data, money: Money) -> str:
    del money
    if _get(data, "reversed"):
        return "a fill was taken back by a reorganisation"
    reference = _get(data, "venue_reference")
    known = data.get("state") in ("recorded", "sent", "open")
    return _join(
        "now",
        _get(data, "state").replace("_", " "),
        f"as {address(reference)}" if reference and known else "",
        _because(_get(data, "explanation")),
    )


def _order_amended(data: Data, money: Money) -> str:
    terms = data.get("terms")
    if isinstance(terms, Mapping) and terms.get("triggered_at") and not data.get("before"):
        return "its trigger went off"
    price = _get(data, "limit_price")
    now = _join(_size(data, money), f"at {price}" if price else "")
    return f"amended: {now}" if now else "amended"


def _order_cost(data: Data, money: Money) -> str:
    amount = _get(data, "amount")
    what = _get(data, "movement") or "cost"
    if amount.startswith("-"):
        return _join(what, "of", coins(amount.removeprefix("-"), money, 6))
    return _join(what, "of", coins(amount, money, 6), "given back")


def _filled(data: Data, money: Money) -> str:
    size = _size(data, money)
    done = f"filled: {size}" if size else "filled"
    return _join(_get(data, "side"), done, "for", coins(data.get("notional"), money))


def _transaction(verb: str) -> Words:
    def words(data: Data, money: Money) -> str:
        block = _get(data, "block", "block_number")
        gas = data.get("gas_cost")
        nonce = _get(data, "nonce")
        return _join(
            _get(data, "purpose"),
            verb,
            f"in block {block}" if block else f"with nonce {nonce}" if nonce else "",
            f"for {coins(gas, money, 6)} of gas" if gas else "",
            _because(_get(data, "error", "why")),
        )

    return words


def _position_opened(data: Data, money: Money) -> str:
    return _join("opened for", coins(data.get("spent"), money))


def _position_written_off(data: Data, money: Money) -> str:
    rule = _get(data, "rule").replace("_", " ")
    return _join(
        "written off", _size(data, money), "that cost", coins(data.get("cost"), money), _because(rule)
    )


def _position_closed(data: Data, money: Money) -> str:
    rule = _get(data, "rule", "exit_rule").replace("_", " ")
    return _join("closed", f"by {rule}" if rule else "", _profit(data, money))


def _profit(data: Data, money: Money) -> str:
    """What a closed position brought, fees and gas paid, where the record has the figures."""
    try:
        received, spent, fees = (int(data[key]) for key in ("received", "spent", "fees"))
    except (KeyError, TypeError, ValueError):
        return ""
    profit = received - spent - fees
    return f"with a {'profit' if profit >= 0 else 'loss'} of {coins(abs(profit), money)}"


def _reconciled(data: Data, money: Money) -> str:
    del money
    return "the ledger equals the chain" if data.get("equal") else "the ledger differs from the chain"


def _endpoint(verb: str) -> Words:
    def words(data: Data, money: Money) -> str:  # noqa: ARG001 - the sentences' own shape
        return _join(f"{_get(data, 'kind')} {verb}:", _get(data, "url"))

    return words


def _deposit(data: Data, money: Money) -> str:
    return _join(_get(data, "movement") or "deposit", "of", coins(_get(data, "amount"), money))


STATES = ("filled", "partially_filled", "open", "held", "recorded", "sent", "cancelled", "expired", "rejected",
          "dropped", "refused")  # fmt: skip


def _batch(data: Data, money: Money) -> str:
    """A record of many acts: how many orders it tells of and what they are now, and what else it counts."""
    del money
    states = ", ".join(f"{data[name]:,} {name.replace('_', ' ')}" for name in STATES if data.get(name))
    heads = [
        _counted(data, name) for name in ("orders", "carried_orders", "changed_orders") if data.get(name)
    ]
    counted = {"orders", "carried_orders", "changed_orders", *STATES}
    others = [_counted(data, name) for name, value in data.items() if name not in counted and value]
    first = ", ".join(heads)
    return "; ".join(part for part in (f"{first}: {states}" if first and states else first, *others) if part)


def _counted(data: Data, name: str) -> str:
    words = name.replace("_", " ")
    return f"{data[name]:,} {words.removesuffix('s') if data[name] == 1 else words}"


def _said(words: str) -> Words:
    def said(data: Data, money: Money) -> str:
        del money
        return _join(words, _because(_get(data, "reason")))

    return said


def _switched(words: str) -> Words:
    def said(data: Data, money: Money) -> str:
        del money
        scope = _get(data, "scope")
        whose = "" if scope in ("", "global") else f"of {_scope(scope)}"
        return _join("kill switch", whose, words, _because(_get(data, "reason")))

    return said


def _limited(words: str) -> Words:
    def said(data: Data, money: Money) -> str:
        del money
        before = _get(data, "before")
        whose = _scope(f"{_get(data, 'scope')}:{_get(data, 'scope_id')}")
        limit = _get(data, "limit").replace("_", " ")
        was = f"(was {before})" if before else ""
        return _join("limit", limit, _get(data, "group"), "of", whose, words, _get(data, "value"), was)

    return said


def _scope(scope: str) -> str:
    """`strategy:grid` as `strategy grid`; an account by the tail of its id."""
    kind, _, identifier = scope.partition(":")
    return _join(kind, identifier.replace("-", "")[-12:] if kind == "account" else identifier)


def _because(why: str) -> str:
    return f"– {why}" if why else ""


def _exit_stuck(data: Data, money: Money) -> str:
    del money
    return _join("ALARM:", _get(data, "symbol"), "cannot be sold:", _get(data, "problem"))


def _exit_asked(data: Data, money: Money) -> str:
    del money
    urgent = "at once" if data.get("urgent") else ""
    return _join("a sale of", _get(data, "share"), "% asked for by", _get(data, "by"), urgent)


def _exits_edited(data: Data, money: Money) -> str:
    del money
    after = data.get("after") or {}
    changed = [f"{name.replace('_', ' ')} {after.get(name)}" for name in data.get("changed") or ()]
    return _join("exits changed:", ", ".join(changed))


SENTENCES: dict[str, Words] = {
    "exit.stuck": _exit_stuck,
    "exit.asked": _exit_asked,
    "exit.edited": _exits_edited,
    "exit.withdrawn": _said("the sale asked for was taken back"),
    "exit.held": _said("exits suspended"),
    "exit.resumed": _said("exits count again"),
    "launch.seen": _launch_seen,
    "launch.vanished": _launch_in("taken away by a reorganisation with block"),
    "launch.returned": _launch_in("mined again, in block"),
    "launch.reopened": _launch_in("undecided again: judged on blocks that are gone, from"),
    "launch.judged": _launch_judged,
    "launch.decided": _launch_decided,
    "launch.announced": _said("announced anew by another waiting transaction"),
    "launch.listed": _launch_listed,
    "launch.withdrawn": _launch_withdrawn,
    "order.recorded": _order("recorded"),
    "order.refused": _order("refused"),
    "order.sent": _order_sent,
    "order.state": _order_state,
    "order.filled": _filled,
    "order.amended": _order_amended,
    "order.cost": _order_cost,
    "transaction.recorded": _transaction("signed and recorded"),
    "transaction.sent": _transaction("sent"),
    "transaction.mined": _transaction("mined"),
    "transaction.reverted": _transaction("reverted"),
    "transaction.dropped": _transaction("dropped"),
    "transaction.replaced": _transaction("replaced"),
    "position.opened": _position_opened,
    "position.closed": _position_closed,
    "position.written_off": _position_written_off,
    "account.deposit": _deposit,
    "account.funding": _deposit,
    "account.interest": _deposit,
    "account.transfer": _deposit,
    "kill.tripped": _switched("tripped"),
    "kill.reset": _switched("reset, trading resumes"),
    "limit.set": _limited("is"),
    "limit.removed": _limited("is no more; it was"),
    "endpoint.added": _endpoint("added"),
    "endpoint.removed": _endpoint("taken off the list"),
    "endpoint.enabled": _endpoint("in use again"),
    "endpoint.disabled": _endpoint("in use no more"),
    "runner.started": _said("the sniper is at work"),
    "runner.stopped": _said("the sniper has stopped"),
    "reconciliation.done": _reconciled,
}
