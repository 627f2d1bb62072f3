"""How figures are written on the screens: amounts, gains, ages, trends. No digit is cut off to fit a column."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

WIDE = Context(prec=90)
STEPS = "▁▂▃▄▅▆▇█"


def amount(units: int | None, decimals: int = 18, places: int = 4) -> str:
    """Base units as whole assets, rounded to `places` for reading."""
    if units is None:
        return "–"
    value = Decimal(units).scaleb(-decimals, context=WIDE)
    return f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=WIDE):,f}"


def exact(units: int | None, decimals: int = 18) -> str:
    """Base units as whole assets, every digit."""
    if units is None:
        return "–"
    text = format(Decimal(units).scaleb(-decimals, context=WIDE), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def compact(units: int | None, decimals: int = 18) -> str:
    """A quantity of tokens in a few characters: `1.20M`, `993.2k`."""
    if units is None:
        return "–"
    value = Decimal(units).scaleb(-decimals, context=WIDE)
    for limit, sign in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.2f}{sign}"
    return f"{value:.4f}"


def sign(value: int | Decimal) -> str:
    """▲ for a gain, ▼ for a loss, = for neither: what the colour says, without colour."""
    return "▲" if value > 0 else "▼" if value < 0 else "="


def gain(units: int, decimals: int = 18, places: int = 4) -> str:
    """A profit or a loss: `▲ 0.0342`."""
    return f"{sign(units)} {amount(abs(units), decimals, places)}"


def percent(value: Decimal | None, places: int = 1) -> str:
    """A signed percentage: `+34.2%`."""
    return "–" if value is None else f"{value:+.{places}f}%".replace("-", "−")


def bps(value: int | None) -> str:
    """Basis points as a percentage: `3%`, `2.5%`."""
    if value is None:
        return "–"
    text = f"{Decimal(value) / 100:.2f}"
    return f"{text.rstrip('0').rstrip('.')}%"


def tone(value: int | Decimal | None) -> str:
    """The style of a gain or a loss."""
    return "good" if value and value > 0 else "bad" if value and value < 0 else "muted"


def age(span: timedelta) -> str:
    """A span in at most five characters: `7s`, `4m05s`, `2h10m`, `3d`."""
    seconds = max(0, int(span.total_seconds()))
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d"


def clock(moment: datetime) -> str:
    """A time of day in UTC."""
    return moment.astimezone(UTC).strftime("%H:%M:%S")


def milliseconds(microseconds: int | None) -> str:
    """A latency: `38 ms`."""
    return "–" if microseconds is None else f"{Decimal(microseconds) / 1000:.0f} ms"


def address(value: str | None, head: int = 6, tail: int = 4) -> str:
    """An address or a hash as people recognise it."""
    if not value:
        return "–"
    return f"{value[:head]}…{value[-tail:]}" if len(value) > head + tail + 1 else value


def scale(values: Sequence[int], calm: int = 50) -> tuple[int, int]:
    """The lowest value and the span a trend is drawn over: 2 % of the highest at least, so that calm looks calm."""
    low, high = min(values), max(values)
    return low, max(high - low, abs(high) // calm, 1)


def trend(values: Sequence[int], width: int, *, calm: int = 50) -> str:
    """The last values as a line of blocks; empty while there is only one. `calm`: see `scale`."""
    if len(values) < 2:
        return ""
    shown = values[-width:]
    low, span = scale(shown, calm)
    return "".join(STEPS[(value - low) * (len(STEPS) - 1) // span] for value in shown)


def readable(figure: str, coin: str = "ETH") -> str:
    """A figure with its unit as people read it: `312 bps` is `3.12%`, `184211 gas` is `184,211 gas`."""
    number, _, unit = figure.partition(" ")
    if not number.lstrip("-").isdigit():
        return figure
    value = int(number)
    if unit == "bps":
        return f"{Decimal(value) / 100:.2f}%"
    if unit == "wei":
        return f"{amount(value, places=2)} {coin}" if abs(value) >= 10**16 else f"{exact(value)} {coin}"
    return f"{value:,} {unit}".strip()
