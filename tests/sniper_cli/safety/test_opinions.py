"""What the services' documented answers mean."""

from __future__ import annotations

from typing import Any

import pytest

from sniper_cli.safety.opinions import read_goplus, read_honeypot_is
from sniper_cli.safety.report import Outcome

TOKEN = "0x" + "ab" * 20
CLEAN = {"is_honeypot": "0", "cannot_buy": "0", "buy_tax": "0", "sell_tax": "0.02", "is_open_source": "1"}


def goplus(fields: dict[str, str]) -> dict[str, Any]:
    return {"code": 1, "message": "OK", "result": {TOKEN: fields}}


@pytest.mark.parametrize("missing", ["is_honeypot", "cannot_buy", "buy_tax", "sell_tax"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_what_goplus_leaves_out_is_unknown(missing: str, how: str) -> None:
    fields = {name: value for name, value in CLEAN.items() if name != missing or how == "empty"}
    if how == "empty":
        fields[missing] = ""
    line = read_goplus(goplus(fields), TOKEN)
    assert line.outcome is Outcome.NOT_PROVEN
    assert missing in line.detail


@pytest.mark.parametrize("body", [{}, {"result": {}}, {"result": {TOKEN: {}}}, [], None, {"code": 4029}])
def test_an_empty_answer_of_goplus_proves_nothing(body: Any) -> None:
    assert read_goplus(body, TOKEN).outcome is Outcome.NOT_PROVEN


def test_an_alarm_of_goplus_fails_even_where_much_is_unknown() -> None:
    line = read_goplus(goplus({"hidden_owner": "1"}), TOKEN)
    assert (line.outcome, line.detail) == (Outcome.FAIL, "goplus: a hidden owner")


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({}, Outcome.NOT_PROVEN),
        ({"simulationSuccess": False}, Outcome.NOT_PROVEN),
        ({"simulationSuccess": True, "honeypotResult": {"isHoneypot": False}}, Outcome.PASS),
        (
            {
                "simulationSuccess": True,
                "honeypotResult": {"isHoneypot": False},
                "summary": {"flags": [{"flag": "high_siphon_rate", "severity": "high"}]},
            },
            Outcome.FAIL,
        ),
    ],
)
def test_honeypot_iss_answers(body: Any, outcome: Outcome) -> None:
    assert read_honeypot_is(body, TOKEN).outcome is outcome
