"""`snipe scan` from its options to its exit code."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import Exit, UsageProblem
from sniper_cli.interrupts import interruptible
from sniper_cli.output import note, stderr_is_terminal

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node
    from sniper_cli.context import Context
    from sniper_cli.sniping.history import Found

BAR = 30


@dataclass(frozen=True, slots=True)
class ScanRequest:
    """What was asked for on the command line."""

    profile: str | None
    from_block: int | None
    to_block: int | None
    resume: bool = False
    dry_run: bool = False


def run_scan(request: ScanRequest) -> tuple[dict[str, Any], int]:
    """Read, record, count; the exit code is 130 after Ctrl-C. Raises UsageProblem, ConfigurationError, NetworkError."""
    from sniper_cli.context import open_context

    if request.resume == (request.from_block is not None):
        raise UsageProblem(
            "a scan begins at --from-block, or goes on with --resume", hint="sniper snipe scan --help"
        )
    with open_context(request.profile) as context:
        return asyncio.run(_run(context, request))


async def _run(context: Context, request: ScanRequest) -> tuple[dict[str, Any], int]:
    from sniper_cli.chains.exchange import exchanges_from
    from sniper_cli.sniping.history import scan_history
    from sniper_cli.trading.assembly import open_market

    asked, shown = False, _Bar()

    def stop() -> bool:
        nonlocal asked
        asked = True
        return True

    async def work() -> Found:
        async with open_market(context) as (node, _):
            newest = (await node.head()).number
            first = await _begin(context, request, node)
            return await scan_history(
                node,
                exchanges_from(context.settings.chain, context.paths),
                first,
                newest if request.to_block is None else min(request.to_block, newest),
                database=None if request.dry_run else context.database,
                actor=context.actor,
                progress=shown.tell,
                stopped=lambda: asked,
            )

    ended = await interruptible(work(), stop)
    shown.end()
    found = ended.result
    if found is None:
        return {}, Exit.INTERRUPTED
    if found.read_to < found.last:
        note(f"stopped at block {found.read_to}; sniper snipe scan --resume goes on")
    return found.as_json(), Exit.OK if ended.signal is None else Exit.INTERRUPTED


async def _begin(context: Context, request: ScanRequest, node: Node) -> int:
    """The first block: as told, or after the last one read; a little earlier where that was reorganised away."""
    from sniper_cli.chains.lineage import MEMORY
    from sniper_cli.sniping.history import place_of

    if request.from_block is not None:
        return request.from_block
    with context.database.read() as session:
        place = place_of(session, context.settings.chain.chain_id)
        known = None if place is None else (place.block_number, place.block_hash)
    if known is None:
        raise UsageProblem("no scan was begun on this chain", hint="sniper snipe scan --from-block 0")
    block = await node.call("eth_getBlockByNumber", [hex(known[0]), False])
    stands = block is not None and block["hash"] == known[1]
    return known[0] + 1 if stands else max(0, known[0] - MEMORY)


class _Bar:
    """A line of progress on a terminal's stderr; elsewhere nothing."""

    def __init__(self) -> None:
        self._shown = stderr_is_terminal()
        self._drawn = False

    def tell(self, found: Found) -> None:
        if not self._shown:
            return
        whole = max(1, found.last - found.first + 1)
        full = BAR * found.blocks // whole
        line = f"\r{'#' * full}{'.' * (BAR - full)} {100 * found.blocks // whole:3d} %"
        sys.stderr.write(f"{line}  block {found.read_to}, {found.pools.total()} pools")
        sys.stderr.flush()
        self._drawn = True

    def end(self) -> None:
        if self._drawn:
            sys.stderr.write("\n")
