"""An order: its checks before the wire, its transactions, its fills, and every record about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget

from sniper_cli.monitoring.rows import EventRow
from sniper_cli.monitoring.stories import CheckLine, OrderStory, TransactionLine, order_story
from state.identifiers import short
from tui import columns, figures
from tui.screens.detail import OUTCOMES, DetailScreen, fill, timeline_columns
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.titles import entitle

TRANSACTION_TONES = {
    "mined": "good",
    "sent": "accent",
    "reverted": "bad",
    "dropped": "bad",
    "replaced": "warn",
}


class OrderScreen(DetailScreen[OrderStory]):
    """The walk of one order."""

    DEFAULT_CSS = """
    OrderScreen {
        & #checks { height: 10; }
        & #transactions { height: 6; }
        & #timeline { height: 1fr; }
    }
    OrderScreen.-short {
        & #checks { height: 8; }
        & #transactions { height: 5; }
    }
    """
    NAME = "Order"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "cancel_order", "Cancel"),
        Binding("e", "amend_order", "Change"),
    ]

    def body(self) -> Iterable[Widget]:
        checks: LiveTable[CheckLine] = LiveTable(
            [
                Column("", 1, lambda r: OUTCOMES[r.outcome][0], lambda r: OUTCOMES[r.outcome][1]),
                Column("check", 20, lambda r: r.name.replace("_", " "), lambda _: ""),
                Column("figures", 20, lambda r: r.detail, lambda r: OUTCOMES[r.outcome][1], flex=1),
            ],
            id="checks",
            classes="frame",
            empty="no check has been tried",
        )
        transactions: LiveTable[TransactionLine] = LiveTable(
            transaction_columns(), id="transactions", classes="frame", empty="nothing was sent on a chain"
        )
        timeline: LiveTable[EventRow] = LiveTable(
            timeline_columns(lambda: self.story.row.created_at if self.story else None),
            id="timeline",
            classes="frame",
        )
        with Horizontal():
            with Vertical(classes="main"):
                yield checks
                yield transactions
                yield timeline
            with VerticalScroll(classes="side"):
                yield Facts(id="figures")

    def on_mount(self) -> None:
        super().on_mount()
        for name in ("checks", "transactions", "timeline"):
            entitle(self.query_one(f"#{name}"), name.capitalize())
        self.query_one("#checks").focus()

    def read(self) -> OrderStory:
        context = self.sniper.context
        return order_story(context.database, self.identifier, money=self.money)

    def tell(self, story: OrderStory) -> None:
        fill(self.query_one("#checks", LiveTable), story.checks)
        fill(self.query_one("#transactions", LiveTable), story.transactions)
        fill(self.query_one("#timeline", LiveTable), story.timeline)
        self.query_one("#figures", Facts).show(_figures(story))
        entitle(self.query_one(".side"), f"Order {short(story.row.id)}")

    def action_cancel_order(self) -> None:
        if self.story is not None:
            self.sniper.ask_cancel(self.story.row)

    def action_amend_order(self) -> None:
        if self.story is not None:
            self.sniper.ask_amend(self.story.row)

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        if self.story and message.table.id == "timeline" and isinstance(message.key, int):
            self.sniper.open_record(self.story.timeline[message.key].seq)


def transaction_columns() -> list[Column[TransactionLine]]:
    """Transactions: purpose, state, nonce, block, gas."""
    return [
        Column("for", 8, lambda t: t.purpose),
        Column("state", 9, lambda t: t.state, lambda t: TRANSACTION_TONES.get(t.state, "muted")),
        Column("nonce", 6, lambda t: str(t.nonce), lambda _: "muted", right=True),
        Column("block", 9, lambda t: f"{t.block_number:,}" if t.block_number else "–", right=True),
        Column("gas paid", 10, lambda t: figures.amount(t.gas_cost, places=6), right=True, drop=1),
        Column(
            "hash",
            15,
            lambda t: t.error or figures.address(t.tx_hash, 8, 6),
            lambda _: "muted",
            flex=1,
            drop=2,
        ),
    ]


def _figures(story: OrderStory) -> Iterator[Fact]:
    row = story.row
    word, tone = columns.ORDER_STATES[row.state]
    yield "state", word, tone
    if row.explanation:
        yield "", row.explanation, ""
    yield "side", f"{row.side} {row.symbol}", ""
    yield "type", row.type, ""
    yield "budget", figures.exact(row.budget, row.quote_decimals), ""
    yield "quantity", figures.exact(row.quantity, row.decimals), ""
    yield "", "", ""
    yield "filled", figures.exact(row.filled_quantity, row.decimals), ""
    yield "for", figures.exact(row.filled_notional, row.quote_decimals), ""
    yield "gas", figures.exact(row.gas), "muted"
    yield "", "", ""
    yield "why", columns.rule_name(row.origin), ""
    for key, value in story.reason.items():
        if key not in ("origin", "rule") and isinstance(value, str | int):
            yield key.replace("_", " "), str(value), "muted"
    yield "client id", story.client_order_id, "muted"
    yield "created", figures.clock(row.created_at), "muted"
    for fill_line in story.fills:
        yield "", "", ""
        yield "fill", figures.exact(fill_line.quantity, row.decimals), ""
        yield "for", figures.exact(fill_line.notional, row.quote_decimals), ""
