"""URLs with secrets in them: `https://node.example/{secret:key}` is stored and shown so, and filled in to be used."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from sniper_cli.errors import UsageProblem
from sniper_cli.settings.masking import mask_url

PLACEHOLDER = re.compile(r"\{secret:([A-Za-z0-9_.\-]+)\}")
SCHEMES = ("http", "https")
WS_SCHEMES = ("ws", "wss")


@dataclass(frozen=True, slots=True)
class Filled:
    """A URL as it is used, and what must be hidden of it wherever it could be shown."""

    url: str
    shown: str
    hides: dict[str, str] = field(default_factory=dict)


def filled(url: str, find: Callable[[str], str]) -> Filled:
    """Put the secrets in. `find` gives a secret by its name, or raises SecretMissing."""
    hides: dict[str, str] = {}

    def secret(match: re.Match[str]) -> str:
        value = quote(find(match[1]), safe="")
        hides[value] = match[0]
        return value

    whole = PLACEHOLDER.sub(secret, url)
    if whole != url:
        hides = {whole: shown(url), **hides}  # the whole first: it contains the parts
    elif shown(url) != url:
        hides = {url: shown(url)}
    return Filled(whole, shown(url), hides)


def shown(url: str) -> str:
    """The URL as it may be shown: placeholders as they are, passwords and long keys hidden."""
    return mask_url(url)


def secrets_in(url: str) -> list[str]:
    """The names of the secrets that a URL needs."""
    return PLACEHOLDER.findall(url)


def checked(url: str, *, schemes: tuple[str, ...] = SCHEMES) -> str:
    """A URL that may be stored. Raises UsageProblem for none, and for one with a key in it: argv is seen by all."""
    parts = urlsplit(PLACEHOLDER.sub("x", url))
    if parts.scheme not in schemes or not parts.hostname:
        raise UsageProblem(
            f"{shown(url)!r} is no address: {' or '.join(schemes)}://host[:port][/path]",
            hint="sniper endpoints add --help",
        )
    if shown(url) != url or parts.password:
        raise UsageProblem(
            f"the address {shown(url)} holds what looks like a key; put {{secret:NAME}} in its place, and the key"
            " into a secret store",
            hint="export SNIPER_SECRET__NAME=…",
        )
    return url
