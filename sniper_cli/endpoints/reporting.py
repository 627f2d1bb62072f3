"""`sniper endpoints check`: asks all, or one, and says by the exit status whether they can be used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sniper_cli.endpoints.checking import Checked, check_all
from sniper_cli.endpoints.listing import all_listed, find_listed
from sniper_cli.errors import NetworkError, PartlyDone

if TYPE_CHECKING:
    from sniper_cli.context import Context


def check_now(context: Context, name: str | None = None) -> list[Checked]:
    """Every endpoint that is enabled, or the one of a name. Raises NotFound with the nearest name."""
    if name is not None:
        listed = [find_listed(context, name)]
    else:
        listed = [each for each in all_listed(context) if each.enabled]
    return asyncio.run(check_all(context, listed))


def raise_for(found: Sequence[Checked]) -> None:
    """Raise PartlyDone where some cannot be used, NetworkError where none can."""
    bad = {one.name: one.problem for one in found if not one.sound}
    if not bad:
        return
    words = "; ".join(f"{name}: {problem}" for name, problem in bad.items())
    if len(bad) == len(found):
        raise NetworkError(f"no endpoint can be used: {words}", hint="sniper endpoints list", endpoints=bad)
    raise PartlyDone(
        f"{len(bad)} of {len(found)} endpoints cannot be used: {words}",
        hint="sniper endpoints disable NAME",
        endpoints=bad,
    )
