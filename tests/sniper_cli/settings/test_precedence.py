"""What pydantic-settings merges, what is told of it (places, misspellings), and what does not load it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from sniper_cli.errors import ConfigurationError
from sniper_cli.settings import load
from sniper_cli.settings.model import Settings
from sniper_cli.settings.profiles import summaries


def write(home: Path, text: str) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    file = home / "config.toml"
    file.write_text(text)
    return file


def problems(profile: str | None = None) -> list[dict[str, object]]:
    with pytest.raises(ConfigurationError) as caught:
        load(profile)
    found: list[dict[str, object]] = caught.value.details["problems"]
    return found


def test_five_sources_fill_one_table(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(
        home,
        "[default.sniping.exits]\ntake_profit_pct = 1\nstop_loss_pct = 1\ntrailing_pct = 1\nmax_age_seconds = 1\n"
        "[profile.mine.sniping.exits]\nstop_loss_pct = 2\ntrailing_pct = 2\nmax_age_seconds = 2\n",
    )
    monkeypatch.setenv("SNIPER_SNIPING__EXITS__TRAILING_PCT", "3")
    monkeypatch.setenv("SNIPER_SNIPING__EXITS__MAX_AGE_SECONDS", "3")
    found = load("mine", **{"sniping.exits.max_age_seconds": 4})
    exits = found.settings.sniping.exits

    assert (exits.take_profit_pct, exits.stop_loss_pct, exits.trailing_pct) == (1, 2, 3)
    assert (exits.max_age_seconds, exits.slippage_bps) == (4, 3000)
    assert [
        str(found.origins[f"sniping.exits.{leaf}"])
        for leaf in ("take_profit_pct", "stop_loss_pct", "trailing_pct", "max_age_seconds", "slippage_bps")
    ] == [
        f"default ({file}:2)",
        f"profile ({file}:7)",
        "environment (SNIPER_SNIPING__EXITS__TRAILING_PCT)",
        "flag",
        "code",
    ]


def test_a_built_in_profile_lies_over_the_default_table_and_under_its_own(home: Path) -> None:
    write(home, "[default.chain]\nblock_seconds = 9\nchain_id = 9\n[profile.devnet.chain]\nchain_id = 8\n")
    found = load("devnet")

    assert (found.settings.chain.block_seconds, found.settings.chain.chain_id) == (1, 8)
    assert found.origins["chain.block_seconds"].place == "built-in profile devnet"


def test_the_settings_are_the_model_everybody_names_and_frozen(home: Path) -> None:
    settings = load().settings

    assert isinstance(settings, Settings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.account = "another"  # type: ignore[misc]


def test_two_profiles_do_not_stand_in_each_others_way(home: Path) -> None:
    write(home, '[profile.a]\naccount = "first"\n[profile.b]\naccount = "second"\n')

    assert [load(name).settings.account for name in ("a", "b", "a")] == ["first", "second", "first"]


@pytest.mark.parametrize(
    ("variable", "near"),
    [("SNIPER_SNIPING__AMONT", "sniping.amount"), ("SNIPER_SNIPNG__AMOUNT", "sniping.amount")],
    ids=["the key", "the table"],
)
def test_a_misspelt_variable_has_its_near_match(
    home: Path, monkeypatch: pytest.MonkeyPatch, variable: str, near: str
) -> None:
    monkeypatch.setenv(variable, "1")

    assert [(p["file"], p["near"]) for p in problems()] == [(variable, near)]


def test_a_value_of_the_environment_that_does_not_hold_names_its_variable(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNIPER_SNIPING__AMOUNT", "-1")

    assert [(p["key"], p["file"]) for p in problems()] == [
        ("sniping.amount", "environment (SNIPER_SNIPING__AMOUNT)")
    ]


def test_a_table_is_no_variable(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_CHAIN", '{"chain_id": 5}')

    assert [(p["key"], p["file"]) for p in problems()] == [("chain", "environment (SNIPER_CHAIN)")]


@pytest.mark.parametrize(
    "text", ["environment, keyring", '["environment", "keyring"]', "environment,keyring,"]
)
def test_a_list_is_text_with_commas_or_json(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SNIPER_SECRETS__STORES", text)

    assert load().settings.secrets.stores == ("environment", "keyring")


def test_a_list_that_is_no_json_is_a_problem_not_a_bug(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNIPER_SECRETS__STORES", '["environment"')

    assert [p["key"] for p in problems()] == ["secrets.stores"]


def test_every_problem_is_named_at_once_each_in_every_place_it_stands(home: Path) -> None:
    write(
        home,
        "[default]\ndurabilty = 'full'\n[default.snipng]\namount = 1\n"
        "[profile.a]\ndurabilty = 'full'\n[profile.a.sniping]\namount = 0\n",
    )

    assert {(p["key"], p["line"], p["near"]) for p in problems("a")} == {
        ("durabilty", 2, "durability"),
        ("durabilty", 6, "durability"),
        ("snipng", 3, "sniping"),
        ("sniping.amount", 8, None),
    }


def test_keys_are_spelt_in_small_letters_at_every_depth(home: Path) -> None:
    write(home, "[default]\nAccount = 'x'\n[default.sniping]\nAmount = 1\n")

    assert {(p["key"], p["near"]) for p in problems()} == {
        ("Account", "account"),
        ("sniping.Amount", "sniping.amount"),
    }


def test_no_secret_is_kept_beside_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sniper_cli.settings.files import ConfigFile
    from sniper_cli.settings.layers import layers

    monkeypatch.setenv("SNIPER_SECRETS_PASSPHRASE", "hunter2 hunter2")
    monkeypatch.setenv("SNIPER_SECRET__WALLET_MAIN", "hunter2 hunter2")

    assert "hunter2" not in repr(layers(ConfigFile(home / "config.toml"), "paper", {}))
    assert "hunter2" not in repr(load())


def test_a_broken_profile_does_not_hide_the_others(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "[profile.broken]\nmode = 'lvie'\nchain.chain_id = 'one'\n[profile.sound]\nmode = 'live'\n")
    monkeypatch.setenv("SNIPER_ACCOUNT", "shared")
    rows = {row["name"]: row for row in summaries()}

    assert [
        (rows[name]["mode"], rows[name]["chain_id"]) for name in ("paper", "devnet", "broken", "sound")
    ] == [
        ("paper", None),
        ("devnet", 31337),
        ("lvie", None),
        ("live", 31337),
    ]
    assert {row["account"] for row in rows.values()} == {"shared"}


@pytest.mark.parametrize("line", ["profile list", "profile show paper", "config path", "config schema"])
def test_what_loads_no_profile_does_not_load_the_library(home: Path, line: str) -> None:
    script = (
        f"import sys; from sniper_cli.entry import main; main({line.split()!r});"
        "sys.exit('pydantic_settings' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0
