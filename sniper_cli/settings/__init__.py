"""Settings: where they stand on disk, how they are resolved, how they are written back.

Light on purpose: pydantic is imported when something is loaded, not when a path is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved


def load(profile: str | None = None, **overrides: Any) -> Resolved:
    """The settings of a profile: flag > environment > profile > [default] > code.

    `overrides` are what flags said; nested tables as dicts, or dotted keys. None means "not given".
    Raises ConfigurationError, UnknownProfile.
    """
    from sniper_cli.settings.loading import resolve

    return resolve(profile, overrides)
