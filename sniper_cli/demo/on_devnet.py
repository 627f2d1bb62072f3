"""Stages a market on the devnet that runs in a home: what `sniper devnet stage` does."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sniper_cli.chains.devnet.record import DevnetRecord
from sniper_cli.chains.devnet.service import running_record
from sniper_cli.chains.node import Node
from sniper_cli.demo.plan import plan_launches
from sniper_cli.demo.staging import stage
from sniper_cli.demo.truth import read_truth
from sniper_cli.errors import NotFound
from sniper_cli.settings.paths import Paths

TRUTH_NAME = "truth.jsonl"


def stage_on_devnet(
    paths: Paths, *, seed: int, seconds: float, truth: Path | None, dry_run: bool, say: Callable[[str], None]
) -> dict[str, Any]:
    """Stage so many seconds of market, or say how much that would be. Ends early and in order on ^C.

    The launches go on in number from those the truth file has, so that a second staging lists other tokens.
    """
    record = running_record(paths)
    if record is None:
        raise NotFound("no devnet runs in this home", hint="sniper devnet start --detach")
    file = truth or paths.data / TRUTH_NAME
    first = len(read_truth(file))
    planned = len(plan_launches(seed, seconds, start_index=first))
    if not dry_run:
        planned = asyncio.run(_stage(record, seed, seconds, file, first, say))
    return {
        "launches": planned,
        "seed": seed,
        "http_url": record.http_url,
        "truth": str(file),
        "dry_run": dry_run,
    }


async def _stage(
    record: DevnetRecord, seed: int, seconds: float, truth: Path, first: int, say: Callable[[str], None]
) -> int:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    async with Node(record.http_url, ws_url=record.ws_url) as node:
        return await stage(
            node,
            seed=seed,
            duration=seconds,
            truth=truth,
            start_index=first,
            stopping=asked.is_set,
            note=say,
        )
