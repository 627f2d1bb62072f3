"""Journal records in words."""

from __future__ import annotations

from typing import Any

import pytest

from sniper_cli.monitoring.sentences import SENTENCES, Money, sentence

ETH = 10**18


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("launch.seen", {"block_number": 12}, "pool seen in block 12"),
        ("launch.judged", {"verdict": "not_proven", "reasons": ["no"]}, "not proven – no"),
        ("launch.decided", {"decision": "refused", "reason": "a honeypot"}, "refused – a honeypot"),
        (
            "order.recorded",
            {"side": "buy", "budget": str(ETH), "reason": {"origin": "launch"}},
            "buy recorded for 1.0000 ETH – launch",
        ),
        ("order.refused", {"side": "buy", "why": "funds: too few"}, "buy refused – funds: too few"),
        ("order.sent", {"venue_reference": "0x" + "ab" * 32}, "given to the venue as 0xabab…abab"),
        ("order.state", {"state": "dropped", "explanation": "nonce taken"}, "now dropped – nonce taken"),
        ("order.filled", {"side": "sell", "notional": ETH // 2}, "sell filled for 0.5000 ETH"),
        (
            "transaction.mined",
            {"purpose": "buy", "nonce": 3, "block": 9, "gas_cost": ETH // 1000},
            "buy mined in block 9 for 0.001000 ETH of gas",
        ),
        (
            "transaction.reverted",
            {"purpose": "sell", "block": 9, "error": "K"},
            "sell reverted in block 9 – K",
        ),
        (
            "position.closed",
            {"rule": "stop_loss", "received": 6, "spent": ETH, "fees": 0},
            "closed by stop loss with a loss of 1.0000 ETH",
        ),
        ("kill.tripped", {"reason": "odd"}, "kill switch tripped – odd"),
        ("reconciliation.done", {"equal": False}, "the ledger differs from the chain"),
    ],
)
def test_a_record_in_a_sentence(kind: str, data: dict[str, Any], text: str):
    assert sentence(kind, data, Money("ETH")) == text


def test_an_unknown_kind_tells_its_figures():
    assert (
        sentence("moon.landed", {"crew_size": 3, "id": "x", "flag": True}, Money())
        == "crew size 3, flag true"
    )


@pytest.mark.parametrize("kind", SENTENCES)
def test_no_kind_stumbles_over_missing_figures(kind: str):
    assert isinstance(sentence(kind, {}, Money()), str)


def test_a_hash_is_shortened_and_an_unreadable_amount_is_shown_as_it_is():
    assert sentence("order.filled", {"notional": "many"}, Money()) == "filled for many"
