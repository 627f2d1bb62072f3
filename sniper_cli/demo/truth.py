"""What the staging knows and Sniper must find out: one JSON object a line, appended and flushed.

A token has a line before anything of it can be seen by the market, and a further line when its launch is mined and when
its liquidity was pulled: the last line of a token holds. Addresses are in lower case.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Truth:
    """What a token really is, and when it was launched and pulled."""

    token: str
    pool: str
    kind: str
    """A kind of `cast.ROLES`."""
    bad: bool
    name: str
    symbol: str
    launched_block: int | None = None
    """The block in which its liquidity was added."""
    rug_block: int | None = None
    protocol: str = "uniswap_v2"
    """Where it is traded; `pool` is the pool's id there, in v4 no address."""


def append_truth(path: Path, truth: Truth) -> None:
    """Write one line; it is in the file when this returns."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(truth)) + "\n")


def read_truth(path: Path) -> dict[str, Truth]:
    """By token, what its last whole line says; empty where there is no file."""
    if not path.exists():
        return {}
    truths = {}
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if line.endswith("\n"):
            truth = Truth(**json.loads(line))
            truths[truth.token] = truth
    return truths
