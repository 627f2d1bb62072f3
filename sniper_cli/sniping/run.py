"""What all parts of one run share: the state, the chain, the desk, the settings, and the way to tell the audience."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from sniper_cli.books.holdings import BookedOrder
from sniper_cli.errors import ConfigurationError
from sniper_cli.pools.following import Sights
from sniper_cli.settings.model import SnipingSettings
from sniper_cli.sniping.events import Listener, SniperEvent
from sniper_cli.sniping.heads import Heads
from sniper_cli.sniping.lease import RunnerLease
from state.accounts import evm_asset_id, evm_instrument_id
from state.database import Database

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sniper_cli.chains.exchange import Exchange, Exchanges
    from sniper_cli.chains.node import Head, Node
    from sniper_cli.pools.pool import Pool
    from sniper_cli.safety.policy import SafetyPolicy
    from sniper_cli.safety.report import SafetyReport
    from sniper_cli.safety.sidecar import SideCar
    from sniper_cli.safety.simulation import Call
    from sniper_cli.sniping.second_opinions import SecondOpinions
    from sniper_cli.trading.desk import OrderDesk
    from sniper_cli.trading.intents import OrderIntent
    from sniper_cli.venues.venue import Plan
    from state.launches import Launch

ACTOR = "sniper"
"""Who acts, in the journal, when a rule and not a person does."""


@dataclass(slots=True)
class Run:
    """One run of the sniper on one account of one chain."""

    database: Database
    node: Node
    exchange: Exchange
    desk: OrderDesk
    settings: SnipingSettings
    account_id: UUID
    address: str
    policy: SafetyPolicy
    lease: RunnerLease
    listener: Listener
    dry_run: bool = False
    heads: Heads = field(default_factory=Heads)
    side_car: SideCar | None = None
    """A fork that judges where the node does not simulate; the runner's to close."""
    opinions: SecondOpinions | None = None
    """Strangers who are asked about a token; the runner's to close."""
    exchanges: Exchanges | None = None
    """All exchanges whose new pools are watched; none: only `exchange`."""
    sights: Sights = field(default_factory=Sights)
    """The pools of what is held, their ticks kept from block to block."""
    claims: dict[str, UUID] = field(default_factory=dict)
    """Tokens that are being bought, each by one launch: a token's second pool is no second launch."""
    vanished: set[tuple[UUID, str]] = field(default_factory=set)
    """Launches and their blocks that a reorganisation took away: what was begun for them is not brought to its end."""
    lost_blocks: set[str] = field(default_factory=set)
    """Blocks that a reorganisation took away: what was judged on one is judged anew."""
    taken: set[UUID] = field(default_factory=set)
    """Launches that were bought out of the mempool: what else was begun for them comes to nothing."""
    closed: dict[str, UUID] = field(default_factory=dict)
    """Tokens that were judged not to be open yet, and their launches: what calls them may open them."""
    leads: bool = True
    """Of several accounts the one that does what is done once: old launches are looked at again by it."""
    closing: bool = False
    """No new purchases; what is held may still be sold."""

    @property
    def chain_id(self) -> int:
        return self.exchange.chain_id

    @property
    def watched(self) -> Exchanges:
        """All exchanges whose pools are followed, judged and traded in."""
        from sniper_cli.chains.exchange import Exchanges

        return self.exchanges or Exchanges((self.exchange,))

    def place_of(self, launch: Launch) -> Pool:
        """The pool of a launch. Raises ConfigurationError where its exchange is not watched any more."""
        from sniper_cli.venues.evm.instruments import launched_pool

        place = launched_pool(launch, self.watched)
        if place is None:
            raise ConfigurationError(
                f"the exchange of {launch.pool} is not watched any more: {launch.factory}",
                hint="sniper chain show",
            )
        return place

    @property
    def native(self) -> str:
        return evm_asset_id(self.chain_id)

    @property
    def amount(self) -> int:
        """What one launch is bought for, in wei."""
        return int(self.settings.amount.scaleb(18))

    def instrument_id(self, pool: str) -> str:
        return evm_instrument_id(self.chain_id, pool)

    def tell(self, event: SniperEvent) -> None:
        self.listener(event)

    async def submit(self, intent: OrderIntent, plan: Plan | None = None) -> BookedOrder:
        """Place an order, if the account is still ours to trade; `plan` is what its venue has planned already.

        Raises LeaseLost; NetworkError before anything is recorded; OrderRefused for a used order id.
        """
        head = self.heads.latest
        plans = {} if plan is None else {intent.client_order_id: plan}
        outcome = (await self.desk.submit(intent, plans=plans))[0]
        self.heads.look_again(head)
        return outcome.order

    async def judge(
        self,
        place: Pool,
        head: Head | None = None,
        *,
        deployer: str | None = None,
        hurried: bool = True,
        prelude: Sequence[Call] = (),
    ) -> SafetyReport:
        """What is found out about a token now, for a purchase of this run's size. Raises NetworkError.

        `hurried` keeps the dossier to its budget, as a launch needs it. `prelude` waits to be mined and is taken as
        mined.
        """
        from sniper_cli.safety.deployers import history_in
        from sniper_cli.safety.dossier import Extras, compile_dossier
        from sniper_cli.safety.levels import level_named

        settings = self.settings
        opinions = () if self.opinions is None else self.opinions.asked

        async def work(node: Node) -> SafetyReport:
            dossier = await compile_dossier(
                node,
                place,
                amount=self.amount,
                policy=self.policy,
                level=level_named(settings.level, settings.policy),
                head=head,
                sender=self.address,
                deployer=deployer,
                budget_ms=settings.dossier_budget_ms if hurried else None,
                extras=Extras(
                    history_in(self.database, self.chain_id, besides=place.id), opinions, self.side_car
                ),
                prelude=prelude,
            )
            return dossier.report

        return await self.node.steadily(work, head)
