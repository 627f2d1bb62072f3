"""The line of keys: true at every moment, and left standing while it stays so."""

from __future__ import annotations

from textual.widgets._footer import FooterKey

from tests.tui.test_dashboard import WIDE
from tui.app import SniperApp


def keys(app: SniperApp) -> list[FooterKey]:
    return list(app.screen.query(FooterKey))


async def test_it_names_the_keys_of_the_panel_one_is_in(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await pilot.pause()
        in_positions = [key.description for key in keys(app)]
        await pilot.press("3")
        await pilot.pause()
        in_orders = [key.description for key in keys(app)]

    assert "Close" in in_positions
    assert "Close" not in in_orders
    assert "Cancel" in in_orders
    assert "Cancel" not in in_positions


async def test_it_stands_where_nothing_else_can_be_pressed(app: SniperApp):
    async with app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        await pilot.pause()
        before = keys(app)
        app.screen.refresh_bindings()
        await pilot.pause()

        assert before
        assert [key is other for key, other in zip(before, keys(app), strict=True)] == [True] * len(before)
