"""Opens what a sniper needs from a profile: the node, the exchange, the wallet, the account and the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.chains.exchange import Exchange, exchange_from, node_from
from sniper_cli.errors import ConfigurationError, NotFound
from sniper_cli.settings.model import Mode
from state.accounts import Account, VenueKind

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node
    from sniper_cli.context import Context
    from sniper_cli.secrets.wallets import Wallet
    from sniper_cli.trading.desk import OrderDesk


@dataclass(frozen=True, slots=True)
class Station:
    """A place to snipe from."""

    node: Node
    exchange: Exchange
    account: Account
    desk: OrderDesk


@asynccontextmanager
async def open_market(context: Context) -> AsyncIterator[tuple[Node, Exchange]]:
    """The profile's node and exchange. Raises ConfigurationError, WrongChain, NetworkError."""
    chain = context.settings.chain
    exchange = exchange_from(chain, context.paths)
    async with node_from(chain, context.paths) as node:
        await node.check_chain(chain.chain_id)
        yield node, exchange


@asynccontextmanager
async def open_station(context: Context) -> AsyncIterator[Station]:
    """Everything, the wallet opened. Raises also SecretMissing, WrongPassphrase, NotFound."""
    from sniper_cli.portfolio.accounts import ensure_evm_account
    from sniper_cli.risk.limits import Limits
    from sniper_cli.secrets.passphrases import passphrase_for
    from sniper_cli.secrets.wallets import open_wallet
    from sniper_cli.trading.desk import OrderDesk
    from sniper_cli.venues.evm import EvmVenue, ExecutionPolicy

    settings = context.settings
    require_chain(context)
    async with open_market(context) as (node, exchange):
        wallet = wallet_of(context)
        passphrase = passphrase_for(settings.secrets, context.paths.data, wallet.name)
        signer = open_wallet(context.paths, wallet.name, passphrase)
        account = await ensure_evm_account(
            context.database, node, exchange, signer.address, context.account_name, actor=context.actor
        )
        policy = ExecutionPolicy.from_settings(settings.sniping)
        venue = EvmVenue(context.database, node, exchange, signer, policy)
        limits = Limits.from_settings(settings.sniping)
        yield Station(
            node, exchange, account, OrderDesk(context.database, {VenueKind.EVM: venue}, limits=limits)
        )


def require_chain(context: Context) -> None:
    """Raise ConfigurationError for a profile that trades on paper."""
    if context.settings.mode is Mode.PAPER:
        raise ConfigurationError(
            f"the profile {context.profile!r} trades on paper; launches are sniped on a chain",
            hint="sniper snipe run --profile devnet",
        )


def wallet_of(context: Context) -> Wallet:
    """The wallet that the profile names, or the only one there is. Raises ConfigurationError, NotFound."""
    from sniper_cli.secrets.wallets import find_wallet, list_wallets

    if context.settings.wallet:
        return find_wallet(context.paths, context.settings.wallet)
    wallets = list_wallets(context.paths)
    if not wallets:
        raise NotFound("there is no wallet to buy with", hint="sniper wallet create main")
    if len(wallets) > 1:
        names = ", ".join(wallet.name for wallet in wallets)
        raise ConfigurationError(
            f"the profile {context.profile!r} names no wallet, and there are several: {names}",
            hint=f"sniper config set wallet {wallets[0].name}",
        )
    return wallets[0]


def address_of(context: Context) -> str | None:
    """The address that would buy, where it can be told without opening anything."""
    from sniper_cli.errors import SniperError

    try:
        return wallet_of(context).address
    except SniperError:
        return None  # a check of a token needs no wallet of ours
