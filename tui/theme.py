"""Three palettes: dark, light, and a pair of colours that every eye tells apart.

Colour never stands alone: every state has its sign and its word, every gain its ▲ or ▼. So the screens
read the same under NO_COLOR.
"""

from __future__ import annotations

from textual.theme import Theme


def _bars(colour: str, background: str) -> dict[str, str]:
    """Scrollbars that stay in the background."""
    names = {"scrollbar": colour, "scrollbar-hover": colour, "scrollbar-active": colour}
    grounds = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active")
    return names | dict.fromkeys((*grounds, "scrollbar-corner-color"), background)


DARK = Theme(
    name="sniper-dark",
    primary="#58b4f5",
    secondary="#8f9fb3",
    accent="#c39bff",
    success="#4fd08b",
    warning="#f0b54a",
    error="#ff6f6f",
    foreground="#d6dfe9",
    background="#0b1016",
    surface="#0f161e",
    panel="#1b2633",
    dark=True,
    variables={
        "border": "#2c3a4a",
        "footer-key-foreground": "#58b4f5",
        "footer-background": "#0b1016",
        **_bars("#2c3a4a", "#0f161e"),
    },
)

LIGHT = Theme(
    name="sniper-light",
    primary="#0b62b5",
    secondary="#52606f",
    accent="#7a3fc0",
    success="#0f7a45",
    warning="#8f5b00",
    error="#bd2626",
    foreground="#1b2631",
    background="#eef2f6",
    surface="#fbfcfd",
    panel="#dfe6ee",
    dark=False,
    variables={
        "border": "#b8c4d1",
        "footer-key-foreground": "#0b62b5",
        "footer-background": "#eef2f6",
        **_bars("#b8c4d1", "#fbfcfd"),
    },
)

BLUE_ORANGE = Theme(
    name="sniper-blue-orange",
    primary="#d6dfe9",
    secondary="#8f9fb3",
    accent="#c9b8ff",
    success="#56a8ff",
    warning="#e6d36a",
    error="#ff9a3c",
    foreground="#e3e9f0",
    background="#0b0f14",
    surface="#10161d",
    panel="#1d2731",
    dark=True,
    variables={
        "border": "#35424f",
        "footer-key-foreground": "#e6d36a",
        "footer-background": "#0b0f14",
        **_bars("#35424f", "#10161d"),
    },
)
"""Gains blue, losses orange: told apart with any colour vision."""

THEMES = (DARK, LIGHT, BLUE_ORANGE)
