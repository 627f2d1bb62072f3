"""The parts of a dossier beside trading, each a question that is asked and answered by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from sniper_cli.chains import abi
from sniper_cli.safety.deployers import find_deployer, judge_deployer
from sniper_cli.safety.holders import judge_holders
from sniper_cli.safety.hooks import judge_hooks
from sniper_cli.safety.impersonation import judge_metadata
from sniper_cli.safety.lines import Group, Line
from sniper_cli.safety.liquidity import judge_liquidity
from sniper_cli.safety.powers import prove_powers
from sniper_cli.safety.proxies import Code, judge_proxy, read_code
from sniper_cli.safety.untrusted import read_metadata

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import Extras, Part, Subject


def parts(subject: Subject, extras: Extras) -> dict[Group, Part]:
    """What is asked about the subject."""
    found: dict[Group, Part] = {
        Group.HOLDERS: partial(judge_holders, subject),
        Group.POWERS: partial(_powers, subject),
        Group.PROXY: partial(_proxy, subject),
        Group.LIQUIDITY: partial(judge_liquidity, subject),
        Group.DEPLOYER: partial(judge_deployer, subject, extras.history),
        Group.METADATA: partial(_metadata, subject),
    }
    if extras.opinions:
        found[Group.OPINIONS] = partial(_opinions, subject, extras)
    return found


NEAR_SECONDS = 0.02
"""A node that answers a batch within this runs beside us, on the same cores."""


async def _powers(subject: Subject) -> Sequence[Line]:
    begun = monotonic()
    code = await _code(subject)
    near = monotonic() - begun < NEAR_SECONDS
    deployer = await subject.once("deployer", partial(find_deployer, subject.node, subject))

    async def turn() -> None:
        if near and subject.hurried:
            await subject.judged.wait()

    powers = await prove_powers(
        subject.node, subject.around, subject.market, code, deployer=deployer, turn=turn
    )
    return powers.lines


async def _proxy(subject: Subject) -> Sequence[Line]:
    found = await judge_proxy(subject.node, subject.token, await _code(subject), subject.block)
    return [*found, *judge_hooks(subject.place)]


async def _code(subject: Subject) -> Code:
    return await subject.once("code", partial(read_code, subject.node, subject.token, hex(subject.block)))


async def _metadata(subject: Subject) -> Sequence[Line]:
    calls = (abi.CALL_NAME, abi.CALL_SYMBOL, abi.CALL_DECIMALS)
    answers = await subject.node.batch(
        [("eth_call", [{"to": subject.token, "data": call}, hex(subject.block)]) for call in calls],
        return_errors=True,
    )
    data = [bytes.fromhex(answer[2:]) if isinstance(answer, str) else None for answer in answers]
    read = read_metadata(data[0], data[1], data[2], None)
    raw = "".join(abi.text("0x" + each.hex()) for each in data[:2] if each)
    return judge_metadata(read.symbol, read.name, read.decimals, raw=raw)


async def _opinions(subject: Subject, extras: Extras) -> Sequence[Line]:
    chain_id, token, pool = subject.exchange.chain_id, subject.token, subject.pool
    return await asyncio.gather(*(ask(chain_id, token, pool) for ask in extras.opinions))
