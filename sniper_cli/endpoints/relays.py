"""The relays of a profile: the desk's endpoints of kind `relay`, as clients.

`terms` of such an endpoint: `style` (`flashbots`, the default, or `protect`) and `fast`. The identity that signs is
the secret `relay_identity`, a private key that holds no money; where no store holds one, each process makes its own:
relays take it all the same, it only never earns a reputation.
"""

from __future__ import annotations

import secrets as randomness
from typing import TYPE_CHECKING

from sniper_cli.chains.relays import Identity, Relay, Style
from sniper_cli.endpoints.addresses import filled, shown
from sniper_cli.endpoints.assembly import Listed, find_in, listed_in
from sniper_cli.errors import ConfigurationError, SecretMissing

if TYPE_CHECKING:
    from sniper_cli.settings.loading import Resolved
    from sniper_cli.settings.paths import Paths
    from state.database import Database

IDENTITY = "relay_identity"
"""The name of the identity's key in the secret stores."""


def relays_from(resolved: Resolved, paths: Paths, database: Database) -> dict[str, Relay]:
    """The relays in the order of preference; none where the settings send nothing past the mempool.

    Raises ConfigurationError for a name that is no relay of this chain, SecretMissing for one that a URL needs.
    """
    fees = resolved.settings.fees
    if fees.channel == fees.exit_channel == "public":
        return {}
    from state.endpoints import EndpointKind

    chain_id = resolved.settings.chain.chain_id
    known = {
        each.name: each
        for each in listed_in(database, kind=EndpointKind.RELAY)
        if each.enabled and each.chain_id in (None, chain_id)
    }
    if missing := next((name for name in fees.relays if name not in known), None):
        raise ConfigurationError(
            f"fees.relays names {missing!r}, and there is no enabled relay of that name for chain {chain_id}",
            hint="sniper endpoints list",
        )
    chosen = [known[name] for name in fees.relays] if fees.relays else list(known.values())
    if not chosen:
        return {}
    identity = identity_of(resolved, paths)
    return {each.name: _client(each, resolved, paths, identity) for each in chosen}


def identity_of(resolved: Resolved, paths: Paths) -> Identity:
    """Who signs requests to relays. Raises ConfigurationError for a secret that is no key."""
    try:
        key = find_in(resolved.settings.secrets, paths, IDENTITY)
    except SecretMissing as missing:
        del missing  # nobody is asked for one: an identity is made for this process
        return Identity(randomness.token_bytes(32))
    try:
        return Identity(key.strip())
    except ValueError as error:
        raise ConfigurationError(
            f"the secret {IDENTITY!r} is no private key", hint="sniper help environment"
        ) from error


def _client(listed: Listed, resolved: Resolved, paths: Paths, identity: Identity) -> Relay:
    style = str(listed.terms.get("style") or Style.FLASHBOTS)
    if style not in set(Style):
        raise ConfigurationError(
            f"the relay {listed.name!r} is of the style {style!r}; there are {', '.join(Style)}",
            hint="sniper endpoints list",
        )
    address = filled(listed.url, lambda name: find_in(resolved.settings.secrets, paths, name))
    return Relay(
        listed.name,
        address.url,
        identity=identity,
        style=Style(style),
        fast=bool(listed.terms.get("fast")),
        shown=shown(listed.url),
        timeout_seconds=float(resolved.settings.chain.request_seconds),
    )
