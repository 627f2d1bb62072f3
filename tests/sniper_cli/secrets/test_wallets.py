"""Wallets are kept whole, for their owner only, and never written over."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlmodel import Session

from sniper_cli.errors import ConfigurationError, NotAllowed, NotFound, UsageProblem, WrongPassphrase
from sniper_cli.secrets import files, keystore
from sniper_cli.secrets.secret import Secret
from sniper_cli.secrets.wallets import (
    Unreadable,
    Wallet,
    create_wallet,
    export_keystore,
    export_private_key,
    find_wallet,
    import_wallet,
    list_wallets,
    open_wallet,
    survey,
)
from sniper_cli.settings.paths import Paths, home_paths
from state import journal
from state.database import Database

PASSPHRASE = Secret("correct horse")
QUICK = 2**10
JUNK_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
JUNK_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


@pytest.fixture
def paths(home: Path) -> Paths:
    return home_paths().ensure()


def make(paths: Paths, database: Database, name: str = "main") -> Wallet:
    return create_wallet(paths, database, name, PASSPHRASE, actor="test", work_factor=QUICK)


def import_junk(paths: Paths, database: Database, name: str = "junk") -> Wallet:
    key = keystore.key_from_hex(Secret(JUNK_KEY))
    return import_wallet(
        paths, database, name, key, PASSPHRASE, actor="test", source="private_key", work_factor=QUICK
    )


def records(database: Database) -> list[tuple[str, str, dict[str, str]]]:
    with database.read() as session:
        return [
            (record.kind, record.subject, record.data)
            for record in journal.read_latest(session, 20, kind="wallet")
        ]


def test_a_wallet_is_made_for_its_owner_only_and_journalled_by_address(
    paths: Paths, database: Database
) -> None:
    wallet = make(paths, database)
    assert stat.S_IMODE(wallet.file.stat().st_mode) == 0o600
    assert records(database) == [
        ("wallet.created", wallet.address, {"wallet": "main", "address": wallet.address})
    ]
    assert list_wallets(paths) == [wallet]
    assert os.listdir(paths.wallets) == ["main.json"]


def test_two_wallets_are_two_keys(paths: Paths, sqlite_database: Database) -> None:
    assert make(paths, sqlite_database, "one").address != make(paths, sqlite_database, "two").address


def test_a_wallet_is_never_overwritten(paths: Paths, sqlite_database: Database) -> None:
    before = make(paths, sqlite_database).file.read_bytes()
    with pytest.raises(UsageProblem, match="never overwritten"):
        make(paths, sqlite_database)
    assert (paths.wallets / "main.json").read_bytes() == before
    assert len(records(sqlite_database)) == 1


def test_of_two_who_make_the_same_wallet_at_once_one_wins(paths: Paths, sqlite_database: Database) -> None:
    made: list[Wallet] = []
    refused: list[UsageProblem] = []

    def attempt() -> None:
        try:
            made.append(make(paths, sqlite_database))
        except UsageProblem as error:
            refused.append(error)

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), len(refused)) == (1, 5)
    assert [subject for _, subject, _ in records(sqlite_database)] == [made[0].address]
    assert open_wallet(paths, "main", PASSPHRASE).address == made[0].address.lower()


def test_the_same_key_is_not_kept_twice(paths: Paths, sqlite_database: Database) -> None:
    import_junk(paths, sqlite_database)
    with pytest.raises(UsageProblem, match="in the wallet 'junk' already"):
        import_junk(paths, sqlite_database, "other")


@pytest.mark.parametrize("name", ["", "../main", "Main", "a b", "a/b", "x" * 33, ".x", "-x", "a_b"])
def test_a_name_that_is_none_is_refused(paths: Paths, sqlite_database: Database, name: str) -> None:
    with pytest.raises(UsageProblem, match="no name for a wallet"):
        make(paths, sqlite_database, name)


def test_a_short_passphrase_is_refused(paths: Paths, sqlite_database: Database) -> None:
    with pytest.raises(UsageProblem, match="at least 8"):
        create_wallet(paths, sqlite_database, "main", Secret("hunter2"), actor="test")
    assert not list(paths.wallets.iterdir())


def test_an_opened_wallet_signs_as_eip_1559_says(paths: Paths, sqlite_database: Database) -> None:
    import_junk(paths, sqlite_database)
    signer = open_wallet(paths, "junk", PASSPHRASE)
    assert signer.address == JUNK_ADDRESS.lower()
    raw, digest = signer.sign(
        {
            "type": 2, "chainId": 31337, "nonce": 0, "to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "value": 10**18, "gas": 21000, "maxFeePerGas": 2 * 10**9, "maxPriorityFeePerGas": 10**9, "data": "0x",
        }
    )  # fmt: skip
    from eth_account import Account
    from eth_utils import keccak

    assert raw.startswith("0x02")
    assert digest == "0x" + keccak(hexstr=raw).hex()
    assert Account.recover_transaction(raw) == JUNK_ADDRESS
    assert JUNK_KEY[2:] not in repr(signer)


def test_signing_uses_the_c_library() -> None:
    from eth_keys import KeyAPI

    assert type(KeyAPI().backend).__name__ == "CoinCurveECCBackend"


def test_a_wrong_passphrase_opens_nothing(paths: Paths, sqlite_database: Database) -> None:
    make(paths, sqlite_database)
    with pytest.raises(WrongPassphrase):
        open_wallet(paths, "main", Secret("correct horsf"))
    with pytest.raises(WrongPassphrase):
        export_private_key(paths, sqlite_database, "main", Secret("correct horsf"), actor="test")
    assert [kind for kind, _, _ in records(sqlite_database)] == ["wallet.created"]


def test_an_unknown_wallet_is_not_found_and_the_near_one_named(
    paths: Paths, sqlite_database: Database
) -> None:
    make(paths, sqlite_database, "trading")
    with pytest.raises(NotFound, match="did you mean 'trading'") as raised:
        open_wallet(paths, "tradign", PASSPHRASE)
    assert raised.value.exit == 7


def test_what_is_exported_is_journalled(paths: Paths, database: Database) -> None:
    wallet = import_junk(paths, database)
    exported = keystore.parse(export_keystore(paths, database, "junk", actor="test").encode(), "export")
    assert keystore.decrypt(exported, PASSPHRASE).hex() == JUNK_KEY[2:]
    assert export_private_key(paths, database, "junk", PASSPHRASE, actor="test").reveal() == JUNK_KEY
    assert [(kind, data.get("form")) for kind, _, data in records(database)] == [
        ("wallet.imported", None),
        ("wallet.exported", "keystore"),
        ("wallet.exported", "private_key"),
    ]
    with database.read() as session:
        for record in journal.read_latest(session, 10, kind="wallet"):
            assert JUNK_KEY[2:] not in record.body
            assert record.subject == wallet.address


def test_a_wallet_that_others_can_read_is_not_used(paths: Paths, sqlite_database: Database) -> None:
    wallet = make(paths, sqlite_database)
    wallet.file.chmod(0o644)
    with pytest.raises(NotAllowed) as raised:
        open_wallet(paths, "main", PASSPHRASE)
    assert raised.value.hint == f"chmod 600 {wallet.file}"
    (found,) = survey(paths)
    assert isinstance(found, Unreadable)


def test_a_file_that_lies_about_its_address_is_refused(paths: Paths, sqlite_database: Database) -> None:
    wallet = make(paths, sqlite_database)
    text = wallet.file.read_text().replace(wallet.address[2:].lower(), JUNK_ADDRESS[2:].lower())
    wallet.file.write_text(text)
    with pytest.raises(ConfigurationError, match="holds another account's key"):
        open_wallet(paths, "main", PASSPHRASE)


def test_a_broken_file_hides_no_other_wallet(paths: Paths, sqlite_database: Database) -> None:
    wallet = make(paths, sqlite_database)
    broken = paths.wallets / "broken.json"
    broken.write_text("{")
    broken.chmod(0o600)
    assert list_wallets(paths) == [wallet]
    assert [type(one) for one in survey(paths)] == [Unreadable, Wallet]


def test_when_the_folder_cannot_be_written_nothing_is_journalled(
    paths: Paths, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        make(paths, sqlite_database)
    assert not list(paths.wallets.iterdir())
    assert records(sqlite_database) == []


def test_a_filesystem_without_hard_links_overwrites_nothing_either(
    paths: Paths, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(files.os, "link", refuse)
    wallet = make(paths, sqlite_database)
    assert open_wallet(paths, "main", PASSPHRASE).address == wallet.address.lower()
    before = wallet.file.read_bytes()
    with pytest.raises(FileExistsError):
        files.write_new(wallet.file, b"another")
    assert wallet.file.read_bytes() == before
    assert os.listdir(paths.wallets) == ["main.json"]


@pytest.mark.parametrize("step", ["before", "after"])
def test_killed_while_writing_leaves_a_whole_file_or_none(tmp_path: Path, step: str) -> None:
    program = f"""
import os, pathlib, sys
from sniper_cli.secrets import files
real = os.link
def link(*arguments):
    if {step == "after"}:
        real(*arguments)
    os.kill(os.getpid(), 9)
os.link = link
files.write_new(pathlib.Path({str(tmp_path)!r}) / "main.json", b"x" * 100000)
"""
    root = str(Path(__file__).parents[3])
    ended = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": root}, check=False
    )
    assert ended.returncode == -9
    whole = tmp_path / "main.json"
    assert whole.exists() == (step == "after")
    assert not whole.exists() or whole.stat().st_size == 100000


def test_a_key_outlives_a_record_that_could_not_be_committed(
    paths: Paths, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Session) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(Session, "commit", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            make(paths, sqlite_database)
    assert find_wallet(paths, "main").name == "main"
    assert records(sqlite_database) == []
