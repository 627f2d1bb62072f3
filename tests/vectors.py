"""The shared vectors: published and derived figures beside this repository, each with its tolerance."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "shared" / "vectors"
EXACT = {"rel": 1e-12, "abs": 1e-12}


def cases(topic: str, *functions: str) -> list[dict[str, Any]]:
    """A file's cases, of these functions if any are named; none where the vectors are not there."""
    path = FOLDER / f"{topic}.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())["cases"]
    return [case for case in found if not functions or case["input"].get("fn") in functions]


def name(case: dict[str, Any]) -> str:
    return str(case["id"])


def arguments(case: dict[str, Any], **renamed: str) -> dict[str, Any]:
    """The input without the function's name; `renamed` maps the vectors' spelling to ours."""
    return {renamed.get(key, key): value for key, value in case["input"].items() if key != "fn"}


def agree(case: dict[str, Any], actual: Any, *, renamed: Mapping[str, str] | None = None) -> None:
    """Every expected figure is the one computed, within the case's tolerance."""
    found = _figures(actual)
    expected = {key: value for key, value in case["expected"].items() if not key.startswith("published")}
    if not isinstance(found, Mapping):
        assert len(expected) == 1, f"one figure was computed, {sorted(expected)} are expected"
        found = {next(iter(expected)): found}
    for key, value in expected.items():
        ours = (renamed or {}).get(key, key)
        assert ours in found, f"{key} is expected; there are {sorted(found)}"
        _close(found[ours], value, _tolerance(case, key), key)


def _tolerance(case: dict[str, Any], key: str) -> dict[str, float]:
    given = case.get("tolerance", {})
    own = given.get(key, given)
    return {kind: own[kind] for kind in ("abs", "rel") if kind in own} or EXACT


def _figures(value: Any) -> Any:
    """A dataclass as a mapping, with the figures that its properties tell."""
    if not is_dataclass(value):
        return value
    shown = {field.name: getattr(value, field.name) for field in fields(value)}
    told = {key: getattr(value, key) for key, one in vars(type(value)).items() if isinstance(one, property)}
    return shown | told


def _close(found: Any, expected: Any, tolerance: Mapping[str, float], where: str) -> None:
    found = _figures(found)
    if isinstance(expected, Mapping):
        for key, value in expected.items():
            assert key in found, f"{where}.{key} is expected; there are {sorted(found)}"
            _close(found[key], value, tolerance, f"{where}.{key}")
    elif isinstance(expected, Sequence) and not isinstance(expected, str):
        assert len(found) == len(expected), f"{where}: {found} is not {expected}"
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            _close(one, other, tolerance, f"{where}[{index}]")
    elif isinstance(expected, bool) or expected is None or isinstance(expected, str):
        assert str(found) == str(expected), f"{where}: {found} is not {expected}"
    else:
        assert found is not None, f"{where}: nothing is not {expected}"
        room = max(tolerance.get("abs", 0.0), tolerance.get("rel", 0.0) * abs(expected))
        assert abs(float(found) - expected) <= room, (
            f"{where}: {float(found)!r} is not {expected!r} ± {room:g}"
        )
