"""`sniper wallet`: keys on the disk, each under a passphrase. Nothing secret is ever an argument."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands import wallet_approvals
from commands.options import (
    DryRunOption,
    FieldsOption,
    FormatOption,
    JsonOption,
    ProfileOption,
    YesOption,
    reads,
    writes,
)
from sniper_cli.output import Column, Format, confirm, emit, format_of, note

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.secrets.wallets import Unreadable, Wallet

app = typer.Typer(help="Keep the keys that sign on a chain.", no_args_is_help=True, add_completion=False)
app.add_typer(wallet_approvals.app, name="approvals")


class Kept(StrEnum):
    """Stores that Sniper can write a passphrase to."""

    FILE = "file"
    KEYRING = "keyring"
    ENCRYPTED = "encrypted"


def complete_wallets(incomplete: str) -> list[str]:
    """Names of wallets, for the shell."""
    from sniper_cli.settings.paths import home_paths

    return sorted(file.stem for file in home_paths().wallets.glob(f"{incomplete}*.json"))


NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="The wallet.", autocompletion=complete_wallets)
]
NewNameArgument = Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")]
PassphraseFileOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Read the passphrase from a file (mode 0600)."),
]
PassphraseStdinOption = Annotated[
    bool, typer.Option("--passphrase-stdin", help="Read the passphrase from stdin.")
]
StoreOption = Annotated[
    Kept | None, typer.Option("--store", help="Keep the passphrase in this secret store too.")
]
BalanceOption = Annotated[bool, typer.Option("--balance", help="Ask the profile's node what it holds.")]

IDENTITY = (
    Column("name", priority=0),
    Column("address", priority=0),
)
COLUMNS = (
    *IDENTITY,
    Column("kdf", in_table=False),
    Column("work_factor", in_table=False),
    Column("id", in_table=False),
    Column("file", priority=3),
    Column("problem", in_table=False),
)
PROBLEM = Column("problem", elastic=True, style=lambda _: "bad")
BALANCE = Column("balance", right=True, exact=True, priority=0)


@app.command()
@writes
def create(
    name: NewNameArgument,
    passphrase_file: PassphraseFileOption = None,
    passphrase_stdin: PassphraseStdinOption = False,
    store: StoreOption = None,
    profile: ProfileOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Make a wallet: a new key, kept under a passphrase.

    Examples:
        $ sniper wallet create main --dry-run
        $ sniper wallet create main --passphrase-file passphrase.txt --json
    """
    from sniper_cli.context import open_context
    from sniper_cli.secrets import passphrases, wallets

    with open_context(profile) as context:
        wallets.require_free(context.paths, name)
        if dry_run:
            note(f"would make a new key in {wallets.file_of(context.paths, name)}")
            return
        secrets = context.settings.secrets
        passphrase = passphrases.new_passphrase_for(
            secrets, context.paths.data, name, file=passphrase_file, from_stdin=passphrase_stdin
        )
        wallet = wallets.create_wallet(context.paths, context.database, name, passphrase, actor=context.actor)
        _keep_passphrase(context, wallet, passphrase, store)
    emit(_row(wallet), fmt=format_of(output, as_json), fields=fields, columns=COLUMNS)


@app.command("import")
@writes
def import_(
    name: NewNameArgument,
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="FILE", help="A keystore, a private key or a mnemonic; - is stdin."),
    ] = None,
    index: Annotated[int, typer.Option("--index", min=0, help="Which account of a mnemonic.")] = 0,
    passphrase_file: PassphraseFileOption = None,
    passphrase_stdin: PassphraseStdinOption = False,
    store: StoreOption = None,
    profile: ProfileOption = None,
    dry_run: DryRunOption = False,
    output: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Take in a key that exists: a keystore (with its own passphrase), a private key or a mnemonic.

    Without --from it is asked for, hidden.

    Examples:
        $ sniper wallet import main --from UTC--2026-01-31.json --passphrase-file passphrase.txt
        $ pass show eth/key | sniper wallet import main --from - --passphrase-file passphrase.txt
    """
    from sniper_cli.context import open_context
    from sniper_cli.secrets import imports, wallets

    with open_context(profile) as context:
        wallets.require_free(context.paths, name)
        found = imports.read_material(source, index, passphrase_from_stdin=passphrase_stdin)
        passphrase = found.passphrase_for(
            context.settings.secrets,
            context.paths.data,
            name,
            file=passphrase_file,
            from_stdin=passphrase_stdin,
        )
        key = found.key(passphrase)
        if dry_run:
            note(f"would keep the key of {imports.address_of(key)} in {wallets.file_of(context.paths, name)}")
            return
        wallet = wallets.import_wallet(
            context.paths, context.database, name, key, passphrase, actor=context.actor, source=found.kind
        )
        _keep_passphrase(context, wallet, passphrase, store)
    emit(_row(wallet), fmt=format_of(output, as_json), fields=fields, columns=COLUMNS)


@app.command("list")
@reads
def list_(
    balance: BalanceOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """List the wallets.

    Examples:
        $ sniper wallet list
        $ sniper wallet list --json --fields name,address
    """
    from sniper_cli.secrets import wallets
    from sniper_cli.settings.paths import home_paths

    rows = [_row(wallet) for wallet in wallets.survey(home_paths())]
    columns = _with_balances(rows, profile) if balance else COLUMNS
    if any(row["problem"] for row in rows):
        columns = (*columns[:-1], PROBLEM)
    emit(rows, fmt=format_of(output, as_json), fields=fields, columns=columns, empty="no wallets")


@app.command()
@reads
def show(
    name: NameArgument,
    balance: BalanceOption = False,
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Show what can be told of a wallet without opening it.

    Examples:
        $ sniper wallet show main
        $ sniper wallet show main --json --fields address
    """
    from sniper_cli.secrets import wallets
    from sniper_cli.settings.paths import home_paths

    row = _row(wallets.find_wallet(home_paths(), name))
    columns = _with_balances([row], profile) if balance else COLUMNS
    emit(row, fmt=format_of(output, as_json), fields=fields, columns=columns)


@app.command()
@writes
def export(
    name: NameArgument,
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write to a new file (mode 0600), not to stdout."),
    ] = None,
    private_key: Annotated[
        bool, typer.Option("--private-key", help="The bare key, unencrypted: whoever sees it has the money.")
    ] = False,
    passphrase_file: PassphraseFileOption = None,
    passphrase_stdin: PassphraseStdinOption = False,
    yes: YesOption = False,
    profile: ProfileOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Give out a wallet's keystore; with --private-key, after a confirmation, the bare key.

    Examples:
        $ sniper wallet export main --to main-backup.json
        $ sniper wallet export main --private-key --dry-run
    """
    from sniper_cli.context import open_context
    from sniper_cli.secrets import exports, passphrases, wallets

    with open_context(profile) as context:
        wallet = wallets.find_wallet(context.paths, name)
        form = "private key" if private_key else "keystore"
        if dry_run:
            note(f"would give out the {form} of {wallet.address} to {to or 'stdout'}")
            return
        if private_key:
            exports.require_typed_name(wallet, yes=yes)
            passphrase = passphrases.passphrase_for(
                context.settings.secrets,
                context.paths.data,
                name,
                file=passphrase_file,
                from_stdin=passphrase_stdin,
            )
            text = wallets.export_private_key(
                context.paths, context.database, name, passphrase, actor=context.actor
            ).reveal()
        else:
            text = wallets.export_keystore(context.paths, context.database, name, actor=context.actor)
        if to is None:
            typer.echo(text)
        else:
            exports.write_export(to, text)
            note(f"the {form} of {wallet.address} is in {to}")


@app.command()
@writes
def passphrase(
    name: NameArgument,
    store: Annotated[Kept, typer.Option("--store", help="Where to keep it.")],
    passphrase_file: PassphraseFileOption = None,
    passphrase_stdin: PassphraseStdinOption = False,
    yes: YesOption = False,
    profile: ProfileOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Keep a wallet's passphrase in a secret store, once it is seen to open the wallet.

    Examples:
        $ sniper wallet passphrase main --store encrypted --dry-run
        $ sniper wallet passphrase main --store keyring --passphrase-file passphrase.txt
    """
    from sniper_cli.context import open_context
    from sniper_cli.secrets import passphrases, stores, wallets

    with open_context(profile) as context:
        wallet = wallets.find_wallet(context.paths, name)
        if dry_run:
            note(f"would keep the passphrase of {wallet.address} in the store {store.value!r}")
            return
        place = stores.open_store(store.value, context.settings.secrets, context.paths.data)
        if place.obstacle() is None and place.holds(wallet.secret_name):
            confirm(f"The store {store.value!r} holds a passphrase for {name}. Replace it?", yes=yes)
        secret = passphrases.passphrase_for(
            context.settings.secrets,
            context.paths.data,
            name,
            file=passphrase_file,
            from_stdin=passphrase_stdin,
        )
        wallets.prove_passphrase(context.paths, name, secret)
        _keep_passphrase(context, wallet, secret, store)


@app.command()
@reads
def status(
    profile: ProfileOption = None,
    output: FormatOption = Format.TABLE,
    as_json: JsonOption = False,
    fields: FieldsOption = None,
) -> None:
    """Tell for every wallet which secret store would answer for its passphrase, and for every store why it cannot.

    Examples:
        $ sniper wallet status
        $ sniper wallet status --json --fields wallet,answers
    """
    from sniper_cli.secrets import answers
    from sniper_cli.settings import load
    from sniper_cli.settings.paths import home_paths

    settings, paths = load(profile).settings, home_paths()
    survey = answers.survey_stores(settings.secrets, paths)
    emit(
        survey,
        fmt=format_of(output, as_json),
        fields=fields,
        columns=(
            Column("wallet", priority=0),
            Column("store", priority=0),
            Column("answers", priority=0),
            Column("detail", elastic=True),
        ),
        empty="no wallets",
    )


def _keep_passphrase(context: Context, wallet: Wallet, passphrase: Any, store: Kept | None) -> None:
    if store is None:
        return
    from sniper_cli.secrets import passphrases, stores

    stores.store_secret(
        context.settings.secrets,
        context.paths.data,
        wallet.secret_name,
        passphrase,
        store=store.value,
        ask=passphrases.ask,
    )
    note(f"the passphrase of {wallet.name} is in the store {store.value!r}")


def _row(wallet: Wallet | Unreadable) -> dict[str, Any]:
    names = ("name", "address", "kdf", "work_factor", "id", "problem", "file")
    return {name: getattr(wallet, name, None) for name in names}


def _with_balances(rows: list[dict[str, Any]], profile: str | None) -> tuple[Column, ...]:
    from sniper_cli.secrets import balances
    from sniper_cli.settings import load
    from sniper_cli.settings.paths import home_paths

    chain = load(profile).settings.chain
    addresses = [row["address"] for row in rows if row["address"]]
    found = balances.read_balances(chain, home_paths(), addresses)
    for row in rows:
        row["balance"] = found.get(row["address"])
        row["coin"] = chain.coin
    return (*IDENTITY, BALANCE, Column("coin", priority=0), *COLUMNS[len(IDENTITY) :])
