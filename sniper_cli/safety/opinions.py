"""Second opinions: what GoPlus and honeypot.is answered, as lines of a dossier.

They see what we cannot (sources, holders' histories, complaints) and are wrong at times, so an opinion never makes a
token safe: it fails a line or leaves it unproven, and the level decides. What an answer leaves out or leaves empty
is unknown there, not clean (GoPlus leaves out every check of the source where there is no source).
"""

from __future__ import annotations

from typing import Any

from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven

GOPLUS, HONEYPOT_IS = "goplus", "honeypot_is"
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
