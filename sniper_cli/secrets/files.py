"""Files that hold secrets: never readable by others, never half written, never overwritten by accident."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from sniper_cli.errors import ConfigurationError, NotAllowed

NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
"""What filesystems without hard links (exFAT, some mounts of containers) say to one."""

OTHERS = 0o077
"""Permission bits of the group and of everybody."""


def write_new(path: Path, content: bytes) -> None:
    """Create a file, whole or not at all; one that exists is left as it is.

    A link in place of a rename: a rename would silently take the place of a key that is already there.

    Raises FileExistsError, ConfigurationError.
    """
    with _beside(path, content) as temporary:
        try:
            os.link(temporary, path)
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            # Take the name first, with an empty file that only we can have made; then fill it in one step.
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            temporary.rename(path)
    _sync_folder(path.parent)


def replace(path: Path, content: bytes) -> None:
    """Put new content in a file's place, whole or not at all.

    Raises ConfigurationError.
    """
    with _beside(path, content) as temporary:
        temporary.rename(path)
    _sync_folder(path.parent)


@contextlib.contextmanager
def _beside(path: Path, content: bytes) -> Iterator[Path]:
    """A synced file of mode 0600 with the content, in the same folder; gone afterwards."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            yield temporary
        finally:
            temporary.unlink(missing_ok=True)
    except FileExistsError:
        raise
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}", hint="sniper doctor", path=str(path)
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path, *, refused: int = OTHERS) -> bytes | None:
    """A secret file's bytes, None if there is none. One with any of the `refused` permission bits is not read.

    Raises NotAllowed, ConfigurationError.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & refused:
                raise NotAllowed(
                    f"{path} can be read by others (mode {mode & 0o777:04o}), so it is not used",
                    hint=f"chmod 600 {path}",
                    path=str(path),
                )
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error.strerror}", hint=f"ls -l {path}", path=str(path)
        ) from error


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold `path` with a lock file beside it, so that two processes do not undo each other's change."""
    import fcntl

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
