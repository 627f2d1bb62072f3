"""How the nodes of a chain are used together; which there are stands in `sniper endpoints list`."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from sniper_cli.settings.kinds import Bps, Table, Words


class EndpointSettings(Table):
    """Several nodes of the chain, and how they are asked. More are added by `sniper endpoints add`."""

    nodes: Words = ()
    """Further nodes beside `chain.rpc_url`: URLs, each with a name before it if wanted, `["alchemy=https://…"]`."""
    spread: str = Field(
        default="fastest", pattern="^(fastest|round_robin|least_outstanding|weighted|random)$"
    )
    """Who gets the next read: `fastest` (of two drawn), `round_robin`, `least_outstanding`, `weighted`, `random`."""
    hedge: bool = True
    """Ask a second node where the first takes longer than 95 of 100 of its answers did."""
    retry_share_bps: Bps = 2000
    """Retries and hedges as a share of the reads."""
    quorum: int = Field(default=0, ge=0, le=9)
    """How many nodes must agree where money is decided; 0: a majority of three and more, of two any one."""
    max_lag_blocks: int = Field(default=2, ge=0)
    """A node further behind the best one is left out."""
    poll_seconds: Decimal = Field(default=Decimal(1), gt=0, le=60)
    """How often every node is looked at."""
