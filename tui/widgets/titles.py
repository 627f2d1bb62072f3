"""Titles on frames, taken literally: a token's name is a stranger's text, and Textual reads markup in titles."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.widget import Widget


def entitle(widget: Widget, title: str | None = None, subtitle: str | None = None) -> None:
    """Set a frame's title or subtitle to exactly this text; what is None stays as it is."""
    frame: Any = widget
    if title is not None:
        frame.border_title = Content(title)
    if subtitle is not None:
        frame.border_subtitle = Content(subtitle)
