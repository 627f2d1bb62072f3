"""`sniper snipe scan`: history read for pools."""

from __future__ import annotations

from typing import Annotated

import typer

from commands.options import DryRunOption, FieldsOption, FormatOption, JsonOption, ProfileOption, writes
from sniper_cli.output import Column, Format, emit, format_of

SCANNED = (
    Column("from_block", right=True),
    Column("to_block", right=True),
    Column("blocks", right=True),
    Column("pools", right=True),
    Column(
        "by_protocol", show=lambda found: ", ".join(f"{name} {count}" for name, count in found.items()) or "–"
    ),
    Column("elsewhere", right=True),
    Column("new", right=True),
    Column("complete", show=lambda value: "yes" if value else "no"),
)


@writes
def scan(
    from_block: Annotated[
        int | None, typer.Option("--from-block", min=0, metavar="N", help="The first block to read.")
    ] = None,
    to_block: Annotated[
        int | None,
        typer.Option("--to-block", min=0, metavar="N", help="The last one; the newest if not given."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the last scan ended.")] = False,
    dry_run: DryRunOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Read past blocks for new pools and record them as launches that are never bought.

    ^C ends it in order; --resume goes on from there. --dry-run reads and counts, and records nothing.

    Examples:
        $ sniper snipe scan --profile devnet --from-block 0 --dry-run
        $ sniper snipe scan --profile devnet --resume --json
    """
    from sniper_cli.sniping.scanning import ScanRequest, run_scan

    found, code = run_scan(ScanRequest(profile, from_block, to_block, resume=resume, dry_run=dry_run))
    emit(found, fmt=format_of(output, json), fields=fields, columns=SCANNED)
    if code:
        raise typer.Exit(code)
