"""A launch: every check with its figure and limit, the figures, what was decided, what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from sniper_cli.monitoring.rows import EventRow, LaunchRow, OrderRow
from sniper_cli.monitoring.stories import CheckLine, LaunchStory, launch_story
from sniper_cli.safety.lines import Group
from sniper_cli.safety.report import Outcome
from state.identifiers import short
from state.launches import Decision
from tui import columns, figures
from tui.screens.detail import DetailScreen, check_columns, fill, timeline_columns
from tui.screens.dialogs import EvidenceBox
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import LiveTable
from tui.widgets.titles import entitle

DECISIONS = {
    Decision.WAITING: ("waiting for the verdict", "muted"),
    Decision.BOUGHT: ("bought", "accent"),
    Decision.REFUSED: ("refused: nothing was sent", "warn"),
    Decision.SKIPPED: ("skipped: safe, but kept out", "warn"),
}


class LaunchScreen(DetailScreen[LaunchStory]):
    """The judgement of one launch and its consequences."""

    DEFAULT_CSS = """
    LaunchScreen {
        & #checks { height: auto; max-height: 50%; }
        & #lower { height: 1fr; min-height: 7; }
        & #timeline { width: 1fr; height: 100%; }
        & .side { width: 34; }
    }
    LaunchScreen.-short {
        & #checks { height: 1fr; max-height: 100%; }
        & #lower { height: 6; min-height: 6; }
    }
    LaunchScreen.-narrow {
        & #outcome-frame { display: none; }
        & .side { width: 30; }
    }
    """
    NAME = "Launch"
    grouped: bool | None = None
    shown: Sequence[CheckLine] = ()
    """The lines in the order of the table."""

    def body(self) -> Iterable[Widget]:
        checks: LiveTable[CheckLine] = LiveTable(
            check_columns(), id="checks", classes="frame", empty="not judged yet"
        )
        timeline: LiveTable[EventRow] = LiveTable(
            timeline_columns(lambda: self.story.row.seen_at if self.story else None),
            id="timeline",
            classes="frame",
        )
        with Vertical(classes="banner", id="banner"):
            yield Facts(label_width=13, id="verdict")
        yield checks
        with Horizontal(id="lower"):
            yield timeline
            with VerticalScroll(classes="side", id="figures-frame"):
                yield Facts(label_width=11, id="figures")
            with VerticalScroll(classes="side", id="outcome-frame"):
                yield Facts(label_width=9, id="outcome")

    def on_mount(self) -> None:
        super().on_mount()
        for name in ("checks", "timeline", "figures-frame", "outcome-frame"):
            entitle(self.query_one(f"#{name}"), name.removesuffix("-frame").capitalize())
        self.query_one("#checks").focus()

    def read(self) -> LaunchStory:
        return launch_story(
            self.sniper.context.database, self.identifier, money=self.money, now=self.sniper.clock()
        )

    def tell(self, story: LaunchStory) -> None:
        row = story.row
        name = row.symbol or figures.address(row.token)
        entitle(self.query_one("#banner"), f"Launch · {name} · {short(row.id)}")
        self.query_one("#verdict", Facts).show(_verdict(story))
        self.query_one("#figures", Facts).show(_figures(story))
        self.query_one("#outcome", Facts).show(_outcome(story))
        checks = self.query_one("#checks", LiveTable)
        self.shown = sorted(story.checks, key=_order_of)
        if self.grouped is not (grouped := bool(_groups(story))):
            self.grouped = grouped
            checks.recast(check_columns(grouped=grouped))
        fill(checks, self.shown)
        entitle(checks, "Dossier" if grouped else "Checks")
        self.call_after_refresh(self._count)
        fill(self.query_one("#timeline", LiveTable), story.timeline)

    def _count(self) -> None:
        """How many lines passed, by group where there is room for all of them."""
        checks = self.query_one("#checks", LiveTable)
        if self.story is not None:
            entitle(checks, subtitle=_passed(self.story, checks.size.width))

    def on_resize(self) -> None:
        self.call_after_refresh(self._count)

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        if message.table.id == "checks" and isinstance(message.key, int) and message.key < len(self.shown):
            self.app.push_screen(EvidenceBox(self.shown[message.key]))
        if self.story and message.table.id == "timeline" and isinstance(message.key, int):
            self.sniper.open_record(self.story.timeline[message.key].seq)


def _order_of(check: CheckLine) -> int:
    """What led to a refusal first, then what is warned of, then what the level ignores, then what passed."""
    if check.outcome is Outcome.PASS:
        return 3
    if check.group in ("", "trading"):
        return 0
    return {"refuse": 0, "warn": 1}.get(check.weight, 2)


def _groups(story: LaunchStory) -> list[str]:
    return list(dict.fromkeys(check.group for check in story.checks if check.group))


def _passed(story: LaunchStory, room: int) -> str:
    """`18 of 30 passed`; of a dossier group by group, or else the groups where something did not."""
    if not story.checks:
        return ""

    def counted(checks: Sequence[CheckLine]) -> int:
        return sum(check.outcome is Outcome.PASS for check in checks)

    total = f"{counted(story.checks)} of {len(story.checks)} passed"
    of = {group: [check for check in story.checks if check.group == group] for group in _groups(story)}
    every = " · ".join(f"{group} {counted(checks)}/{len(checks)}" for group, checks in of.items())
    if every and len(every) <= room:
        return every
    short_of = ", ".join(group for group, checks in of.items() if counted(checks) < len(checks))
    brief = f"{total} · not all of {short_of}"
    return brief if short_of and len(brief) <= room else total


def _verdict(story: LaunchStory) -> Iterator[Fact]:
    """The answer first: what it is, why, and what was done."""
    row = story.row
    if row.vanished_at is not None:
        yield row.gone.upper(), f"{columns.GONE[row.gone]}, {figures.clock(row.vanished_at)}", "warn"
    word, tone = columns.VERDICTS[row.verdict]
    kind = row.classification.replace("_", " ")
    yield "verdict", f"{word}{f' · {kind}' if kind and kind != 'ok' else ''}", tone
    for number, reason in enumerate(row.reasons):
        yield "why" if number == 0 else "", reason, ""
    if not row.reasons and row.verdict == "safe":
        yield "why", "it can be sold again, now and later, at taxes within the limits", ""
    decision, decision_tone = DECISIONS[row.decision]
    yield "decision", decision + _result(row), decision_tone
    yield "token", f"{row.name or row.symbol}  {row.token}", ""
    yield "seen", f"on {_market(row)}, {columns.SOURCES[row.source][1]}", ""


def _market(row: LaunchRow) -> str:
    """The protocol, the fee and who is asked about swaps: `v4 1%, hooks 0x6a1f…0080`."""
    name = columns.PROTOCOLS.get(row.protocol, row.protocol)
    if not row.hooks:
        return f"{name} {columns.tier(row.fee)}".strip()
    fee = columns.tier(row.fee)
    return f"{name} {'fee ' if fee == columns.BY_HOOKS else ''}{fee}, hooks {figures.address(row.hooks)}"


def _result(row: LaunchRow) -> str:
    if row.profit is None or not row.spent:
        return ""
    result = f"{figures.gain(row.profit)} {figures.percent(Decimal(row.profit) * 100 / row.spent)}"
    return f" · sold by {columns.rule_name(row.exit_rule)} {result}" if row.exit_rule else f" · held {result}"


def _figures(story: LaunchStory) -> Iterator[Fact]:
    """Taxes, gas, liquidity, speed."""
    row, report = story.row, story.report
    yield "buy tax", figures.bps(row.buy_tax_bps), ""
    yield "sell tax", figures.bps(row.sell_tax_bps), "bad" if _failed(story, "sell tax") else ""
    yield "buy gas", _whole(report.get("buy_gas")), ""
    yield "sell gas", _whole(report.get("sell_gas")), "bad" if _failed(story, "gas") else ""
    yield "liquidity", f"{figures.amount(row.liquidity)} ETH", "bad" if _failed(story, "liquidity") else ""
    yield "judged in", figures.milliseconds(row.latency_us), ""
    yield "simulated", f"{report.get('simulations', 0)} times", ""
    yield "in block", f"{row.block_number:,}{' expected' if row.announced else ''}", ""
    yield "pool", f"{columns.PROTOCOLS.get(row.protocol, row.protocol)} {columns.tier(row.fee)}".strip(), ""
    yield "", figures.address(row.pool, 8, 6), "muted"
    if row.hooks:
        yield "hooks", figures.address(row.hooks, 8, 6), "warn"
    yield "created by", figures.address(story.tx_hash, 8, 6), "muted"


def _outcome(story: LaunchStory) -> Iterator[Fact]:
    """The orders and the position, or that there are none."""
    if not story.orders:
        yield "order", "none was placed", "muted"
    for order in story.orders:
        yield from _order(order)
        yield "", "", ""
    if story.position is not None:
        position = story.position
        worth = position.value if position.is_open else position.received
        yield "position", short(position.id), "muted"
        yield "worth" if position.is_open else "received", figures.exact(worth), ""
        yield "gas paid", figures.exact(position.fees), "muted"
        percent = figures.percent(position.profit_pct)
        yield "profit", f"{figures.gain(position.profit)} {percent}", figures.tone(position.profit)


def _order(order: OrderRow) -> Iterator[Fact]:
    word, tone = columns.ORDER_STATES[order.state]
    block = f", block {order.block_number:,}" if order.block_number else ""
    yield str(order.side), f"{word}{block}", tone
    yield "", f"{figures.exact(order.filled_notional)} ETH", ""
    yield "", figures.address(order.tx_hash, 8, 6), "muted"


def _failed(story: LaunchStory, words: str) -> bool:
    return any(
        words in check.name and check.group in ("", Group.TRADING) and check.outcome is not Outcome.PASS
        for check in story.checks
    )


def _whole(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else "–"
