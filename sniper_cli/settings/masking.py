"""Hides what is secret in a setting: passwords and keys inside URLs. Secrets proper are never settings."""

from __future__ import annotations

import re
from typing import overload

URL_KEYS = ("database_url", "chain.rpc_url", "chain.ws_url", "endpoints.nodes")

HIDDEN = "***"

PASSWORD = re.compile(r"(?<=://)(?P<user>[^/@:]*):[^/@]*@")
LONG_SEGMENT = re.compile(r"(?<=[/=])[A-Za-z0-9_\-]{20,}(?=$|[/?&])")
"""Providers put the key into the path or the query: 20 letters and digits in a row are no word."""


@overload
def masked(key: str, value: str) -> str: ...
@overload
def masked(key: str, value: None) -> None: ...
def masked(key: str, value: str | None) -> str | None:
    """The value as it may be shown."""
    if value is None or key not in URL_KEYS:
        return value
    return mask_url(value)


def mask_url(url: str) -> str:
    """A URL without its password and without long keys; a SQLite file's path stays whole."""
    if url.startswith("sqlite"):
        return url
    return LONG_SEGMENT.sub(HIDDEN, PASSWORD.sub(rf"\g<user>:{HIDDEN}@", url))
