"""Transactions: what is signed and in no block yet, what it bids against the base fee of now, and what happens next.

Everything comes from the service of `sniper tx list`: those that wait first, then what was signed last. The node is
asked only while something waits, and never twice at once: one that is slow is waited for, not piled upon.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from decimal import Context as Arithmetic
from decimal import Decimal
from time import monotonic
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget

from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard, token_of
from sniper_cli.trading.transactions import TransactionView, transactions
from state.identifiers import short
from tui import figures
from tui.screens.detail import FRAME
from tui.screens.live import LiveScreen
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable
from tui.widgets.titles import entitle

LOOK_SECONDS = 2.0
"""How often the node is asked while something waits: what waits changes with each block."""
MOST = 200
"""Of those that wait no more; older ones are in `sniper tx list --all`."""
WAITING = ("recorded", "sent")
STATES: dict[str, tuple[str, str]] = {
    "recorded": ("· recorded", "warn"),
    "sent": ("→ sent", "accent"),
    "mined": ("✔ mined", "good"),
    "reverted": ("✘ reverted", "bad"),
    "replaced": ("– replaced", "muted"),
    "dropped": ("✘ dropped", "bad"),
}
"""A state's sign and word, and its style."""
FOUR_DIGITS = Arithmetic(prec=4)
EMPTY = "nothing was signed yet"


class TransactionsScreen(LiveScreen):
    """What we have signed, what waits of it, and two keys that change its end."""

    DEFAULT_CSS = f"""
    TransactionsScreen {{
        background: $background;
        & #transactions {{ height: 1fr; {FRAME} }}
        & #transactions:focus {{ border: round $primary; border-title-color: $primary; }}
        & #lower {{ height: 13; }}
        & .part {{ width: 1fr; height: 100%; scrollbar-size-vertical: 1; {FRAME} }}
        & .part:focus {{ border: round $primary; border-title-color: $primary; }}
    }}
    TransactionsScreen.-narrow {{
        & #transactions {{ padding: 0; }}
        & .part {{ padding: 0; }}
    }}
    TransactionsScreen.-short #lower {{ height: 9; }}
    TransactionsScreen.-live {{ border: heavy $error; }}
    """
    NAME = "Transactions"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "replace(False)", "Raise bid"),
        Binding("x", "replace(True)", "End it"),
        Binding("escape,backspace", "back", "Back"),
        Binding("tab", "app.focus_next", "Next", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.views: list[TransactionView] = []
        self.trouble: str | None = None
        self._looked, self._journal, self._looking = 0.0, -1, False

    def body(self) -> Iterable[Widget]:
        table: LiveTable[TransactionView] = LiveTable(
            transaction_columns(self.sniper.clock), id="transactions", empty=EMPTY
        )
        yield table
        with Horizontal(id="lower"):
            with VerticalScroll(classes="part", id="next-part"):
                yield Facts(id="next", label_width=11)
            with VerticalScroll(classes="part", id="bid-part"):
                yield Facts(id="bid", label_width=11)

    def on_mount(self) -> None:
        super().on_mount()
        for name, title in (
            ("transactions", "Transactions"),
            ("next-part", "What happens"),
            ("bid-part", "Bid"),
        ):
            entitle(self.query_one(f"#{name}"), title)
        table = self.query_one("#transactions", LiveTable)
        table.focus()
        self.watch(table, "cursor", self._tell, init=False)
        self.look()

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        grown = dashboard.facts.journal != self._journal
        waits = any(view.state in WAITING for view in self.views)
        due = waits and monotonic() - self._looked >= LOOK_SECONDS
        if (grown or due) and not self.sniper.paused:
            self._journal = dashboard.facts.journal
            self.look()

    def look(self) -> None:
        """Read the record and ask the node about what waits, unless that is being done."""
        if self._looking:
            return
        self._looking, self._looked = True, monotonic()
        # The function and not its coroutine: one that is dropped before it begins would never be awaited.
        work: Any = self._look
        self.run_worker(work, group="transactions")

    async def _look(self) -> None:
        try:
            found, trouble = await asyncio.to_thread(self._read)
        except SniperError as error:
            self.sniper.show_error(error)
            return
        finally:
            self._looking = False
        if self.is_mounted:
            self.show(found, trouble)

    def _read(self) -> tuple[list[TransactionView], str | None]:
        """Those that wait, however old, then the latest others."""
        context = self.sniper.context
        waiting, trouble = transactions(context, waiting=True)
        latest, _ = transactions(context, limit=MOST, asks=False)
        known = {view.id for view in waiting}
        return [*waiting, *(view for view in latest if view.id not in known)], trouble

    def show(self, found: list[TransactionView], trouble: str | None) -> None:
        """Show what was found."""
        self.views, self.trouble = found, trouble
        table = self.query_one("#transactions", LiveTable)
        table.show({view.id: view for view in found})
        waiting = sum(view.state in WAITING for view in found)
        counts = f"{waiting} waiting of {len(found)}"
        entitle(table, subtitle=f"no node was asked · {counts}" if trouble else counts if found else "")
        self._tell()

    def _tell(self) -> None:
        """The figures of the one under the cursor."""
        view: TransactionView | None = self.query_one("#transactions", LiveTable).current
        facts = [] if view is None else _next(view, self._siblings(view))
        self.query_one("#next", Facts).show([*self._trouble(), *facts])
        self.query_one("#bid", Facts).show(
            [] if view is None else _bid(view, self.sniper.context.settings.chain.coin)
        )

    def _trouble(self) -> Iterator[Fact]:
        if self.trouble:
            yield "node", f"was not asked: {self.trouble}", "bad"

    def _siblings(self, view: TransactionView) -> list[TransactionView]:
        """What else was signed under its nonce."""
        place = (view.chain_id, view.sender, view.nonce)
        return [
            each
            for each in self.views
            if each.id != view.id and (each.chain_id, each.sender, each.nonce) == place
        ]

    def on_live_table_chosen(self, message: LiveTable.Chosen) -> None:
        message.stop()
        view = self.query_one("#transactions", LiveTable).current
        if isinstance(view, TransactionView) and view.order_id is not None:
            self.sniper.open_detail("orders", view.order_id)

    def action_replace(self, ends: bool) -> None:
        view = self.query_one("#transactions", LiveTable).current
        if not isinstance(view, TransactionView):
            return
        if view.state not in WAITING:
            self.notify(f"it is {view.state}: nothing waits of it", severity="warning", markup=False)
            return
        self.run_worker(self.sniper.ask_replace(view, ends=ends), exclusive=True, group="replace")


def transaction_columns(clock: Callable[[], datetime]) -> list[Column[TransactionView]]:
    """Transactions: the nonce, what for, the bid against the base fee, and what happens next."""
    return [
        Column("nonce", 6, lambda v: str(v.nonce), lambda _: "muted", True, key="N", order=lambda v: v.nonce),
        Column("for", 7, lambda v: v.purpose, lambda _: "accent", key="F"),
        Column("token", 9, lambda v: token_of(v.instrument or ""), lambda _: "strong", drop=3, key="T"),
        Column("state", 10, lambda v: _state(v)[0], lambda v: _state(v)[1], key="S"),
        Column("age", 6, lambda v: _age(v, clock()), lambda _: "muted", True, drop=2,
               key="A", order=lambda v: v.created_at),
        Column("bid / base", 13, lambda v: f"{brief(v.max_fee)} / {brief(v.base_fee)}", _headroom_tone, True,
               key="B", order=lambda v: v.max_fee),
        Column("over base", 9, lambda v: figures.percent(v.headroom_pct), _headroom_tone, True, drop=5,
               order=lambda v: v.headroom_pct),
        Column("where", 17, lambda v: v.place, lambda _: "muted", drop=6),
        Column("what happens next", 20, _outlook, _outlook_tone, flex=1, drop=1),
    ]  # fmt: skip


def brief(gwei: Decimal | None) -> str:
    """A fee per gas in gwei, four digits of it: the bid beside the cursor has them all."""
    if gwei is None:
        return "–"
    if 0 < gwei < Decimal("0.001"):
        return "<.001"
    return f"{FOUR_DIGITS.plus(gwei).quantize(Decimal('0.001')).normalize():f}"


def _state(view: TransactionView) -> tuple[str, str]:
    return STATES.get(view.state, (view.state, ""))


def _age(view: TransactionView, now: datetime) -> str:
    if view.age_blocks is not None:
        return f"{view.age_blocks} bl"
    return figures.age(now - view.created_at)


def _headroom_tone(view: TransactionView) -> str:
    if view.headroom_pct is None:
        return "muted"
    return "bad" if view.headroom_pct < 0 else ""


def _outlook(view: TransactionView) -> str:
    """The next step with its block; of what is over, how it ended."""
    if view.next:
        return f"at {view.next_at_block:,}: {view.next}" if view.next_at_block is not None else view.next
    if view.state in WAITING:
        return view.place
    return view.error or (f"in block {view.block_number:,}" if view.block_number else "")


def _outlook_tone(view: TransactionView) -> str:
    return "" if view.state in WAITING else "muted"


def _next(view: TransactionView, siblings: list[TransactionView]) -> Iterator[Fact]:
    """Where it is, what is done about it, by whom; what else stands under its nonce."""
    yield "state", *_state(view)
    if view.place:
        yield "where", view.place, ""
    if view.next:
        yield "next", view.next, ""
        if view.next_at_block is not None:
            yield "", f"at block {view.next_at_block:,}, by {view.done_by}", "muted"
        if view.next_max_fee is not None:
            yield "", f"with {view.next_max_fee:f} gwei at most", "muted"
    if view.error:
        yield "why", view.error, "bad"
    if view.block_number is not None:
        yield "in block", f"{view.block_number:,}", ""
    for number, each in enumerate(siblings):
        word, tone = _state(each)
        yield "same nonce" if not number else "", f"{word} {each.purpose} at {each.max_fee:f} gwei", tone
    yield "order", "none" if view.order_id is None else short(view.order_id), "muted"
    yield "account", view.account, "muted"
    yield "hash", figures.address(view.tx_hash, 10, 8), "muted"


def _bid(view: TransactionView, coin: str) -> Iterator[Fact]:
    """What it bids and what that can cost."""
    yield "at most", f"{view.max_fee:f} gwei per gas", ""
    yield "tip", f"{view.priority_fee:f} gwei", ""
    if view.base_fee is not None:
        yield "base fee", f"{view.base_fee:f} gwei now", ""
    if view.headroom_pct is not None:
        short_of = view.headroom_pct < 0
        words = "no block can take it now" if short_of else "over the base fee"
        yield "", f"{figures.percent(view.headroom_pct)} {words}", "bad" if short_of else "muted"
    yield "gas limit", f"{view.gas_limit:,}", ""
    yield "gas", f"{view.gas_at_most:f} {coin} at most", ""
    if view.gas_cost is not None:
        yield "paid", f"{view.gas_cost:f} {coin}", ""
    if view.value:
        yield "sends", f"{view.value:f} {coin}", ""
    yield "channel", view.channel if view.relay is None else f"{view.channel}: {view.relay}", ""
    if view.until_block is not None:
        yield "until", f"block {view.until_block:,}", ""
    if view.deadline is not None:
        yield "void after", figures.clock(view.deadline), "muted"
    yield "to", figures.address(view.to, 10, 8), "muted"
