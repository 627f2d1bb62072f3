"""Exact money, whole units and times come back as they went in, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from state.columns import MAX_UNITS, Exact, Json, Units, canonical, timestamp
from state.database import Database

table = sa.Table(
    "column_probe",
    sa.MetaData(),
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("price", Exact),
    sa.Column("amount", Units),
    sa.Column("content", Json),
)

exact = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40, places=30)
units = st.integers(min_value=-MAX_UNITS, max_value=MAX_UNITS)
OPTIONS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@pytest.fixture
def probe(database: Database) -> Database:
    with database.engine.begin() as connection:
        table.create(connection)
    return database


def round_trip(database: Database, **values: object) -> sa.Row:
    with database.write() as session:
        session.execute(table.delete())
        session.execute(table.insert().values(id=1, **values))
    with database.read() as session:
        return session.execute(sa.select(table)).one()


@OPTIONS
@given(price=exact)
def test_a_decimal_comes_back_to_the_last_digit(probe: Database, price: Decimal) -> None:
    assert round_trip(probe, price=price).price == price


@OPTIONS
@given(amount=units)
def test_a_256_bit_amount_comes_back(probe: Database, amount: int) -> None:
    found = round_trip(probe, amount=amount).amount

    assert found == amount
    assert type(found) is int


@pytest.mark.parametrize("amount", [MAX_UNITS, -MAX_UNITS, 0, 1, 2**63, 10**18])
def test_the_edges_of_an_amount_come_back(probe: Database, amount: int) -> None:
    assert round_trip(probe, amount=amount).amount == amount


@pytest.mark.parametrize("price", ["1E-18", "0.123456789012345678", "123456789012345678901234567890.5"])
def test_figures_that_a_double_would_lose_are_kept(probe: Database, price: str) -> None:
    assert round_trip(probe, price=Decimal(price)).price == Decimal(price)


@pytest.mark.parametrize("amount", [MAX_UNITS + 1, 1.0, "1", True])
def test_what_is_no_whole_amount_is_refused(probe: Database, amount: object) -> None:
    with pytest.raises(sa.exc.StatementError, match="whole number of base units"):
        round_trip(probe, amount=amount)


@pytest.mark.parametrize("price", [Decimal("NaN"), Decimal("Infinity"), 1.5, 1])
def test_what_is_no_finite_decimal_is_refused(probe: Database, price: object) -> None:
    with pytest.raises(sa.exc.StatementError, match="finite Decimal"):
        round_trip(probe, price=price)


def test_equal_json_values_are_equal_bytes() -> None:
    assert canonical({"b": 1, "a": [Decimal("1.10"), None]}) == canonical({"a": ["1.10", None], "b": 1})
    assert canonical({"wei": 10**18}) == '{"wei":"1000000000000000000"}'


def test_a_float_never_enters_the_record() -> None:
    with pytest.raises(TypeError, match="float"):
        canonical({"price": 0.1})


def test_a_time_is_spelled_in_utc() -> None:
    moment = datetime(2026, 1, 1, 2, 0, 0, 5, tzinfo=timezone(timedelta(hours=2)))

    assert timestamp(moment) == "2026-01-01T00:00:00.000005Z"
    assert timestamp(moment.astimezone(UTC)) == timestamp(moment)
