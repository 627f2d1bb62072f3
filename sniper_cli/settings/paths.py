"""Where Sniper keeps its files: the platform's own folders, or all of them under `SNIPER_HOME`.

Folders are made 0700 and files 0600, because keys and trades lie in them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from errno import ENOTDIR
from pathlib import Path

from sniper_cli.errors import ConfigurationError

FOLDER_MODE = 0o700
FILE_MODE = 0o600


@dataclass(frozen=True, slots=True)
class Paths:
    """Every place Sniper writes to."""

    config_file: Path
    data: Path
    state: Path
    cache: Path
    wallets: Path
    devnet: Path
    """The local chain's programs: shared by all homes, so that a throw-away home downloads nothing."""

    @property
    def database_file(self) -> Path:
        """The database of a profile that names none."""
        return self.data / "sniper.db"

    @property
    def folders(self) -> tuple[Path, ...]:
        return (self.config_file.parent, self.data, self.state, self.cache, self.wallets)

    def ensure(self) -> Paths:
        """Make the folders that are missing, each only for its owner."""
        for folder in self.folders:
            make_private_folder(folder)
        return self


def home_paths() -> Paths:
    """The folders of this user, or of `SNIPER_HOME`. Makes nothing."""
    devnet = os.environ.get("SNIPER_DEVNET_DIR")
    home = os.environ.get("SNIPER_HOME")
    if home and devnet:
        return _under(Path(home).expanduser().absolute(), Path(devnet).expanduser().absolute())

    from platformdirs import PlatformDirs

    folders = PlatformDirs("sniper", appauthor=False)
    programs = Path(devnet).expanduser().absolute() if devnet else folders.user_cache_path / "devnet"
    if home:
        return _under(Path(home).expanduser().absolute(), programs)
    data = folders.user_data_path
    return Paths(
        config_file=folders.user_config_path / "config.toml",
        data=data,
        state=folders.user_state_path,
        cache=folders.user_cache_path,
        wallets=data / "wallets",
        devnet=programs,
    )


def _under(home: Path, devnet: Path) -> Paths:
    return Paths(
        config_file=home / "config.toml",
        data=home / "data",
        state=home / "state",
        cache=home / "cache",
        wallets=home / "wallets",
        devnet=devnet,
    )


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those missing above it, 0700; one that is there keeps its mode (the doctor looks at it).

    Raises ConfigurationError.
    """
    if folder.is_dir():
        return
    try:
        for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
            missing.mkdir(mode=FOLDER_MODE, exist_ok=True)
        if not folder.is_dir():
            raise NotADirectoryError(ENOTDIR, "a file has this name")
    except OSError as error:
        raise ConfigurationError(
            f"the folder {folder} cannot be made: {error.strerror}",
            hint="SNIPER_HOME=/a/writable/folder sniper init",
        ) from error


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only."""
    make_private_folder(path.parent)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, FILE_MODE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
