"""A devnet for a home: its chain, its record, and the process that looks after both.

Whoever starts a devnet looks after it: the command in the foreground, or this module as a process of its own in the
background (`python -m sniper_cli.chains.devnet.service`). If that process dies, anvil ends with it and keeps its state.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sniper_cli.chains.devnet.anvil import DEVNET_CHAIN_ID, Anvil
from sniper_cli.chains.devnet.deploy import deploy_exchanges
from sniper_cli.chains.devnet.record import (
    DevnetRecord,
    process_runs,
    read_record,
    record_file,
    remove_record,
    write_record,
)
from sniper_cli.chains.devnet.state_file import is_locked
from sniper_cli.chains.node import Node
from sniper_cli.errors import ConfigurationError, DevnetBusy, NetworkError, SniperError
from sniper_cli.settings.paths import Paths, home_paths

STATE_NAME = "anvil-state.json"
LOG_NAME = "anvil.log"
SERVICE_LOG_NAME = "devnet.log"
DEFAULT_PORT = 8545
MNEMONIC = "test test test test test test test test test test test junk"
DUMP_SECONDS = 5
"""A devnet may run for days and its dumps grow: they stop it for 20 ms at 1 MB and for 190 at 20."""
STOP_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class DevnetOptions:
    """How a devnet is started."""

    port: int = DEFAULT_PORT
    block_seconds: int = 1
    fresh: bool = False

    @property
    def arguments(self) -> list[str]:
        """As this module takes them on its command line."""
        given = ["--port", str(self.port), "--block-seconds", str(self.block_seconds)]
        return [*given, "--fresh"] if self.fresh else given


def state_file(paths: Paths) -> Path:
    """Where a home keeps its chain; the demo's kept homes use the same."""
    return paths.data / STATE_NAME


def running_record(paths: Paths) -> DevnetRecord | None:
    """The devnet that runs in this home."""
    record = read_record(paths.data)
    return record if record is not None and is_locked(Path(record.state_file)) else None


def require_stopped(paths: Paths) -> None:
    """Raise DevnetBusy where a devnet runs in this home."""
    if (record := running_record(paths)) is not None:
        raise DevnetBusy(
            f"a devnet runs in this home already, at {record.http_url}",
            hint="sniper devnet stop",
            pid=record.pid,
        )


@asynccontextmanager
async def devnet(paths: Paths, options: DevnetOptions) -> AsyncIterator[tuple[Anvil, DevnetRecord]]:
    """A running devnet with its exchange and its record; all gone at the end but the chain's state."""
    require_stopped(paths)
    process = Anvil(
        options.port,
        block_seconds=options.block_seconds,
        state_file=state_file(paths),
        dump_seconds=DUMP_SECONDS,
        fresh=options.fresh,
        log_file=paths.state / LOG_NAME,
    )
    async with process:
        async with Node(process.http_url) as node:
            exchanges = await deploy_exchanges(node)
            exchange = exchanges.listed[0]
            accounts = await node.call("eth_accounts")
        record = DevnetRecord(
            pid=process.pid,
            port=process.port,
            http_url=process.http_url,
            ws_url=process.ws_url,
            chain_id=DEVNET_CHAIN_ID,
            block_seconds=options.block_seconds,
            wrapped=exchange.wrapped,
            factory=exchange.factory,
            router=exchange.router,
            accounts=tuple(accounts),
            state_file=str(state_file(paths)),
            log_file=str(paths.state / LOG_NAME),
            started_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            owner_pid=os.getpid(),
            protocols=tuple(each.protocol.value for each in exchanges.listed),
        )
        write_record(paths.data, record)
        try:
            yield process, record
        finally:
            remove_record(paths.data)


async def look_after(process: Anvil, stop: asyncio.Event) -> None:
    """Return when told to stop. Raises NetworkError where anvil ends by itself."""
    while not stop.is_set():
        if not process.running:
            raise NetworkError(
                f"anvil ended; its log: {process.log_file}", hint="sniper devnet start --detach"
            )
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGINT, SIGTERM and a closed terminal end the devnet in order."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)


def detach(paths: Paths, options: DevnetOptions) -> DevnetRecord:
    """Start a devnet in the background and return when it is ready. Raises what its start raised."""
    require_stopped(paths)
    paths.ensure()
    command = [sys.executable, "-m", "sniper_cli.chains.devnet.service", *options.arguments]
    with (paths.state / SERVICE_LOG_NAME).open("ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, start_new_session=True
        )
    assert process.stdout is not None
    with process.stdout:
        said = process.stdout.readline()  # its one line, or nothing when it ended
    answer: dict[str, Any] = json.loads(said or b"{}")
    if "error" in answer:
        raise _as_raised(answer["error"])
    record = read_record(paths.data)
    if not answer.get("ready") or record is None:
        raise ConfigurationError(
            f"the devnet did not start; its log: {paths.state / SERVICE_LOG_NAME}", hint="sniper devnet start"
        )
    return record


def stop_devnet(paths: Paths) -> DevnetRecord | None:
    """End the devnet of this home, whoever started it, and return its record; none if none runs."""
    record = running_record(paths)
    if record is None:
        remove_record(paths.data)
        return None
    owner = record.owner_pid if record.owner_pid and process_runs(record.owner_pid) else record.pid
    _signal(owner, signal.SIGTERM)
    state, deadline = Path(record.state_file), time.monotonic() + STOP_SECONDS
    while is_locked(state):
        if time.monotonic() > deadline:
            for pid in (owner, record.pid):
                _signal(pid, signal.SIGKILL)
            break
        time.sleep(0.05)
    while record_file(paths.data).exists() and process_runs(owner) and time.monotonic() < deadline:
        time.sleep(0.02)
    remove_record(paths.data)
    return record


def block_of(record: DevnetRecord) -> int:
    """The number of a devnet's newest block. Raises NodeTimeout for one that is frozen."""

    async def ask() -> int:
        async with Node(record.http_url) as node:
            return (await node.head()).number

    return asyncio.run(ask())


def known_keys(count: int) -> tuple[str, ...]:
    """The private keys of anvil's accounts, from the mnemonic that every anvil has and everybody knows."""
    from eth_account import Account

    Account.enable_unaudited_hdwallet_features()
    paths = (f"m/44'/60'/0'/0/{index}" for index in range(count))
    return tuple(Account.from_mnemonic(MNEMONIC, account_path=path).key.to_0x_hex() for path in paths)


def main(arguments: Sequence[str] | None = None) -> int:
    """The process in the background: one line on stdout when it is ready, or why it is not; then silence."""
    parser = argparse.ArgumentParser(prog="python -m sniper_cli.chains.devnet.service")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT)
    parser.add_argument("--block-seconds", type=int, default=1)
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args(arguments)
    try:
        asyncio.run(_serve(DevnetOptions(given.port, given.block_seconds, given.fresh)))
    except SniperError as error:
        _answer({"error": {"type": type(error).__name__, "message": error.message, "hint": error.hint}})
        print(f"devnet: {error.message}", file=sys.stderr)  # noqa: T201 - its log
        return int(error.exit)
    return 0


async def _serve(options: DevnetOptions) -> None:
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with devnet(home_paths().ensure(), options) as (process, _):
        _answer({"ready": True})
        await look_after(process, stop)


def _answer(line: dict[str, Any]) -> None:
    """Tell the command that started us, once; afterwards nobody reads."""
    if sys.stdout.closed:
        return
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.close()


def _as_raised(told: dict[str, Any]) -> SniperError:
    import sniper_cli.errors

    kind = getattr(sniper_cli.errors, str(told["type"]), NetworkError)
    raised: SniperError = kind(told["message"], hint=told["hint"])
    return raised


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


if __name__ == "__main__":
    sys.exit(main())
