"""Two loaders on one account, killed with SIGKILL at a random moment, again and again; and what must hold each time."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from sqlmodel import select

from sniper_cli.books.projector import catch_up
from sniper_cli.books.verification import verify
from sniper_cli.venues.paper import ensure_account
from state import journal
from state.database import Database
from state.orders import Order
from tests.crash.loader import ACCOUNT

LOADERS = 2


@dataclass(frozen=True, slots=True)
class Tally:
    """What the rounds came to."""

    rounds: int
    acknowledged: int
    recorded: int
    """Orders in the table: the acknowledged ones, and those killed between COMMIT and their acknowledgement."""
    records: int


def run_rounds(database: Database, folder: Path, rounds: int, *, seed: int = 1) -> Tally:
    """Kill and look, so many times. Raises AssertionError where something was lost, doubled or broken."""
    ensure_account(database, ACCOUNT, deposit=Decimal(50_000_000))
    draw = random.Random(seed)
    files = [folder / f"acknowledged-{number}" for number in range(LOADERS)]
    for lap in range(rounds):
        loaders = [_start(database, file, number, lap) for number, file in enumerate(files)]
        _wait_for_both(files, lap, loaders)
        time.sleep(draw.uniform(0.02, 0.7))
        for loader in draw.sample(loaders, LOADERS):
            loader.send_signal(signal.SIGKILL)
        for loader in loaders:
            loader.communicate()
        check(database, files)
    with database.read() as session:
        verification = journal.verify(session)
        assert verification.whole, verification.breaks
        recorded = len(session.exec(select(Order.id)).all())
    return Tally(rounds, len(_acknowledged(files)), recorded, verification.records)


def check(database: Database, files: list[Path]) -> None:
    """Every acknowledged order stands under its id, none twice, and the books agree with the journal."""
    catch_up(database)
    told = _acknowledged(files)
    with database.read() as session:
        rows = session.exec(select(Order.client_order_id, Order.id)).all()
    counts = Counter(name for name, _ in rows)
    assert max(counts.values(), default=1) == 1, "an order stands twice"
    standing = {name: str(identifier) for name, identifier in rows}
    lost = {name for name, identifier in told.items() if standing.get(name) != identifier}
    assert not lost, f"{len(lost)} acknowledged orders are lost: {sorted(lost)[:3]}"
    found = verify(database)
    assert found.whole, found.findings


def _acknowledged(files: list[Path]) -> dict[str, str]:
    """Client order ids and order ids of whole lines: a loader may be killed while it writes one."""
    told: dict[str, str] = {}
    for file in files:
        if file.exists():
            lines = file.read_text().split("\n")[:-1]
            told |= dict(line.split(" ") for line in lines)
    return told


def _start(database: Database, file: Path, number: int, lap: int) -> subprocess.Popen[str]:
    argv = [sys.executable, "-m", "tests.crash.loader", str(file), str(number), str(lap)]
    loader = subprocess.Popen(argv, stdin=subprocess.PIPE, text=True)
    assert loader.stdin is not None
    loader.stdin.write(database.url.render_as_string(hide_password=False) + "\n")
    loader.stdin.flush()
    return loader


def _wait_for_both(files: list[Path], lap: int, loaders: list[subprocess.Popen[str]]) -> None:
    """Until both have placed something in this round: the kill is to come in the middle of a load."""
    deadline = time.monotonic() + 60
    for number, file in enumerate(files):
        while f"{number}-{lap}-" not in (file.read_text() if file.exists() else ""):
            assert loaders[number].poll() is None, f"loader {number} ended by itself"
            assert time.monotonic() < deadline, f"loader {number} placed nothing in a minute"
            time.sleep(0.01)
