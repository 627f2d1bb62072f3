"""How a demo is shown: in the TUI, as a line an event, or as one JSON object; and how Ctrl-C ends it.

The first Ctrl-C ends the demo in order (positions closed, ledger reconciled, report printed), the second at
once. Before the sniper is at work there is nothing to close, so the first one does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from sniper_cli.context import acting_person
from sniper_cli.errors import Exit, ReconciliationFailed
from sniper_cli.interrupts import interruptible
from sniper_cli.output import note
from sniper_cli.output.terminal import width
from sniper_cli.screens import has_terminal, open_screen
from sniper_cli.sniping.session import narrate

SCREEN_MARGIN = 8

if TYPE_CHECKING:
    from rich.text import Text

    from sniper_cli.context import Context
    from sniper_cli.demo.demo import Demo
    from sniper_cli.demo.report import DemoReport
    from sniper_cli.interrupts import Ended
    from sniper_cli.sniping.events import Listener, SniperEvent


def show(*, seconds: float, seed: int, home: Path | None, port: int, plain: bool, as_json: bool) -> int:
    """Run a demo and show it; the exit code. Raises ReconciliationFailed, and what the demo raises."""
    from sniper_cli.demo.home import demo_context

    _install_chain()
    with demo_context(home, acting_person()) as context:
        duration = int(seconds) if seconds == int(seconds) else seconds
        if has_terminal() and not plain and not as_json:
            return _in_screen(context, seed, duration, port)
        return _in_lines(context, seed, duration, port, as_json=as_json)


def _install_chain() -> None:
    """Fetch the local chain if this is the first time. Raises DevnetMissing, NetworkError."""
    from sniper_cli.chains.devnet.install import install

    install(say=note)


def _in_lines(context: Context, seed: int, duration: int | float, port: int, *, as_json: bool) -> int:
    ended = asyncio.run(_interruptible(context, seed, duration, port))
    if ended.result is None:
        return Exit.INTERRUPTED
    _print(ended.result, as_json=as_json)
    _require_equal(ended.result)
    return Exit.OK if ended.signal is None else Exit.INTERRUPTED


async def _interruptible(context: Context, seed: int, duration: int | float, port: int) -> Ended[DemoReport]:
    demo = _demo(context, seed, duration, port, listener=narrate)

    def stop() -> bool:
        if demo.working:
            note("ending: positions are closed first; once more to leave at once")
            demo.stop()
        return demo.working

    return await interruptible(demo.run(), stop)


def _in_screen(context: Context, seed: int, duration: int | float, port: int) -> int:
    """The TUI hosts the demo; leaving the screen ends the demo in order."""
    reports: list[DemoReport] = []

    async def runtime() -> Text:
        demo = _demo(context, seed, duration, port, listener=_silent)
        task = asyncio.ensure_future(demo.run())
        try:
            report = await asyncio.shield(task)
        except asyncio.CancelledError:
            if not demo.working:
                task.cancel()
            demo.stop()
            report = await task
        reports.append(report)
        return _as_text(report)

    open_screen("demo", context, runtime)
    for report in reports:
        _print(report, as_json=False)
        _require_equal(report)
    return Exit.OK if reports else Exit.INTERRUPTED


def _as_text(report: DemoReport) -> Text:
    """The report for a screen, in the colours and the width of the terminal behind it."""
    from rich.text import Text

    from sniper_cli.demo.summary import summary_lines

    # The screen has put its own capture in stdout's place, which is no terminal.
    with redirect_stdout(sys.__stdout__):
        return Text.from_ansi("\n".join(summary_lines(report, (width() or 100) - SCREEN_MARGIN)))


def _demo(context: Context, seed: int, duration: int | float, port: int, *, listener: Listener) -> Demo:
    from sniper_cli.demo.demo import Demo

    say = note if listener is narrate else _unheard
    return Demo(context, seed=seed, duration=duration, on_event=listener, say=say, port=port)


def _silent(_event: SniperEvent) -> None:
    """The screen reads the state itself."""


def _unheard(_text: str) -> None:
    """Under a screen nobody reads stderr."""


def _print(report: DemoReport, *, as_json: bool) -> None:
    from sniper_cli.demo.summary import summary_lines

    if as_json:
        sys.stdout.write(json.dumps(report.as_json(), indent=2) + "\n")
    else:
        sys.stdout.write("\n".join(summary_lines(report, width())) + "\n")
    sys.stdout.flush()


def _require_equal(report: DemoReport) -> None:
    if not report.reconciled:
        raise ReconciliationFailed(
            f"the ledger holds {report.ledger_wei} wei, the chain {report.chain_wei} wei",
            hint="sniper position list --all",
            ledger_wei=str(report.ledger_wei),
            chain_wei=str(report.chain_wei),
        )
