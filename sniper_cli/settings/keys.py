"""The known settings as dotted keys (`sniping.exits.stop_loss_pct`), with their words from the model's source."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from sniper_cli.settings.model import Settings
from sniper_cli.settings.tables import near


@cache
def known_keys() -> dict[str, FieldInfo]:
    """Every setting by its dotted key."""
    return dict(_walk(Settings, ""))


def known_tables() -> frozenset[str]:
    """The dotted names of the tables that hold settings."""
    return frozenset(key[:place] for key in known_keys() for place in range(len(key)) if key[place] == ".")


def _walk(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _walk(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field


def near_key(key: str) -> str | None:
    """The known setting that a misspelt key most likely means."""
    return near(key, [*known_keys(), *known_tables()])


@cache
def descriptions() -> dict[str, str]:
    """What each setting and table means: the docstrings under the model's fields, by dotted key."""
    words: dict[str, str] = {}
    _describe(Settings, "", words)
    return words


def _describe(model: type[BaseModel], prefix: str, words: dict[str, str]) -> None:
    body = ast.parse(inspect.getsource(model)).body[0]
    if isinstance(body, ast.ClassDef):
        for statement, following in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(statement, ast.AnnAssign)
                and isinstance(statement.target, ast.Name)
                and isinstance(following, ast.Expr)
                and isinstance(following.value, ast.Constant)
            ):
                words[f"{prefix}{statement.target.id}"] = " ".join(str(following.value.value).split())
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            words[f"{prefix}{name}"] = " ".join((inner.__doc__ or "").split())
            _describe(inner, f"{prefix}{name}.", words)
