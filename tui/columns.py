"""The columns of the four live tables: which figure stands where, how it is written, what sorts by it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal

from sniper_cli.monitoring.rows import EventRow, Gauge, LaunchRow, OrderRow, PositionRow, token_of
from sniper_cli.pools.keys import DYNAMIC_FEE
from sniper_cli.sniping.exits import ExitRule
from state.identifiers import short
from state.launches import Decision, Source, Verdict
from state.orders import OrderState, Side
from tui import figures
from tui.widgets.live_table import Column, Piece, padded

Clock = Callable[[], datetime]

VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.PENDING: ("… judging", "muted"),
    Verdict.SAFE: ("✔ safe", "good"),
    Verdict.UNSAFE: ("✘ unsafe", "bad"),
    Verdict.NOT_PROVEN: ("? not proven", "warn"),
}
"""A verdict's sign and word, and its style."""

ORDER_STATES: dict[OrderState, tuple[str, str]] = {
    OrderState.REFUSED: ("✘ refused", "warn"),
    OrderState.HELD: ("… held", "muted"),
    OrderState.RECORDED: ("· recorded", "muted"),
    OrderState.SENT: ("→ sent", "accent"),
    OrderState.OPEN: ("○ open", "accent"),
    OrderState.PARTIALLY_FILLED: ("◐ part filled", "accent"),
    OrderState.FILLED: ("✔ filled", "good"),
    OrderState.CANCELLED: ("– cancelled", "muted"),
    OrderState.EXPIRED: ("– expired", "muted"),
    OrderState.REJECTED: ("✘ rejected", "bad"),
    OrderState.DROPPED: ("✘ dropped", "bad"),
}

EXIT_TITLES: tuple[tuple[ExitRule, str, str], ...] = (
    (ExitRule.STOP_LOSS, "stop", "fill-bad"),
    (ExitRule.TAKE_PROFIT, "take", "fill-good"),
    (ExitRule.TRAILING_STOP, "trail", "fill-warn"),
    (ExitRule.LIQUIDITY, "liquidity", "fill-bad"),
    (ExitRule.TIME, "time", "fill-warn"),
)
"""The exit rules that have a gauge: title and the style of the part of the way that has been gone."""

MARKED: Mapping[str, tuple[ExitRule, ...]] = {rule.value: (rule,) for rule in ExitRule} | {
    ExitRule.LIQUIDITY_PENDING.value: (ExitRule.LIQUIDITY,)
}
"""Under which gauge a closed position's rule is marked: a pending removal belongs to liquidity."""

GROUP_TONES = {
    "launch": "accent",
    "kill": "bad",
    "position": "good",
    "runner": "warn",
    "reconciliation": "good",
}


BRIEF_RULES = {"liquidity_pending": "liq. pending", "trailing_stop": "trailing", "closed_by_hand": "by hand"}
"""Exit rules whose names have no room in the trend's column."""


def rule_name(rule: str | None) -> str:
    """An exit rule in words, after `left by`."""
    return "hand" if rule == "closed_by_hand" else (rule or "").replace("_", " ")


def launch_columns() -> list[Column[LaunchRow]]:
    """Launches: what appeared where, the verdict with its reason, what came of it."""
    return [
        Column("seen", 9, seen_at, lambda _: "muted", drop=4),
        Column("block", 7, lambda r: "waits" if r.announced else f"{r.block_number:,}", lambda _: "muted", True, drop=8,
               key="B", order=lambda r: r.block_number),
        Column("token", 10, lambda r: r.symbol or figures.address(r.token), paint=_launched_token, key="T"),
        Column("on", 8, market_of, _unless_gone(lambda r: "warn" if r.hooks else "muted"), drop=3, key="N"),
        Column("pool ETH", 10, lambda r: figures.amount(r.liquidity, places=2), _unless_gone(lambda _: ""), True,
               drop=7, key="P", order=lambda r: r.liquidity),
        Column("tax in/out", 10, _taxes, _unless_gone(lambda r: "" if r.buy_tax_bps is not None else "muted"), True,
               drop=6, key="X", order=lambda r: r.sell_tax_bps),
        Column("verdict", 12, lambda r: VERDICTS[r.verdict][0], _unless_gone(lambda r: VERDICTS[r.verdict][1]),
               key="V"),
        Column("latency", 7, lambda r: figures.milliseconds(r.latency_us), lambda _: "muted", True, drop=5,
               key="L", order=lambda r: r.latency_us),
        Column("outcome", 15, _outcome_text, paint=_outcome, key="O",
               order=lambda r: r.profit),
        Column("why", 28, _why, _unless_gone(lambda r: "muted" if r.verdict is Verdict.SAFE else ""), flex=1, drop=2),
    ]  # fmt: skip


PROTOCOLS = {"uniswap_v2": "V2", "uniswap_v3": "V3", "uniswap_v4": "v4"}
SOURCES: dict[Source, tuple[str, str]] = {
    Source.LOG: ("", "by the log of its block"),
    Source.PENDING: ("»", "while the transaction that made it waited"),
    Source.SCAN: ("«", "when history was read; never bought"),
}
"""How a launch came to our notice: a sign beside the time, and in words."""
BY_HOOKS = "set by hooks"
GONE = {
    "vanished": "its block was taken away by a reorganisation",
    "withdrawn": "the transaction that announced it was not mined as it was",
}
"""Why a launch is no more."""


def market_of(row: LaunchRow) -> str:
    """The protocol with what tells its pools apart: `V2`, `V3 0.3%`, `v4 hooks`."""
    name = PROTOCOLS.get(row.protocol, row.protocol.replace("_", " "))
    if row.hooks:
        return f"{name} hooks"
    return f"{name} {tier(row.fee)}".strip() if name != "V2" else name


def tier(fee: int | None) -> str:
    """A pool's fee, given in hundredths of a basis point: `0.3%`; one that hooks set has no figure."""
    if fee is None:
        return ""
    return BY_HOOKS if fee == DYNAMIC_FEE else f"{(Decimal(fee) / 10_000).normalize():f}%"


def seen_at(row: LaunchRow) -> str:
    return figures.clock(row.seen_at) + SOURCES[row.source][0]


def _launched_token(row: LaunchRow, room: int) -> list[Piece]:
    """The token, struck through where its block is gone."""
    name = row.symbol or figures.address(row.token)
    if not row.gone:
        return [(padded(name, room, right=False), "strong")]
    shown = padded(name, room, right=False)
    return [(shown.rstrip(), "gone"), (shown[len(shown.rstrip()) :], "")]


def _unless_gone(tone: Callable[[LaunchRow], str]) -> Callable[[LaunchRow], str]:
    """A cell's style; of a launch whose block is gone everything stands back."""
    return lambda row: "muted" if row.gone else tone(row)


def _taxes(row: LaunchRow) -> str:
    if row.buy_tax_bps is None and row.sell_tax_bps is None:
        return "–"
    return f"{figures.bps(row.buy_tax_bps)} / {figures.bps(row.sell_tax_bps)}"


def _why(row: LaunchRow) -> str:
    """The reasons, or what the judgement calls it."""
    if row.gone:
        return GONE[row.gone]
    if row.reasons:
        return "; ".join(row.reasons)
    if row.exit_rule:
        return f"left by {rule_name(row.exit_rule)}"
    return {"ok": "can be sold again"}.get(row.classification, row.classification.replace("_", " "))


def _outcome_text(row: LaunchRow) -> str:
    return "".join(text for text, _ in _outcome(row, 15)).strip()


def _outcome(row: LaunchRow, room: int) -> list[Piece]:
    """What was decided and, once bought, what it brings."""
    if row.profit is not None and row.spent:
        word = "held " if row.exit_rule is None else "sold "
        result = f"{figures.sign(row.profit)} {figures.percent(Decimal(row.profit) * 100 / row.spent)}"
        return [
            (word, "accent" if row.exit_rule is None else ""),
            (result.ljust(room - 5), figures.tone(row.profit)),
        ]
    if row.gone:
        return [(row.gone.ljust(room), "muted")]
    word, tone = {
        Decision.WAITING: ("waiting", "muted"),
        Decision.BOUGHT: ("buying", "accent"),
        Decision.REFUSED: ("refused", ""),
        Decision.SKIPPED: ("skipped", "warn"),
    }[row.decision]
    return [(word.ljust(room), tone)]


def position_columns(clock: Clock) -> list[Column[PositionRow]]:
    """Positions: worth, profit, trend, and a gauge for each exit rule."""
    columns: list[Column[PositionRow]] = [
        Column("token", 10, lambda r: token_of(r.symbol), paint=_held_token, key="T"),
        Column("held", 6, lambda r: _held(r, clock()), lambda _: "muted", True, drop=2,
               key="H", order=lambda r: r.opened_at),
        Column("paid", 8, lambda r: figures.amount(r.spent, r.quote_decimals), lambda _: "muted", True, drop=7,
               key="P", order=lambda r: r.spent),
        Column("worth", 8, lambda r: figures.amount(r.value if r.is_open else r.received, r.quote_decimals),
               lambda r: "" if r.is_open else "muted", True, drop=3,
               key="W", order=lambda r: r.value),
        Column("profit", 17, _profit, lambda r: figures.tone(r.profit), True, key="F", order=lambda r: r.profit),
        Column("trend", 12, lambda r: figures.trend(r.trend, 12), paint=_trend, drop=6, flex=1),
    ]  # fmt: skip
    drops = {ExitRule.LIQUIDITY: 8, ExitRule.TIME: 5, ExitRule.TRAILING_STOP: 4}
    columns.extend(
        Column(
            title,
            9,
            lambda r, rule=rule: _gauge_text(r, rule),  # type: ignore[misc]
            paint=lambda r, room, rule=rule, fill=fill: _gauge(r, rule, fill, room),  # type: ignore[misc]
            drop=drops.get(rule, 0),
        )
        for rule, title, fill in EXIT_TITLES
    )
    return columns


def _held_token(row: PositionRow, room: int) -> list[Piece]:
    """The token, with the alarm's sign before it where it cannot be sold."""
    name = token_of(row.symbol)
    if row.alarm:
        return [("■ ", "alarm"), (padded(name, room - 2, right=False), "alarm")]
    return [(padded(name, room, right=False), "strong" if row.is_open else "muted")]


def _trend(row: PositionRow, room: int) -> list[Piece]:
    if row.alarm:
        return [(padded("cannot sell", room, right=False), "bad")]
    if not row.is_open:
        name = BRIEF_RULES.get(row.exit_rule or "", rule_name(row.exit_rule))
        return [(name[:room].ljust(room), "muted")]
    tone = {"good": "trend-good", "bad": "trend-bad"}.get(figures.tone(row.profit), "muted")
    return [(figures.trend(row.trend, room).ljust(room), tone)]


def _held(row: PositionRow, now: datetime) -> str:
    return figures.age((row.closed_at or now) - row.opened_at)


def _profit(row: PositionRow) -> str:
    return f"{figures.gain(row.profit, row.quote_decimals)} {figures.percent(row.profit_pct):>7}"


def gauge_of(row: PositionRow, rule: ExitRule) -> Gauge | None:
    """The gauge of one rule, if it is on."""
    return next((gauge for gauge in row.gauges if gauge.rule is rule), None)


def gauge_figure(gauge: Gauge) -> str:
    """What must still happen until the rule fires: a move, or a time."""
    if gauge.rule is ExitRule.TIME:
        return f"{max(0, gauge.level - gauge.now)}s"
    falls = gauge.rule is not ExitRule.TAKE_PROFIT and gauge.active
    figure = f"{'−' if falls else '+'}{max(gauge.share_pct, Decimal(0)):.1f}%"
    return figure if gauge.active else f"({figure})"


def _gauge_text(row: PositionRow, rule: ExitRule) -> str:
    gauge = gauge_of(row, rule)
    return gauge_figure(gauge) if gauge else ""


def _gauge(row: PositionRow, rule: ExitRule, fill: str, room: int) -> list[Piece]:
    """A bar with the figure in it; for a closed position the rule that closed it is marked."""
    if not row.is_open:
        return [(("✔ sold" if rule in MARKED.get(row.exit_rule or "", ()) else "·").center(room), "muted")]
    gauge = gauge_of(row, rule)
    if gauge is None or not gauge.active:
        return [((gauge_figure(gauge) if gauge else "off").center(room), "muted")]
    return bar(gauge_figure(gauge).center(room), gauge.progress, fill)


def bar(text: str, progress: int, fill: str) -> list[Piece]:
    """A text on a bar: its left part, in thousandths, in the fill's style, the rest on the track's."""
    split = min(len(text), (progress * len(text) + 500) // 1000)
    return [(text[:split], fill), (text[split:], "track")]


def order_columns() -> list[Column[OrderRow]]:
    """Orders: what was asked for and where it stands."""
    return [
        Column("time", 8, lambda r: figures.clock(r.created_at), lambda _: "muted", drop=4),
        Column("id", 12, lambda r: short(r.id), lambda _: "muted", drop=6),
        Column("side", 4, lambda r: str(r.side), lambda r: "accent" if r.side is Side.BUY else "warn", key="S"),
        Column("token", 10, lambda r: token_of(r.symbol), lambda _: "strong", key="T"),
        Column("state", 13, lambda r: ORDER_STATES[r.state][0], lambda r: ORDER_STATES[r.state][1], key="A"),
        Column("value", 8, _order_value, lambda _: "", True, key="V", order=lambda r: r.filled_notional or r.budget),
        Column("gas", 8, lambda r: figures.amount(r.gas, places=6), lambda _: "muted", True, drop=7,
               key="G", order=lambda r: r.gas),
        Column("block", 7, lambda r: f"{r.block_number:,}" if r.block_number else "–", lambda _: "muted", True, drop=5,
               key="B", order=lambda r: r.block_number),
        Column("why", 11, lambda r: r.explanation or rule_name(r.origin), lambda _: "muted", flex=1, drop=3),
    ]  # fmt: skip


def _order_value(row: OrderRow) -> str:
    return figures.amount(row.filled_notional or row.budget, row.quote_decimals)


def event_columns() -> list[Column[EventRow]]:
    """The journal, newest first."""
    return [
        Column("time", 8, lambda r: figures.clock(r.at), lambda _: "muted", drop=1),
        Column(
            "no", 5, lambda r: str(r.seq), lambda _: "muted", True, drop=4, key="N", order=lambda r: r.seq
        ),
        Column("event", 20, lambda r: r.kind, _event_tone, drop=3, key="E"),
        Column("about", 10, lambda r: r.about, lambda _: "strong", key="A"),
        Column("what", 24, lambda r: r.text, _event_text_tone, flex=1),
    ]


def _event_tone(row: EventRow) -> str:
    if row.kind in ("order.refused", "transaction.reverted", "transaction.dropped"):
        return "bad"
    return GROUP_TONES.get(row.kind.partition(".")[0], "muted")


def _event_text_tone(row: EventRow) -> str:
    return "" if row.kind.startswith(("launch.decided", "position", "kill", "order.filled")) else "muted"
