"""Guards the file that anvil keeps its chain in.

anvil overwrites the file in place (on SIGTERM, and every few seconds), so a `kill -9` in that moment leaves half of
it: the last whole dump is kept beside it and takes its place. A lock, inherited by anvil, lives as long as either
process does: nobody loads a state that a dying anvil still writes, and no two chains share one.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import time
from pathlib import Path

from sniper_cli.errors import DevnetBusy

LOCK_SECONDS = 10.0
"""How long an anvil that is ending may take to write its state."""


async def lock_state(state_file: Path) -> int:
    """Take the state's lock and return its descriptor; waits for an anvil that is just ending. Raises DevnetBusy."""
    lock = os.open(state_file.with_name(state_file.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                os.close(lock)
                raise DevnetBusy(f"another devnet runs on {state_file}", hint="sniper devnet stop") from error
        else:
            return lock
        await asyncio.sleep(0.05)


def is_locked(state_file: Path) -> bool:
    """Whether a chain runs on this state. Takes no lock that another would have to wait for."""
    try:
        lock = os.open(state_file.with_name(state_file.name + ".lock"), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def copy_state(state_file: Path) -> bool:
    """Keep a copy of a whole dump beside it; false where there is none, or it is not whole just now."""
    try:
        content = state_file.read_bytes()
    except FileNotFoundError:
        return False
    if not is_whole(content):
        return False
    partial = copy_of(state_file).with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(copy_of(state_file))
    return True


def restore_state(state_file: Path) -> bool:
    """Put the kept copy in place of a dump that was cut off; without a copy the stump goes. True where it had to."""
    try:
        if is_whole(state_file.read_bytes()):
            return False
    except FileNotFoundError:
        pass
    copy = copy_of(state_file)
    if copy.is_file():
        copy.replace(state_file)
        return True
    state_file.unlink(missing_ok=True)
    return False


def forget_state(state_file: Path) -> None:
    """Begin anew: neither the dump nor its copy remains."""
    state_file.unlink(missing_ok=True)
    copy_of(state_file).unlink(missing_ok=True)


def copy_of(state_file: Path) -> Path:
    """Where the last whole dump is kept."""
    return state_file.with_name(state_file.name + ".whole")


def is_whole(content: bytes) -> bool:
    """Whether a dump reaches its end: every brace that opens closes.

    Counting holds the interpreter for 1 ms at 5 MB where parsing would hold it for 60; no string in a dump has braces.
    """
    return content[:1] == b"{" and content.count(b"{") == content.count(b"}")
