"""A wire to a Postgres that can be cut: a TCP proxy that understands just enough to see a COMMIT pass."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

from sqlalchemy.engine import URL, make_url


class Cut(Enum):
    """When the wire is cut: once, at the next COMMIT."""

    NEVER = 0
    BEFORE_COMMIT = 1
    """The server never hears of it."""
    AFTER_COMMIT = 2
    """The server has committed; its answer is swallowed."""
    DURING_COMMIT = 3
    """The server has got it and is still at work."""


class Wire:
    """Passes everything on, until told otherwise. `url` is the database as it looks from this side."""

    def __init__(self, url: URL) -> None:
        self._target = url
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.cut = Cut.NEVER
        self.closed = False
        """No connection passes, those there are were cut: the server is gone for whoever comes this way."""
        self.connections = 0
        here = url.set(
            host="127.0.0.1",
            port=self._server.getsockname()[1],
            query={"sslmode": "disable", "gssencmode": "disable"},
        )
        self.url = here.render_as_string(hide_password=False)
        self._start(self._accept)

    def close(self) -> None:
        """Cut everything; new connections are hung up on."""
        self.closed = True
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _hang_up(each)

    def end(self) -> None:
        """Take the wire down."""
        self.close()
        _hang_up(self._server)
        for thread in self._threads:
            thread.join()
        for each in (*self._open, self._server):
            each.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            if self.closed:
                client.close()
                continue
            server = self._connect()
            with self._lock:
                self._open |= {client, server}
            swallow = threading.Event()
            self._start(self._upstream, client, server, swallow)
            self._start(self._downstream, client, server, swallow)

    def _connect(self) -> socket.socket:
        folder = self._target.query.get("host")
        if isinstance(folder, str):
            found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            found.connect(str(Path(folder) / f".s.PGSQL.{self._target.port or 5432}"))
            return found
        return socket.create_connection((self._target.host or "127.0.0.1", self._target.port or 5432))

    def _upstream(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        with suppress(OSError, EOFError):
            for number, message in enumerate(_messages(client)):
                cut = (
                    self.cut
                    if number and message[:1] == b"Q" and message[5:].startswith(b"COMMIT")
                    else Cut.NEVER
                )
                if cut is not Cut.NEVER:
                    self.cut = Cut.NEVER
                if cut is Cut.BEFORE_COMMIT:
                    break
                if cut is Cut.AFTER_COMMIT:
                    swallow.set()
                server.sendall(message)
                if cut is Cut.DURING_COMMIT:
                    break
        if not swallow.is_set():
            _hang_up(client)
            _hang_up(server)

    def _downstream(self, client: socket.socket, server: socket.socket, swallow: threading.Event) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if swallow.is_set():
                    break
                client.sendall(data)
        _hang_up(client)
        _hang_up(server)


def _messages(client: socket.socket) -> Iterator[bytes]:
    """What a client says, message by message; the first one, of the start, has no type."""
    size = _exactly(client, 4)
    yield size + _exactly(client, struct.unpack("!I", size)[0] - 4)
    while True:
        head = _exactly(client, 5)
        yield head + _exactly(client, struct.unpack("!I", head[1:])[0] - 4)


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = client.recv(size - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def _hang_up(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)


@contextmanager
def wire_to(url: str | URL) -> Iterator[Wire]:
    """A wire to a database, taken down at the end."""
    wire = Wire(make_url(url))
    try:
        yield wire
    finally:
        wire.end()
