"""What the tables of settings are made of; apart from `model`, so that a table may stand in a file of its own."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Bps = Annotated[int, Field(ge=0, le=10_000)]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


def _words(value: Any) -> Any:
    """A list written as text, as the environment has it: with commas, or as JSON."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [word.strip() for word in value.split(",") if word.strip()]


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Addresses = Annotated[tuple[Address, ...], BeforeValidator(_words)]


class Table(BaseModel):
    """A table of the configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)
