"""Second opinions: GoPlus and honeypot.is, asked only where the settings say so.

They see what we cannot (sources, holders' histories, complaints) and are wrong at times, so an opinion never makes a
token safe: it fails a line or leaves it unproven, and the level decides. What an answer leaves out or leaves empty
is unknown there, not clean (GoPlus leaves out every check of the source where there is no source).
Whoever asks tells a stranger which token he looks at: hence off by default.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any

import aiohttp

from sniper_cli.errors import ConfigurationError
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven

GOPLUS, HONEYPOT_IS = "goplus", "honeypot_is"
URLS = {GOPLUS: "https://api.gopluslabs.io", HONEYPOT_IS: "https://api.honeypot.is"}
SECONDS = 3.0
PACE = {GOPLUS: 2.0, HONEYPOT_IS: 0.5}
"""Seconds between two questions: GoPlus takes 30 a minute from whoever has no key."""
ALARMS = {
    "is_honeypot": "a honeypot",
    "cannot_buy": "cannot be bought",
    "cannot_sell_all": "cannot be sold whole",
    "owner_change_balance": "its owner changes balances",
    "hidden_owner": "a hidden owner",
    "can_take_back_ownership": "its ownership can be taken back",
    "selfdestruct": "can destroy itself",
    "honeypot_with_same_creator": "its creator made honeypots",
    "is_airdrop_scam": "an airdrop scam",
    "fake_token": "a fake of another token",
}
"""GoPlus's fields whose `"1"` is an alarm."""
NEEDED = ("is_honeypot", "cannot_buy", "buy_tax", "sell_tax")
"""Without these GoPlus has no opinion on trading."""

Opinion = Callable[[int, str, str], Awaitable[Line]]


def opinions_named(names: Sequence[str], urls: Mapping[str, str] | None = None) -> list[Opinion]:
    """The opinions to ask, by their names in the settings. Raises ConfigurationError for a name nobody knows."""
    found: list[Opinion] = []
    for name in names:
        if name not in URLS:
            raise ConfigurationError(
                f"there is no second opinion {name!r}: {', '.join(URLS)}",
                hint="sniper config set sniping.opinions goplus,honeypot_is",
            )
        base = (urls or URLS)[name]
        found.append(_Asked(name, base).ask)
    return found


class _Asked:
    """One service: its address, its pace."""

    _last: dict[str, float] = {}  # noqa: RUF012 - the pace holds for the whole process

    def __init__(self, name: str, base: str) -> None:
        self._name = name
        self._base = base

    async def ask(self, chain_id: int, token: str, pool: str) -> Line:
        """The service's opinion; not proven where it does not answer or has none."""
        path = (
            f"/api/v1/token_security/{chain_id}?contract_addresses={token}"
            if self._name == GOPLUS
            else f"/v2/IsHoneypot?address={token}&pair={pool}&chainID={chain_id}"
        )
        now = monotonic()
        if now - self._last.get(self._base, -PACE[self._name]) < PACE[self._name]:
            return unproven(
                self._name, Group.OPINIONS, f"{self._name} was asked a moment ago and is not pressed"
            )
        self._last[self._base] = now
        try:
            body = await self._fetch(self._base + path)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            words = str(error) or type(error).__name__
            return unproven(self._name, Group.OPINIONS, f"{self._name} did not answer: {words}")
        read = read_goplus if self._name == GOPLUS else read_honeypot_is
        return read(body, token, self._base + path)

    async def _fetch(self, url: str) -> Any:
        timeout = aiohttp.ClientTimeout(total=SECONDS)
        async with (
            asyncio.timeout(SECONDS),
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url) as response,
        ):
            response.raise_for_status()
            return await response.json(content_type=None)


def read_goplus(body: Any, token: str, url: str = "") -> Line:
    """GoPlus's fields: strings "1" and "0"; what is absent or empty is unknown."""
    result = body.get("result") if isinstance(body, dict) else None
    fields = (result or {}).get(token.lower()) if isinstance(result, dict) else None
    if not isinstance(fields, dict) or not fields:
        return unproven(GOPLUS, Group.OPINIONS, "goplus knows nothing of the token", _asked(url, "no result"))
    alarms = [words for name, words in ALARMS.items() if str(fields.get(name, "")) == "1"]
    if alarms:
        evidence = _asked(url, ", ".join(name for name in ALARMS if str(fields.get(name, "")) == "1"))
        return failed(GOPLUS, Group.OPINIONS, f"goplus: {', '.join(alarms)}", evidence)
    unknown = [name for name in NEEDED if fields.get(name) in (None, "")]
    if unknown:
        words = f"goplus does not know {', '.join(unknown)}"
        return unproven(GOPLUS, Group.OPINIONS, words, _asked(url, "absent or empty"))
    taxes = f"{fields['buy_tax']}/{fields['sell_tax']}"
    return passed(GOPLUS, Group.OPINIONS, f"goplus sees no harm; taxes {taxes}", _asked(url, taxes))


def read_honeypot_is(body: Any, token: str, url: str = "") -> Line:
    """honeypot.is's simulation and its flags."""
    del token  # it answers for the one that was asked about
    answer = body if isinstance(body, dict) else {}
    verdict = (answer.get("honeypotResult") or {}).get("isHoneypot")
    summary = answer.get("summary") or {}
    flags = [
        str(each.get("flag", each) if isinstance(each, dict) else each) for each in summary.get("flags") or ()
    ]
    told = _asked(url, ", ".join(flags) or str(summary.get("risk", "")))
    if verdict is True:
        reason = (answer.get("honeypotResult") or {}).get("honeypotReason") or "no reason given"
        return failed(HONEYPOT_IS, Group.OPINIONS, f"honeypot.is: a honeypot ({reason})", told)
    severe = [each for each in flags if each.startswith(("high_", "extremely_high", "transfer_blocked"))]
    if severe:
        return failed(HONEYPOT_IS, Group.OPINIONS, f"honeypot.is: {', '.join(severe)}", told)
    if verdict is None or answer.get("simulationSuccess") is not True:
        return unproven(HONEYPOT_IS, Group.OPINIONS, "honeypot.is could not simulate a trade", told)
    return passed(HONEYPOT_IS, Group.OPINIONS, "honeypot.is: no honeypot", told)


def _asked(url: str, result: str) -> Evidence:
    return Evidence("GET", url, result=result)
