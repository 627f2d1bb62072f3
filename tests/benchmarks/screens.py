"""What the live screens cost: a table of 200 rows that all change ten times a second, and a dashboard's reading.

CPU is the share of one core that the process takes above an idle app, drawing into memory as it would to a terminal.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.app import App, ComposeResult

from docs.pictures import open_scene
from sniper_cli.monitoring.snapshot import Monitor
from tui.widgets.live_table import Column, LiveTable

ROWS, HERTZ, SECONDS = 200, 10, 5.0
READINGS = 50


@dataclass(frozen=True, slots=True)
class Quote:
    """One row of a market table."""

    symbol: str
    figures: tuple[int, ...]


class Screen(App[None]):
    """One live table of 200 rows and 8 columns."""

    def compose(self) -> ComposeResult:
        columns: list[Column[Quote]] = [Column("symbol", 12, lambda quote: quote.symbol)]
        columns += [
            Column(f"c{place}", 10, lambda quote, place=place: str(quote.figures[place]), right=True)  # type: ignore[misc]
            for place in range(7)
        ]
        yield LiveTable(columns, id="quotes")


async def measure() -> dict[str, str]:
    chance = random.Random(7)
    rows = {
        number: Quote(f"COIN{number:03}", tuple(chance.randrange(10**6) for _ in range(7)))
        for number in range(ROWS)
    }
    app = Screen()
    async with app.run_test(size=(160, 50)) as pilot:
        table: LiveTable[Quote] = app.query_one(LiveTable)
        table.show(rows)
        await pilot.pause(0.5)
        idle = await _share(pilot.pause, lambda: None)
        busy = await _share(pilot.pause, lambda: table.show(_changed(rows, chance)))
        frame = _frame_ms(table)
    return {
        "an idle app": f"{idle:.1f} % of a core",
        f"{ROWS} rows × 8 columns, all changing at {HERTZ} Hz": f"{busy - idle:.1f} % of a core more",
        "one frame of 50 lines": f"{frame:.2f} ms",
        **_readings(),
    }


async def _share(pause: object, step: object) -> float:
    """Percent of a core over some seconds of steps at the given rate."""
    begun, used = time.perf_counter(), time.process_time()
    due = begun
    while time.perf_counter() - begun < SECONDS:
        due += 1 / HERTZ
        step()  # type: ignore[operator]
        await pause(max(0.0, due - time.perf_counter()))  # type: ignore[operator]
    return 100 * (time.process_time() - used) / (time.perf_counter() - begun)


def _changed(rows: dict[int, Quote], chance: random.Random) -> dict[int, Quote]:
    for number, quote in rows.items():
        rows[number] = replace(
            quote, figures=tuple(figure + chance.randrange(-9, 10) for figure in quote.figures)
        )
    return rows


def _frame_ms(table: LiveTable[Quote]) -> float:
    begun = time.perf_counter()
    for _ in range(READINGS):
        for line in range(table.size.height):
            table.render_line(line)
    return (time.perf_counter() - begun) * 1000 / READINGS


def _readings() -> dict[str, str]:
    """A dashboard read with and without news in the journal."""
    with TemporaryDirectory() as folder, open_scene(Path(folder)) as context:
        monitor = Monitor(context.database, profile="demo", settings=context.settings)
        begun = time.perf_counter()
        monitor.read()
        first = (time.perf_counter() - begun) * 1000
        begun = time.perf_counter()
        for _ in range(READINGS):
            monitor.read()
        again = (time.perf_counter() - begun) * 1000 / READINGS
    return {"a dashboard's first reading": f"{first:.1f} ms", "a reading without news": f"{again:.1f} ms"}
