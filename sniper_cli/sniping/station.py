"""Opens what a sniper needs from a profile: the node, the exchange, the account and the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sniper_cli.errors import ConfigurationError, SniperError
from sniper_cli.settings.model import Mode
from sniper_cli.sniping.run import ACTOR
from sniper_cli.trading.assembly import open_several, wallet_of
from state.accounts import Account

if TYPE_CHECKING:
    from sniper_cli.chains.exchange import Exchange, Exchanges
    from sniper_cli.chains.node import Node
    from sniper_cli.context import Context
    from sniper_cli.trading.desk import OrderDesk


@dataclass(frozen=True, slots=True)
class Station:
    """A place to snipe from."""

    node: Node
    exchange: Exchange
    """The V2 exchange that trading through the desk begins with."""
    exchanges: Exchanges
    """All whose new pools are watched."""
    account: Account
    desk: OrderDesk
    others: tuple[tuple[OrderDesk, Account], ...] = ()
    """Further accounts that buy and sell beside this one."""

    @property
    def accounts(self) -> tuple[Account, ...]:
        return self.account, *(account for _, account in self.others)


@asynccontextmanager
async def open_station(context: Context) -> AsyncIterator[Station]:
    """Everything, the wallets opened. Raises ConfigurationError, NotAllowed, NotFound, WrongChain, NetworkError."""
    from sniper_cli.chains.exchange import exchanges_from

    require_chain(context)
    async with open_several(context, wallets_of(context), actor=ACTOR) as desks:
        opened, *others = desks
        assert opened.node is not None
        assert opened.exchange is not None
        exchanges = exchanges_from(context.settings.chain, context.paths)
        beside = tuple((other.desk, other.account) for other in others)
        yield Station(opened.node, opened.exchange, exchanges, opened.account, opened.desk, beside)


def wallets_of(context: Context) -> list[str]:
    """The names of the wallets that a profile snipes with, its own first. Raises ConfigurationError, NotFound."""
    from sniper_cli.secrets.wallets import find_wallet

    beside = [find_wallet(context.paths, name).name for name in context.settings.sniping.wallets]
    return list(dict.fromkeys([wallet_of(context).name, *beside]))


def require_chain(context: Context) -> None:
    """Raise ConfigurationError for a profile that trades on paper."""
    if context.settings.mode is Mode.PAPER:
        raise ConfigurationError(
            f"the profile {context.profile!r} trades on paper; launches are sniped on a chain",
            hint="sniper snipe run --profile devnet",
        )


def address_of(context: Context) -> str | None:
    """The address that would buy, where it can be told without opening anything."""
    try:
        return wallet_of(context).address
    except SniperError:
        return None  # a check of a token needs no wallet of ours
