"""The fields of the portfolio commands: their names in JSON, and how a table shows them."""

from __future__ import annotations

from typing import Any

from sniper_cli.output import Column


def _gain(value: Any) -> str | None:
    if value is None or str(value) in ("0", "0.0"):
        return None
    return "bad" if str(value).startswith("-") else "good"


def _money(name: str, header: str | None = None, **options: Any) -> Column:
    return Column(name, header, exact=True, right=True, **options)


def _profit(name: str, header: str | None = None, **options: Any) -> Column:
    return _money(name, header, style=_gain, **options)


def _pct(name: str, header: str | None = None, **options: Any) -> Column:
    return Column(name, header, right=True, style=_gain, **options)


def _age(value: Any) -> str:
    return f"{value.total_seconds():.0f} s"


ACCOUNT_LINES = (
    Column("account", priority=0),
    Column("venue", priority=4),
    Column("currency", priority=1),
    _money("equity", priority=0),
    _money("cash"),
    _money("positions"),
    _money("reserved", priority=3),
    _money("available", priority=3),
    _profit("unrealised", priority=2),
    _profit("realised", priority=2),
    _money("fees", priority=4),
    Column("open_positions", header="open", right=True, priority=5),
    Column("open_orders", header="orders", right=True, priority=5),
)
BALANCE_LINES = (
    Column("account", priority=2),
    Column("asset", priority=0),
    Column("asset_id", in_table=False),
    _money("amount", priority=0),
    _money("in_positions", "in positions"),
    _money("reserved", priority=2),
    _money("value"),
)
POSITION_LINES = (
    Column("id", exact=True, show=lambda identifier: identifier.replace("-", "")[-12:], priority=3),
    Column("account", priority=5),
    Column("instrument", priority=0),
    Column("side", priority=5),
    _money("quantity", priority=0),
    _money("cost", priority=2),
    _money("price", priority=4),
    _money("value", priority=1),
    _profit("unrealised", priority=0),
    Column("unrealised_pct", header="%", exact=True, right=True, priority=2),
    Column("weight_pct", header="weight %", exact=True, right=True, priority=2),
    Column("quote", priority=5),
    Column("strategy", priority=5),
    Column("source", header="marked by", priority=4),
    Column("age", show=_age, right=True, priority=3),
    Column("stale", style=lambda stale: "warn" if stale else None, priority=4),
    Column("marked_at", in_table=False),
    Column("opened_at", in_table=False),
    Column("lots", in_table=False),
)
LOT_LINES = (
    Column("instrument", priority=0),
    Column("id", exact=True, show=lambda identifier: identifier.replace("-", "")[-12:], priority=2),
    Column("opened_at", header="opened", priority=3),
    _money("quantity", priority=2),
    _money("remaining", priority=0),
    _money("cost"),
    _money("price"),
    _profit("unrealised", priority=0),
)

MARGIN = 17
"""Columns that a record's field names take."""


def _lines(columns: tuple[Column, ...]) -> Any:
    """Shows rows inside a record as a table of their own."""

    def show(rows: Any) -> str:
        from sniper_cli.output.table import table_lines
        from sniper_cli.output.terminal import width

        room = width()
        return "\n".join(table_lines(rows, columns, room and room - MARGIN)) if rows else "none"

    return show


def _lots(row: Any) -> list[dict[str, Any]]:
    """The lots of all positions, each with its instrument."""
    from dataclasses import asdict

    return [{"instrument": one.instrument, **asdict(lot)} for one in row.positions for lot in one.lots]


SHOW = (
    Column("at"),
    Column("currency"),
    _money("equity"),
    _money("cash"),
    _money("positions_value", "positions"),
    _money("reserved"),
    _money("available"),
    _profit("unrealised"),
    _profit("realised"),
    _money("fees"),
    Column("stale", header="stale marks"),
    Column("unpriced", header="not priced"),
    Column("accounts", show=_lines(ACCOUNT_LINES)),
    Column("balances", header="cash and coins", show=_lines(BALANCE_LINES)),
    Column("positions", header="open positions", show=_lines(POSITION_LINES)),
)
LOTS = Column("lots", value=_lots, show=_lines(LOT_LINES))
PROFITS = (
    Column("day", priority=0),
    Column("strategy", priority=0),
    Column("instrument", priority=0),
    Column("currency", priority=2),
    _profit("realised", priority=0),
    _money("fees", priority=1),
    _money("costs", priority=2),
    _profit("net", priority=0),
    _profit("unrealised", priority=1),
    _money("bought", in_table=False),
    _money("sold", in_table=False),
    _money("volume", priority=2),
    _money("price", "average price", priority=2),
    Column("fills", right=True, priority=2),
    Column("wins", in_table=False),
    Column("losses", in_table=False),
    Column("hit_rate", header="hit rate", exact=True, right=True, priority=3),
    Column("profit_factor", header="factor", exact=True, right=True, priority=3),
)
PERFORMANCE = (
    Column("account"),
    Column("currency"),
    Column("since"),
    Column("until"),
    Column("days"),
    _money("begin"),
    _money("end"),
    _money("paid_in"),
    _money("paid_out"),
    _profit("profit"),
    _profit("realised"),
    _money("fees"),
    _pct("return_pct", "time-weighted %"),
    _pct("money_weighted_pct", "money-weighted %"),
    _pct("money_weighted_year_pct", "… a year %"),
    _pct("yearly_pct", "growth a year %"),
    Column("volatility_pct", header="volatility a year %"),
    Column("sharpe"),
    Column("sortino"),
    Column("calmar"),
    Column("omega"),
    _pct("max_drawdown_pct", "deepest drawdown %"),
    Column("drawdown_from", header="… from"),
    Column("drawdown_to", header="… to"),
    Column("recovered", header="… recovered"),
    _pct("drawdown_now_pct", "drawdown now %"),
    Column("ulcer", header="ulcer index"),
    Column("trades", header="closing trades"),
    Column("hit_rate", exact=True),
    Column("profit_factor", exact=True),
    _money("average_win"),
    _money("average_loss"),
    _money("expectancy"),
    Column("unpriced", header="at cost, for want of a price"),
)
DAYS = (
    Column("day", priority=0),
    Column("currency", priority=3),
    _money("equity", priority=0),
    _money("cash", priority=2),
    _money("positions", priority=2),
    _money("paid_in", priority=1),
    _money("paid_out", priority=1),
    _profit("profit", priority=0),
    _pct("return_pct", "return %", priority=1),
    _pct("drawdown_pct", "drawdown %", priority=2),
    _profit("realised", priority=2),
    _money("fees", priority=2),
    Column("fills", right=True, priority=3),
    Column("unpriced", header="at cost", priority=3, elastic=True),
)
CONTRIBUTIONS = (
    Column("name", priority=0),
    Column("currency", priority=3),
    _profit("profit", priority=0),
    _pct("contribution_pct", "contributed %", priority=1),
    Column("days", right=True, priority=2),
    _profit("best_day", priority=2),
    _profit("worst_day", priority=2),
    _profit("max_drawdown", "deepest fall", priority=2),
    Column("sharpe", right=True, priority=1),
    Column("sortino", right=True, priority=2),
    Column("trades", right=True, priority=2),
    Column("hit_rate", exact=True, right=True, priority=1),
    Column("profit_factor", header="factor", exact=True, right=True, priority=1),
)
HOLDINGS = (
    Column("day", priority=3),
    Column("account", priority=4),
    Column("instrument", priority=0),
    _money("quantity", priority=0),
    _money("cost", priority=1),
    _money("price", priority=1),
    _money("value", priority=0),
    _profit("unrealised", priority=0),
    Column("quote", priority=2),
    Column("priced", priority=2),
)
REBALANCE = (
    Column("instrument", priority=0),
    _money("target_pct", "target %", priority=0),
    _money("weight_pct", "weight %", priority=0),
    _money("drift_pct", "drift %", priority=1),
    Column("action", priority=0),
    _money("quantity", priority=0),
    _money("limit_price", "limit", priority=2),
    _money("notional", priority=1),
    _money("cost", priority=1),
    _money("weight_after_pct", "after %", priority=1),
    Column("quote", priority=3),
    Column("why", elastic=True, priority=2),
    Column("client_order_id", in_table=False),
    Column("order_id", exact=True, in_table=False),
    Column("state", priority=0),
    Column("explanation", elastic=True, priority=3),
    _money("filled_quantity", "filled", priority=1),
    _money("filled_notional", in_table=False),
    Column("replayed", in_table=False),
    Column("dry_run", in_table=False),
)
DIFFERENCES = (
    Column("table"), Column("key", exact=True), Column("field"), Column("expected", exact=True),
    Column("found", exact=True), Column("rule"),
)  # fmt: skip
VERIFIED = (
    Column("whole", style=lambda whole: "good" if whole else "bad"),
    Column("records", header="journal records"),
    Column("seq", header="up to record"),
    Column("rows", header="rows told"),
    Column("older", header="rows from before"),
    Column("identities", show="\n".join),
    Column("differences", style=lambda count: "bad" if count else None),
    Column("found", header="", show=_lines(DIFFERENCES)),
    Column("seconds"),
)
REBUILT = (
    Column("differences", header="differences before"),
    Column("records", header="journal records"),
    Column("seq", header="up to record"),
    Column("rows", header="rows written"),
    Column("whole", header="whole afterwards"),
    Column("dry_run"),
)
EXPORTED = (Column("file"), Column("format"), Column("fills"), Column("bytes"))
