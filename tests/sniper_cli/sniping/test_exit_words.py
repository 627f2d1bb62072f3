"""Exit rules as text: what a form begins with is what it would give back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sniper_cli.errors import UsageProblem
from sniper_cli.settings.exits import ExitSettings
from sniper_cli.sniping.exit_words import changes_in_form, options_of, typed_of
from sniper_cli.sniping.overrides import edited
from sniper_cli.sniping.rules import ExitRules

EVERYTHING = ExitRules.from_settings(
    ExitSettings(
        take_profit=("100:50", "300.5:25"),
        take_profit_pct=Decimal(0),
        stop_loss_pct=Decimal("12.5"),
        break_even_pct=Decimal(20),
        break_even_steps=1,
        max_age_seconds=5400,
        no_profit_seconds=61,
        volume_stall_blocks=30,
        volume_stall_coins=Decimal("0.25"),
        price_stall_blocks=40,
        price_stall_pct=Decimal("0.5"),
        watch_pending=False,
    )
)


@pytest.mark.parametrize("rules", [EVERYTHING, ExitRules(), ExitRules.from_settings(ExitSettings())])
def test_a_form_that_is_sent_as_it_came_changes_nothing_of_what_it_shows(rules: ExitRules) -> None:
    again = edited(rules, changes_in_form(typed_of(rules)))

    assert typed_of(again) == typed_of(rules)
    assert again.steps == rules.steps


def test_spans_are_written_in_the_largest_whole_unit() -> None:
    typed = typed_of(EVERYTHING)
    assert (typed["max_age"], typed["no_profit_after"], typed["stop_loss"]) == ("90m", "61s", "12.5")
    assert typed_of(ExitRules(max_age_seconds=7200))["max_age"] == "2h"


def test_an_empty_field_turns_its_rule_off() -> None:
    changes = changes_in_form(
        {"stop_loss": " ", "take_profit": "", "break_even_steps": "", "watch_pending": ""}
    )
    off = edited(EVERYTHING, changes)
    assert (off.stop_loss_pct, len(off.steps), off.break_even_steps) == (Decimal(0), 0, 0)
    assert not off.watch_pending


def test_the_options_are_those_of_the_command() -> None:
    typed = {"stop_loss": "25", "no_profit_after": "", "watch_pending": "no", "break_even_steps": ""}
    assert options_of(typed) == [
        "--stop-loss", "25", "--no-profit-after", "off", "--no-watch-pending", "--break-even-steps", "0",
    ]  # fmt: skip
    assert options_of({"watch_pending": "Yes"}) == ["--watch-pending"]


@pytest.mark.parametrize(
    "typed", [{"break_even_steps": "-1"}, {"watch_pending": "2"}, {"price_stall": "x:1"}]
)
def test_what_means_nothing_is_refused(typed: dict[str, str]) -> None:
    with pytest.raises(UsageProblem):
        changes_in_form(typed)
