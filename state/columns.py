"""Columns that mean the same on SQLite and on Postgres.

SQLite stores NUMERIC as a double (0.123456789012345678 comes back as 0.1234567890, 1E-18 as 0), so exact
values are text there. Amounts of an asset are whole base units (wei, satoshi) as Python integers up to
2^256; prices and ratios are Decimals.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field

MAX_UNITS = 2**256 - 1


class Exact(TypeDecorator[Decimal]):
    """A finite Decimal kept to the last digit: NUMERIC on Postgres, fixed-point text on SQLite.

    On SQLite it compares and sorts as text: order and sum such columns in Python.
    """

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.String(160) if dialect.name == "sqlite" else sa.Numeric())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"a finite Decimal is wanted here, not {value!r}")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


class Units(TypeDecorator[int]):
    """A whole number of an asset's base units, signed, |n| < 2^256: NUMERIC(78) or text."""

    impl = sa.Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(sa.String(79) if dialect.name == "sqlite" else sa.Numeric(78, 0))

    def process_bind_param(self, value: int | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > MAX_UNITS:
            raise TypeError(f"a whole number of base units within ±2^256 is wanted here, not {value!r}")
        return str(value) if dialect.name == "sqlite" else Decimal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)


class BinaryText(TypeDecorator[str]):
    """Text that compares byte by byte on both databases: Postgres would sort by a language's rules."""

    impl = sa.String
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        collation = None if dialect.name == "sqlite" else "C"
        return dialect.type_descriptor(sa.String(collation=collation))


class Json(TypeDecorator[Any]):
    """A JSON value as text, written without blanks and with sorted keys, so that equal values are equal bytes."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else canonical(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else json.loads(value)


def canonical(value: object) -> str:
    """The one spelling of a JSON value: sorted keys, no blanks. Floats are refused: money is never one."""
    return json.dumps(
        _exact(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def _exact(value: Any) -> Any:
    """Integers beyond 2^53 and Decimals become strings, because JSON readers make doubles of them."""
    if isinstance(value, dict):
        return {str(key): _exact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_exact(item) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        raise TypeError(f"a float ({value!r}) may not enter the record; use a Decimal or whole units")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return timestamp(value)
    return str(value)


def timestamp(moment: datetime) -> str:
    """ISO-8601 in UTC with microseconds and a Z: the one spelling of a time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> datetime:
    """The present, aware and in UTC. The one clock: tests replace it by passing another."""
    return datetime.now(UTC)


def units_field(**options: Any) -> Any:
    """A required whole-unit column."""
    return Field(sa_column=sa.Column(Units, nullable=False), **options)


def optional_units() -> Any:
    """A whole-unit column that may be empty."""
    return Field(default=None, sa_column=sa.Column(Units, nullable=True))


def word_field(kind: type[StrEnum], **options: Any) -> Any:
    """A column of named words, stored by value as text.

    No native enum on Postgres: a new word would need ALTER TYPE, and one type cannot serve two tables' migrations.
    """
    words = sa.Enum(
        kind, native_enum=False, length=32, values_callable=lambda members: [m.value for m in members]
    )
    return Field(sa_type=words, **options)


def json_field(default: type[dict[str, Any]] | type[list[Any]] = dict) -> Any:
    """A JSON column."""
    return Field(default_factory=default, sa_column=sa.Column(Json, nullable=False, default=default))


def optional_json() -> Any:
    """A JSON column that may be empty."""
    return Field(default=None, sa_column=sa.Column(Json, nullable=True))
