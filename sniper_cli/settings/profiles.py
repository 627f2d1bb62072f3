"""Profiles as people list and make them."""

from __future__ import annotations

from typing import Any

from sniper_cli.errors import SniperError, UsageProblem
from sniper_cli.settings import load
from sniper_cli.settings.files import ConfigFile, read_config
from sniper_cli.settings.loading import BUILT_IN, active_profile, profile_names, require_profile
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
    row: dict[str, Any] = {
        "name": name,
        "mode": None,
        "active": name == active_profile(file),
        "built_in": name in BUILT_IN,
        "database": None,
        "chain_id": None,
        "account": None,
    }
    try:
        resolved = load(name)
    except SniperError:
        return row  # one broken profile must not hide the others; `config validate` says what is wrong
    settings = resolved.settings
    row["mode"] = settings.mode
    row["account"] = resolved.account_name
    row["chain_id"] = settings.chain.chain_id if settings.mode != "paper" else None
    row["database"] = mask_url(settings.database_url) or str(home_paths().database_file)
    return row


def assignments(texts: list[str]) -> dict[str, str]:
    """`KEY=VALUE` pairs. Raises UsageProblem."""
    values = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise UsageProblem(f"{text!r} is no KEY=VALUE", hint="--set sniping.amount=0.05")
        values[key.strip()] = value.strip()
    return values
