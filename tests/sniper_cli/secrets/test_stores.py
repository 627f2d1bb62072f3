"""Secrets are found in the settings' order, kept only where they were told to be, and never shown."""

from __future__ import annotations

import json
import os
import pickle
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as FailingKeyring

from sniper_cli.errors import ConfigurationError, NotAllowed, SecretMissing, UsageProblem, WrongPassphrase
from sniper_cli.secrets.encrypted import EncryptedStore
from sniper_cli.secrets.secret import Secret
from sniper_cli.secrets.stores import find_secret, open_store, search, store_secret
from sniper_cli.settings.model import SecretSettings

SHOWN = "correct horse battery staple"


class MemoryKeyring(KeyringBackend):
    """A keyring service like a desktop's, held in memory."""

    priority = 5  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.held: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.held.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.held[service, username] = password


class WeakKeyring(MemoryKeyring):
    """Like those of keyrings.alt: chosen only for want of anything better."""

    priority = 0.6  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        raise AssertionError("it would have prompted")


@pytest.fixture
def installed() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


@pytest.fixture
def no_keyring() -> Iterator[None]:
    before = keyring.get_keyring()
    keyring.set_keyring(FailingKeyring())
    yield
    keyring.set_keyring(before)


def folder_with(tmp_path: Path, name: str, text: str, mode: int = 0o600) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    (folder / name).chmod(mode)
    return folder


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret(SHOWN)
    assert SHOWN not in f"{secret} {secret!r} {secret:>40} {[secret]}"
    assert secret.reveal() == SHOWN
    assert secret == Secret(SHOWN)
    assert secret != SHOWN
    with pytest.raises(TypeError, match="not written"):
        pickle.dumps(secret)


def test_the_first_store_of_the_settings_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_keyring: None
) -> None:
    monkeypatch.setenv("SNIPER_SECRET__WALLET_MAIN", "from the environment")
    folder = folder_with(tmp_path, "wallet_main", "from a file\n")
    settings = SecretSettings(directory=str(folder))
    found = find_secret(settings, tmp_path, "wallet_main")
    assert (found.store, found.secret.reveal()) == ("environment", "from the environment")
    turned = SecretSettings(directory=str(folder), stores=("file", "environment"))
    found = find_secret(turned, tmp_path, "wallet_main")
    assert (found.store, found.secret.reveal()) == ("file", "from a file")


def test_a_missing_secret_names_every_store_that_was_tried(tmp_path: Path, no_keyring: None) -> None:
    with pytest.raises(SecretMissing) as raised:
        find_secret(SecretSettings(), tmp_path, "wallet_main")
    assert list(raised.value.details["tried"]) == ["environment", "file", "command", "keyring", "encrypted"]
    assert raised.value.hint == "sniper wallet status"


def test_a_store_that_does_not_exist_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no secret store 'vault'"):
        find_secret(SecretSettings(stores=("vault",)), tmp_path, "wallet_main")


@pytest.mark.parametrize("name", ["../wallet", "a/b", "", "UPPER", "x" * 65, "a b", ".hidden", "-x"])
def test_a_name_that_could_leave_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageProblem):
        find_secret(SecretSettings(stores=("file",), directory=str(tmp_path)), tmp_path, name)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    folder = folder_with(tmp_path, "wallet_main", SHOWN, mode)
    with pytest.raises(NotAllowed) as raised:
        find_secret(SecretSettings(stores=("file",), directory=str(folder)), tmp_path, "wallet_main")
    assert raised.value.hint == f"chmod 600 {folder / 'wallet_main'}"
    assert SHOWN not in str(raised.value)


def test_systemds_credentials_are_read_with_the_group_bits_of_their_acl(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder_with(tmp_path, "wallet_main", SHOWN, 0o440)))
    found = find_secret(SecretSettings(stores=("file",)), tmp_path, "wallet_main")
    assert found.secret.reveal() == SHOWN


def test_only_one_line_break_at_the_end_is_not_part_of_the_secret(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "wallet_main", " two lines \n\n")
    found = find_secret(SecretSettings(stores=("file",), directory=str(folder)), tmp_path, "wallet_main")
    assert found.secret.reveal() == " two lines \n"


def test_a_secret_stored_in_a_file_is_only_its_owners(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    settings = SecretSettings(stores=("file",), directory=str(folder))
    store_secret(settings, tmp_path, "wallet_main", Secret(SHOWN), store="file")
    assert stat.S_IMODE((folder / "wallet_main").stat().st_mode) == 0o600
    assert find_secret(settings, tmp_path, "wallet_main").secret.reveal() == SHOWN
    assert os.listdir(folder) == ["wallet_main"]


def test_a_command_answers_without_a_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_SECRETS_PASSPHRASE", SHOWN)
    script = tmp_path / "manager.py"
    script.write_text(
        "import os, sys\n"
        "assert not [name for name in os.environ if name.startswith('SNIPER_SECRET')]\n"
        "assert sys.argv[1:] == ['show', 'sniper/wallet_main', '$HOME;id'], sys.argv\n"
        "print('hunter2 hunter2')\nprint('url: https://…')\n"
    )
    settings = SecretSettings(
        stores=("command",), command=f"{sys.executable} {script} show sniper/{{name}} '$HOME;id'"
    )
    found = find_secret(settings, tmp_path, "wallet_main")
    assert found.secret.reveal() == "hunter2 hunter2"


def test_a_command_that_fails_holds_nothing(tmp_path: Path) -> None:
    settings = SecretSettings(stores=("command",), command="false {name}")
    with pytest.raises(SecretMissing):
        find_secret(settings, tmp_path, "wallet_main")


def test_a_command_that_is_not_installed_says_so(tmp_path: Path) -> None:
    settings = SecretSettings(stores=("command",), command="no-such-manager show {name}")
    with pytest.raises(ConfigurationError, match="'no-such-manager', which is not installed"):
        find_secret(settings, tmp_path, "wallet_main")


def test_the_keyring_keeps_and_answers(installed: MemoryKeyring, tmp_path: Path) -> None:
    store_secret(SecretSettings(), tmp_path, "wallet_main", Secret(SHOWN), store="keyring")
    assert installed.held == {("sniper", "wallet_main"): SHOWN}
    assert find_secret(SecretSettings(), tmp_path, "wallet_main").store == "keyring"


def test_a_keyring_that_would_prompt_is_never_asked(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(WeakKeyring())
    try:
        assert search([open_store("keyring", SecretSettings(), tmp_path)], "wallet_main") is None
        with pytest.raises(NotAllowed, match=r"no keyring service that can be trusted \(.*WeakKeyring\)"):
            store_secret(SecretSettings(), tmp_path, "wallet_main", Secret(SHOWN), store="keyring")
    finally:
        keyring.set_keyring(before)


def test_a_real_keyring_is_taken_out_of_a_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from keyring.backends.chainer import ChainerBackend

    real, weak = MemoryKeyring(), WeakKeyring()
    monkeypatch.setattr(ChainerBackend, "backends", [weak, real])
    before = keyring.get_keyring()
    keyring.set_keyring(ChainerBackend())
    try:
        store_secret(SecretSettings(), tmp_path, "wallet_main", Secret(SHOWN), store="keyring")
        assert real.held
        assert find_secret(SecretSettings(), tmp_path, "wallet_main").secret.reveal() == SHOWN
    finally:
        keyring.set_keyring(before)


def test_a_store_that_sniper_only_reads_says_so(tmp_path: Path) -> None:
    for store in ("environment", "command"):
        with pytest.raises(UsageProblem, match="only read"):
            store_secret(SecretSettings(command="pass"), tmp_path, "wallet_main", Secret(SHOWN), store=store)


def quick(path: Path, passphrase: str | None) -> EncryptedStore:
    """An encrypted store of little work that is told this passphrase when it asks."""
    return EncryptedStore(
        path, ask=lambda _, new: None if passphrase is None else Secret(passphrase), n=2**10
    )


def test_the_encrypted_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    path = tmp_path / "secrets.enc"
    quick(path, "the right one").keep("wallet_main", Secret(SHOWN))
    quick(path, "the right one").keep("wallet_second", Secret("another"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert SHOWN.encode() not in path.read_bytes()
    found = quick(path, "the right one").find("wallet_main")
    assert found is not None
    assert found.reveal() == SHOWN
    with pytest.raises(WrongPassphrase):
        quick(path, "a wrong one").find("wallet_main")
    with pytest.raises(WrongPassphrase):
        quick(path, "a wrong one").keep("wallet_main", Secret("overwritten"))


def test_the_encrypted_file_asks_only_for_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "secrets.enc"
    assert quick(path, None).find("wallet_main") is None
    quick(path, "the right one").keep("wallet_main", Secret(SHOWN))
    assert quick(path, None).find("wallet_other") is None
    assert quick(path, None).holds("wallet_main")
    with pytest.raises(SecretMissing) as raised:
        quick(path, None).find("wallet_main")
    assert raised.value.hint == "export SNIPER_SECRETS_PASSPHRASE=…"


def test_the_encrypted_files_passphrase_comes_by_environment_or_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "secrets.enc"
    monkeypatch.setenv("SNIPER_SECRETS_PASSPHRASE", "the right one")
    quick(path, None).keep("wallet_main", Secret(SHOWN))
    monkeypatch.delenv("SNIPER_SECRETS_PASSPHRASE")
    reading, writing = os.pipe()
    os.write(writing, b"the right one\n")
    os.close(writing)
    monkeypatch.setenv("SNIPER_SECRETS_PASSPHRASE_FD", str(reading))
    for _ in range(2):  # a pipe gives its content once
        found = quick(path, None).find("wallet_main")
        assert found is not None
        assert found.reveal() == SHOWN


def test_entries_of_the_encrypted_file_cannot_be_swapped(tmp_path: Path) -> None:
    path = tmp_path / "secrets.enc"
    quick(path, "the right one").keep("cheap", Secret("one"))
    quick(path, "the right one").keep("precious", Secret("two"))
    content = json.loads(path.read_text())
    entries = content["entries"]
    entries["cheap"], entries["precious"] = entries["precious"], entries["cheap"]
    path.write_text(json.dumps(content))
    with pytest.raises(WrongPassphrase, match="has been changed"):
        quick(path, "the right one").find("cheap")


def test_an_encrypted_file_that_is_none_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "secrets.enc"
    path.write_text("something else")
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="no secret file"):
        quick(path, "the right one").keep("wallet_main", Secret(SHOWN))
    assert path.read_text() == "something else"
