"""Times as people write them: `2h`, `now-1d`, `2026-01-01`, `2026-01-01T12:30`; all UTC unless they say otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sniper_cli.errors import UsageProblem

AHEAD = re.compile(r"^(?:now\+|\+|in )?(?P<count>\d+)(?P<unit>[smhdw])$")
CLOCK = re.compile(r"^(?P<hour>\d{1,2}):(?P<minute>\d{2})$")
AGO = re.compile(r"^(?:now-)?(?P<count>\d+)(?P<unit>[smhdw])$")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_moment(text: str, *, now: datetime | None = None) -> datetime:
    """A moment in the past. Raises UsageProblem."""
    present = now or datetime.now(UTC)
    word = text.strip().lower()
    if word == "now":
        return present
    try:
        if ago := AGO.match(word):
            return present - timedelta(**{UNITS[ago["unit"]]: int(ago["count"])})
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise UsageProblem(
            f"{text!r} is no time", hint="write 90s, 15m, 2h, 1d, now-1w, 2026-01-31 or 2026-01-31T12:30"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def parse_future(text: str, *, now: datetime | None = None) -> datetime:
    """A moment to come: `2h` from now, `17:30` today or tomorrow, a date. Raises UsageProblem for one that is past."""
    present = now or datetime.now(UTC)
    word = text.strip().lower()
    try:
        if ahead := AHEAD.match(word):
            return present + timedelta(**{UNITS[ahead["unit"]]: int(ahead["count"])})
        if clock := CLOCK.match(word):
            today = present.replace(
                hour=int(clock["hour"]), minute=int(clock["minute"]), second=0, microsecond=0
            )
            return today if today > present else today + timedelta(days=1)
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError) as error:
        raise UsageProblem(
            f"{text!r} is no time", hint="write 90s, 15m, 2h, 17:30, 2026-01-31 or 2026-01-31T12:30, in UTC"
        ) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= present:
        raise UsageProblem(
            f"{text!r} is past: it is {present:%Y-%m-%d %H:%M} UTC", hint="write 2h for in two hours"
        )
    return moment


def parse_duration(text: str) -> timedelta:
    """A length of time: `60s`, `5m`, `2h`; a bare number is seconds. Raises UsageProblem."""
    word = text.strip().lower()
    if word.isdigit():
        return timedelta(seconds=int(word))
    if (length := AGO.match(word)) and not word.startswith("now"):
        return timedelta(**{UNITS[length["unit"]]: int(length["count"])})
    raise UsageProblem(f"{text!r} is no duration", hint="write 90s, 15m, 2h or 1d")
