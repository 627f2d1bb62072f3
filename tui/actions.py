"""What a person can do from a screen. Each act goes through the service that its command goes through.

An act says what will happen and the command line it equals before it runs, so that the screen teaches the commands
and nothing can be done here that cannot be done there.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.context import Context
from sniper_cli.monitoring.rows import OrderRow, PositionRow, token_of
from sniper_cli.settings.model import Mode
from state.identifiers import short
from tui import figures

if TYPE_CHECKING:
    from sniper_cli.sniping.rules import ExitRules
    from sniper_cli.trading.transactions import TransactionView


@dataclass(frozen=True, slots=True)
class Act:
    """One change a person asks for: what it does, the command it equals, and how it is done."""

    title: str
    consequence: str
    command: str
    perform: Callable[[], Awaitable[str]]
    """Does it; returns what came of it, in a sentence."""
    word: str = ""
    """What must be typed to confirm; empty: enter is enough."""


def command_line(context: Context, *words: str) -> str:
    """The command that does the same, as it would be typed."""
    profile = () if context.profile == "paper" else ("-p", context.profile)
    return shlex.join(["sniper", *profile, *words])


def trip_switch(
    context: Context,
    reason: str = "tripped in the dashboard",
    *,
    scope: str = "global",
    options: tuple[str, ...] = (),
    whom: str = "everything",
) -> Act:
    """Let only reductions pass from now on, and cancel what rests."""

    async def perform() -> str:
        from sniper_cli.trading.stopping import stop

        done = await stop(context, scope, reason)
        told = f"The kill switch of {whom} is tripped: only orders that reduce a position pass."
        cancelled = f" {done.orders} order{'s' * (done.orders != 1)} cancelled." if done.orders else ""
        return " ".join([f"{told}{cancelled}", *done.troubles])

    return Act(
        "Trip the kill switch" if scope == "global" else f"Kill switch of {whom}",
        "No order that opens or enlarges a position passes any more, from any process on this database, and orders "
        "at work are cancelled. Open positions stay open; they can still be closed.",
        command_line(context, "risk", "kill", *options, "--reason", reason),
        perform,
        word="kill",
    )


def reset_switch(
    context: Context,
    reason: str = "resumed in the dashboard",
    *,
    scope: str = "global",
    options: tuple[str, ...] = (),
    whom: str = "everything",
) -> Act:
    """Let all orders pass again."""

    async def perform() -> str:
        from sniper_cli.risk import switch

        await asyncio.to_thread(switch.reset, context.database, context.actor, reason, scope)
        return f"The kill switch of {whom} is reset: orders pass again."

    return Act(
        "Resume trading" if scope == "global" else f"Resume {whom}",
        "Orders pass again, the sniper's purchases with them.",
        command_line(context, "risk", "resume", *options, "--reason", reason),
        perform,
        word="resume",
    )


def close_position(context: Context, row: PositionRow) -> Act:
    """Sell everything a position holds, at the market."""

    async def perform() -> str:
        from sniper_cli.trading.assembly import close_position as close

        return await close(context, row.id, live=live)

    live = context.settings.mode is Mode.LIVE
    profit = f"{figures.gain(row.profit, row.quote_decimals)} {figures.percent(row.profit_pct)}"
    return Act(
        f"Close position {row.symbol}",
        f"Sells {figures.exact(row.quantity, row.decimals)} {token_of(row.symbol)}, "
        f"worth {figures.amount(row.value, row.quote_decimals)} now ({profit}), at the market.",
        command_line(context, "position", "close", short(row.id), *(["--live"] if live else [])),
        perform,
        word="live" if live else "",
    )


def exit_position(context: Context, row: PositionRow, share: str) -> Act:
    """Sell a share of a position now: a running sniper does, or we do."""

    async def perform() -> str:
        from decimal import Decimal

        from sniper_cli.sniping.exiting import exit_now

        view = await exit_now(context, str(row.id), lambda _: None, share=Decimal(share), live=live)
        words = {
            "sold": "It is sold.",
            "asked": "The sniper has been asked.",
            "failed": f"It could not be sold: {view.explanation}",
        }
        return words[view.state]

    live = context.settings.mode is Mode.LIVE
    options = ["--share", share, *(["--live"] if live else [])]
    return Act(
        f"Sell {share} % of {row.symbol}",
        "A running sniper sells it at its next block; where none runs, it is sold from here.",
        command_line(context, "position", "exit", short(row.id), *options),
        perform,
        word="live" if live else "",
    )


def hold_position(context: Context, row: PositionRow, *, held: bool) -> Act:
    """Suspend a position's rules, or let them count again."""

    async def perform() -> str:
        from sniper_cli.sniping.overrides import hold

        await asyncio.to_thread(hold, context.database, row.id, actor=context.actor, held=held)
        return "Its rules are suspended." if held else "Its rules count again."

    what = "Hold" if held else "Resume the exits of"
    return Act(
        f"{what} {row.symbol}",
        "Only rules that flee (liquidity leaving, a token turned bad) and you sell it until it is resumed."
        if held
        else "Every exit rule counts again from the next block on.",
        command_line(context, "position", "hold" if held else "resume", short(row.id)),
        perform,
    )


@dataclass(frozen=True, slots=True)
class ExitEdit:
    """A change of a position's exits: what its form begins with, the command it equals, and how it is done."""

    title: str
    typed: Mapping[str, str]
    """The rules in force, as one would type them."""
    command: Callable[[Mapping[str, str]], str]
    """The command that does the same, of the fields that were changed."""
    perform: Callable[[Mapping[str, str]], Awaitable[str]]
    """Does it; returns what came of it. Raises what the service raises, and has changed nothing then."""


def edit_exits(context: Context, row: PositionRow, rules: ExitRules) -> ExitEdit:
    """Other exits for a position, by the service of `sniper position exits set`."""
    from sniper_cli.sniping.exit_words import changes_in_form, options_of, typed_of

    def command(changed: Mapping[str, str]) -> str:
        return command_line(context, "position", "exits", "set", short(row.id), *options_of(changed))

    async def perform(changed: Mapping[str, str]) -> str:
        from sniper_cli.sniping.exiting import set_exits

        changes = changes_in_form(changed)
        view = await asyncio.to_thread(
            set_exits, context, str(row.id), changes, lambda _: None, dry_run=False
        )
        named = ", ".join(name.replace("_", " ") for name in view.changed)
        return f"Changed: {named}." if named else "The rules are as they were."

    return ExitEdit(f"Exits of {row.symbol}", typed_of(rules), command, perform)


def cancel_order(context: Context, row: OrderRow) -> Act:
    """End an order at work."""

    async def perform() -> str:
        from sniper_cli.trading.reading import cancel

        view = await cancel(context, row.id, live=live)
        return f"The order is {view.state.replace('_', ' ')}."

    live = context.settings.mode is Mode.LIVE
    return Act(
        f"Cancel the {row.side} of {row.symbol}",
        f"Ends the {_size(row)} {row.type.replace('_', ' ')} order. What it has got until then stays; what hangs on it "
        "ends with it.",
        command_line(context, "order", "cancel", short(row.id), *(["--live"] if live else [])),
        perform,
        word="live" if live else "",
    )


def cancel_orders(context: Context, count: int) -> Act:
    """End every order at work."""

    async def perform() -> str:
        from sniper_cli.trading.acting import cancel_all
        from sniper_cli.trading.reading import OrderFilter

        ended = await cancel_all(context, OrderFilter(), lambda _: None, live=live)
        return f"{len(ended)} orders are ended."

    live = context.settings.mode is Mode.LIVE
    return Act(
        f"Cancel all {count} orders",
        f"Ends the {count} orders at work, stops and take-profits of open positions with them. What they have got "
        "until then stays.",
        command_line(context, "order", "cancel-all", *(["--live"] if live else [])),
        perform,
        word="live" if live else "all",
    )


def amend_order(context: Context, row: OrderRow, quantity: str, price: str) -> Act:
    """Change an order's size or price. Raises nothing before it is done: the service judges what was typed."""
    option = PRICED.get(row.type, "--price")

    async def perform() -> str:
        from sniper_cli.trading.acting import AmendmentWords, amend

        words = AmendmentWords(
            quantity=quantity or None,
            price=price or None if option == "--price" else None,
            trigger=price or None if option == "--trigger" else None,
            trail=price or None if option == "--trail" else None,
        )
        amended = await amend(context, str(row.id), words, lambda _: None, live=live)
        place = "keeps its place" if amended.keeps_place else "has queued up anew"
        return f"The order is changed and {place}."

    live = context.settings.mode is Mode.LIVE
    given = [*(["--quantity", quantity] if quantity else []), *([option, price] if price else [])]
    return Act(
        f"Change the {row.side} of {row.symbol}",
        f"Changes the {_size(row)} {row.type.replace('_', ' ')} order. Fewer units at the same price keep its place in "
        "the queue.",
        command_line(context, "order", "amend", short(row.id), *given, *(["--live"] if live else [])),
        perform,
        word="live" if live else "",
    )


async def replace_transaction(context: Context, view: TransactionView, *, ends: bool) -> Act:
    """A higher bid for a transaction that waits, or an end, rehearsed first: what will be bid is asked with figures.

    Raises what the service raises: OrderRefused for one that is mined meanwhile, NetworkError.
    """
    from sniper_cli.trading import replacing

    live = context.settings.mode is Mode.LIVE
    replaces = replacing.cancel if ends else replacing.speed_up

    def agree(_: str) -> None:
        """Asked for by the dialog already."""

    planned = await replaces(context, str(view.id), agree, dry_run=True, live=live)

    async def perform() -> str:
        done = await replaces(context, str(view.id), agree, live=live)
        return f"Under nonce {done.nonce} now stands {figures.address(done.tx_hash, 10, 6)}, {done.state}."

    what = f"the {view.purpose} under nonce {view.nonce}"
    bid = f"Bids {planned.max_fee:f} gwei per gas at most instead of {planned.max_fee_before:f}"
    how = (
        "A transfer of nothing to ourselves takes its nonce; which of the two is mined the chain decides, never both"
        if ends
        else "The same call under the same nonce, so that it happens once"
    )
    return Act(
        f"End {what}" if ends else f"Raise the bid of {what}",
        f"{bid}, up to {planned.gas_at_most:f} {context.settings.chain.coin} for gas. {how}.",
        command_line(
            context, "tx", "cancel" if ends else "speed-up", short(view.id), *(["--live"] if live else [])
        ),
        perform,
        word="live" if live else "",
    )


PRICED = {"stop": "--trigger", "take_profit": "--trigger", "trailing_stop": "--trail"}
"""What price an order of a kind has to be changed; every other has a limit."""


def _size(row: OrderRow) -> str:
    if row.quantity is not None:
        return f"{figures.exact(row.quantity, row.decimals)} {token_of(row.symbol)}"
    return f"{figures.exact(row.budget, row.quote_decimals)} worth of {token_of(row.symbol)}"
