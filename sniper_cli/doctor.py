"""Checks everything Sniper stands on. Each check says ok, warn, fail or skipped, why, and the command that repairs it.

A check that cannot be made is a finding, not a crash: the doctor is called when things are broken.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sniper_cli.context import open_database
from sniper_cli.errors import NetworkError, SniperError, WrongChain
from sniper_cli.settings import load
from sniper_cli.settings.paths import Paths, home_paths

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head
    from sniper_cli.settings.loading import Resolved

OLDEST_PYTHON = (3, 11)
PACKAGES = ("sniper_cli", "commands", "tui", "state")
LEAST_FREE = 500 * 1024 * 1024
"""Bytes: a day of a busy chain's launches and its journal stay well below."""
SKEW_SECONDS = 15
"""Chain time ahead of ours by more: our clock is late, and deadlines in our transactions are wrong."""
STALE_BLOCKS = 20
GROUP_AND_OTHERS = 0o077
REPAIRS = {"database": "sniper config get database_url"}


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    status: Status
    detail: str
    repair: str | None = None


class DoctorFoundTrouble(SniperError):
    """At least one check failed."""

    code = "unhealthy"


def examine(profile: str | None = None, *, offline: bool = False) -> Iterator[Check]:
    """All checks, in the order in which one thing rests on another."""
    paths = home_paths()
    yield _python()
    yield _packages()
    yield from _home(paths)
    yield _disk(paths)
    resolved = None
    try:
        resolved = load(profile)
        yield Check("configuration", Status.OK, f"profile {resolved.name} ({resolved.settings.mode})")
    except SniperError as error:
        yield Check("configuration", Status.FAIL, error.message, error.hint)
    if resolved is None:
        return
    yield _guarded("database", lambda: _database(resolved, paths))
    yield _guarded("secret stores", lambda: _secrets(resolved, paths))
    yield _guarded("wallet", lambda: _wallet(resolved, paths))
    yield _guarded("local chain", lambda: _devnet(resolved))
    yield from _chain(resolved, paths, offline=offline)


def require_health(checks: list[Check]) -> None:
    """Raise DoctorFoundTrouble if a check failed."""
    failed = [check for check in checks if check.status is Status.FAIL]
    if failed:
        raise DoctorFoundTrouble(
            f"{len(failed)} of {len(checks)} checks failed: {', '.join(check.name for check in failed)}",
            hint=next((check.repair for check in failed if check.repair), None),
        )


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except SniperError as error:
        # Errors send people here; here they are sent on.
        repair = REPAIRS.get(name) if error.hint == "sniper doctor" else error.hint
        return Check(name, Status.FAIL, error.message, repair)
    except OSError as error:
        return Check(name, Status.FAIL, str(error), "sniper config path")


def _python() -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", Status.FAIL, f"{version} is too old", "uv python install 3.12")
    return Check("python", Status.OK, f"{version} at {sys.executable}")


def _packages() -> Check:
    """All four stand beside each other: `state` and `tui` are names that another distribution could take."""
    ours = Path(__file__).resolve().parent.parent
    strangers = []
    for name in PACKAGES:
        spec = find_spec(name)
        places = [Path(place).resolve() for place in (spec.submodule_search_locations or ())] if spec else []
        if ours / name not in places[:1]:
            strangers.append(f"{name} comes from {places[0] if places else 'nowhere'}")
    if strangers:
        return Check("packages", Status.FAIL, "; ".join(strangers), "uv tool install --force sniper-cli")
    return Check("packages", Status.OK, f"beside each other in {ours}")


def _home(paths: Paths) -> Iterator[Check]:
    missing = [folder for folder in paths.folders if not folder.is_dir()]
    if missing:
        yield Check("home", Status.FAIL, f"{missing[0]} is missing", "sniper init")
        return
    locked = [folder for folder in paths.folders if not os.access(folder, os.W_OK | os.X_OK)]
    if locked:
        yield Check("home", Status.FAIL, f"{locked[0]} cannot be written", f"chmod u+rwx {locked[0]}")
        return
    open_ = [path for path in _private_places(paths) if stat.S_IMODE(path.stat().st_mode) & GROUP_AND_OTHERS]
    if open_:
        mode = "700" if open_[0].is_dir() else "600"
        yield Check("home", Status.WARN, f"{open_[0]} is open to other users", f"chmod {mode} {open_[0]}")
        return
    yield Check("home", Status.OK, str(paths.config_file.parent))


def _private_places(paths: Paths) -> list[Path]:
    files = [paths.config_file, paths.database_file, *paths.wallets.glob("*.json")]
    return [*paths.folders, *(file for file in files if file.exists())]


def _disk(paths: Paths) -> Check:
    place = paths.data
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    text = f"{free // 2**20} MiB free on the disk of {place}"
    if free < LEAST_FREE:
        return Check("disk space", Status.WARN, text, f"du -sh {place}")
    return Check("disk space", Status.OK, text)


def _database(resolved: Resolved, paths: Paths) -> Check:
    from state.database import count_rows
    from state.journal import JournalRecord
    from state.schema import require_current

    with open_database(resolved, paths) as database:
        require_current(database)
        with database.write() as session:  # a read-only disk shows only when one writes
            records = count_rows(session, JournalRecord)
            session.rollback()
        return Check("database", Status.OK, f"{database.display_url}, {records} records in the journal")


def _secrets(resolved: Resolved, paths: Paths) -> Check:
    from sniper_cli.secrets.stores import open_stores

    obstacles = {}
    usable = []
    for store in open_stores(resolved.settings.secrets, paths.data):
        obstacle = store.obstacle()
        if obstacle is None:
            usable.append(store.name)
        else:
            obstacles[store.name] = obstacle
    if not usable:
        said = "; ".join(f"{name}: {why}" for name, why in obstacles.items())
        return Check("secret stores", Status.WARN, f"none is usable: {said}", "sniper wallet status")
    rest = f"; not usable: {', '.join(obstacles)}" if obstacles else ""
    return Check("secret stores", Status.OK, f"usable: {', '.join(usable)}{rest}")


def _wallet(resolved: Resolved, paths: Paths) -> Check:
    from sniper_cli.secrets.wallets import find_wallet

    name = resolved.settings.wallet
    if not name:
        if resolved.settings.mode == "live":
            return Check(
                "wallet", Status.WARN, "the profile names no wallet to sign with", "sniper wallet create main"
            )
        return Check("wallet", Status.SKIPPED, "the profile needs none")
    names = dict.fromkeys((name, *resolved.settings.sniping.wallets))
    found = [find_wallet(paths, each) for each in names]
    return Check("wallet", Status.OK, ", ".join(f"{wallet.name} ({wallet.address})" for wallet in found))


def _devnet(resolved: Resolved) -> Check:
    from sniper_cli.chains.devnet.install import installation, missing_packages

    missing = missing_packages()
    if missing:
        names = ", ".join(package.spec for package in missing)
        status = Status.FAIL if resolved.settings.mode == "devnet" else Status.WARN
        return Check("local chain", status, f"not installed: {names}", "sniper devnet install")
    return Check("local chain", Status.OK, f"installed: {installation().anvil}")


def _chain(resolved: Resolved, paths: Paths, *, offline: bool) -> Iterator[Check]:
    """The node: does it answer, is it the right chain, do its clock and ours agree?"""
    settings = resolved.settings
    if settings.mode == "paper":
        yield Check("node", Status.SKIPPED, "a paper profile has no chain")
        return
    if offline:
        yield Check("node", Status.SKIPPED, "--offline")
        return
    repair = (
        "sniper devnet start --detach" if settings.mode == "devnet" else "sniper config get chain.rpc_url"
    )
    try:
        url, head = asyncio.run(_ask_node(resolved, paths))
    except WrongChain as error:
        yield Check("node", Status.FAIL, error.message, "sniper config get chain.chain_id")
        return
    except NetworkError as error:
        yield Check("node", Status.FAIL, error.message, repair)
        return
    except SniperError as error:
        yield Check("node", Status.FAIL, error.message, error.hint or repair)
        return
    yield Check("node", Status.OK, f"{url} serves chain {settings.chain.chain_id}, head {head.number}")
    yield clock_check(head.timestamp, datetime.now(UTC).timestamp(), float(settings.chain.block_seconds))


async def _ask_node(resolved: Resolved, paths: Paths) -> tuple[str, Head]:
    from sniper_cli.endpoints.assembly import nodes_from

    async with nodes_from(resolved, paths) as node:
        await node.check_chain(resolved.settings.chain.chain_id)
        return node.shown, await node.head()


def clock_check(head_time: int, our_time: float, block_seconds: float) -> Check:
    """Our clock against the chain head's."""
    ahead = head_time - our_time
    if ahead > SKEW_SECONDS:
        return Check(
            "clock", Status.WARN, f"the chain is {ahead:.0f} s ahead of this machine", "timedatectl status"
        )
    behind = -ahead
    if behind > SKEW_SECONDS + STALE_BLOCKS * block_seconds:
        return Check(
            "clock",
            Status.WARN,
            f"the chain's head is {behind:.0f} s old: the node lags, or our clock is fast",
            "timedatectl status",
        )
    return Check("clock", Status.OK, f"{abs(ahead):.0f} s from the chain's head")
