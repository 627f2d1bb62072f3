"""Uniswap V2 style exchanges on EVM chains: every order is a transaction, recorded before it is sent."""

from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.evm.signer import LocalSigner, Signer
from sniper_cli.venues.evm.venue import EvmVenue

__all__ = ["EvmVenue", "ExecutionPolicy", "LocalSigner", "Signer"]
