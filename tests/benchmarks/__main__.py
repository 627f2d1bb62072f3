"""`make bench`: every figure the README quotes, measured now, on this machine, with its versions.

Benchmarks measure and never assert. `make bench ARGS="startup judging"` runs some; `ARGS=--json` prints JSON.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import platform
import sys
from importlib.metadata import version
from typing import Any

SUBJECTS = {
    "startup": "The command line's start",
    "pricing": "Pool mathematics and divisions over paths",
    "judging": "Judging tokens by simulation (local chain, automine)",
    "powers": "Owner powers and dossiers (local chain, automine)",
    "hearing": "From sending to hearing a log (local chain, automine)",
    "market": "The simulated market",
    "matching": "The order book alone",
    "risk": "Limits alone",
    "ordering": "The durable order path",
    "reads": "Reading a long past, its proof and its export",
    "marks": "A revaluation of 1,000 open positions",
    "buying": "From a verdict to the signed purchase, without a node",
    "sniping": "From the pool's event to the buy (local chain, 1-second blocks)",
    "same_block": "Bought in the listing's own block (local chain, 1-second blocks)",
    "exits": "A removal of liquidity outrun (local chain, 1-second blocks)",
    "endpoints": "Several nodes against one (local chain, loopback)",
    "seeing": "Reading history for pools, and decoding their logs",
    "screens": "Live screens",
}


def main(argv: list[str]) -> int:
    wanted = [name for name in argv if not name.startswith("-")] or list(SUBJECTS)
    unknown = [name for name in wanted if name not in SUBJECTS]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(SUBJECTS)}", file=sys.stderr)
        return 2
    results: dict[str, Any] = {"machine": machine()}
    if "--json" not in argv:
        show("This machine", results["machine"])
    for name in wanted:
        results[name] = run(name)
        if "--json" not in argv:
            show(SUBJECTS[name], results[name])
    if "--json" in argv:
        print(json.dumps(results, indent=2, default=str))
    return 0


def run(name: str) -> dict[str, Any]:
    """Run one benchmark module's `measure`."""
    outcome = importlib.import_module(f"tests.benchmarks.{name}").measure()
    return asyncio.run(outcome) if inspect.iscoroutine(outcome) else outcome


def machine() -> dict[str, str]:
    """What the figures belong to."""
    return {
        "cpu": f"{cpu_name()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{
            name: version(name)
            for name in ("sniper-cli", "typer", "textual", "sqlmodel", "web3", "coincurve")
        },
    }


def cpu_name() -> str:
    """The processor's name where the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except FileNotFoundError:
        names = []
    return names[0] if names else platform.machine()


def show(title: str, figures: dict[str, Any]) -> None:
    print(f"\n{title}")
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        print(f"  {name:<{width}}  {value}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
