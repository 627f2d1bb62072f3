"""Secrets in URLs: filled in where they are used, shown nowhere, refused in argv."""

from __future__ import annotations

import pytest

from sniper_cli.endpoints.addresses import checked, filled, secrets_in
from sniper_cli.endpoints.member import Member
from sniper_cli.errors import UsageProblem

KEY = "s3cret/key"
URL = "https://node.example/v3/{secret:INFURA}"


def test_a_secret_is_filled_in_quoted_and_shown_by_its_name() -> None:
    address = filled(URL, {"INFURA": KEY}.__getitem__)

    assert address.url == "https://node.example/v3/s3cret%2Fkey"
    assert address.shown == URL
    assert secrets_in(URL) == ["INFURA"]


def test_what_a_member_tells_never_holds_its_secret() -> None:
    address = filled(URL, {"INFURA": KEY}.__getitem__)
    member = Member("x", None, shown=address.shown, hides=address.hides)

    assert member.hidden(f"no connection to {address.url}: refused") == f"no connection to {URL}: refused"
    assert "s3cret" not in member.hidden("bad path /v3/s3cret%2Fkey")


def test_a_key_written_out_is_hidden_as_well() -> None:
    address = filled("https://node.example/v3/0123456789abcdef0123456789", {}.__getitem__)

    assert address.shown == "https://node.example/v3/***"
    member = Member("x", None, hides=address.hides)
    assert member.hidden(f"at {address.url}") == "at https://node.example/v3/***"


@pytest.mark.parametrize(
    "url",
    [
        "https://node.example/v3/0123456789abcdef0123456789",
        "https://me:password@node.example",
        "ftp://node.example",
        "node.example:8545",
        "https://",
    ],
)
def test_what_cannot_be_stored_is_refused(url: str) -> None:
    with pytest.raises(UsageProblem) as raised:
        checked(url)

    assert "0123456789abcdef" not in raised.value.message
    assert "password" not in raised.value.message


@pytest.mark.parametrize("url", [URL, "http://127.0.0.1:8545", "https://{secret:HOST}/x"])
def test_what_can_be_stored_is_as_it_was(url: str) -> None:
    assert checked(url) == url
