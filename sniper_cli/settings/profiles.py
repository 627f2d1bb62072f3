"""Profiles as people list and make them."""

from __future__ import annotations

from typing import Any

from sniper_cli.errors import UsageProblem
from sniper_cli.settings.files import ConfigFile, read_config
from sniper_cli.settings.keys import known_keys
from sniper_cli.settings.layers import (
    BUILT_IN,
    active_profile,
    layers,
    profile_names,
    require_profile,
    told,
)
from sniper_cli.settings.masking import mask_url
from sniper_cli.settings.paths import home_paths


def summaries() -> list[dict[str, Any]]:
    """Every profile in a line."""
    file = read_config(home_paths().config_file)
    return [_summary(file, name) for name in profile_names(file)]


def summary(name: str) -> dict[str, Any]:
    """One profile in a line. Raises UnknownProfile."""
    file = read_config(home_paths().config_file)
    require_profile(file, name)
    return _summary(file, name)


def _summary(file: ConfigFile, name: str) -> dict[str, Any]:
    """As written, not validated: a broken profile must not hide the others; `config validate` says what is wrong."""
    sources = layers(file, name, {})

    def setting(key: str) -> Any:
        return told(sources, key, known_keys()[key].default)

    mode, chain_id = str(setting("mode")), str(setting("chain.chain_id"))
    return {
        "name": name,
        "mode": mode,
        "active": name == active_profile(file),
        "built_in": name in BUILT_IN,
        "database": mask_url(str(setting("database_url"))) or str(home_paths().database_file),
        "chain_id": int(chain_id) if mode != "paper" and chain_id.isdecimal() else None,
        "account": str(setting("account")) or name,
    }


def assignments(texts: list[str]) -> dict[str, str]:
    """`KEY=VALUE` pairs. Raises UsageProblem."""
    values = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise UsageProblem(f"{text!r} is no KEY=VALUE", hint="--set sniping.amount=0.05")
        values[key.strip()] = value.strip()
    return values
