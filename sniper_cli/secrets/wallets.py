"""Wallets: one keystore file each, in the wallets folder, named by their owner.

A wallet file is written whole or not at all and never over another; every act with one stands in the journal,
by address, never with anything secret.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import randbelow
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import ConfigurationError, NotAllowed, NotFound, UsageProblem
from sniper_cli.secrets import files, keystore
from sniper_cli.secrets.secret import Secret
from sniper_cli.settings.paths import Paths

if TYPE_CHECKING:
    from sqlmodel import Session

    from sniper_cli.venues.evm.signer import LocalSigner
    from state.database import Database

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""No underscore: an environment variable could not tell it from a hyphen."""

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")

SHORTEST_PASSPHRASE = 8


@dataclass(frozen=True, slots=True)
class Wallet:
    """What can be told of a wallet without opening it."""

    name: str
    address: str
    """With its EIP-55 checksum."""
    file: Path
    id: str
    kdf: str
    work_factor: int

    @property
    def secret_name(self) -> str:
        """The name its passphrase has in the secret stores."""
        return secret_name(self.name)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file in the wallets folder that is no wallet that can be used, and why."""

    name: str
    file: Path
    problem: str


def secret_name(wallet: str) -> str:
    """The name of a wallet's passphrase in the secret stores: `wallet_main`."""
    return f"wallet_{wallet}"


def create_wallet(
    paths: Paths,
    database: Database,
    name: str,
    passphrase: Secret,
    *,
    actor: str,
    work_factor: int = keystore.WORK_FACTOR,
) -> Wallet:
    """Make a new key and keep it under the passphrase.

    Raises UsageProblem for a bad name, a used one or a weak passphrase; ConfigurationError.
    """
    require_strong(passphrase)
    key = (1 + randbelow(keystore.ORDER - 1)).to_bytes(32)
    return _keep(
        paths,
        database,
        name,
        key,
        passphrase,
        kind="wallet.created",
        data={},
        actor=actor,
        work_factor=work_factor,
    )


def import_wallet(
    paths: Paths,
    database: Database,
    name: str,
    key: bytes,
    passphrase: Secret,
    *,
    actor: str,
    source: str,
    work_factor: int = keystore.WORK_FACTOR,
) -> Wallet:
    """Keep a key that exists. `source` says for the journal what it was read from: `keystore`, `mnemonic` …

    Raises UsageProblem, ConfigurationError.
    """
    return _keep(
        paths,
        database,
        name,
        key,
        passphrase,
        kind="wallet.imported",
        data={"source": source},
        actor=actor,
        work_factor=work_factor,
    )


def _keep(
    paths: Paths,
    database: Database,
    name: str,
    key: bytes,
    passphrase: Secret,
    *,
    kind: str,
    data: Mapping[str, str],
    actor: str,
    work_factor: int,
) -> Wallet:
    file = file_of(paths, name)
    address = keystore.address_of(key)
    require_free(paths, name, address)
    content = json.dumps(keystore.encrypt(key, passphrase, work_factor=work_factor), indent=1).encode()
    with database.write() as session:
        # The record is committed only once the key is safely on the disk; a failed write takes the record back.
        _record(session, kind, (name, address), data, actor=actor)
        try:
            files.write_new(file, content)
        except FileExistsError:
            raise _taken(name) from None
    return find_wallet(paths, name)


def require_free(paths: Paths, name: str, address: str | None = None) -> None:
    """Raise UsageProblem when a wallet of this name, or with this address, is there."""
    if file_of(paths, name).exists():
        raise _taken(name)
    twin = next((wallet for wallet in list_wallets(paths) if wallet.address == address), None)
    if twin is not None:
        raise UsageProblem(
            f"{address} is in the wallet {twin.name!r} already", hint=f"sniper wallet show {twin.name}"
        )


def _taken(name: str) -> UsageProblem:
    return UsageProblem(
        f"there is a wallet {name!r}, and a wallet is never overwritten", hint=f"sniper wallet show {name}"
    )


def require_strong(passphrase: Secret) -> None:
    """Raise UsageProblem for a passphrase too short to stand in a keystore's way."""
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise UsageProblem(
            f"a passphrase has at least {SHORTEST_PASSPHRASE} characters", hint="sniper wallet create --help"
        )


def file_of(paths: Paths, name: str) -> Path:
    """Where a wallet of this name lies.

    Raises UsageProblem for what is no name.
    """
    if not NAME.fullmatch(name):
        raise UsageProblem(
            f"{name!r} is no name for a wallet: lower-case letters, digits and -, at most 32",
            hint="sniper wallet create main",
        )
    return paths.wallets / f"{name}.json"


def list_wallets(paths: Paths) -> list[Wallet]:
    """The wallets that can be used, by name."""
    return [wallet for wallet in survey(paths) if isinstance(wallet, Wallet)]


def survey(paths: Paths) -> list[Wallet | Unreadable]:
    """Every file in the wallets folder: a wallet, or why it is none."""
    found: list[Wallet | Unreadable] = []
    for file in sorted(paths.wallets.glob("[!.]*.json")):
        try:
            found.append(_described(file))
        except (ConfigurationError, NotAllowed) as error:
            found.append(Unreadable(file.stem, file, error.message))
    return found


def find_wallet(paths: Paths, name: str) -> Wallet:
    """The wallet of this name.

    Raises NotFound, and NotAllowed or ConfigurationError for a file that cannot be used.
    """
    file = file_of(paths, name)
    if not file.exists():
        names = [wallet.name for wallet in survey(paths)]
        near = difflib.get_close_matches(name, names, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise NotFound(
            f"there is no wallet {name!r}{meant}",
            hint="sniper wallet list" if names else f"sniper wallet create {name}",
            wallets=names,
        )
    return _described(file)


def address_of(paths: Paths, who: str) -> str:
    """The address that a wallet's name or an address means.

    Raises NotFound, and NotAllowed or ConfigurationError for a file that cannot be used.
    """
    return who.lower() if ADDRESS.fullmatch(who) else find_wallet(paths, who).address


def _described(file: Path) -> Wallet:
    content = _content(file)
    crypto = content["crypto"]
    return Wallet(
        name=file.stem,
        address=_checksummed(content, file),
        file=file,
        id=str(content.get("id", "")),
        kdf=str(crypto["kdf"]),
        work_factor=int(crypto["kdfparams"].get("n") or crypto["kdfparams"].get("c") or 0),
    )


def _content(file: Path) -> dict[str, Any]:
    raw = files.read_private(file)
    if raw is None:
        raise NotFound(f"{file} is gone", hint="sniper wallet list")
    return keystore.parse(raw, file)


def _checksummed(content: Mapping[str, Any], file: Path) -> str:
    digits = str(content.get("address", "")).lower().removeprefix("0x")
    if not re.fullmatch(r"[0-9a-f]{40}", digits):
        raise ConfigurationError(f"{file} names no address", hint=f"ls -l {file}")
    # eth_utils alone: 30 ms, where eth_account would take 450.
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(f"0x{digits}"))


def open_wallet(paths: Paths, name: str, passphrase: Secret) -> LocalSigner:
    """The wallet's signer, its key in memory. scrypt takes about a second for a wallet of the standard work factor.

    Raises NotFound, WrongPassphrase, ConfigurationError, NotAllowed.
    """
    from sniper_cli.venues.evm.signer import LocalSigner

    return LocalSigner(_opened(paths, name, passphrase))


def prove_passphrase(paths: Paths, name: str, passphrase: Secret) -> None:
    """Raise WrongPassphrase unless the passphrase opens the wallet; the errors of `open_wallet`."""
    _opened(paths, name, passphrase)


def _opened(paths: Paths, name: str, passphrase: Secret) -> bytes:
    wallet = find_wallet(paths, name)
    key = keystore.decrypt(_content(wallet.file), passphrase)
    if keystore.address_of(key) != wallet.address:
        raise ConfigurationError(
            f"{wallet.file} says {wallet.address} but holds another account's key",
            hint=f"sniper wallet show {name}",
        )
    return key


def export_keystore(paths: Paths, database: Database, name: str, *, actor: str) -> str:
    """The wallet's keystore as it lies on the disk: of no use without the passphrase.

    Raises NotFound, ConfigurationError, NotAllowed.
    """
    wallet = find_wallet(paths, name)
    text = json.dumps(_content(wallet.file), indent=1)
    with database.write() as session:
        _record(session, "wallet.exported", (name, wallet.address), {"form": "keystore"}, actor=actor)
    return text


def export_private_key(
    paths: Paths, database: Database, name: str, passphrase: Secret, *, actor: str
) -> Secret:
    """The bare private key, 0x and 64 digits: whoever has it has the money.

    Raises NotFound, WrongPassphrase, ConfigurationError, NotAllowed.
    """
    key = _opened(paths, name, passphrase)
    with database.write() as session:
        subject = name, keystore.address_of(key)
        _record(session, "wallet.exported", subject, {"form": "private_key"}, actor=actor)
    return Secret("0x" + key.hex())


def _record(
    session: Session, kind: str, wallet: tuple[str, str], data: Mapping[str, str], *, actor: str
) -> None:
    from state import journal

    name, address = wallet
    journal.append(session, kind, address, {"wallet": name, "address": address, **data}, actor=actor)
