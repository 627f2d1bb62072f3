"""Risk: every limit as a bar that fills, what was broken, what is at stake, and the kill switch with its scopes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from time import monotonic
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Label, OptionList
from textual.widgets.option_list import Option

from sniper_cli.errors import SniperError
from sniper_cli.monitoring.rows import Dashboard, OrderRow
from sniper_cli.risk.kinds import KINDS
from sniper_cli.risk.report import LimitUse, RiskReport, report
from state.controls import GLOBAL
from state.orders import OrderState
from tui import actions, columns, figures
from tui.screens.detail import FRAME
from tui.screens.dialogs import BOX
from tui.screens.live import LiveScreen
from tui.widgets.facts import Fact, Facts
from tui.widgets.live_table import Column, LiveTable, Piece
from tui.widgets.titles import entitle

LOOK_SECONDS = 1.0
"""Prices are those of a second: to look more often shows nothing new."""
NEAR = 80
"""From so many per cent on a bar warns."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that is over, or an order that one refused."""

    at: datetime | None
    what: str
    details: tuple[str, ...]
    """The figures, in words of which each is shorter than the last."""

    @property
    def detail(self) -> str:
        return self.details[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """What the switch can stop: its name in the record, in words, and as options of the command."""

    name: str
    words: str
    options: tuple[str, ...] = ()


class RiskScreen(LiveScreen):
    """Limits, breaches and switches of the profile's account."""

    DEFAULT_CSS = f"""
    RiskScreen {{
        background: $background;
        & .frame {{ {FRAME} }}
        & .frame:focus {{ border: round $primary; border-title-color: $primary; }}
        & #main {{ width: 1fr; height: 100%; }}
        & #limits {{ height: 2fr; }}
        & #breaches {{ height: 1fr; min-height: 5; }}
        & .side {{ width: 38; height: 100%; scrollbar-size-vertical: 1; {FRAME} }}
        & .side:focus {{ border: round $primary; border-title-color: $primary; }}
    }}
    RiskScreen.-narrow {{
        & .side {{ width: 28; padding: 0; }}
        & .frame {{ padding: 0; }}
    }}
    RiskScreen.-live {{ border: heavy $error; }}
    """
    NAME = "Risk"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's own shape
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012 - Textual's own shape
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "choose_scope", "Stop or resume"),
        Binding("escape,backspace", "back", "Back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.report: RiskReport | None = None
        self._looked = 0.0

    def body(self) -> Iterable[Widget]:
        limits: LiveTable[LimitUse] = LiveTable(
            limit_columns(), id="limits", classes="frame", empty="no limits – sniper risk limits set"
        )
        breaches: LiveTable[Breach] = LiveTable(
            breach_columns(), id="breaches", classes="frame", empty="nothing is over its limit"
        )
        with Horizontal():
            with Vertical(id="main"):
                yield limits
                yield breaches
            with VerticalScroll(classes="side"):
                yield Facts(id="figures", label_width=11)

    def on_mount(self) -> None:
        super().on_mount()
        entitle(self.query_one("#limits"), "Limits")
        entitle(self.query_one("#breaches"), "Breaches")
        self.query_one("#limits").focus()
        self.look()

    def take(self, dashboard: Dashboard) -> None:
        super().take(dashboard)
        if monotonic() - self._looked >= LOOK_SECONDS and not self.sniper.paused:
            self.look()

    def look(self) -> None:
        """Read the limits and what they count."""
        self._looked = monotonic()
        # The function and not its coroutine: one that is dropped before it begins would never be awaited.
        work: Any = self._look
        self.run_worker(work, exclusive=True, group="risk")

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(report, self.sniper.context)
        except SniperError as error:
            self.sniper.show_error(error)
            return
        if self.is_mounted:
            self.show(found)

    def show(self, found: RiskReport) -> None:
        """Show where the account stands."""
        self.report = found
        limits = self.query_one("#limits", LiveTable)
        limits.show({(use.name, use.scope, use.of, use.group): use for use in found.limits})
        breaches = list(self._breaches(found))
        self.query_one("#breaches", LiveTable).show(dict(enumerate(breaches)))
        over = len(found.breaches)
        entitle(limits, f"Limits · {found.account}", f"{over} over" if over else f"{len(found.limits)} hold")
        entitle(self.query_one(".side"), "At stake")
        self.query_one("#figures", Facts).show(_figures(found))

    def _breaches(self, found: RiskReport) -> Iterator[Breach]:
        """What is over now, then the orders that a limit refused, newest first."""
        for use in found.limits:
            if use.broken:
                yield Breach(None, _named(use), (f"until {use.until}",) if use.until else _spellings(use))
        orders = self.sniper.dashboard.orders if self.sniper.dashboard else ()
        yield from (breach for order in orders if (breach := _refused(order)) is not None)

    # Keys

    def action_choose_scope(self) -> None:
        """Choose what to stop, or to let go on; then the word must be typed."""
        if self.report is None:
            return

        def ask(scope: Scope | None) -> None:
            if scope is None or self.report is None:
                return
            tripped = any(switch.scope == scope.name for switch in self.report.switches)
            act = actions.reset_switch if tripped else actions.trip_switch
            self.sniper.ask(
                act(self.sniper.context, scope=scope.name, options=scope.options, whom=scope.words)
            )

        self.app.push_screen(ScopeBox(self._scopes(), self.report), ask)

    def _scopes(self) -> list[Scope]:
        """Everything, the account, and whatever strategy is known by its orders, its limits or its switch."""
        assert self.report is not None
        account = self.report.account
        scopes = [Scope(GLOBAL, "everything")]
        if self.report.account_scope is not None:
            scopes.append(Scope(self.report.account_scope, f"account {account}", ("--account", account)))
        known = {switch.scope for switch in self.report.switches}
        names = {use.of for use in self.report.limits if use.scope == "strategy"}
        names |= {scope.removeprefix("strategy:") for scope in known if scope.startswith("strategy:")}
        names |= set(self.report.strategies)
        scopes += [
            Scope(f"strategy:{name}", f"strategy {name}", ("--strategy", name)) for name in sorted(names)
        ]
        listed = {scope.name for scope in scopes}
        return scopes + [
            Scope(name, name.replace(":", " "), ("--tenant", name.removeprefix("tenant:")))
            for name in sorted(known - listed)
            if name.startswith("tenant:")
        ]


class ScopeBox(ModalScreen[Scope | None]):
    """What shall be stopped, or may go on."""

    DEFAULT_CSS = f"""
    ScopeBox {{ {BOX} }}
    ScopeBox > .box {{ width: 56; border: round $error; border-title-color: $error; }}
    ScopeBox OptionList {{ height: auto; max-height: 14; margin-bottom: 1; background: $surface; border: none; }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "Leave it")]

    def __init__(self, scopes: list[Scope], found: RiskReport) -> None:
        super().__init__()
        self.scopes = scopes
        self.tripped = {switch.scope for switch in found.switches}

    def compose(self) -> ComposeResult:
        with Vertical(classes="box") as box:
            box.border_title = "Kill switch: of what?"
            yield OptionList(
                *(
                    Option(
                        f"{'■ resume' if scope.name in self.tripped else '○ kill  '}  {scope.words}",
                        id=str(place),
                    )
                    for place, scope in enumerate(self.scopes)
                ),
                markup=False,
            )
            yield Label("enter  choose      esc  leave it", classes="keys")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self.scopes[event.option_index])

    def action_leave(self) -> None:
        self.dismiss(None)


def limit_columns() -> list[Column[LimitUse]]:
    """Limits: whose, how much of each is used, and what happens when it is broken."""
    return [
        Column("limit", 19, _named, lambda use: "bad" if use.broken else "strong", key="L"),
        Column("of", 16, _whose, lambda _: "muted", drop=2, key="O"),
        Column("used", 28, lambda use: _spellings(use)[0], paint=_bar, flex=1, key="U", order=_share),
        Column("broken", 8, lambda use: use.on_breach, _tone, drop=1, key="B"),
    ]


def breach_columns() -> list[Column[Breach]]:
    """Breaches: when, which limit, with what figures."""
    return [
        Column("time", 8, lambda b: figures.clock(b.at) if b.at else "now", lambda _: "muted"),
        Column("limit", 19, lambda b: b.what, lambda _: "bad"),
        Column(
            "figures", 22, lambda b: b.detail, paint=lambda b, room: [(_fitting(b.details, room), "")], flex=1
        ),
    ]


def _named(use: LimitUse) -> str:
    return f"{use.name.replace('_', ' ')}{f' {use.group}' if use.group else ''}"


def _share(use: LimitUse) -> Decimal:
    return use.share_pct or Decimal(0)


def _whose(use: LimitUse) -> str:
    return use.scope if use.scope in ("default", "margin") else f"{use.scope} {use.of}"


def _spellings(use: LimitUse) -> tuple[str, ...]:
    """`30.3%  9,080 of 29,996 USDT in BTC/USDT` and shorter; what each order is held against alone says only that."""
    if use.share_pct is None or use.value is None or use.limit is None:
        return (f"each order at most {use.set_to}", f"at most {use.set_to}", use.set_to)
    amounts = f"{use.share_pct}%  {use.value:,f} of {use.limit:,f}"
    unit = f"{amounts} {use.unit}".rstrip()
    where = f"{unit} in {use.instrument}" if use.instrument else unit
    return (where, unit, amounts, f"{use.share_pct}%")


def _fitting(spellings: Sequence[str], room: int) -> str:
    """The longest that fits: a number is never cut."""
    return next((text for text in spellings if len(text) <= room), "").ljust(room)


def _bar(use: LimitUse, room: int) -> list[Piece]:
    text = _fitting(_spellings(use), room)
    if use.share_pct is None:
        return [(text, "muted")]
    fill = "fill-bad" if use.broken else "fill-warn" if use.share_pct >= NEAR else "fill-good"
    return columns.bar(text, min(1000, int(use.share_pct * 10)), fill)


def _tone(use: LimitUse) -> str:
    return {"trip": "warn", "flatten": "bad"}.get(use.on_breach, "muted")


def _refused(order: OrderRow) -> Breach | None:
    """An order that a limit refused: its first reason."""
    name, _, detail = order.explanation.partition("; ")[0].partition(": ")
    if order.state is not OrderState.REFUSED or name not in KINDS:
        return None
    whole = f"{order.side} {order.symbol}: {detail}"
    return Breach(order.created_at, name.replace("_", " "), (whole, detail, f"{order.side} {order.symbol}"))


def _figures(found: RiskReport) -> Iterator[Fact]:
    for label, value in (
        ("equity", found.equity),
        ("gross", found.gross_exposure),
        ("net", found.net_exposure),
        ("spent", found.spent),
    ):
        yield label, f"{value:,f} {found.unit}", ""
    yield "leverage", "–" if found.leverage is None else f"{found.leverage}x", ""
    yield "positions", str(found.open_positions), ""
    yield "orders", str(found.open_orders), ""
    yield "", "", ""
    if not found.switches:
        yield "switch", "○ trading allowed", "good"
    for switch in found.switches:
        yield "switch", f"■ {switch.scope.partition(':')[0]} {switch.scope.partition(':')[2]}".rstrip(), "bad"
        yield "by", switch.by, ""
        yield "why", switch.reason, ""
        yield "since", figures.clock(switch.at), "muted"
