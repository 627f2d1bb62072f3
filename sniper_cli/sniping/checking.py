"""The safety report of one token, for a command."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import UsageProblem
from sniper_cli.sniping.launches import exact

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.safety.report import SafetyReport

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def check_token(token: str, profile: str | None) -> dict[str, Any]:
    """Judge a token on the profile's chain. Raises UsageProblem, NotFound, ConfigurationError, NetworkError."""
    from sniper_cli.context import open_context

    if not ADDRESS.fullmatch(token):
        raise UsageProblem(
            f"{token!r} is no address: 0x and 40 hexadecimal digits", hint="sniper snipe launches"
        )
    with open_context(profile, needs_schema=False) as context:
        report = asyncio.run(_judge(context, token))
    plain: dict[str, Any] = exact(report.as_json())
    return plain


async def _judge(context: Context, token: str) -> SafetyReport:
    from sniper_cli.safety.judge import check_token as judge_token
    from sniper_cli.sniping.station import address_of
    from sniper_cli.trading.assembly import open_market

    async with open_market(context) as (node, exchange):
        return await judge_token(
            node,
            exchange,
            token.lower(),
            context.settings.sniping,
            sender=address_of(context),
            block_seconds=context.settings.chain.block_seconds,
        )
