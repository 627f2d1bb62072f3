"""The nodes screen driven by keys: each endpoint with its state in a sign and a word, one of them in full."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from textual.pilot import Pilot

from sniper_cli.context import Context
from sniper_cli.endpoints.readings import write_readings
from sniper_cli.settings.loading import Resolved
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.venues.paper import ensure_account
from state.database import Database
from state.endpoints import Endpoint, EndpointKind, EndpointReading
from tui.app import SniperApp
from tui.screens.help import HelpBox
from tui.screens.nodes import NodesScreen
from tui.widgets.facts import Facts
from tui.widgets.live_table import LiveTable

WIDE, SMALL = (140, 30), (80, 24)
NOW = datetime(2026, 3, 14, 20, 15, 42, tzinfo=UTC)
HEAD = 21_540_912
FOUND: tuple[tuple[str, str, int | None, dict[str, Any]], ...] = (
    ("alchemy", "healthy", HEAD, {"lag": 0, "age_ms": 4200, "p50_us": 18_400, "p95_us": 41_700, "p99_us": 88_000,
                                  "calls": 12_903, "errors": 2, "error_bps": 2, "breaker": "closed"}),
    ("infura", "lagging", HEAD - 6, {"lag": 6, "age_ms": 76_100, "p50_us": 33_900, "p95_us": 91_200, "p99_us": 240_000,
                                     "calls": 4_120, "errors": 0, "error_bps": 0, "breaker": "closed"}),
    ("own", "frozen", HEAD - 40, {"lag": 40, "age_ms": 493_000, "p50_us": 900, "p95_us": 2_300, "p99_us": 5_100,
                                  "calls": 30_551, "errors": 41, "error_bps": 900, "breaker": "open",
                                  "trouble": "did not tell its head within 1 s"}),
    ("cheap", "wrong_chain", None, {"calls": 3, "errors": 3, "error_bps": 10_000, "breaker": "open",
                                    "trouble": "serves chain 137, not 31337"}),
)  # fmt: skip


def readings(**states: str) -> list[EndpointReading]:
    """As a running pool left them, some in another state."""
    return [
        EndpointReading(
            endpoint_id=UUID(int=number),
            observer="desk-1:4711",
            state=states.get(name, state),
            head=head,
            figures=told,
            at=NOW,
        )
        for number, (name, state, head, told) in enumerate(FOUND)
    ]


@pytest.fixture
def context(home: Path, sqlite_database: Database) -> Context:
    del home
    ensure_account(sqlite_database)
    with sqlite_database.write() as session:
        for number, (name, *_) in enumerate(FOUND):
            url = f"https://{name}.example/v2/{{secret:{name}}}"
            row = Endpoint(id=UUID(int=number), name=name, kind=EndpointKind.NODE, url=url, chain_id=31337)
            session.add(row)
        session.add(
            Endpoint(
                id=UUID(int=9), name="resting", kind=EndpointKind.NODE, url="http://x.example", enabled=False
            )
        )
    write_readings(sqlite_database, readings())
    return Context(Resolved("paper", Settings(), {}), home_paths(), sqlite_database, "user:ada")


@pytest.fixture
def app(context: Context) -> SniperApp:
    app = SniperApp(context, clock=lambda: NOW, poll_seconds=0)
    app.animation_level = "none"
    return app


def text_of(app: SniperApp) -> str:
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def opened(app: SniperApp, pilot: Pilot[None], *keys: str) -> NodesScreen:
    for key in ("n", *keys):
        await pilot.press(key)
        await app.workers.wait_for_complete()
        await pilot.pause()
    screen = app.view
    assert isinstance(screen, NodesScreen)
    return screen


async def test_n_opens_every_endpoint_with_its_state_in_words(app: SniperApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await opened(app, pilot)
        text = text_of(app)

    for words in ("● healthy", "◐ lagging", "✘ frozen", "✘ wrong chain", "– disabled", "1 of 4 healthy"):
        assert words in text
    assert "21,540,912" in text
    assert "41.7 ms" in text


async def test_the_one_under_the_cursor_is_told_in_full_without_its_secret(app: SniperApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot, "down", "down")
        text = text_of(app)
        told = [(label, value) for label, value, _ in screen.query_one("#figures", Facts).facts]

    assert told[:2] == [("state", "✘ frozen"), ("why", "did not tell its head within 1 s")]
    assert ("address", "https://own.example/v2/{secret:own}") in told
    assert "30,551" in text


async def test_on_a_small_screen_no_number_is_cut(app: SniperApp) -> None:
    async with app.run_test(size=SMALL) as pilot:
        await opened(app, pilot)
        text = text_of(app)

    assert "✘ wrong chain" in text
    assert "41.7 ms" in text


async def test_a_change_appears_at_the_next_look(app: SniperApp, context: Context) -> None:
    async with app.run_test(size=WIDE) as pilot:
        screen = await opened(app, pilot)
        write_readings(context.database, readings(own="healthy"))
        screen.look()
        await app.workers.wait_for_complete()
        await pilot.pause()
        await pilot.pause()

        assert [line.state for line in screen.lines][2] == "healthy"
        assert str(screen.query_one("#nodes").border_subtitle) == "2 of 4 healthy"
        assert screen.query_one("#nodes", LiveTable).total == 5


async def test_the_help_tells_the_key_and_escape_leaves(app: SniperApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        assert isinstance(app.screen, HelpBox)
        assert "the nodes: state, head, lag" in text_of(app)
        await pilot.press("escape")
        await opened(app, pilot)
        await pilot.press("escape")
        await pilot.pause()

        assert not isinstance(app.view, NodesScreen)


PICTURES = pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="one Python draws the snapshots")


def after(*keys: str) -> Callable[[Pilot[Any]], Any]:
    async def run(pilot: Pilot[Any]) -> None:
        for key in keys:
            await pilot.press(key)
            await pilot.app.workers.wait_for_complete()
        await pilot.pause()

    return run


@PICTURES
@pytest.mark.parametrize(
    ("size", "keys"),
    [(WIDE, ("n", "down", "down")), (SMALL, ("n",))],
    ids=["nodes", "nodes-small"],
)
def test_screen(snap_compare: Any, app: SniperApp, size: tuple[int, int], keys: tuple[str, ...]) -> None:
    assert snap_compare(app, terminal_size=size, run_before=after(*keys))
