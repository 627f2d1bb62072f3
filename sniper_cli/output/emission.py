"""Data to stdout in one of five formats, with the fields that were asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

from sniper_cli.errors import UsageProblem
from sniper_cli.output.formats import Column, Format, plain
from sniper_cli.output.table import record_lines, table_lines
from sniper_cli.output.terminal import note, paint, width

T = TypeVar("T")


def emit(
    data: Any,
    *,
    columns: Sequence[Column],
    fmt: Format = Format.TABLE,
    fields: str | None = None,
    title: str | None = None,
    empty: str = "nothing to show",
    header: bool = True,
) -> None:
    """Write rows (a list, a generator) or one record (a mapping, an object) to stdout.

    `columns` are the fields, in order, of every format. Without `header` a CSV goes on where it stood.
    Raises UsageProblem for an unknown field.
    """
    chosen = choose(columns, fields)
    single = isinstance(data, Mapping) or not isinstance(data, Iterable)
    rows = [data] if single else list(data)
    if fmt is Format.TABLE:
        _table(rows, chosen, single=single, title=title, empty=empty)
        return
    records = [{column.name: plain(column.of(row)) for column in chosen} for row in rows]
    names = [column.name for column in chosen]
    if fmt is Format.CSV:
        _csv(records, names, header=header)
    else:
        WRITERS[fmt](records, names, single)


def choose(columns: Sequence[Column], fields: str | None) -> Sequence[Column]:
    """The columns named in `--fields`, in that order; all when none are."""
    if fields is None:
        return columns
    known = {column.name: column for column in columns}
    wanted = [name.strip() for name in fields.split(",") if name.strip()]
    unknown = next((name for name in wanted if name not in known), None)
    if unknown is not None or not wanted:
        near = get_close_matches(unknown or "", known, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise UsageProblem(
            f"unknown field {unknown!r}{meant}" if unknown else "--fields names no field",
            hint=f"fields: {', '.join(known)}",
            fields=list(known),
        )
    from dataclasses import replace

    return [replace(known[name], in_table=True, priority=0) for name in wanted]


def cut(
    rows: Iterable[T], *, limit: int, everything: bool = False, cursor: Callable[[T], object] | None = None
) -> list[T]:
    """The first `limit` rows; what is left out is said on stderr, never silently.

    Hand in one row more than the limit (or all): that there are more is seen by it.
    """
    if everything:
        return list(rows)
    kept: list[T] = []
    for row in rows:
        if len(kept) == limit:
            onward = f"--after {cursor(kept[-1])}, " if cursor is not None and kept else ""
            note(f"only {limit} shown; {onward}--limit N or --all for more", "dim")
            break
        kept.append(row)
    return kept


def _table(
    rows: list[Any], columns: Sequence[Column], *, single: bool, title: str | None, empty: str
) -> None:
    if title:
        _write(paint(title, "strong"))
    if single:
        lines = record_lines(rows[0], columns)
    elif rows:
        lines = table_lines(rows, columns, width())
    else:
        note(empty, "dim")
        return
    for line in lines:
        _write(line)


def _json(records: list[dict[str, Any]], _names: list[str], single: bool) -> None:
    import json

    _write(json.dumps(records[0] if single else records, indent=2, ensure_ascii=_ascii()))


def _jsonl(records: list[dict[str, Any]], _names: list[str], _single: bool) -> None:
    import json

    for record in records:
        _write(json.dumps(record, separators=(",", ":"), ensure_ascii=_ascii()))
    sys.stdout.flush()


def _csv(records: list[dict[str, Any]], names: list[str], *, header: bool) -> None:
    import csv
    import json

    writer = csv.writer(sys.stdout, lineterminator="\n")
    if header:
        writer.writerow(names)
    for record in records:
        writer.writerow(
            json.dumps(value, separators=(",", ":"), ensure_ascii=_ascii())
            if isinstance(value, dict | list)
            else value
            for value in (_truth(record[name]) for name in names)
        )


def _truth(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _yaml(records: list[dict[str, Any]], _names: list[str], single: bool) -> None:
    import yaml

    content = records[0] if single else records
    _write(yaml.safe_dump(content, sort_keys=False, allow_unicode=not _ascii()).rstrip("\n"))


WRITERS: dict[Format, Callable[[list[dict[str, Any]], list[str], bool], None]] = {
    Format.JSON: _json,
    Format.JSONL: _jsonl,
    Format.YAML: _yaml,
}


def _ascii() -> bool:
    """Whether stdout takes nothing beyond ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "") not in ("utf8", "utf16", "utf32")


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
