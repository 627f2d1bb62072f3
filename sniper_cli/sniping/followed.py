"""What is followed out of the mempool: a launch, the waiting transaction it depends on, and the purchases behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic_ns
from typing import TYPE_CHECKING, Any

from sniper_cli.chains.exchange import Protocol
from sniper_cli.safety.report import Outcome
from sniper_cli.sniping.listings import Listing
from state.launches import Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sniper_cli.books.holdings import AnyOrder
    from sniper_cli.safety.report import SafetyReport
    from sniper_cli.settings.model import SnipingSettings
    from sniper_cli.sniping.announcements import Announcement
    from sniper_cli.sniping.run import Run
    from state.launches import Launch


@dataclass(slots=True)
class Following:
    """A waiting transaction that a launch depends on, and what was made of it."""

    launch: Launch
    announcement: Announcement | None
    """None where a former run saw it."""
    tx_hash: str
    since: int
    """The head's number when it was first seen."""
    orders: list[tuple[Run, AnyOrder]] = field(default_factory=list)
    """The purchases behind it, and whose they are."""
    listed: bool = False
    """Its log came: from here on it is an ordinary launch."""
    withdrawn: str = ""
    """Why nothing is bought because of it any more."""

    @property
    def is_over(self) -> bool:
        return self.listed or bool(self.withdrawn)


def mined_listing(launch: Launch, receipt: Mapping[str, Any]) -> Listing:
    """What the log of an announced launch would tell, by the receipt of its transaction."""
    return Listing(
        pool=launch.pool,
        token=launch.token,
        quote_token=launch.quote_token,
        factory=launch.factory,
        block_number=int(receipt["blockNumber"], 16),
        block_hash=str(receipt["blockHash"]),
        tx_hash=str(receipt["transactionHash"]),
        received_at=monotonic_ns(),
        protocol=Protocol(launch.protocol),
        fee=launch.fee or 0,
        tick_spacing=launch.tick_spacing,
        hooks=launch.hooks,
    )


def buys_early(settings: SnipingSettings) -> bool:
    """Whether the settings ask for purchases in the listing's own block. A trial takes its blocks: with one, never."""
    return settings.same_block == "on" and not settings.trial_amount


def proves_nothing(report: SafetyReport) -> bool:
    """Whether the transaction itself, or the node, kept the token from being tried: then its log decides."""
    return report.verdict is Verdict.NOT_PROVEN and any(
        check.name == "simulation" and check.outcome is Outcome.NOT_PROVEN for check in report.checks
    )
