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
        (
            "launch.seen",
            {"block_number": 12, "source": "pending"},
            "pool announced by a waiting transaction, for block 12",
        ),
        ("launch.listed", {"block_number": 13}, "mined as announced, in block 13"),
        ("launch.withdrawn", {"reason": "it is gone"}, "withdrawn – it is gone"),
        ("launch.vanished", {"block_number": 13}, "taken away by a reorganisation with block 13"),
        ("launch.returned", {"block_number": 14}, "mined again, in block 14"),
        ("launch.reopened", {"from_number": 13}, "undecided again: judged on blocks that are gone, from 13"),
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
        (
            "kill.tripped",
            {"scope": "strategy:grid", "reason": "odd"},
            "kill switch of strategy grid tripped – odd",
        ),
        (
            "kill.reset",
            {"scope": "account:01a20000-0000-7000-8000-00000000000f", "reason": "fine"},
            "kill switch of account 00000000000f reset, trading resumes – fine",
        ),
        (
            "limit.set",
            {
                "limit": "order_notional",
                "scope": "tenant",
                "scope_id": "main",
                "value": "5 USDT",
                "before": "9 USDT",
            },
            "limit order notional of tenant main is 5 USDT (was 9 USDT)",
        ),
        (
            "limit.removed",
            {"limit": "drawdown", "scope": "strategy", "scope_id": "grid", "value": "10%"},
            "limit drawdown of strategy grid is no more; it was 10%",
        ),
        ("reconciliation.done", {"equal": False}, "the ledger differs from the chain"),
    ],
)
def test_a_record_in_a_sentence(kind: str, data: dict[str, Any], text: str):
    assert sentence(kind, data, Money("ETH")) == text


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (
            "order.recorded",
            {"side": "sell", "quantity": 61_697_375, "limit_price": "1.5", "reason": {"rule": "stop_loss"}},
            "sell recorded: 61,697.375 KITE at 1.5 – stop loss",
        ),
        ("order.recorded", {"side": "buy", "quantity": 5, "state": "held"}, "buy held: 0.005 KITE"),
        (
            "order.filled",
            {"side": "buy", "quantity": 1_234_567_891, "notional": ETH},
            "buy filled: 1,234,567.891 KITE for 1.0000 ETH",
        ),
        (
            "order.filled",
            {"side": "buy", "quantity": 1, "notional": ETH},
            "buy filled: 0.001 KITE for 1.0000 ETH",
        ),
        ("order.amended", {"quantity": 2_000, "limit_price": "7"}, "amended: 2 KITE at 7"),
        ("order.amended", {"terms": {"triggered_at": 5}}, "its trigger went off"),
        ("order.cost", {"movement": "gas", "amount": f"-{ETH // 1000}"}, "gas of 0.001000 ETH"),
        (
            "position.written_off",
            {"quantity": 3_000, "cost": ETH, "rule": "vanished"},
            "written off 3 KITE that cost 1.0000 ETH – vanished",
        ),
        ("account.funding", {"movement": "funding", "amount": -ETH}, "funding of -1.0000 ETH"),
        (
            "desk.orders",
            {"orders": 1000, "filled": 612, "open": 300, "refused": 88, "fills": 700, "movements": 1},
            "1,000 orders: 612 filled, 300 open, 88 refused; 700 fills; 1 movement",
        ),
        (
            "desk.carried",
            {"carried_orders": 1, "open": 1, "balances": 3},
            "1 carried order: 1 open; 3 balances",
        ),
    ],
)
def test_an_act_of_the_desk_in_a_sentence(kind: str, data: dict[str, Any], text: str):
    assert sentence(kind, data, Money("ETH", base="KITE", base_decimals=3)) == text


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
