"""The settings as rows: what `config show`, `config validate` and `config path` put on the screen."""

from __future__ import annotations

from functools import reduce
from operator import itemgetter
from typing import Any

from sniper_cli.errors import ConfigurationError
from sniper_cli.output.formats import plain
from sniper_cli.settings.files import read_config
from sniper_cli.settings.keys import descriptions, known_keys, near_key
from sniper_cli.settings.layers import PREFIX, Origin, environment
from sniper_cli.settings.loading import Problem, Resolved
from sniper_cli.settings.masking import masked
from sniper_cli.settings.model import Settings
from sniper_cli.settings.paths import home_paths
from sniper_cli.settings.writing import problems_of, require_key

OTHER_VARIABLES = frozenset(
    {
        "SNIPER_HOME",
        "SNIPER_PROFILE",
        "SNIPER_DEBUG",
        "SNIPER_DEVNET_DIR",
        "SNIPER_ANVIL",
    }
)
"""Environment variables of ours that are no settings."""


def rows(resolved: Resolved) -> list[dict[str, Any]]:
    """Every setting with its value, its origin and the exact place."""
    return [_row(resolved, key) for key in known_keys()]


def row(resolved: Resolved, key: str) -> dict[str, Any]:
    """One setting. Raises ConfigurationError with the nearest key for one that does not exist."""
    require_key(key)
    return _row(resolved, key)


def _row(resolved: Resolved, key: str) -> dict[str, Any]:
    origin: Origin = resolved.origins[key]
    value = plain(reduce(getattr, key.split("."), resolved.settings))
    return {
        "key": key,
        "value": _hidden(key, value),
        "origin": origin.kind,
        "place": origin.place,
    }


def _hidden(key: str, value: Any) -> Any:
    """A value as it may be shown; of a list every part."""
    if isinstance(value, list):
        return [_hidden(key, part) for part in value]
    return masked(key, value) if isinstance(value, str) else value


def all_problems() -> list[Problem]:
    """Everything wrong in the file and in the environment."""
    return [*problems_of(read_config(home_paths().config_file)), *_environment_problems()]


def _environment_problems() -> list[Problem]:
    """Variables that look like settings of ours and are none."""
    problems = []
    for key, variable in sorted(environment().items(), key=itemgetter(1)):
        if key in known_keys() or "." in key or variable in OTHER_VARIABLES:
            continue
        meant = near_key(key)
        if meant is not None:
            near = PREFIX + meant.upper().replace(".", "__")
            problems.append(Problem(variable, "no such setting", file="environment", near=near))
    return problems


def require_none(problems: list[Problem]) -> None:
    """Raise ConfigurationError if there is any problem."""
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise ConfigurationError(f"{count} in the settings: {problems[0]}", hint="sniper config path")


def places() -> list[dict[str, Any]]:
    """Where everything stands."""
    paths = home_paths()
    found = {
        "config": paths.config_file,
        "data": paths.data,
        "state": paths.state,
        "cache": paths.cache,
        "wallets": paths.wallets,
        "devnet": paths.devnet,
        "database": paths.database_file,
    }
    return [{"what": what, "path": str(path), "exists": path.exists()} for what, path in found.items()]


def json_schema() -> str:
    """The JSON Schema of one profile's settings, with the words of the model."""
    import json

    schema = Settings.model_json_schema()
    words = descriptions()
    for key, text in words.items():
        if "." not in key and key in schema["properties"]:
            schema["properties"][key].setdefault("description", text)
    return json.dumps(schema, indent=2, ensure_ascii=False)
