"""`sniper devnet`: the local chain with the real contracts of Uniswap V2, V3 and v4 on it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    YesOption,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of, note

if TYPE_CHECKING:
    from sniper_cli.chains.devnet.record import DevnetRecord
    from sniper_cli.chains.devnet.service import DevnetOptions

app = typer.Typer(help="Install and run the local chain.", no_args_is_help=True)

PortOption = Annotated[
    int, typer.Option("--port", min=0, max=65535, metavar="N", help="Where to listen; 0: any.")
]
BlockSecondsOption = Annotated[
    int,
    typer.Option("--block-seconds", min=0, metavar="N", help="Seconds between blocks; 0: one a transaction."),
]
FreshOption = Annotated[bool, typer.Option("--fresh", help="Forget the former chain and begin at block 0.")]
DetachOption = Annotated[
    bool, typer.Option("--detach", help="Run in the background; return when it is ready.")
]
KeysOption = Annotated[
    bool, typer.Option("--keys", help="Show the accounts' private keys too: anvil's own, known to everybody.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, metavar="N", help="Which market is staged.")]
DurationOption = Annotated[str, typer.Option("--duration", metavar="TIME", help="For how long: 60s, 5m.")]
TruthOption = Annotated[
    Path | None,
    typer.Option("--truth", metavar="FILE", help="Where to write what each token really is (JSON lines)."),
]

ToArgument = Annotated[str, typer.Argument(metavar="WALLET|ADDRESS", help="Who gets the coins.")]
FundAmountOption = Annotated[
    Decimal, typer.Option("--amount", metavar="COINS", help="How many coins to add.")
]


def _lines(exchanges: list[dict[str, Any]]) -> str:
    return "\n".join(f"{each['protocol']} {each['factory']} {each['router']}" for each in exchanges)


PACKAGES = (
    Column("package", priority=0),
    Column("version"),
    Column("state", style=lambda state: "good" if state == "installed" else "warn"),
    Column("folder", elastic=True, priority=2),
)
STATUS = (
    Column("running", style=lambda running: "good" if running else "dim"),
    Column("http_url"),
    Column("ws_url"),
    Column("chain_id"),
    Column("block_seconds"),
    Column("block"),
    Column("wrapped"),
    Column("factory"),
    Column("router"),
    Column("permit2"),
    Column("exchanges", show=_lines),
    Column("accounts"),
    Column("keys"),
    Column("pid"),
    Column("started_at"),
    Column("state_file"),
    Column("log_file"),
)
STOPPED = tuple(
    column for column in STATUS if column.name in {"running", "http_url", "chain_id", "pid", "state_file"}
)
FUNDED = (
    Column("address", priority=0),
    Column("amount", exact=True),
    Column("balance", exact=True, priority=0),
    Column("dry_run"),
)
STAGED = (
    Column("launches"),
    Column("seed"),
    Column("http_url"),
    Column("truth"),
    Column("dry_run"),
)


@app.command()
@writes
def install(
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Fetch anvil and the Uniswap contracts through npm, at pinned versions with checked digests.

    They are kept in one place for all homes (SNIPER_DEVNET_DIR moves it). Done twice, it does nothing the second time.

    Examples:
        $ sniper devnet install --dry-run
        $ sniper devnet install --yes --json
    """
    from sniper_cli.chains.devnet.install import devnet_folder, missing_packages, packages
    from sniper_cli.chains.devnet.install import install as fetch_all

    missing = missing_packages()
    if missing and not dry_run:
        names = ", ".join(package.spec for package in missing)
        confirm(f"Fetch {names} (about 55 MB) into {devnet_folder()}?", yes=yes)
        fetch_all(say=note)
        missing = []
    rows = [
        {
            "package": package.name,
            "version": package.version,
            "state": "missing" if package in missing else "installed",
            "folder": str(devnet_folder() / package.folder),
        }
        for package in packages()
    ]
    emit(rows, fmt=format_of(output, json), fields=fields, columns=PACKAGES)


@app.command()
@writes
def start(
    port: PortOption = 8545,
    block_seconds: BlockSecondsOption = 1,
    fresh: FreshOption = False,
    detach: DetachOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Start the local chain and deploy the exchanges; it goes on where this home's last chain stopped.

    In the foreground it runs until ^C. Its record in the data folder lets every other command find it.

    Examples:
        $ sniper devnet start --dry-run
        $ sniper devnet start --detach --port 0 --json
    """
    from sniper_cli.chains.devnet import service
    from sniper_cli.settings.paths import home_paths

    paths, options = home_paths(), service.DevnetOptions(port, block_seconds, fresh)
    service.require_stopped(paths)
    had_chain = service.state_file(paths).exists()
    if dry_run:
        told = "begin a new chain" if fresh or not had_chain else "go on with the chain"
        note(f"would {told} in {service.state_file(paths)}, listening on 127.0.0.1:{port or 'any port'}")
        return
    if fresh and had_chain:
        confirm("Forget the chain of this home, with every account and token on it?", yes=yes)

    def show(record: DevnetRecord) -> None:
        _journal("devnet.started", record)
        emit(_row(record, block=None), fmt=format_of(output, json), fields=fields, columns=STATUS)

    if detach:
        show(service.detach(paths, options))
    else:
        _run_here(options, show)


@app.command()
@writes
def stop(
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """End this home's chain; its state is kept for the next start.

    Examples:
        $ sniper devnet stop --dry-run
        $ sniper devnet stop
    """
    from sniper_cli.chains.devnet import service
    from sniper_cli.settings.paths import home_paths

    paths = home_paths()
    record = service.running_record(paths) if dry_run else service.stop_devnet(paths)
    if record is None:
        note("no devnet runs in this home")
    elif dry_run:
        note(f"would end the devnet at {record.http_url} (process {record.pid})")
    else:
        _journal("devnet.stopped", record)
        note(f"ended the devnet at {record.http_url}")
    row: dict[str, Any] = {"running": False} if record is None else _row(record, running=dry_run)
    emit(row, fmt=format_of(output, json), fields=fields, columns=STOPPED)


@app.command()
@reads
def status(
    keys: KeysOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show where this home's chain is, how far it has come, and its contracts and accounts.

    Examples:
        $ sniper devnet status
        $ sniper devnet status --json --fields http_url,chain_id,router
    """
    from sniper_cli.chains.devnet import service
    from sniper_cli.settings.paths import home_paths

    record = service.running_record(home_paths())
    row: dict[str, Any] = {"running": False}
    if record is None:
        note("no devnet runs in this home; start one: sniper devnet start --detach")
    else:
        row = _row(record, block=service.block_of(record))
        if keys:
            row["keys"] = service.known_keys(len(record.accounts))
    emit(row, fmt=format_of(output, json), fields=fields, columns=STATUS)


@app.command()
@writes
def stage(
    seed: SeedOption = 7,
    duration: DurationOption = "60s",
    truth: TruthOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Stage a market on this home's chain: launches, good and bad, and others who trade them.

    Sniper is not told what a token really is; the truth file tells it to you afterwards.

    Examples:
        $ sniper devnet stage --dry-run
        $ sniper devnet stage --seed 11 --duration 30s --dry-run --json
    """
    from sniper_cli.demo.on_devnet import stage_on_devnet
    from sniper_cli.moments import parse_duration
    from sniper_cli.settings.paths import home_paths

    seconds = parse_duration(duration).total_seconds()
    result = stage_on_devnet(home_paths(), seed=seed, seconds=seconds, truth=truth, dry_run=dry_run, say=note)
    emit(result, fmt=format_of(output, json), fields=fields, columns=STAGED)


@app.command()
@writes
def fund(
    to: ToArgument,
    amount: FundAmountOption = Decimal(10),
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Give a wallet or an address coins on this home's chain.

    Examples:
        $ sniper devnet fund 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --dry-run
        $ sniper devnet fund 0x70997970c51812dc3a010c7d01b50e0d17dc79c8 --amount 25
    """
    from sniper_cli.chains.devnet.funding import fund_on_devnet
    from sniper_cli.secrets.wallets import address_of
    from sniper_cli.settings.paths import home_paths

    paths = home_paths()
    result = fund_on_devnet(paths, address_of(paths, to), amount, dry_run=dry_run)
    emit(result, fmt=format_of(output, json), fields=fields, columns=FUNDED)


def _run_here(options: DevnetOptions, show: Any) -> None:
    """Look after a devnet in this process until ^C."""
    import asyncio
    import sys

    from sniper_cli.chains.devnet import service
    from sniper_cli.settings.paths import home_paths

    async def run() -> DevnetRecord:
        stop = asyncio.Event()
        service.stop_on_signals(stop)
        async with service.devnet(home_paths().ensure(), options) as (process, record):
            show(record)
            sys.stdout.flush()
            note("the chain runs until ^C")
            await service.look_after(process, stop)
        return record

    _journal("devnet.stopped", asyncio.run(run()))


def _row(record: DevnetRecord, *, running: bool = True, block: int | None = None) -> dict[str, Any]:
    from dataclasses import asdict

    from sniper_cli.chains.exchange import on_devnet
    from sniper_cli.chains.knowledge import told_exchanges
    from sniper_cli.chains.profiles import PERMIT2

    exchanges = told_exchanges(on_devnet(record))
    return {
        "running": running,
        **asdict(record),
        "block": block,
        "permit2": PERMIT2.lower(),
        "exchanges": exchanges,
    }


def _journal(kind: str, record: DevnetRecord) -> None:
    """Answer for it where there is a database to answer in; a chain may be started before there is one."""
    from sniper_cli.audit.acts import record as journal
    from sniper_cli.settings.paths import home_paths

    data: dict[str, object] = {"http_url": record.http_url, "chain_id": record.chain_id, "pid": record.pid}
    journal(kind, f"devnet:{record.chain_id}", data, home_paths())
