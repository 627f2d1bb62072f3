"""`sniper chain`: the chains that Sniper knows by name, and the exchanges on them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from commands.options import FieldsOption, FormatOption, JsonOption, reads
from sniper_cli.output import Column, Format, emit, format_of

app = typer.Typer(help="See the chains that Sniper knows, and the exchanges on them.", no_args_is_help=True)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _lines(exchanges: list[dict[str, Any]]) -> str:
    return "\n".join(f"{each['protocol']} {each['name']} {each['factory']}" for each in exchanges)


CHAINS = (
    Column("name", priority=0),
    Column("chain_id", right=True, priority=0),
    Column("coin", priority=0),
    Column("block_seconds", "block s", exact=True, right=True, priority=1),
    Column("exchange_count", "exchanges", right=True, priority=1),
    Column("l1_fee", "L1 fee", show=_yes, priority=2),
    Column("minimum_tip_gwei", "least tip", exact=True, right=True, priority=3),
    Column("finality", "final", elastic=True, priority=2),
    Column("wrapped", in_table=False),
)
CHAIN = (
    *(column for column in CHAINS if column.name != "wrapped"),
    Column("wrapped"),
    Column("permit2"),
    Column("exchanges", show=_lines),
)


@app.command("list")
@reads
def list_(
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the chains that `chain.profile` may name.

    Examples:
        $ sniper chain list
        $ sniper chain list --json --fields name,chain_id
    """
    from sniper_cli.chains.knowledge import known_chains

    emit(known_chains(), fmt=format_of(output, json), fields=fields, columns=CHAINS)


@app.command()
@reads
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A chain's name or id: base, 8453.")],
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show one chain with the contracts of its exchanges.

    Examples:
        $ sniper chain show base
        $ sniper chain show ethereum --json --fields exchanges
    """
    from sniper_cli.chains.knowledge import chain_named

    emit(chain_named(name), fmt=format_of(output, json), fields=fields, columns=CHAIN)
