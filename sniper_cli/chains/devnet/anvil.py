"""Runs one anvil on loopback, and leaves none behind.

- Port 0 lets the system choose; which port it became stands in anvil's log. Nobody else can take it in between.
- anvil gets a session of its own: a Ctrl-C in the terminal reaches Sniper, which may still need the chain.
- On Linux the kernel sends anvil SIGTERM when its parent dies, however it dies (PR_SET_PDEATHSIG). It is set by a
  small launcher that then becomes anvil, not by `preexec_fn`, which can deadlock in a program with threads. The
  trap: "parent" is the *thread* that started it, so start an Anvil from a thread that lives as long as the chain
  shall. macOS has no such signal: there an anvil may outlive its parent. It still holds the lock on its state, so
  `sniper devnet start` refuses with DevnetBusy until `sniper devnet stop` has ended it.
- With a state file the chain continues after a restart: blocks, receipts, nonces and logs are the same, only calls
  at old blocks are gone. (`--preserve-historical-states` would keep those at 130 kB a block; a plain dump takes 16.)
  While it dumps, anvil answers nobody: 20 ms at 1 MB, 90 at 5, 190 at 20.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sniper_cli.chains.devnet.install import installation
from sniper_cli.chains.devnet.state_file import copy_state, forget_state, lock_state, restore_state
from sniper_cli.chains.node import Node
from sniper_cli.errors import ConfigurationError, NetworkError

DEVNET_CHAIN_ID = 31337
START_SECONDS = 20.0
STOP_SECONDS = 10.0
COPY_SECONDS = 5.0
"""How often the last whole dump is copied."""

LAUNCHER = """\
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""


class Anvil:
    """One anvil process. `block_seconds=0` mines each transaction at once."""

    def __init__(
        self,
        port: int = 0,
        *,
        block_seconds: int = 1,
        state_file: Path | None = None,
        dump_seconds: int = 1,
        fresh: bool = False,
        chain_id: int = DEVNET_CHAIN_ID,
        log_file: Path | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.port = port
        self.block_seconds = block_seconds
        self.state_file = state_file
        self.dump_seconds = dump_seconds
        self._fresh = fresh
        self.chain_id = chain_id
        self.log_file = log_file
        self._arguments = tuple(arguments)
        self._process: subprocess.Popen[bytes] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._lock: int | None = None

    @property
    def http_url(self) -> str:
        """Where it answers JSON-RPC."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self) -> str:
        """Where it offers subscriptions."""
        return f"ws://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        if self._process is None:
            raise RuntimeError("this anvil has not been started")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start it and wait until it answers. Raises DevnetMissing, or ConfigurationError where it ends at once."""
        binary = installation().anvil
        try:
            if self.state_file is not None:
                self.state_file.parent.mkdir(parents=True, exist_ok=True)
                self._lock = await lock_state(self.state_file)
                (forget_state if self._fresh else restore_state)(self.state_file)
            self._process = spawn(self._command(binary), self._opened_log(), self._lock)
            await self._wait_until_ready()
        except BaseException:
            await self.stop()
            raise
        if self.state_file is not None:
            self._keeper = asyncio.create_task(self._keep_copies(self.state_file))

    async def stop(self) -> None:
        """End it by SIGTERM, on which it writes its state; by SIGKILL if it does not."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        process, self._process = self._process, None
        if process is not None:
            await asyncio.to_thread(end_process, process)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch, self.log_file = None, None

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it stop answering without closing anything (SIGSTOP)."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitpid(self.pid, os.WUNTRACED)  # the last of its threads may answer for a moment more

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        os.kill(self.pid, signal.SIGCONT)

    def _command(self, binary: Path) -> list[str]:
        command = [
            str(binary),
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--chain-id",
            str(self.chain_id),
        ]
        command += ["--order", "fees"]
        # Else every state older than the last 500 (1,500 at short block times) goes to a file of half a megabyte under
        # the home folder, and stays there when anvil is told to end: 70 GB were found on one machine.
        command += ["--max-persisted-states", "0"]
        if self.block_seconds:
            command += ["--block-time", str(self.block_seconds)]
        if self.state_file is not None:
            command += ["--state", str(self.state_file), "--state-interval", str(self.dump_seconds)]
        command += self._arguments
        if sys.platform == "linux":
            return [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *command]
        return command

    async def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while (port := self._announced_port()) is None:
            if not self.running:
                raise ConfigurationError(
                    f"anvil ended at once: {self._last_words()}", hint="sniper devnet start --port 0"
                )
            if time.monotonic() > deadline:
                raise NetworkError(
                    f"anvil did not start within {START_SECONDS:g} s", hint="sniper devnet start"
                )
            await asyncio.sleep(0.005)
        self.port = port
        async with Node(self.http_url) as node:
            await node.check_chain(self.chain_id)
            # One line a call would fill the disk of a devnet that runs for days.
            await node.call("anvil_setLoggingEnabled", [False])
            if self.block_seconds and self.state_file is not None:
                # A chain that slept would else go on from its old clock, one second a block, and never catch up.
                await node.call("anvil_setTime", [int(time.time())])

    def _opened_log(self) -> Path:
        """Where anvil writes what it says: anvil names its port there, so there is always one."""
        if self.log_file is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="sniper-anvil-")
            self.log_file = Path(self._scratch.name) / "anvil.log"
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        return self.log_file

    def _announced_port(self) -> int | None:
        found = re.search(r"Listening on [\d.]+:(\d+)", self._log())
        return int(found[1]) if found else None

    def _log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file is not None else ""

    def _last_words(self) -> str:
        lines = [line for line in self._log().splitlines() if line.strip()]
        said = next(
            (line for line in lines if "error" in line.lower()), lines[-1] if lines else "it said nothing"
        )
        return said.strip()

    async def _keep_copies(self, state_file: Path) -> None:
        while True:
            await asyncio.sleep(COPY_SECONDS)
            await asyncio.to_thread(copy_state, state_file)


def spawn(command: Sequence[str], log_file: Path, lock: int | None = None) -> subprocess.Popen[bytes]:
    """Start a process in a session of its own, which writes what it says into a file and shares our lock."""
    with log_file.open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=() if lock is None else (lock,),
        )


def end_process(process: subprocess.Popen[bytes], seconds: float = STOP_SECONDS) -> None:
    """SIGTERM, and SIGKILL where that is not enough; a stopped process is woken to hear it."""
    if process.poll() is None:
        process.terminate()
        process.send_signal(signal.SIGCONT)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
