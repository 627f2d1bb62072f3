"""The staged market, as a process of its own beside Sniper's.

    python -m sniper_cli.demo.staging --rpc URL --seed 7 --duration 60 --truth FILE

It shares nothing with Sniper but the chain. It ends with its time, with SIGTERM or Ctrl-C, and when the process that
started it is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from sniper_cli.chains.devnet.deploy import deploy_exchanges
from sniper_cli.chains.node import Node
from sniper_cli.demo.plan import PlannedLaunch, plan_launches
from sniper_cli.demo.stagehands import Stagehands
from sniper_cli.errors import SniperError

__all__ = ["PlannedLaunch", "main", "plan_launches", "stage"]

PROGRAM = "python -m sniper_cli.demo.staging"
SET = "the stage is set"
"""The line on stderr with which the performance begins: whoever wants to see it all waits for it."""


async def stage(
    node: Node,
    *,
    seed: int,
    duration: float,
    truth: Path,
    interval: float = 5.0,
    start_index: int = 0,
    stopping: Callable[[], bool] = lambda: False,
    note: Callable[[str], None] = lambda line: print(line, file=sys.stderr, flush=True),  # noqa: T201
) -> int:
    """Stage so many seconds of market on a devnet, deploying the exchanges where there are none; how many launches."""
    exchanges = await deploy_exchanges(node)
    protocols = {each.protocol for each in exchanges.listed}
    launches = plan_launches(seed, duration, interval=interval, start_index=start_index, protocols=protocols)
    hands = Stagehands(node, exchanges, seed=seed, truth_file=truth, note=note)
    note(SET)
    await hands.perform(launches, duration, stopping)
    return len(launches)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process."""
    options = _parser().parse_args(arguments)
    parent = os.getppid()
    try:
        return asyncio.run(_run(options, parent))
    except SniperError as error:
        print(f"staging: {error.message}", file=sys.stderr)  # noqa: T201
        return int(error.exit)


async def _run(options: argparse.Namespace, parent: int) -> int:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    async with Node(options.rpc) as node:
        await stage(
            node,
            seed=options.seed,
            duration=options.duration,
            truth=options.truth,
            interval=options.interval,
            start_index=options.start_index,
            stopping=lambda: asked.is_set() or os.getppid() != parent,
        )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Stages a market on a local chain.")
    parser.add_argument("--rpc", required=True, metavar="URL", help="the devnet's node")
    parser.add_argument("--seed", type=int, default=7, help="which market (7)")
    parser.add_argument("--duration", type=float, default=60, metavar="SECONDS", help="for how long (60)")
    parser.add_argument(
        "--truth", type=Path, required=True, metavar="FILE", help="where the truth is written"
    )
    parser.add_argument(
        "--interval", type=float, default=5, metavar="SECONDS", help="about a launch every so often (5)"
    )
    parser.add_argument(
        "--start-index", type=int, default=0, metavar="N", help="the first launch's number (0)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
