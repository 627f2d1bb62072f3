"""`sniper position exits`, `exit`, `hold`, `resume`: what sells a position, and one's own word above it."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    WatchOption,
    YesOption,
    complete_positions,
    reads,
    require_fields,
    watched,
    writes,
)
from commands.trading import LiveOption, WaitOption
from sniper_cli.output import Column, Format, confirm, emit, format_of

STATES = {"due": "bad", "stuck": "bad", "held": "warn", "done": "good", "off": "dim", "asleep": "dim"}

EXITS = (
    Column("position_id", exact=True, in_table=False),
    Column("rule", priority=0),
    Column("setting", priority=1),
    Column("level", exact=True, right=True, priority=2),
    Column("now", exact=True, right=True, priority=2),
    Column("distance_pct", header="still to go %", exact=True, right=True, priority=0),
    Column("state", priority=0, style=STATES.get),
)
EDITED = (
    Column("position_id", exact=True),
    Column("changed", show=", ".join),
    Column("rules", show=lambda rules: "\n".join(f"{name} {value}" for name, value in rules.items())),
    Column("before", in_table=False),
    Column("dry_run"),
)
HELD = (
    Column("position_id", exact=True, priority=0),
    Column("held", priority=0),
    Column("changed", priority=0),
    Column("dry_run", priority=1),
)
EXITED = (
    Column("position_id", exact=True, priority=2),
    Column("request_id", exact=True, priority=3),
    Column("carried_out_by", priority=1),
    Column("state", priority=0),
    Column("quantity", exact=True, right=True, priority=1, value=lambda view: str(view.quantity)),
    Column("sold", exact=True, right=True, priority=1, value=lambda view: str(view.sold)),
    Column("orders", show=", ".join, priority=2),
    Column("explanation", priority=1),
    Column("dry_run", priority=2),
)

PositionArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A position: id or its tail.", autocompletion=complete_positions)
]


class ShownByName(TyperGroup):
    """`exits POSITION` is short for `exits show POSITION`."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["show", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=ShownByName, help="See what would sell a position, and change it.", no_args_is_help=True
)


@app.command()
@reads
def show(
    position: PositionArgument,
    watch: WatchOption = None,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show every exit rule of a position with its distance to firing, and the steps of its ladder.

    Examples:
        $ sniper position exits 3f9a1c27d405
        $ sniper position exits show 3f9a1c27d405 --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.sniping.exiting import lines

    with open_context(profile) as context:
        watched(
            watch,
            format_of(output, json),
            lambda fmt: emit(lines(context, position), columns=EXITS, fmt=fmt, fields=fields),
        )


@app.command("set")
@writes
def set_(
    position: PositionArgument,
    take_profit: Annotated[
        str | None,
        typer.Option("--take-profit", metavar="STEPS", help="GAIN:SHARE,… in percent; `off` turns it off."),
    ] = None,
    stop_loss: Annotated[
        str | None, typer.Option("--stop-loss", metavar="PERCENT", help="Sell at this loss.")
    ] = None,
    trailing: Annotated[
        str | None, typer.Option("--trailing", metavar="PERCENT", help="Sell so far below the peak.")
    ] = None,
    trailing_activation: Annotated[
        str | None,
        typer.Option("--trailing-activation", metavar="PERCENT", help="Follow the peak from this gain on."),
    ] = None,
    break_even: Annotated[
        str | None,
        typer.Option("--break-even", metavar="PERCENT", help="After this gain, sell when back at cost."),
    ] = None,
    break_even_steps: Annotated[
        int | None,
        typer.Option("--break-even-steps", metavar="N", help="The same after N steps of the ladder."),
    ] = None,
    max_age: Annotated[
        str | None, typer.Option("--max-age", metavar="TIME", help="Sell after this time: 30m, 2h; 0: never.")
    ] = None,
    no_profit_after: Annotated[
        str | None,
        typer.Option("--no-profit-after", metavar="TIME", help="Sell what shows no profit after this time."),
    ] = None,
    volume_stall: Annotated[
        str | None,
        typer.Option("--volume-stall", metavar="BLOCKS[:COINS]", help="Sell when so little is traded."),
    ] = None,
    price_stall: Annotated[
        str | None,
        typer.Option("--price-stall", metavar="BLOCKS[:PERCENT]", help="Sell when the price stands still."),
    ] = None,
    liquidity_drop: Annotated[
        str | None,
        typer.Option("--liquidity-drop", metavar="PERCENT", help="Sell when the pool has lost so much."),
    ] = None,
    watch_pending: Annotated[
        bool | None,
        typer.Option("--watch-pending/--no-watch-pending", help="Flee from waiting removals of liquidity."),
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Change exit rules of an open position; 0 or `off` turns a rule off, what is not named stays.

    Examples:
        $ sniper position exits set 3f9a1c27d405 --take-profit 100:50,300:25 --stop-loss 30 --dry-run
        $ sniper position exits set 3f9a1c27d405 --trailing 15 --break-even-steps 1 --yes
    """
    require_fields(EDITED, fields)
    from sniper_cli.context import open_context
    from sniper_cli.sniping.exit_words import changes_of
    from sniper_cli.sniping.exiting import set_exits

    changes = changes_of(
        take_profit=take_profit,
        stop_loss=stop_loss,
        trailing=trailing,
        trailing_activation=trailing_activation,
        break_even=break_even,
        break_even_steps=break_even_steps,
        max_age=max_age,
        no_profit_after=no_profit_after,
        volume_stall=volume_stall,
        price_stall=price_stall,
        liquidity_drop=liquidity_drop,
        watch_pending=watch_pending,
    )
    with open_context(profile) as context:
        view = set_exits(
            context, position, changes, lambda question: confirm(question, yes=yes), dry_run=dry_run
        )
    emit(view, columns=EDITED, fmt=format_of(output, json), fields=fields)


@writes
def exit_(
    position: PositionArgument,
    share: Annotated[
        str, typer.Option("--share", metavar="PERCENT", help="So much of what is held now.")
    ] = "100",
    urgent: Annotated[bool, typer.Option("--urgent", help="Bid for the next block.")] = False,
    max_slippage_bps: Annotated[
        int | None,
        typer.Option("--max-slippage-bps", min=0, max=10_000, help="Take no worse a price than this."),
    ] = None,
    live: LiveOption = False,
    wait: WaitOption = 30,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Sell a position now, or a share of it: a running sniper does it at its next block, else it is done here.

    Examples:
        $ sniper position exit 3f9a1c27d405 --dry-run
        $ sniper position exit 3f9a1c27d405 --share 50 --urgent --yes
    """
    require_fields(EXITED, fields)
    import asyncio

    from sniper_cli.context import open_context
    from sniper_cli.errors import Exit
    from sniper_cli.sniping.exit_words import percent
    from sniper_cli.sniping.exiting import exit_now

    with open_context(profile) as context:
        view = asyncio.run(
            exit_now(
                context,
                position,
                lambda question: confirm(question, yes=yes),
                share=percent(share, "--share"),
                urgent=urgent,
                max_slippage_bps=max_slippage_bps,
                dry_run=dry_run,
                live=live,
                wait_seconds=wait,
            )
        )
    emit(view, columns=EXITED, fmt=format_of(output, json), fields=fields)
    if view.state == "failed":
        raise typer.Exit(Exit.FAILED)


AllOpen = Annotated[bool, typer.Option("--all", help="Every open position.")]
OptionalPosition = Annotated[
    str | None,
    typer.Argument(metavar="[ID]", help="A position: id or its tail.", autocompletion=complete_positions),
]


@writes
def hold(
    position: OptionalPosition = None,
    all_: AllOpen = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Suspend a position's exit rules, but for those that flee: liquidity leaving, a token turned bad.

    Examples:
        $ sniper position hold 3f9a1c27d405
        $ sniper position hold --all --dry-run
    """
    _hold(position, profile, fields, format_of(output, json), held=True, everything=all_, dry_run=dry_run)


@writes
def resume(
    position: OptionalPosition = None,
    all_: AllOpen = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Let a held position's exit rules count again.

    Examples:
        $ sniper position resume 3f9a1c27d405
        $ sniper position resume --all
    """
    _hold(position, profile, fields, format_of(output, json), held=False, everything=all_, dry_run=dry_run)


def _hold(
    position: str | None,
    profile: str | None,
    fields: str | None,
    fmt: Format,
    *,
    held: bool,
    everything: bool,
    dry_run: bool,
) -> None:
    from sniper_cli.context import open_context
    from sniper_cli.sniping.exiting import hold as put

    require_fields(HELD, fields)
    with open_context(profile) as context:
        views = put(context, position, held=held, everything=everything, dry_run=dry_run)
    emit(views, columns=HELD, fmt=fmt, fields=fields, empty="no open positions")
