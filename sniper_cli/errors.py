"""The one error tree. Its root and the database's branch stand in `state.errors`.

SniperError
├── StateError …               see state.errors
├── UsageProblem               what was typed does not fit (exit 2)
│   └── ConfirmationNeeded     a writing command without a terminal and without --yes (exit 2)
├── ConfigurationError         a setting, a profile or an installation is missing or wrong (exit 3)
│   ├── UnknownProfile         no profile of that name (exit 3)
│   ├── DevnetMissing          the local chain is not installed (exit 3)
│   ├── DevnetBusy             another devnet runs on the same state (exit 9)
│   └── WrongChain             the node serves another chain than the profile names (exit 3)
├── NotAllowed                 not allowed, or the secret does not open the key (exit 4)
│   ├── SecretMissing          no store holds the secret (exit 4)
│   ├── WrongPassphrase        the keystore does not open (exit 4)
│   └── LiveNotConfirmed       live money without a live profile and --live (exit 4)
├── NetworkError               may be tried again (exit 5)
│   ├── NodeUnreachable        no connection to the node (exit 5)
│   ├── NodeTimeout            the node stopped answering (exit 5)
│   ├── NodeRefused            the node answered with an error (exit 5)
│   ├── NoEndpoint             no endpoint of a pool can be asked (exit 5)
│   ├── NoQuorum               too few nodes answered where several must say the same (exit 5)
│   └── NodesDisagree          nodes gave different answers where money is decided (exit 5)
├── OrderRefused               a risk rule or a guard said no (exit 6)
│   ├── InsufficientFunds      the account cannot pay for it (exit 6)
│   └── KillSwitchTripped      only reductions pass (exit 6)
├── NotFound                   no such token, file, launch … (exit 7)
├── PartlyDone                 some of a batch succeeded (exit 8)
├── ChangedMeanwhile           somebody changed it since it was read (exit 9)
├── ReconciliationFailed       the ledger and the venue disagree (exit 1)
├── BooksBroken                tables, journal and sums do not agree (exit 1)
└── JournalBroken              the audit record has been tampered with (exit 1)
"""

from __future__ import annotations

from state.errors import (
    CommitUnknown,
    DatabaseBusy,
    DatabaseUnavailable,
    Exit,
    IllegalTransition,
    LeaseLost,
    RowNotFound,
    SchemaMissing,
    SchemaNewer,
    SchemaOlder,
    SniperError,
    StateError,
)


class UsageProblem(SniperError):
    """What was typed does not fit the command."""

    code = "usage"
    exit = Exit.USAGE


class ConfirmationNeeded(UsageProblem):
    """A writing command met neither a terminal to ask nor --yes."""

    code = "confirmation_needed"


class ConfigurationError(SniperError):
    """A setting, a profile or an installation is missing or wrong."""

    code = "configuration"
    exit = Exit.CONFIG


class UnknownProfile(ConfigurationError):
    """No profile has that name."""

    code = "unknown_profile"


class DevnetMissing(ConfigurationError):
    """The local chain is not installed."""

    code = "devnet_missing"


class DevnetBusy(ConfigurationError):
    """Another devnet runs on the same state."""

    code = "devnet_busy"
    exit = Exit.LOCKED


class WrongChain(ConfigurationError):
    """The node serves another chain than the profile names."""

    code = "wrong_chain"


class NotAllowed(SniperError):
    """Not allowed, or not proven to be who one must be."""

    code = "not_allowed"
    exit = Exit.AUTH


class SecretMissing(NotAllowed):
    """No secret store holds the secret."""

    code = "secret_missing"


class WrongPassphrase(NotAllowed):
    """The passphrase does not open the key."""

    code = "wrong_passphrase"


class LiveNotConfirmed(NotAllowed):
    """Live money was asked for without a live profile and --live."""

    code = "live_not_confirmed"


class NetworkError(SniperError):
    """Something on the network failed; the same call may succeed later."""

    code = "network"
    exit = Exit.NETWORK


class NodeUnreachable(NetworkError):
    """No connection to the node."""

    code = "node_unreachable"


class NodeTimeout(NetworkError):
    """The node stopped answering."""

    code = "node_timeout"


class NodeRefused(NetworkError):
    """The node answered with an error; `details` carry its code and words."""

    code = "node_refused"


class NoEndpoint(NetworkError):
    """No endpoint of a pool can be asked; `details` say why of each."""

    code = "no_endpoint"


class NoQuorum(NetworkError):
    """Too few nodes answered where several must say the same."""

    code = "no_quorum"


class NodesDisagree(NetworkError):
    """Nodes gave different answers where money is decided; `details` name who said what."""

    code = "nodes_disagree"


class OrderRefused(SniperError):
    """A risk rule or a guard said no; `details` carry the figures."""

    code = "order_refused"
    exit = Exit.REFUSED


class InsufficientFunds(OrderRefused):
    """The account cannot pay for it."""

    code = "insufficient_funds"


class KillSwitchTripped(OrderRefused):
    """The kill switch is tripped: only orders that reduce a position pass."""

    code = "kill_switch"


class NotFound(SniperError):
    """What was named is not there."""

    code = "not_found"
    exit = Exit.NOT_FOUND


class PartlyDone(SniperError):
    """Some of a batch succeeded; `details` say which."""

    code = "partly_done"
    exit = Exit.PARTIAL


class ChangedMeanwhile(SniperError):
    """Somebody else changed it since it was read: look again, and decide again."""

    code = "changed_meanwhile"
    exit = Exit.LOCKED


class ReconciliationFailed(SniperError):
    """The ledger and the venue do not agree; `details` carry both figures."""

    code = "reconciliation_failed"


class BooksBroken(SniperError):
    """The tables are not what the journal tells, or do not add up; `details` name the rows."""

    code = "books_broken"


class JournalBroken(SniperError):
    """The audit record has been changed, cut, extended or reordered; `details` name the places."""

    code = "journal_broken"


__all__ = [
    "BooksBroken", "ChangedMeanwhile", "CommitUnknown", "ConfigurationError", "ConfirmationNeeded", "DatabaseBusy",
    "DatabaseUnavailable", "DevnetBusy", "DevnetMissing", "Exit", "IllegalTransition", "InsufficientFunds",
    "JournalBroken", "KillSwitchTripped", "LeaseLost", "LiveNotConfirmed", "NetworkError", "NoEndpoint", "NoQuorum",
    "NodeRefused", "NodeTimeout", "NodeUnreachable", "NodesDisagree", "NotAllowed", "NotFound", "OrderRefused",
    "PartlyDone",
    "ReconciliationFailed", "RowNotFound", "SchemaMissing", "SchemaNewer", "SchemaOlder", "SecretMissing",
    "SniperError", "StateError", "UnknownProfile", "UsageProblem", "WrongChain", "WrongPassphrase",
]  # fmt: skip
