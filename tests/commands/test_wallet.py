"""`sniper wallet`: what a person sees, what goes to which stream, and that no secret is ever among it."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.secrets import keystore
from sniper_cli.secrets.encrypted import EncryptedStore
from sniper_cli.secrets.secret import Secret
from sniper_cli.secrets.wallets import import_wallet
from sniper_cli.settings.paths import home_paths
from state.database import Database
from tests.conftest import PATIENCE

PASSPHRASE = "a long passphrase"
JUNK = "test test test test test test test test test test test junk"
JUNK_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
JUNK_ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SECRETS = {"SNIPER_SECRET__WALLET_MAIN": PASSPHRASE}

ROOT = Path(__file__).parents[2]

Sniper = Callable[..., Any]


@pytest.fixture
def sniper(sniper_inside: Sniper) -> Sniper:
    """In this process: these tests ask what a command says and to which stream; a terminal gets one of its own."""
    return sniper_inside


@pytest.fixture(autouse=True)
def work_factors(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Keystores and secret files of little work in this process, and the work that each keystore was asked for."""
    asked: list[int] = []
    encrypt = keystore.encrypt

    def cheap(key: bytes, passphrase: Secret, *, work_factor: int) -> dict[str, Any]:
        asked.append(work_factor)
        return encrypt(key, passphrase, work_factor=1024)

    monkeypatch.setattr(keystore, "encrypt", cheap)
    monkeypatch.setitem(EncryptedStore.__init__.__kwdefaults__, "n", 1024)
    return asked


@pytest.fixture
def ready(sniper: Sniper, home: Path, sqlite_template: Path) -> Sniper:
    """A home with a database, as `sniper init` leaves it."""
    folder = home / "data"
    folder.mkdir(parents=True, mode=0o700)
    shutil.copy(sqlite_template, folder / "sniper.db")
    return sniper


@pytest.fixture
def junk(ready: Sniper, home: Path) -> Sniper:
    """A home with the wallet `main`, which holds anvil's first account."""
    key = keystore.key_from_hex(Secret(JUNK_KEY))
    with Database(f"sqlite:///{home / 'data' / 'sniper.db'}") as database:
        import_wallet(
            home_paths(),
            database,
            "main",
            key,
            Secret(PASSPHRASE),
            actor="test",
            source="private_key",
        )
    return ready


def secret_file(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.write_text(text)
    file.chmod(0o600)
    return str(file)


def test_a_wallet_is_created_and_listed(ready: Sniper, home: Path, work_factors: list[int]) -> None:
    made = ready("wallet", "create", "main", "--json", env=SECRETS)
    assert made.code == 0, made.stderr
    assert work_factors == [keystore.WORK_FACTOR] == [2**18]
    wallet = json.loads(made.stdout)
    assert stat.S_IMODE(Path(wallet["file"]).stat().st_mode) == 0o600
    assert PASSPHRASE not in made.stdout + made.stderr
    listed = ready("wallet", "list", "--json", "--fields", "name,address")
    assert json.loads(listed.stdout) == [{"name": "main", "address": wallet["address"]}]
    story = ready("audit", "tail", "--json").stdout
    assert "wallet.created" in story
    assert wallet["address"] in story


def test_no_wallets_is_an_empty_list(ready: Sniper) -> None:
    ran = ready("wallet", "list", "--json")
    assert (ran.code, json.loads(ran.stdout)) == (0, [])


def test_a_dry_run_makes_nothing(ready: Sniper, home: Path) -> None:
    ran = ready("wallet", "create", "main", "--dry-run")
    assert ran.code == 0
    assert not list((home / "wallets").glob("*"))


def test_without_a_passphrase_or_a_terminal_it_ends_at_once_and_says_how(ready: Sniper) -> None:
    ran = ready("wallet", "create", "main")
    assert ran.code == 4
    assert ran.stderr.splitlines()[-1] == "hint: export SNIPER_SECRET__WALLET_MAIN=…"


@pytest.mark.parametrize(
    ("content", "extra"),
    [(JUNK_KEY, ()), (JUNK_KEY[2:], ()), (JUNK, ()), (JUNK, ("--index", "1"))],
    ids=["key", "key without 0x", "mnemonic", "mnemonic 1"],
)
def test_what_is_imported_is_recognised(ready: Sniper, content: str, extra: tuple[str, ...]) -> None:
    ran = ready("wallet", "import", "main", "--from", "-", "--dry-run", *extra, stdin=content, env=SECRETS)
    second = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert ran.code == 0, ran.stderr
    assert (second if extra else JUNK_ADDRESS) in ran.stderr
    assert content not in ran.stdout + ran.stderr


def test_a_keystore_goes_out_and_comes_in_again(junk: Sniper, tmp_path: Path, home: Path) -> None:
    backup = tmp_path / "backup.json"
    assert junk("wallet", "export", "main", "--to", str(backup)).code == 0
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    again = junk("wallet", "export", "main", "--to", str(backup))
    assert again.code == 2
    assert "not overwritten" in again.stderr
    (home / "wallets" / "main.json").unlink()
    wrong = secret_file(tmp_path, "wrong", "another passphrase")
    ran = junk("wallet", "import", "back", "--from", str(backup), "--passphrase-file", wrong)
    assert (ran.code, ran.stdout) == (4, "")
    right = secret_file(tmp_path, "right", f"{PASSPHRASE}\n")
    ran = junk("wallet", "import", "back", "--from", str(backup), "--passphrase-file", right, "--json")
    assert json.loads(ran.stdout)["address"] == JUNK_ADDRESS


def test_the_bare_key_needs_a_yes_and_the_passphrase(junk: Sniper) -> None:
    asked = junk("wallet", "export", "main", "--private-key", env=SECRETS)
    assert (asked.code, asked.stdout) == (2, "")
    assert "--yes" in asked.stderr
    unopened = junk("wallet", "export", "main", "--private-key", "--yes")
    assert (unopened.code, unopened.stdout) == (4, "")
    wrong = junk(
        "wallet", "export", "main", "--private-key", "--yes", env={"SNIPER_SECRET__WALLET_MAIN": "no such"}
    )
    assert (wrong.code, wrong.stdout) == (4, "")
    given = junk("wallet", "export", "main", "--private-key", "--yes", env=SECRETS)
    assert (given.code, given.stdout, JUNK_KEY in given.stderr) == (0, f"{JUNK_KEY}\n", False)


def test_no_other_command_shows_a_secret(junk: Sniper) -> None:
    """Every reading command, in every format, and every failing one, with tracebacks asked for."""
    loud = {**SECRETS, "SNIPER_DEBUG": "1"}
    shown = ""
    for words in (
        ("wallet", "list", "-o", "yaml"),
        ("wallet", "show", "main", "--json"),
        ("wallet", "status", "--json"),
        ("wallet", "export", "main"),
        ("wallet", "create", "main"),
        ("wallet", "import", "other", "--from", "-"),
        ("wallet", "import", "other", "--from", "-", "--passphrase-stdin"),
        ("wallet", "show", "mian"),
        ("audit", "tail", "--json"),
        ("config", "show", "--json"),
    ):
        ran = junk(*words, stdin=JUNK_KEY, env=loud)
        shown += ran.stdout + ran.stderr
    assert JUNK_KEY[2:] not in shown.lower()
    assert PASSPHRASE not in shown


def test_no_option_takes_a_secret_as_its_value(ready: Sniper) -> None:
    for command in ("create", "import", "export", "passphrase"):
        text = ready("wallet", command, "--help").stdout
        options = [word for word in text.split() if word.startswith("--") and "pass" in word]
        assert set(options) <= {"--passphrase-file", "--passphrase-stdin"}


def test_a_passphrase_is_kept_in_the_encrypted_file_and_answers(junk: Sniper, home: Path) -> None:
    own = {"SNIPER_SECRETS_PASSPHRASE": "of the secret file"}
    wrong = junk(
        "wallet", "passphrase", "main", "--store", "encrypted", "--passphrase-stdin", stdin="wrong", env=own
    )
    assert wrong.code == 4
    assert not (home / "data" / "secrets.enc").exists()
    kept = junk("wallet", "passphrase", "main", "--store", "encrypted", env={**own, **SECRETS})
    assert kept.code == 0, kept.stderr
    rows = json.loads(junk("wallet", "status", "--json").stdout)
    assert [row["store"] for row in rows if row["answers"]] == ["encrypted"]
    given = junk("wallet", "export", "main", "--private-key", "--yes", env=own)
    assert given.stdout == f"{JUNK_KEY}\n"
    locked = junk(
        "wallet", "export", "main", "--private-key", "--yes", env={"SNIPER_SECRETS_PASSPHRASE": "guess"}
    )
    assert (locked.code, locked.stdout) == (4, "")


def test_a_file_that_others_can_read_is_refused_with_the_repair(junk: Sniper, tmp_path: Path) -> None:
    file = Path(secret_file(tmp_path, "open", PASSPHRASE))
    file.chmod(0o644)
    ran = junk("wallet", "export", "main", "--private-key", "--yes", "--passphrase-file", str(file))
    assert ran.code == 4
    assert f"hint: chmod 600 {file}" in ran.stderr


def test_an_unknown_wallet_is_not_found(junk: Sniper) -> None:
    ran = junk("wallet", "show", "mian", "--json")
    error = json.loads(ran.stderr)["error"]
    assert (ran.code, error["code"]) == (7, "not_found")
    assert "did you mean 'main'" in error["message"]


def test_a_node_that_is_not_there_is_a_network_error(junk: Sniper) -> None:
    ran = junk("wallet", "list", "--balance", env={"SNIPER_CHAIN__RPC_URL": "http://127.0.0.1:9"})
    assert (ran.code, ran.stdout) == (5, "")


@pytest.mark.anvil
def test_the_balance_is_the_nodes(junk: Sniper, anvil: Any) -> None:
    ran = junk("wallet", "show", "main", "--balance", "--json", env={"SNIPER_CHAIN__RPC_URL": anvil.node.url})
    wallet = json.loads(ran.stdout)
    assert wallet["coin"] == "ETH"
    assert 9_000 < int(wallet["balance"].split(".")[0]) <= 10_000


def test_a_person_is_asked_twice_and_shown_nothing(ready: Sniper, home: Path) -> None:
    screen = typed(
        home, ["wallet", "create", "main"], [PASSPHRASE, "a slip of the hand", PASSPHRASE, PASSPHRASE]
    )
    assert screen.count("The same again") == 2
    assert "not alike" in screen
    assert PASSPHRASE not in screen
    assert (home / "wallets" / "main.json").exists()


def test_a_person_types_the_wallets_name_before_the_key_is_shown(junk: Sniper, home: Path) -> None:
    assert JUNK_KEY not in typed(home, ["wallet", "export", "main", "--private-key"], ["yes"])
    assert JUNK_KEY in typed(home, ["wallet", "export", "main", "--private-key"], ["main", PASSPHRASE])


def typed(home: Path, words: list[str], answers: list[str]) -> str:
    """Run a command on a terminal, type an answer whenever it waits for one, and return what the screen showed."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "sniper_cli", *words],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "SNIPER_HOME": str(home), "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
    )  # fmt: skip
    os.close(slave)
    screen, waiting, deadline = "", list(answers), time.monotonic() + PATIENCE
    asked = 0
    while time.monotonic() < deadline:
        if select.select([master], [], [], 0.05)[0]:
            try:
                screen += os.read(master, 65536).decode(errors="replace")
            except OSError:  # Linux: the other side is closed
                break
        elif process.poll() is not None:
            break
        prompts = screen.count(": ") if screen.rstrip("\r\n").endswith(": ") else 0
        if prompts > asked and waiting:
            asked = prompts
            time.sleep(
                0.05
            )  # getpass turns the echo off before it prints the question, and drops what came earlier
            os.write(master, waiting.pop(0).encode() + b"\n")
    process.wait(timeout=PATIENCE)
    os.close(master)
    return screen


def test_the_doctor_looks_for_every_wallet_that_snipes(junk: Sniper) -> None:
    def told(wallets: str) -> dict[str, str]:
        chosen = {"SNIPER_WALLET": "main", "SNIPER_SNIPING__WALLETS": wallets}
        ran = junk("doctor", "--offline", "--json", env=chosen)
        return next(check for check in json.loads(ran.stdout) if check["name"] == "wallet")

    assert told('["main"]')["status"] == "ok"
    missing = told('["main", "second"]')
    assert (missing["status"], "second" in missing["detail"]) == ("fail", True)
