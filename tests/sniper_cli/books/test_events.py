"""What is written into the journal is read back from it, whatever of it is optional."""

from __future__ import annotations

import msgspec

from sniper_cli.books.events import (
    WIDE,
    Amended,
    Batch,
    Body,
    Event,
    Moved,
    Movement,
    Recorded,
    decode,
    encode,
    raw,
    text_of,
    whole,
    wide,
)


def told_again(event: Event) -> Event:
    """An event as a record's reader has it."""
    body = Body("user:ada", "2026-01-01T00:00:00.000000Z", Batch([event]), "desk.orders", 1, "account")
    return decode(encode(body)).data.events[0]


def recorded(**options: object) -> Recorded:
    return Recorded(
        "a" * 32, "mine", "paper:BTC/USDT", "buy", "limit", "gtc", 5, None, "1.5", "open", 9, 7, **options
    )  # type: ignore[arg-type]


def test_an_orders_terms_come_back_as_they_were() -> None:
    again = told_again(recorded(terms=msgspec.Raw(b'{"post_only":true}')))

    assert isinstance(again, Recorded)
    assert text_of(again.terms) == '{"post_only":true}'


def test_an_order_without_terms_has_none() -> None:
    again = told_again(recorded())

    assert isinstance(again, Recorded)
    assert text_of(again.terms) is None


def test_the_facts_beside_a_move_a_change_and_a_payment_come_back() -> None:
    facts = raw({"block": 5})
    events = (
        Moved("a" * 32, "filled", 7, facts=facts),
        Amended("a" * 32, 5, None, 0, None, 7, facts),
        Movement("paper:USDT", "deposit", 5, "opening", 7, facts=facts),
    )

    for event in events:
        again = told_again(event)
        assert isinstance(again, Moved | Amended | Movement)
        assert text_of(again.facts) == '{"block":5}'


def test_what_a_reader_might_take_for_a_double_is_written_as_text() -> None:
    assert (wide(WIDE - 1), wide(WIDE), wide(-WIDE)) == (WIDE - 1, str(WIDE), str(-WIDE))
    assert whole(str(10**30)) == 10**30
