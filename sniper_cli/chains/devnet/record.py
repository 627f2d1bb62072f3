"""Where the running devnet is: one JSON file in the data folder, written by whoever started it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "devnet.json"


@dataclass(frozen=True, slots=True)
class DevnetRecord:
    """A devnet as it was started: its process, its endpoints, its contracts, its rich accounts."""

    pid: int
    port: int
    http_url: str
    ws_url: str
    chain_id: int
    block_seconds: int
    wrapped: str
    factory: str
    router: str
    accounts: tuple[str, ...]
    state_file: str
    log_file: str
    started_at: str
    owner_pid: int = 0
    """The process that looks after it; SIGTERM to it ends both in order."""
    protocols: tuple[str, ...] = ("uniswap_v2",)
    """Whose contracts stand on it."""

    @property
    def alive(self) -> bool:
        """Whether its process still runs."""
        return process_runs(self.pid)


def record_file(data: Path) -> Path:
    """The record's place in a data folder."""
    return data / FILE_NAME


def read_record(data: Path) -> DevnetRecord | None:
    """The record, if a devnet was started from this home; a damaged one counts as none."""
    try:
        content = json.loads(record_file(data).read_text())
        lists = {"accounts": tuple(content["accounts"])}
        if "protocols" in content:
            lists["protocols"] = tuple(content["protocols"])
        return DevnetRecord(**{**content, **lists})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_record(data: Path, record: DevnetRecord) -> None:
    """Write the record whole or not at all."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = data / f".{FILE_NAME}.{os.getpid()}"
    partial.write_text(json.dumps(asdict(record), indent=2) + "\n")
    partial.chmod(0o600)
    partial.replace(record_file(data))


def remove_record(data: Path) -> None:
    """Forget the devnet, after it has been stopped."""
    record_file(data).unlink(missing_ok=True)


def process_runs(pid: int) -> bool:
    """Whether a process of that id runs and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return True
