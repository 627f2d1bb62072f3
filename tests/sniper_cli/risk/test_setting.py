"""Limits as people set them: read in their own words, refused with a way out, versioned, journalled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sniper_cli.errors import ChangedMeanwhile, NotFound, UsageProblem
from sniper_cli.risk.kinds import KINDS, Unit, kind_named, read_value
from sniper_cli.risk.setting import LimitView, Wanted, Whom, limits, remove_limit, set_limit
from sniper_cli.venues.paper import ensure_account
from state import journal
from state.controls import CONTROLS, ControlVersion
from state.database import Database
from state.limits import LimitScope, OnBreach

PERSON = "user:ada"


@pytest.fixture
def opened(database: Database) -> Database:
    ensure_account(database)
    return database


def put(database: Database, name: str, value: str, whom: Whom = Whom(), **options: object) -> LimitView:  # noqa: B008
    wanted_options = {key: options.pop(key) for key in list(options) if key != "dry_run"}
    wanted = Wanted(name, value, whom, **wanted_options)  # type: ignore[arg-type]
    return set_limit(database, wanted, account="paper", actor=PERSON, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text", "number", "unit", "spelled"),
    [
        ("order_notional", "5000", "5000", "USDT", "5000 USDT"),
        ("order_notional", "5,000.50 USDT", "5000.50", "USDT", "5000.5 USDT"),
        ("order_notional", "0.5ETH", "0.5", "ETH", "0.5 ETH"),
        ("order_quantity", "2 BTC", "2", "BTC", "2 BTC"),
        ("order_quantity", "3 1INCH", "3", "1INCH", "3 1INCH"),
        ("collar", "10%", "1000", "bps", "10%"),
        ("collar", "250bps", "250", "bps", "2.5%"),
        ("drawdown", "12.5%", "1250", "bps", "12.5%"),
        ("leverage", "3", "3", "x", "3x"),
        ("leverage", "2.5x", "2.5", "x", "2.5x"),
        ("open_orders", "50", "50", "", "50"),
    ],
)
def test_a_value_is_read_as_people_write_it(
    name: str, text: str, number: str, unit: str, spelled: str
) -> None:
    value = read_value(KINDS[name], text, "USDT")
    assert (value.number, value.unit, str(value)) == (Decimal(number), unit, spelled)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("order_notional", "much"),
        ("order_notional", "0"),
        ("order_notional", "-5"),
        ("order_notional", "NaN"),
        ("order_notional", "1e400"),
        ("collar", "10"),
        ("collar", "0.001%"),
        ("drawdown", "100%"),
        ("leverage", "3%"),
        ("open_orders", "1.5"),
        ("open_orders", "5 BTC"),
        ("order_quantity", ""),
    ],
)
def test_a_value_that_is_none_is_refused(name: str, text: str) -> None:
    with pytest.raises(UsageProblem):
        read_value(KINDS[name], text, "USDT")


def test_an_unknown_limit_names_the_near_one() -> None:
    with pytest.raises(UsageProblem, match="did you mean 'drawdown'"):
        kind_named("drawdwon")
    assert kind_named("daily-loss").name == "daily_loss"


def test_a_limit_is_set_changed_and_removed_and_each_is_journalled(opened: Database) -> None:
    first = put(opened, "order_notional", "5000")
    assert (first.of, first.set_to, first.version, first.previous) == ("paper", "5000 USDT", 1, None)
    second = put(opened, "order_notional", "4000")
    assert (second.version, second.previous) == (2, "5000 USDT")
    assert [(one.name, one.set_to, one.actor) for one in limits(opened)] == [
        ("order_notional", "4000 USDT", PERSON)
    ]
    gone = remove_limit(opened, "order_notional", Whom(), account="paper", actor=PERSON)
    assert gone.previous == "4000 USDT"
    assert limits(opened) == []
    with opened.read() as session:
        told = [
            (record.kind, record.data["value"], record.data.get("before"), record.actor)
            for record in journal.read_forward(session)
            if record.kind.startswith("limit.")
        ]
        assert session.get_one(ControlVersion, CONTROLS).version == 3
    assert told == [
        ("limit.set", "5000 USDT", None, PERSON),
        ("limit.set", "4000 USDT", "5000 USDT", PERSON),
        ("limit.removed", "4000 USDT", None, PERSON),
    ]


def test_setting_what_is_set_changes_nothing_and_is_not_journalled(opened: Database) -> None:
    put(opened, "open_orders", "5")
    again = put(opened, "open_orders", "5")
    assert (again.changed, again.version) == (False, 1)
    with opened.read() as session:
        assert [record.kind for record in journal.read_forward(session)].count("limit.set") == 1


def test_a_dry_run_tells_and_does_nothing(opened: Database) -> None:
    told = put(opened, "order_notional", "5000", dry_run=True)
    assert (told.dry_run, told.changed, told.version) == (True, True, 1)
    assert limits(opened) == []
    put(opened, "order_notional", "5000")
    assert put(opened, "order_notional", "1", dry_run=True).previous == "5000 USDT"
    assert [one.set_to for one in limits(opened)] == ["5000 USDT"]


def test_who_read_an_older_version_changes_nothing(opened: Database) -> None:
    put(opened, "order_notional", "5000", version=0)
    with pytest.raises(ChangedMeanwhile, match="at version 1 by now, not 0"):
        put(opened, "order_notional", "4000", version=0)
    put(opened, "order_notional", "4000", version=1)
    with pytest.raises(ChangedMeanwhile):
        remove_limit(opened, "order_notional", Whom(), account="paper", actor=PERSON, version=1)
    assert [one.set_to for one in limits(opened)] == ["4000 USDT"]


def test_the_same_limit_stands_once_for_each_scope(opened: Database) -> None:
    for whom in (Whom(), Whom(tenant="main"), Whom(strategy="grid"), Whom(instrument="btc/usdt")):
        put(opened, "order_notional", "5000", whom)
    assert [(one.scope, one.of) for one in limits(opened)] == [
        (LimitScope.ACCOUNT, "paper"),
        (LimitScope.INSTRUMENT, "BTC/USDT"),
        (LimitScope.STRATEGY, "grid"),
        (LimitScope.TENANT, "main"),
    ]


def test_a_quantity_is_of_the_instrument_s_own_asset_or_of_one_that_is_named(opened: Database) -> None:
    assert put(opened, "position_quantity", "2", Whom(instrument="ETH/USDT")).set_to == "2 ETH"
    with pytest.raises(UsageProblem, match="of what"):
        put(opened, "position_quantity", "2")


def test_groups_have_members_and_stand_beside_each_other(opened: Database) -> None:
    for group, members in (("majors", ["BTC/USDT", "ETH/USDT"]), ("dogs", ["DOGE/USDT", "SOL/USDT"])):
        put(opened, "correlated_exposure", "5000", group=group, members=members)
    assert [(one.group, one.members) for one in limits(opened)] == [
        ("dogs", ("DOGE/USDT", "SOL/USDT")),
        ("majors", ("BTC/USDT", "ETH/USDT")),
    ]
    remove_limit(opened, "correlated_exposure", Whom(), account="paper", actor=PERSON, group="dogs")
    assert [one.group for one in limits(opened)] == ["majors"]


@pytest.mark.parametrize(
    ("name", "value", "whom", "options", "said"),
    [
        ("order_notional", "5", Whom(tenant="a", strategy="b"), {}, "--tenant and --strategy are two scopes"),
        (
            "drawdown",
            "5%",
            Whom(strategy="grid"),
            {},
            "cannot be set on one strategy, only on: tenant, account",
        ),
        ("gross_exposure", "5", Whom(instrument="BTC/USDT"), {}, "position_notional"),
        ("correlated_exposure", "5", Whom(), {}, "needs a group"),
        ("correlated_exposure", "5", Whom(), {"group": "g", "members": ["BTC/USDT"]}, "two instruments"),
        ("order_notional", "5", Whom(), {"group": "g"}, "has no group"),
        ("order_notional", "5", Whom(), {"cooldown_seconds": 5}, "has no cooldown"),
        (
            "order_notional",
            "5",
            Whom(instrument="BTC/USDT"),
            {"on_breach": OnBreach.TRIP},
            "no kill switch of an instrument",
        ),
    ],
)
def test_what_makes_no_limit_is_refused(
    opened: Database, name: str, value: str, whom: Whom, options: dict[str, object], said: str
) -> None:
    with pytest.raises(UsageProblem, match=said):
        put(opened, name, value, whom, **options)
    assert limits(opened) == []


def test_what_is_not_there_cannot_be_bound_or_removed(opened: Database) -> None:
    with pytest.raises(NotFound, match="no account 'nobody'"):
        put(opened, "order_notional", "5", Whom(account="nobody"))
    with pytest.raises(NotFound, match="did you mean"):
        put(opened, "order_notional", "5", Whom(instrument="BTC/USD"))
    with pytest.raises(NotFound, match="there is no limit drawdown on account paper"):
        remove_limit(opened, "drawdown", Whom(), account="paper", actor=PERSON)


def test_a_losing_streak_rests_an_hour_unless_told_otherwise(opened: Database) -> None:
    assert put(opened, "losing_streak", "3").cooldown_seconds == 3600
    assert put(opened, "losing_streak", "3", cooldown_seconds=600).cooldown_seconds == 600


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_kind_says_what_it_bounds_and_on_whom(kind: object) -> None:
    assert getattr(kind, "says")  # noqa: B009
    assert LimitScope.ACCOUNT in getattr(kind, "scopes")  # noqa: B009
    assert getattr(kind, "unit") in Unit  # noqa: B009
