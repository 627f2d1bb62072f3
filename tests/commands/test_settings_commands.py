"""Settings: who wins, where a value came from, what is misspelt, and what a change leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sniper_cli.errors import ConfigurationError, UnknownProfile
from sniper_cli.settings import load

Run = Callable[..., Any]


@pytest.fixture
def sniper(sniper_inside: Run) -> Run:
    """In this process: these tests ask what a command does, not how its process ends."""
    return sniper_inside


def write(home: Path, text: str) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    file = home / "config.toml"
    file.write_text(text)
    return file


FILE = """\
[default.sniping]
amount = "0.2"
[profile.mine.sniping]
amount = 0.3
"""


@pytest.mark.parametrize(
    ("text", "environment", "flag", "value", "origin"),
    [
        ("", None, None, "0.1", "code"),
        ('[default.sniping]\namount = "0.2"\n[profile.mine]\n', None, None, "0.2", "default"),
        (FILE, None, None, "0.3", "profile"),
        (FILE, "0.4", None, "0.4", "environment"),
        (FILE, "0.4", "0.5", "0.5", "flag"),
    ],
)
def test_the_stronger_source_wins(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    environment: str | None,
    flag: str | None,
    value: str,
    origin: str,
) -> None:
    write(home, text)
    if environment:
        monkeypatch.setenv("SNIPER_SNIPING__AMOUNT", environment)
    found = load("mine" if "mine" in text else "paper", sniping={"amount": flag})

    assert str(found.settings.sniping.amount) == value
    assert found.origins["sniping.amount"].kind == origin


def test_a_source_for_one_key_leaves_its_siblings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, FILE)
    monkeypatch.setenv("SNIPER_SNIPING__MAX_OPEN_POSITIONS", "3")
    found = load("mine").settings.sniping

    assert (str(found.amount), found.max_open_positions, found.slippage_bps) == ("0.3", 3, 1500)


def test_the_place_of_a_value_is_file_and_line(home: Path) -> None:
    file = write(home, FILE)

    assert str(load("mine").origins["sniping.amount"]) == f"profile ({file}:4)"


def test_a_list_comes_from_the_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_SECRETS__STORES", "environment, keyring")

    assert load().settings.secrets.stores == ("environment", "keyring")


@pytest.mark.parametrize(
    ("text", "line", "near"),
    [
        ("[default]\ndurabilty = 'full'\n", 2, "durability"),
        ("[default.sniping]\nmax_open_postions = 2\n", 2, "sniping.max_open_positions"),
        ("[default]\nsniping.exits.stop_los_pct = '5'\n", 2, "sniping.exits.stop_loss_pct"),
        ("\n[profil.x]\nmode = 'paper'\n", 2, "profile"),
    ],
)
def test_a_misspelt_key_is_named_with_line_and_near_match(
    home: Path, text: str, line: int, near: str
) -> None:
    file = write(home, text)

    with pytest.raises(ConfigurationError) as caught:
        load()
    problem = caught.value.details["problems"][0]
    assert (problem["file"], problem["line"], problem["near"]) == (str(file), line, near)


def test_a_misspelt_variable_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_SNIPING__AMONT", "1")

    with pytest.raises(ConfigurationError, match=r"sniping\.amount"):
        load()


def test_a_value_that_does_not_hold_is_named_with_its_line(home: Path) -> None:
    file = write(home, '[default.sniping]\namount = "-1"\n')

    with pytest.raises(ConfigurationError, match=f"{file}:2: sniping.amount: Input should be greater than 0"):
        load()


def test_a_file_that_is_no_toml_is_named(home: Path) -> None:
    write(home, "[default\n")

    with pytest.raises(ConfigurationError, match="not valid TOML"):
        load()


def test_an_unknown_profile_has_a_near_match(home: Path) -> None:
    with pytest.raises(UnknownProfile, match="did you mean 'devnet'"):
        load("devne")


def test_the_active_profile_is_flag_then_environment_then_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(home, 'active = "devnet"\n')
    assert load().name == "devnet"
    monkeypatch.setenv("SNIPER_PROFILE", "paper")
    assert load().name == "paper"
    assert load("devnet").name == "devnet"


def test_validate_names_every_problem_and_exits_3(sniper: Run, home: Path) -> None:
    write(home, "[default]\ndurabilty = 'full'\n[profile.a.sniping]\namount = '0'\n")
    done = sniper("config", "validate", "--json")

    assert done.code == 3
    assert [(p["key"], p["line"]) for p in json.loads(done.stdout)] == [
        ("durabilty", 2),
        ("sniping.amount", 4),
    ]


def test_validate_is_content_with_a_fresh_home(sniper: Run) -> None:
    sniper("init", "-p", "devnet")
    done = sniper("config", "validate", "--json")

    assert (done.code, done.stdout) == (0, "[]\n")


def test_every_line_of_the_commented_file_holds_when_its_comment_is_taken_away(home: Path) -> None:
    import re

    from sniper_cli.settings.template import commented_config

    default, _, _ = commented_config().partition("\n# A profile of your own")
    bare = re.sub(r"^# (\[default\..*\]|[a-z_]+ = (?!\"0x…\").*)$", r"\1", default, flags=re.MULTILINE)
    write(home, bare)

    assert load("paper").settings.sniping.slippage_bps == 1500
    assert load("paper").origins["sniping.exits.trailing_pct"].kind == "default"


def test_a_change_keeps_comments_and_is_journalled(sniper: Run, home: Path) -> None:
    sniper("init", "-p", "devnet")
    before = (home / "config.toml").read_text()
    done = sniper("config", "set", "sniping.amount", "0.05", "--json")

    assert json.loads(done.stdout) == {
        "key": "default.sniping.amount",
        "before": None,
        "after": "0.05",
        "file": str(home / "config.toml"),
        "dry_run": False,
        "journalled": True,
    }
    assert all(line in (home / "config.toml").read_text() for line in before.splitlines())
    record = json.loads(sniper("audit", "tail", "--kind", "config", "--json").stdout)[-1]
    assert (record["subject"], record["data"]["after"]) == ("default.sniping.amount", "0.05")
    assert json.loads(sniper("config", "get", "sniping.amount", "--json").stdout)["value"] == "0.05"


def test_a_dry_run_changes_nothing(sniper: Run, home: Path) -> None:
    sniper("init", "-p", "devnet")
    before = (home / "config.toml").read_text()
    done = sniper("config", "set", "sniping.amount", "0.05", "--dry-run", "--json")

    assert json.loads(done.stdout)["dry_run"] is True
    assert (home / "config.toml").read_text() == before
    assert json.loads(sniper("audit", "head", "--json").stdout)["records"] == 1


def test_a_value_that_does_not_hold_is_never_written(sniper: Run, home: Path) -> None:
    done = sniper("config", "set", "sniping.amount", "minus one")

    assert done.code == 3
    assert not (home / "config.toml").exists()


def test_secrets_in_urls_are_hidden(sniper: Run, home: Path) -> None:
    url = "postgresql://sniper:topsecret@127.0.0.1:1/x"
    rpc = "https://node.example/v3/0123456789abcdef0123456789abcdef"
    done = sniper("config", "show", "--json", env={"SNIPER_DATABASE_URL": url, "SNIPER_CHAIN__RPC_URL": rpc})

    values = {row["key"]: row["value"] for row in json.loads(done.stdout)}
    assert values["database_url"] == "postgresql://sniper:***@127.0.0.1:1/x"
    assert values["chain.rpc_url"] == "https://node.example/v3/***"
    broken = sniper("audit", "head", env={"SNIPER_DATABASE_URL": url})
    assert broken.code == 3
    assert "topsecret" not in broken.stderr


def test_a_profile_lives_its_life(sniper: Run, home: Path) -> None:
    sniper("init", "-p", "devnet")
    assert (
        sniper("profile", "create", "careful", "--from", "devnet", "--set", "sniping.amount=0.01").code == 0
    )
    assert (
        json.loads(sniper("config", "get", "sniping.amount", "-p", "careful", "--json").stdout)["value"]
        == "0.01"
    )
    assert sniper("profile", "create", "careful").code == 2
    assert sniper("profile", "use", "careful").code == 0
    assert json.loads(sniper("profile", "show", "careful", "--json").stdout)["active"] is True
    assert sniper("profile", "delete", "careful", "--yes").code == 2
    assert sniper("profile", "use", "devnet").code == 0
    assert sniper("profile", "delete", "careful", "--yes").code == 0
    assert sniper("profile", "show", "careful").code == 3
    kinds = [row["kind"] for row in json.loads(sniper("audit", "tail", "--json").stdout)]
    assert kinds == ["schema.upgraded", *["profile.changed"] * 4]


@pytest.mark.parametrize("name", ["paper", "devnet"])
def test_a_built_in_profile_cannot_go(sniper: Run, name: str) -> None:
    assert sniper("profile", "delete", name, "--yes").code == 2


def test_the_schema_describes_the_settings(sniper: Run) -> None:
    schema = json.loads(sniper("config", "schema").stdout)

    assert {"mode", "chain", "sniping", "secrets"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False
