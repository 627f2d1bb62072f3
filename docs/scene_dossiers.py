"""The dossiers of two launches of the scene: a V3 pool whose liquidity is locked, a v4 pool with hooks."""

from __future__ import annotations

from typing import Any

from docs.scene_acts import HEAD, Act, address_of
from sniper_cli.safety.levels import STANDARD, level_named
from sniper_cli.safety.lines import Evidence, Group, Line, failed, of_check, passed, unproven
from sniper_cli.safety.report import SafetyCheck

LOCKER = address_of("locker", 0)
LEVEL = level_named(STANDARD)


def groups(act: Act, number: int, checks: tuple[SafetyCheck, ...]) -> dict[str, list[dict[str, Any]]]:
    """As the dossier's compiler stores them: every group with its weighed lines."""
    if not act.dossier:
        return {}
    lines = [*(of_check(check) for check in checks), *_found(act, number)]
    return {
        group.value: [
            line.as_json() | {"weight": LEVEL.weigh(line).value} for line in lines if line.group is group
        ]
        for group in Group
    }


def _found(act: Act, number: int) -> list[Line]:
    owner = address_of("owner", number)
    asked = Evidence(
        "eth_call", LOCKER, "", "0x" + "8d" * 4 + "00" * 32, HEAD, "17,420 of 19,800 shares until 2027"
    )
    taken = 8_800 if act.hooks else 0
    words = f"{taken / 100:.2f} % of the liquidity can be withdrawn, most of it by {owner}; 12.00 % is burned"
    stays = "11.20 % of the liquidity is burned, 88.00 % locked by UNCX until 2027-03-14"
    liquidity = failed if taken else passed
    return [
        passed("holders_sell", Group.HOLDERS, "4 of 4 holders can sell", figure="4"),
        unproven("unknown_authority", Group.POWERS, "setMaxWallet(uint256) has a guard that nobody names")
        if act.hooks
        else passed(
            "unknown_authority", Group.POWERS, "every function that governs trading has a known guard"
        ),
        passed(
            "powers_tried",
            Group.POWERS,
            "11 functions were tried as their owner and as a stranger",
            figure="11",
        ),
        passed("upgradeable", Group.PROXY, "the code cannot be exchanged"),
        *([_hooks(act.hooks)] if act.hooks else []),
        liquidity("liquidity_held", Group.LIQUIDITY, words if taken else stays, asked, figure=f"{taken} bps"),
        unproven("deployer_record", Group.DEPLOYER, f"no earlier launch of {owner} is on record"),
        passed(
            "impersonation", Group.METADATA, f"{act.symbol!r} ({act.name!r}) is no well-known token's name"
        ),
        passed("decimals", Group.METADATA, "18 decimals", figure="18"),
        unproven("goplus", Group.OPINIONS, "goplus knows nothing of the token"),
    ]


def _hooks(hooks: str) -> Line:
    words = f"the pool's hooks {hooks} are asked about every swap and may refuse it"
    return unproven("hooks", Group.PROXY, words, figure=hooks)
