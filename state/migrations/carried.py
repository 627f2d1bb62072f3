"""What the first schema held, carried into the second: figures of old fills, day sums, the journal's carried records.

Rows are read as they lie in the database and written as text, which both databases take for every one of our columns;
the tables' classes are those of a later program and know nothing of this one's.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any

import sqlalchemy as sa

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000_000

AT_WORK = ("held", "open", "partially_filled", "recorded", "sent")
WORKING = "state IN ('held', 'open', 'partially_filled', 'recorded', 'sent')"

STRATEGY_SUMS = ("realised", "fees", "bought", "sold", "fills", "wins", "won", "losses", "lost")
INSTRUMENT_SUMS = ("quantity", "notional", "fills", "realised", "fees", "held", "basis")
COUNTS = ("fills", "wins", "losses")

Rows = list[dict[str, Any]]


def rows(connection: Any, query: str, **parameters: Any) -> Rows:
    """What a query finds, as it lies in the database."""
    return [dict(row) for row in connection.execute(sa.text(query), parameters).mappings().all()]


# -- what fills realised ----------------------------------------------------------------------------------------


def figure_fills(connection: Any, matches: Rows) -> None:
    """What each fill realised and its fee in quote units: the books keep both with the fill, to undo it exactly.

    A sale beyond the position realised its whole price for what came from outside; one without a position nothing; a
    purchase that a token never delivered lost its price.
    """
    costs: dict[str, int] = defaultdict(int)
    for match in matches:
        costs[_hex(match["fill_id"])] += int(match["cost"])
    updates = [
        {
            "id": fill["id"],
            "value": str(_fee_value(fill)),
            "realised": str(_realised(fill, costs[_hex(fill["id"])])),
        }
        for fill in _fills(connection)
    ]
    if updates:
        query = "UPDATE fill SET fee_value = :value, realised = :realised WHERE id = :id"
        connection.execute(sa.text(query), updates)


def _fills(connection: Any) -> Rows:
    return rows(
        connection,
        "SELECT f.*, i.base_asset, i.quote_asset FROM fill f JOIN instrument i ON i.id = f.instrument_id ORDER BY f.id",
    )


def _fee_value(fill: dict[str, Any]) -> int:
    return int(fill["fee"]) if fill["fee_asset"] == fill["quote_asset"] else 0


def _realised(fill: dict[str, Any], cost: int) -> int:
    if fill["position_id"] is None or fill["reversed_at"] is not None:
        return 0
    if fill["side"] == "sell":
        return int(fill["notional"]) - cost
    kept = int(fill["fee"]) if fill["fee_asset"] == fill["base_asset"] else 0
    return 0 if int(fill["quantity"]) > kept else -int(fill["notional"])  # paid for nothing


def figure_positions(connection: Any) -> None:
    """What the open lots of each position cost. What was closed has realised all that it paid."""
    for row in rows(connection, "SELECT id, state, spent, received, realised FROM position"):
        gain = int(row["received"]) - int(row["spent"])
        realised = int(row["realised"]) if row["state"] == "open" else gain
        values = {"b": str(realised - gain), "r": str(realised), "i": row["id"]}
        connection.execute(sa.text("UPDATE position SET basis = :b, realised = :r WHERE id = :i"), values)


# -- day sums ---------------------------------------------------------------------------------------------------


def sum_days(connection: Any, matches: Rows) -> None:
    """Profit and trade by day, which are kept from now on, for the days before."""
    strategies: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    instruments: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    held = _Held(connection, matches)
    for fill in _fills(connection):
        if fill["reversed_at"] is not None:
            continue
        day = _day(fill["at"])
        _add_to_strategy(strategies[fill["account_id"], day, fill["quote_asset"]], fill)
        traded = instruments[fill["account_id"], day, fill["instrument_id"]]
        for name, column in (
            ("quantity", "quantity"),
            ("notional", "notional"),
            ("realised", "realised"),
            ("fees", "fee_value"),
        ):
            traded[name] += int(fill[column])
        traded["fills"] += 1
        traded["held"], traded["basis"] = held.after(fill)
    _insert_days(connection, strategies, instruments)


def _add_to_strategy(sums: dict[str, int], fill: dict[str, Any]) -> None:
    realised = int(fill["realised"])
    sums["realised"] += realised
    sums["fees"] += int(fill["fee_value"])
    sums["bought" if fill["side"] == "buy" else "sold"] += int(fill["notional"])
    sums["fills"] += 1
    if realised > 0:
        sums["wins"] += 1
        sums["won"] += realised
    elif realised < 0:
        sums["losses"] += 1
        sums["lost"] -= realised


class _Held:
    """What positions held after each of their fills; what a token's contract took away counts from the last one on."""

    def __init__(self, connection: Any, matches: Rows) -> None:
        self._sold: dict[str, tuple[int, int]] = {}
        for match in matches:
            quantity, cost = self._sold.get(_hex(match["fill_id"]), (0, 0))
            self._sold[_hex(match["fill_id"])] = quantity + int(match["quantity"]), cost + int(match["cost"])
        self._now: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self._positions = {
            _hex(row["id"]): (int(row["quantity"]), int(row["basis"]))
            for row in rows(connection, "SELECT id, quantity, basis FROM position WHERE state = 'open'")
        }
        query = "SELECT position_id, max(id) AS id FROM fill WHERE reversed_at IS NULL GROUP BY position_id"
        if connection.dialect.name != "sqlite":
            query = query.replace("max(id)", "max(CAST(id AS text))")
        self._last = {_hex(row["id"]) for row in rows(connection, query) if row["position_id"] is not None}

    def after(self, fill: dict[str, Any]) -> tuple[int, int]:
        """Base units, and what they cost."""
        if fill["position_id"] is None:
            return 0, 0
        position = _hex(fill["position_id"])
        quantity, basis = self._now[position]
        if fill["side"] == "buy":
            kept = int(fill["fee"]) if fill["fee_asset"] == fill["base_asset"] else 0
            quantity, basis = quantity + int(fill["quantity"]) - kept, basis + int(fill["notional"])
        else:
            sold, cost = self._sold.get(_hex(fill["id"]), (0, 0))
            quantity, basis = quantity - sold, basis - cost
        self._now[position] = quantity, basis
        if _hex(fill["id"]) in self._last:
            return self._positions.get(position, (0, 0))
        return quantity, basis


def _insert_days(connection: Any, strategies: Any, instruments: Any) -> None:
    for (account, day, quote), sums in strategies.items():
        key = {"account_id": account, "day": str(day), "strategy": "", "quote_asset": quote}
        insert(connection, "strategy_day", {**key, **_sums(sums, STRATEGY_SUMS)})
    for (account, day, instrument), sums in instruments.items():
        key = {"account_id": account, "day": str(day), "instrument_id": instrument}
        insert(connection, "instrument_day", {**key, **_sums(sums, INSTRUMENT_SUMS)})


def _sums(sums: dict[str, int], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: sums[name] if name in COUNTS else str(sums[name]) for name in names}


# -- paper accounts ---------------------------------------------------------------------------------------------


def settle_paper(connection: Any) -> None:
    """Where the replay of the market goes on, for accounts with orders at work.

    The first edition followed each order from the second it was placed in; the books follow an account from the last
    second in which it was looked at. An order that a crash left recorded but not sent is held until that second: then
    it gets what it would have got.
    """
    for account in rows(connection, "SELECT id FROM account WHERE venue = 'paper'"):
        query = 'SELECT * FROM "order" WHERE account_id = :a AND venue_reference IS NOT NULL'
        orders = rows(connection, query, a=account["id"])
        for order in orders:
            if order["state"] in ("recorded", "sent"):
                _hold(connection, order)
            elif order["type"] == "market":
                _give_back_price(connection, order)
        if any(order["state"] in AT_WORK for order in orders):
            fills = rows(connection, "SELECT at FROM fill WHERE account_id = :a", a=account["id"])
            seconds = [_placed(order) for order in orders] + [micros(fill["at"]) // SECOND for fill in fills]
            query = "UPDATE account SET settled_until = :s WHERE id = :a"
            connection.execute(sa.text(query), {"s": max(seconds), "a": account["id"]})


def _hold(connection: Any, order: dict[str, Any]) -> None:
    """Held until its second. Of a market order the price that was written down bounds it; it was not asked for."""
    terms: dict[str, Any] = {"starts_at": _placed(order) * SECOND}
    if order["type"] == "market":
        terms["asked"] = {} if order["quantity"] is None else {"quantity": _whole(order["quantity"])}
    told = json.dumps(terms, separators=(",", ":"), sort_keys=True)
    query = "UPDATE \"order\" SET state = 'held', terms = :t WHERE id = :i"
    connection.execute(sa.text(query), {"t": told, "i": order["id"]})


def _give_back_price(connection: Any, order: dict[str, Any]) -> None:
    """The order says what was asked for; the worst price that the venue had written on it stays in the journal."""
    query = "SELECT body FROM journal WHERE kind = 'order.recorded' AND subject = :s"
    for record in rows(connection, query, s=_dashed(order["id"])):
        asked = json.loads(record["body"])["data"].get("limit_price")
        query = 'UPDATE "order" SET limit_price = :p WHERE id = :i'
        connection.execute(sa.text(query), {"p": asked, "i": order["id"]})


def _placed(order: dict[str, Any]) -> int:
    """The second of an order's placing: `simulated:<seed>:<second>`."""
    return int(order["venue_reference"].rsplit(":", 1)[1])


# -- the journal ------------------------------------------------------------------------------------------------


def carry_forward(connection: Any) -> None:
    """One record an account: what it holds now. A rebuild from the journal begins there."""
    if connection.execute(sa.text("SELECT 1 FROM journal_head")).first() is None:
        connection.execute(
            sa.text("INSERT INTO journal_head (name, seq, hash, desk_seq) VALUES ('journal', 0, :hash, 0)"),
            {"hash": "0" * 64},
        )
    for account in rows(connection, "SELECT id, settled_until FROM account ORDER BY id"):
        events = [*_balances(connection, account["id"]), *_open_positions(connection, account["id"])]
        events += _working_orders(connection, account["id"])
        if account["settled_until"]:
            events.append(["S", account["settled_until"]])
        if events:
            _journal(connection, account["id"], events)


def _balances(connection: Any, account: Any) -> list[list[Any]]:
    query = "SELECT asset_id, amount FROM balance WHERE account_id = :a ORDER BY asset_id"
    return [["K", row["asset_id"], _whole(row["amount"])] for row in rows(connection, query, a=account)]


def _open_positions(connection: Any, account: Any) -> list[list[Any]]:
    found = []
    query = "SELECT * FROM position WHERE account_id = :a AND state = 'open' ORDER BY id"
    for row in rows(connection, query, a=account):
        lots = [
            [
                _hex(lot["id"]),
                *(_whole(lot[n]) for n in ("quantity", "remaining", "cost")),
                micros(lot["opened_at"]),
            ]
            for lot in rows(connection, "SELECT * FROM lot WHERE position_id = :p ORDER BY id", p=row["id"])
            if int(lot["remaining"])
        ]
        amounts = [_whole(row[n]) for n in ("quantity", "spent", "received", "basis", "fees", "realised")]
        ends = [micros(row["opened_at"]), _hex_or_none(row["launch_id"]), None, lots, row["version"]]
        found.append(["P", _hex(row["id"]), row["instrument_id"], *amounts, *ends])
    return found


def _working_orders(connection: Any, account: Any) -> list[list[Any]]:
    query = f'SELECT * FROM "order" WHERE account_id = :a AND {WORKING} ORDER BY id'  # noqa: S608
    found: list[list[Any]] = []
    for row in rows(connection, query, a=account):
        price = row["limit_price"]
        found.append(
            [
                "R",
                _hex(row["id"]),
                *(row[n] for n in ("client_order_id", "instrument_id", "side", "type", "time_in_force")),
                *(None if row[n] is None else _whole(row[n]) for n in ("quantity", "budget")),
                price if price is None or isinstance(price, str) else format(price, "f"),
                row["state"],
                _whole(row["reserved"]),
                micros(row["created_at"]),
                json.loads(row["checks"]),
                json.loads(row["reason"]),
                None if row["terms"] is None else json.loads(row["terms"]),
                row["explanation"],
                row["venue_reference"],
                _hex_or_none(row["position_id"]),
                _hex_or_none(row["launch_id"]),
                None,
                None,
                _whole(row["filled_quantity"]),
                _whole(row["filled_notional"]),
            ]
        )
    return found


def _journal(connection: Any, account: Any, events: list[list[Any]]) -> None:
    head = connection.execute(sa.text("SELECT seq, hash FROM journal_head WHERE name = 'journal'")).one()
    at = datetime.now(UTC)
    record = {
        "actor": "sniper",
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "data": {"events": events},
        "kind": "desk.carried",
        "seq": head.seq + 1,
        "subject": _dashed(account),
    }
    body = json.dumps(record, separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(head.hash.encode() + body.encode()).hexdigest()
    columns = {name: record[name] for name in ("seq", "actor", "kind", "subject")}
    moment = at.strftime("%Y-%m-%d %H:%M:%S.%f") + ("" if connection.dialect.name == "sqlite" else "+00")
    links = {"at": moment, "body": body, "previous_hash": head.hash, "hash": digest}
    insert(connection, "journal", {**columns, **links})
    place = {"s": head.seq + 1, "h": digest, "a": account}
    head_row = "UPDATE journal_head SET seq = :s, hash = :h, desk_seq = :s WHERE name = 'journal'"
    connection.execute(sa.text(head_row), place)
    connection.execute(sa.text("UPDATE projection SET seq = :s WHERE name = 'desk'"), place)
    # From here on the journal tells of them, and it begins to count their changes anew.
    told = "recorded_seq = :s, version = 0, updated_at = created_at"
    marked = f'UPDATE "order" SET {told} WHERE {WORKING} AND account_id = :a'  # noqa: S608
    connection.execute(sa.text(marked), place)


def insert(connection: Any, table: str, values: dict[str, Any]) -> None:
    """Values as they lie in the database, past the columns' types."""
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(sa.text(f'INSERT INTO "{table}" ({names}) VALUES ({marks})'), values)  # noqa: S608


def _whole(amount: Any) -> str:
    return str(int(amount))


def _hex(identifier: Any) -> str:
    return str(identifier).replace("-", "")


def _hex_or_none(identifier: Any) -> str | None:
    return None if identifier is None else _hex(identifier)


def _dashed(identifier: Any) -> str:
    """An account's id as records name it."""
    key = _hex(identifier)
    return f"{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"


def _instant(moment: Any) -> datetime:
    found = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def micros(moment: Any) -> int:
    """A time as microseconds since 1970."""
    return (_instant(moment) - EPOCH) // timedelta(microseconds=1)


def _day(moment: Any) -> date:
    return _instant(moment).astimezone(UTC).date()
