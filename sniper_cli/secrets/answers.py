"""Which secret store would answer for which wallet, and why the others would not."""

from __future__ import annotations

from sniper_cli.errors import ConfigurationError, NotAllowed, SecretMissing
from sniper_cli.secrets import stores
from sniper_cli.secrets.wallets import list_wallets
from sniper_cli.settings.model import SecretSettings
from sniper_cli.settings.paths import Paths


def survey_stores(settings: SecretSettings, paths: Paths) -> list[dict[str, str | bool]]:
    """A row for each wallet and store, in the order they are asked. The first that holds the passphrase answers."""
    rows: list[dict[str, str | bool]] = []
    opened = stores.open_stores(settings, paths.data)
    obstacles = {store.name: store.obstacle() for store in opened}
    for wallet in list_wallets(paths):
        answered = False
        for store in opened:
            held, detail = _state(store, obstacles[store.name], wallet.secret_name)
            if held and answered:
                detail = "holds it, but an earlier store answers"
            rows.append(
                {
                    "wallet": wallet.name,
                    "store": store.name,
                    "answers": held and not answered,
                    "detail": detail,
                }
            )
            answered = answered or held
    return rows


def _state(store: stores.SecretStore, obstacle: str | None, name: str) -> tuple[bool, str]:
    if obstacle is not None:
        return False, obstacle
    try:
        return (True, _place(store, name)) if store.holds(name) else (False, "does not hold it")
    except (NotAllowed, ConfigurationError, SecretMissing) as error:
        return False, error.message


def _place(store: stores.SecretStore, name: str) -> str:
    return stores.variable_of(name) if store.name == "environment" else f"holds {name}"
