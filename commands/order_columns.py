"""How orders are shown: the columns of lists, of one order, and of what came of placing one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sniper_cli.output import Column

STATES = {
    "filled": "good",
    "refused": "bad",
    "rejected": "bad",
    "dropped": "bad",
    "sent": "warn",
    "recorded": "warn",
    "held": "warn",
}
ORDERS = (
    Column("id", exact=True, priority=0, show=lambda identifier: identifier.replace("-", "")[-12:]),
    Column("created_at", header="created", priority=2),
    Column("account", priority=4),
    Column("client_order_id", in_table=False),
    Column("instrument", priority=0),
    Column("side", priority=0),
    Column("type", priority=2),
    Column("time_in_force", in_table=False),
    Column("quantity", exact=True, right=True, priority=1),
    Column("budget", exact=True, right=True, priority=1),
    Column("limit_price", header="limit", exact=True, right=True, priority=2),
    Column("trigger_price", header="trigger", exact=True, right=True, priority=3),
    Column("trail", exact=True, in_table=False),
    Column("display", exact=True, in_table=False),
    Column("expires_at", in_table=False),
    Column("state", priority=0, style=STATES.get),
    Column("filled_quantity", header="filled", exact=True, right=True, priority=1),
    Column("filled_notional", exact=True, right=True, in_table=False),
    Column("average_price", header="average", exact=True, right=True, priority=2),
    Column("waits_for", elastic=True, priority=3),
    Column("options", in_table=False, show=", ".join),
    Column("explanation", elastic=True, priority=3),
    Column("venue_reference", in_table=False),
    Column("strategy", in_table=False),
    Column("parent_id", exact=True, in_table=False),
    Column("launch_id", exact=True, in_table=False),
    Column("position_id", exact=True, in_table=False),
    Column("updated_at", in_table=False),
)


def _checks(checks: list[dict[str, Any]]) -> str:
    return "\n".join(f"{'✓' if each['passed'] else '✗'} {each['name']}: {each['detail']}" for each in checks)


def _fills(fills: list[dict[str, Any]]) -> str:
    return "\n".join(f"{each['quantity']} for {each['notional']}" for each in fills)


def _family(members: list[dict[str, Any]]) -> str:
    return "\n".join(_member(each) for each in members)


def _member(each: dict[str, Any]) -> str:
    price = each["limit_price"] or each["trigger_price"] or each["trail"]
    shown = price if price is None or isinstance(price, str) else f"{price:f}"
    words = [
        each["relation"],
        each["id"].replace("-", "")[-12:],
        each["side"],
        each["type"].replace("_", " "),
    ]
    words += [f"at {shown}"] if shown else []
    return f"{' '.join(words)}: {each['state'].replace('_', ' ')}"


ORDER = (
    *ORDERS,
    Column("reason", in_table=False),
    Column("checks", show=_checks),
    Column("fills", show=_fills),
    Column("family", show=_family),
)


def of_order(column: Column) -> Column:
    """A column of the order that was placed."""
    return replace(column, value=lambda placed: column.of(placed.order))


def _legs(placed: Any) -> list[dict[str, Any]]:
    names = ("client_order_id", "side", "type", "quantity", "limit_price", "trigger_price", "trail", "state")
    return [
        {"relation": "leg", "id": str(leg.id), **{name: getattr(leg, name) for name in names}}
        for leg in placed.legs
    ]


PLACED = (
    *(of_order(column) for column in ORDER if column.name != "family"),
    Column("legs", value=_legs, show=_family),
    Column("replayed"),
    Column("dry_run"),
    Column("plan"),
)
AMENDED = (
    *(of_order(column) for column in ORDER),
    Column("before"),
    Column("keeps_place"),
    Column("dry_run"),
)
