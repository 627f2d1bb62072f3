"""Launches on every protocol, however they were seen, and those whose block went: in the table and each by itself."""

from __future__ import annotations

import pytest
from sqlmodel import select
from textual.pilot import Pilot

from docs.scene_acts import NOW
from sniper_cli.context import Context
from sniper_cli.pools.keys import DYNAMIC_FEE
from state.launches import Launch, Source
from tests.tui.test_dashboard import WIDE, dashboard, settled, text_of
from tui import columns
from tui.app import SniperApp
from tui.screens.dialogs import EvidenceBox
from tui.screens.launch import LaunchScreen
from tui.widgets.live_table import LiveTable

SMALL = (80, 24)
BOTH = pytest.mark.parametrize("size", [WIDE, SMALL])


def line_of(app: SniperApp, token: str) -> str:
    """A launch's line in the table."""
    return next(line for line in text_of(app).splitlines() if f" {token} " in f" {line}".replace("│", " "))


async def opened(app: SniperApp, pilot: Pilot[None], token: str) -> LaunchScreen:
    await pilot.press("slash", *token.lower(), "enter", "enter")
    await settled(app, pilot)
    assert isinstance(app.screen, LaunchScreen)
    return app.screen


MARKETS = {"DRIFT": "V2", "LUMEN": "V3 0.3%", "SECOND": "V3 0.05%", "WHALE": "v4 hooks"}


@BOTH
async def test_the_table_says_on_which_protocol_at_which_fee_how_it_was_seen_and_whether_its_block_went(
    app: SniperApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        shown = {token: line_of(app, token).split(token, 1)[1].lstrip() for token in MARKETS}
        assert [token for token, market in MARKETS.items() if not shown[token].startswith(market)] == []
        if size == WIDE:
            assert "20:15:36» PIXEL" in line_of(app, "PIXEL")
            assert "20:14:56« NEMO" in line_of(app, "NEMO")
            assert "20:15:31  OPENING" in line_of(app, "OPENING")

        line = line_of(app, "SECOND")
        assert "vanished" in line
        assert "its block was taken away" in line
        strips = app.screen._compositor.render_strips()
        struck = [part.text for strip in strips for part in strip if part.style and part.style.strike]
        assert struck == ["SECOND"]

        await opened(app, pilot, "SECOND")
        assert "VANISHED" in text_of(app)
        assert "its block was taken away by a reorganisation, 20:15:07" in text_of(app)


async def test_what_only_waits_has_no_block_and_is_withdrawn_not_vanished(
    app: SniperApp, evening: Context
) -> None:
    """As a waiting transaction leaves it: no block's hash, and a time once it is not mined as announced."""
    with evening.database.write() as session:
        for token, at in (("OPENING", None), ("MIMIC", NOW)):
            launch = session.exec(select(Launch).where(Launch.symbol == token)).one()
            launch.source, launch.block_hash, launch.vanished_at = Source.PENDING, "", at
            session.add(launch)
    async with app.run_test(size=(170, 36)) as pilot:
        await pilot.pause()
        assert line_of(app, "OPENING").split()[1:3] == ["20:15:31»", "waits"]
        assert "refused" in line_of(app, "OPENING")
        assert "withdrawn" in line_of(app, "MIMIC")
        assert "the transaction that announced it was not mined" in line_of(app, "MIMIC")


async def test_the_filter_finds_them_by_protocol_source_and_fate(app: SniperApp) -> None:
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        table = dashboard(app).table("launches")

        def found(words: str) -> set[str]:
            table.filter(words)
            return {table._rows[key].symbol for key in table.shown}

        assert found("v4") == {"WHALE"}
        assert found("v3") == {"LUMEN", "SECOND"}
        assert found("scan") == {"NEMO"}
        assert found("vanished") == {"SECOND"}


@BOTH
async def test_a_dossier_is_readable_group_by_group_with_hooks_and_liquidity(
    app: SniperApp, size: tuple[int, int]
) -> None:
    async with app.run_test(size=size) as pilot:
        screen = await opened(app, pilot, "WHALE")
        shown = text_of(app)
        assert "on v4 1%, hooks 0x6a1f…0080, by the log of its block" in shown
        assert "? proxy     hooks" in shown
        assert "the pool's hooks 0x6a1f…0080 are" in shown
        assert "✘ liquidity liquidity held" in shown
        assert "88.00 % of the liquidity can be" in shown
        counts = str(screen.query_one("#checks").border_subtitle)
        assert counts == (
            "20 of 25 passed · not all of powers, proxy, liquidity, deployer, opinions"
            if size == SMALL
            else "trading 15/15 · holders 1/1 · powers 1/2 · proxy 1/2 · liquidity 0/1 · deployer 0/1 · "
            "metadata 2/2 · opinions 0/1"
        )

        await pilot.press("down", "enter")
        await settled(app, pilot)
        assert isinstance(app.screen, EvidenceBox)
        assert "0x6a1f4d3f0e2c5b7988e1d0c3b2a5f4e6d7c80080" in text_of(app)


async def test_locked_liquidity_is_told_in_full_and_a_group_of_a_later_version_is_not_kept_back(
    app: SniperApp, evening: Context
) -> None:
    with evening.database.write() as session:
        launch = session.exec(select(Launch).where(Launch.symbol == "LUMEN")).one()
        strange = [{"name": "moon_phase", "outcome": "fail", "detail": "waning", "weight": "ignore"}]
        launch.report = {**launch.report, "groups": {"stars": strange, **launch.report["groups"]}}
        session.add(launch)
    async with app.run_test(size=SMALL) as pilot:
        screen = await opened(app, pilot, "LUMEN")
        assert screen.story is not None
        assert screen.story.checks[-1].group == "stars"
        assert "✘ stars     moon phase" in text_of(app)

        line = next(number for number, check in enumerate(screen.shown) if check.name == "liquidity held")
        screen.query_one("#checks", LiveTable).cursor = line
        await pilot.press("enter")
        await settled(app, pilot)
        assert isinstance(app.screen, EvidenceBox)
        assert "88.00 % locked by UNCX until 2027-03-14" in " ".join(text_of(app).replace("│", "").split())
        assert "17,420 of 19,800 shares" in text_of(app)


def test_a_fee_that_hooks_set_has_no_figure() -> None:
    assert columns.tier(DYNAMIC_FEE) == "set by hooks"
    assert [columns.tier(fee) for fee in (100, 500, 3000, 10_000, None)] == [
        "0.01%",
        "0.05%",
        "0.3%",
        "1%",
        "",
    ]
