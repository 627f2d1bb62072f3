"""By which door a signed transaction leaves: the mempool, a relay, or a relay as part of a bundle.

What is to stay hidden is never given to a node of ours: not at the first sending, not when it is sent again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sniper_cli.chains.broadcast import Broadcast, broadcast
from sniper_cli.chains.node import Node
from sniper_cli.chains.relays import Relay, bundles_for
from sniper_cli.errors import NetworkError, NodeUnreachable, OrderRefused
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.evm.recording import MEMPOOL, Way
from state.orders import Side
from state.transactions import ChainTransaction, Channel


@dataclass(slots=True)
class Doors:
    """The ways out of one venue."""

    relays: Mapping[str, Relay] = field(default_factory=dict)
    """By name, the preferred one first."""

    def way(self, policy: ExecutionPolicy, side: Side, head: int) -> Way:
        """How an order planned at a head leaves. Raises OrderRefused where no relay is there for it."""
        channel = policy.channel if side is Side.BUY else policy.exit_channel
        return self.way_by(channel, policy, head)

    def way_by(self, channel: Channel, policy: ExecutionPolicy, head: int) -> Way:
        """The same by a channel."""
        if channel is Channel.PUBLIC:
            return MEMPOOL
        wanted = (
            relay for relay in self.relays.values() if channel is Channel.PRIVATE or relay.takes_bundles
        )
        relay = next(wanted, None)
        if relay is None:
            raise OrderRefused(
                f"the settings send this as {channel.value}, and there is no relay that takes it",
                hint="sniper endpoints list",
                channel=channel.value,
            )
        return Way(channel, relay.name, head + policy.relay_blocks)

    async def send(
        self, node: Node, order_id: UUID, transaction: ChainTransaction, others: Sequence[ChainTransaction]
    ) -> Broadcast:
        """Let a transaction out by its door; `others` go with it where it is a bundle's.

        Raises NetworkError: its fate is unknown then.
        """
        if transaction.channel is Channel.PUBLIC:
            return await broadcast(node, transaction.raw)
        relay = self._relay(transaction)
        until = transaction.until_block or 0
        if transaction.channel is Channel.PRIVATE:
            return await relay.send_private(transaction.raw, until_block=until)
        head = (await node.head()).number
        blocks = range(head + 1, max(until, head + 1) + 1)
        together = [each.raw for each in sorted((transaction, *others), key=lambda each: each.nonce)]
        return await relay.send_bundles(bundles_for(order_id, together, blocks, latest=transaction.deadline))

    async def take_back(self, order_id: UUID, hidden: ChainTransaction, head: int) -> bool:
        """Ask a relay to forget a transaction whose nonce is used up otherwise. What it answers proves nothing."""
        try:
            relay = self._relay(hidden)
            if hidden.channel is Channel.PRIVATE:
                return await relay.cancel_private(hidden.tx_hash)
            return await relay.cancel_bundles(order_id, range(head + 1, (hidden.until_block or 0) + 1))
        except NetworkError as error:
            del error  # the nonce decides, not the relay's memory
            return False

    def _relay(self, transaction: ChainTransaction) -> Relay:
        relay = self.relays.get(transaction.relay or "")
        if relay is None:
            raise NodeUnreachable(
                f"the relay {transaction.relay!r} that has the transaction is not among the endpoints",
                hint="sniper endpoints list",
            )
        return relay

    async def close(self) -> None:
        for relay in self.relays.values():
            await relay.close()
