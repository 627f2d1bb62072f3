"""A driver that outlives its terminal.

When a terminal is closed, Textual's writing thread dies of the first failed write, its queue fills, and the whole
process hangs in it, with the sniper that the app hosts and all that it holds. Here what is written to a terminal
that is gone is dropped, and the app, which looks at `lost`, takes it as the wish to quit: the runtime ends in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.drivers.linux_driver import LinuxDriver


class LastingFile:
    """A terminal's file whose disappearance is no error."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.lost = False
        """Whether a write has failed."""

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError:
            self.lost = True

    def fileno(self) -> int:
        return int(self._file.fileno())

    def isatty(self) -> bool:
        return bool(self._file.isatty())


class LastingDriver(LinuxDriver):
    """Textual's own driver, but for a terminal that may go away."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.output = LastingFile(self._file)
        lasting: Any = self.output
        self._file = lasting

    @property
    def lost(self) -> bool:
        """Whether the terminal is gone; a hung-up one reads as empty for ever, only writing tells."""
        return self.output.lost

    def run_input_thread(self) -> None:
        try:
            super().run_input_thread()
        except OSError:
            self.output.lost = True
