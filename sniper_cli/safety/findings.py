"""From what was tried to what is said: each check with its figure, the classification, the reasons in plain words.

Nothing here asks the node. A sale counts as *blocked* when it fails or costs more than half; as *bad* when it is
blocked or costs more than the policy takes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sniper_cli.pricing.constant_product import share_of_pool_bps
from sniper_cli.pricing.sides import ConcentratedSide
from sniper_cli.safety.facts import Facts, Purchase
from sniper_cli.safety.matrix import (
    AGAIN,
    AS_SENT,
    AS_SENT_LATER,
    AS_SENT_NEXT_DAY,
    CRASHED,
    CROWDED,
    DAY,
    FALLEN,
    FAR,
    HOUR,
    IN_HASTE,
    IN_PARTS,
    LARGER,
    LATE,
    LITTLE_BY_LITTLE,
    MINUTES,
    NEXT_BLOCK,
    RUSHED,
    SAME_BLOCK,
    SOARED,
    TWO_BLOCKS,
    WEEK,
    YEAR,
)
from sniper_cli.safety.policy import COIN, SafetyPolicy
from sniper_cli.safety.report import Classification, Outcome, SafetyCheck
from sniper_cli.safety.reverts import OUT_OF_GAS
from sniper_cli.safety.trades import (
    Market,
    NotRun,
    Sale,
    Tried,
)
from state.launches import Verdict

BLOCKED_BPS = 5000
"""Who loses more than half in a sale was not let out."""
SPOILED_BPS = 500
"""How far the proceeds may stay behind the pool's price besides the tax: tokens that sell their own collected
taxes into the pool first move the price against the seller; more than this is a trick."""

WHEN = {
    TWO_BLOCKS: "two blocks after buying",
    NEXT_BLOCK: "in the next block",
    SAME_BLOCK: "in the block of the purchase",
    MINUTES: "after 30 blocks",
    HOUR: "after an hour",
    DAY: "after 200 blocks and a day",
    WEEK: f"after {FAR:,} blocks and a week",
    YEAR: "after a year",
    IN_PARTS: "in parts",
    LITTLE_BY_LITTLE: "little by little through a week",
    IN_HASTE: "with a hurried bid and an approval without limit",
    CROWDED: "after others have traded",
    RUSHED: "after very many have traded",
    LATE: "as one of very many buyers",
    FALLEN: "after the price has fallen",
    AGAIN: "after a trial purchase",
    SOARED: "after the pool's coins have quadrupled",
    CRASHED: "after three quarters of the pool's coins have gone",
    AS_SENT: "from the account and with the gas limits of the real order",
    AS_SENT_LATER: "as the real order, 30 blocks later",
    AS_SENT_NEXT_DAY: "as the real order, a day later",
}
OPTIONAL = {LARGER, WEEK}
"""What may stay unproven: a larger purchase decides nothing, and real nodes do not jump so far."""

ALWAYS = "however it is tried"
WHOLE = "whenever all of it is sold"
"""Every scenario fails, the one in parts only at a later part."""
NAMED = 3
"""Circumstances that a reason lists; of more it gives the number."""


@dataclass(slots=True)
class Findings:
    """The lines of a report as they come together."""

    policy: SafetyPolicy
    coin: str
    checks: list[SafetyCheck] = field(default_factory=list)
    classification: Classification = Classification.UNKNOWN
    told: dict[tuple[Outcome, str], list[str]] = field(default_factory=dict)
    """What is wrong, with `{when}` in place of the circumstances, and all circumstances in which it was."""

    def add(
        self,
        name: str,
        outcome: Outcome,
        detail: str,
        *,
        when: str = "",
        figure: str | None = None,
        limit: str | None = None,
    ) -> None:
        """Write one line; what it says of several scenarios is one reason in the end."""
        self.checks.append(SafetyCheck(name, outcome, detail.replace("{when}", when), figure, limit))
        if outcome is Outcome.FAIL or (outcome is Outcome.NOT_PROVEN and name not in OPTIONAL):
            self.told.setdefault((outcome, detail), []).append(when)

    @property
    def verdict(self) -> Verdict:
        """A failure decides; what is not proven is not safe."""
        outcomes = {outcome for outcome, _ in self.told}
        if Outcome.FAIL in outcomes:
            return Verdict.UNSAFE
        return Verdict.NOT_PROVEN if outcomes else Verdict.SAFE

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not safe, one sentence each, failures first; what went wrong in the same way is told once."""
        order = sorted(self.told.items(), key=lambda item: item[0][0] is not Outcome.FAIL)
        scenarios = sum(check.name in WHEN for check in self.checks)
        return tuple(
            detail.replace("{when}", _circumstances(whens, scenarios)) for (_, detail), whens in order
        )

    def hold(self, name: str, passed: bool, details: tuple[str, str], *, figure: str, limit: str) -> bool:
        """Write one line about a figure against its limit; `details` are for passed and failed."""
        outcome = Outcome.PASS if passed else Outcome.FAIL
        self.add(name, outcome, details[0] if passed else details[1], figure=figure, limit=limit)
        return passed

    def coins(self, wei: int) -> str:
        """Wei in coins, exact."""
        return f"{(Decimal(wei) / COIN).normalize():f} {self.coin}"


def _circumstances(whens: Sequence[str], scenarios: int) -> str:
    if len(whens) == 1:
        return whens[0]
    if len(whens) == scenarios:
        return ALWAYS if set(whens) <= set(WHEN.values()) else WHOLE
    if len(whens) > NAMED:
        return f"in {len(whens)} of {scenarios} scenarios ({', '.join(whens[:NAMED])} …)"
    return ", ".join(whens[:-1]) + " and " + whens[-1]


def percent(bps: int) -> str:
    """Basis points as people read them."""
    return f"{Decimal(bps) / 100:.2f} %"


def judge_pool(found: Findings, facts: Facts, market: Market, problem: str | None) -> None:
    """Whose pool it is, and whether it is deep enough for the purchase."""
    policy, side, depth = found.policy, market.side, market.side.depth
    if problem:
        found.add("pool", Outcome.FAIL, problem)
    else:
        found.add("pool", Outcome.PASS, "the factory's own pool of this token and the wrapped coin")
    holds = f"the pool holds {found.coins(depth)}"
    if isinstance(side, ConcentratedSide):
        holds = f"it takes {found.coins(depth)} to quadruple the pool's price"
    found.hold(
        "liquidity",
        depth >= policy.min_liquidity and depth > 0,
        (
            holds,
            f"{holds}, less than the {found.coins(policy.min_liquidity)} asked for"
            if depth
            else "the pool holds no liquidity",
        ),
        figure=f"{depth} wei",
        limit=f"{policy.min_liquidity} wei",
    )
    share = share_of_pool_bps(market.amount, depth)
    found.hold(
        "share_of_pool",
        share <= policy.max_share_of_pool_bps,
        (
            f"the purchase is {percent(share)} of the pool's coins",
            f"the purchase is {percent(share)} of the pool's coins, over the limit of "
            f"{percent(policy.max_share_of_pool_bps)}",
        ),
        figure=f"{share} bps",
        limit=f"{policy.max_share_of_pool_bps} bps",
    )
    odd = facts.metadata.oddities
    found.add("metadata", Outcome.PASS, "; ".join(odd) if odd else "name, symbol, decimals and supply read")


def judge_simulation(found: Findings, purchase: Purchase) -> None:
    """Whether the node showed the token a real block."""
    if purchase.ignored:
        found.add(
            "simulation",
            Outcome.NOT_PROVEN,
            f"the node's simulation ignores {', '.join(purchase.ignored)}: a token could tell it from life",
        )
    else:
        found.add(
            "simulation",
            Outcome.PASS,
            "the token saw a base fee, a proposer, a gas price and a random number",
        )


def judge_purchase(found: Findings, purchase: Purchase, smaller: Purchase | None) -> bool:
    """Whether it can be bought, and at what tax. False where there is nothing to sell."""
    size = found.coins(purchase.amount)
    if not purchase.ok:
        if smaller is not None and smaller.ok and smaller.got:
            found.classification = Classification.MAX_TRANSACTION
            words = (
                f"buying for {size} fails ({purchase.reason}), for {found.coins(smaller.amount)} it does not"
            )
        else:
            found.classification = Classification.NOT_OPEN
            words = f"buying fails: {purchase.reason}"
        found.add("buy", Outcome.FAIL, words)
        return False
    if purchase.got <= 0:
        found.classification = Classification.HONEYPOT
        found.add("buy", Outcome.FAIL, f"buying for {size} succeeds and brings nothing")
        return False
    found.add(
        "buy", Outcome.PASS, f"buying for {size} brings {purchase.got} units", figure=f"{purchase.gas} gas"
    )
    gas = found.policy.max_sell_gas
    if purchase.gas > gas:
        words = f"a purchase takes {purchase.gas:,} gas, over the limit of {gas:,}"
        found.add("buy_gas", Outcome.FAIL, words, figure=f"{purchase.gas} gas", limit=f"{gas} gas")
    limit = found.policy.max_buy_tax_bps
    found.hold(
        "buy_tax",
        purchase.tax_bps <= limit,
        (
            f"buy tax {percent(purchase.tax_bps)}",
            f"buy tax {percent(purchase.tax_bps)} is over the limit of {percent(limit)}",
        ),
        figure=f"{purchase.tax_bps} bps",
        limit=f"{limit} bps",
    )
    return True


def blocked(sale: Sale) -> bool:
    """Not let out."""
    return not sale.ok or max(sale.tax_bps, sale.shortfall_bps - SPOILED_BPS) > BLOCKED_BPS


def cause(sale: Sale, policy: SafetyPolicy) -> str:
    """What is wrong with a sale; empty where nothing is."""
    limit = policy.max_sell_tax_bps
    if not sale.ok:
        return "selling fails {when}: " + _reason(sale)
    if sale.tax_bps > limit:
        return f"sell tax {percent(sale.tax_bps)} {{when}} is over the limit of {percent(limit)}"
    if sale.shortfall_bps > limit + SPOILED_BPS:
        return (
            f"a sale {{when}} brings {percent(sale.shortfall_bps)} less than the pool's price, "
            f"over the limit of {percent(limit + SPOILED_BPS)}"
        )
    return ""


def _reason(sale: Sale) -> str:
    return sale.reason if sale.reason != OUT_OF_GAS else f"{OUT_OF_GAS} at {sale.gas:,}"


def causes(tried: Tried, policy: SafetyPolicy) -> list[str]:
    """What is wrong with each sale of a scenario."""
    if not tried.bought:
        return ["buying fails {when}: " + tried.reason]
    return [cause(sale, policy) for sale in tried.sales]


def judge_sales(found: Findings, tried: Mapping[str, Tried | NotRun]) -> None:
    """A line for each scenario; the reasons of equal failures are joined later."""
    for name, ended in tried.items():
        when = WHEN[name]
        if isinstance(ended, NotRun):
            found.add(
                name, Outcome.NOT_PROVEN, f"selling {{when}} could not be tried: {ended.why}", when=when
            )
            continue
        wrong = causes(ended, found.policy)
        first_bad = next((index for index, words in enumerate(wrong) if words), None)
        figure = (
            f"{max((sale.tax_bps for sale in ended.sales if sale.ok), default=0)} bps"
            if ended.sales
            else None
        )
        if first_bad is None:
            found.add(name, Outcome.PASS, f"sells {when}", figure=figure)
        elif name == SAME_BLOCK and _clean(tried.get(NEXT_BLOCK), found.policy):
            # The desk never sells before it has seen its purchase mined, so this costs nothing.
            words = f"{wrong[first_bad]}; from the next block on it sells"
            found.add(name, Outcome.PASS, words, when=when, figure=figure)
        else:
            circumstances = _when(name, first_bad, len(wrong))
            found.add(name, Outcome.FAIL, wrong[first_bad], when=circumstances, figure=figure)


def _when(name: str, part: int, parts: int) -> str:
    return f"{WHEN[name]} (part {part + 1} of {parts})" if part else WHEN[name]


def _clean(ended: Tried | NotRun | None, policy: SafetyPolicy) -> bool:
    return isinstance(ended, Tried) and not any(causes(ended, policy))


def judge_gas(found: Findings, ended: Tried | NotRun) -> None:
    """What a sale costs in gas."""
    if isinstance(ended, NotRun) or not ended.sales:
        return
    sale, limit = ended.sales[0], found.policy.max_sell_gas
    if sale.ok or sale.reason == OUT_OF_GAS:
        more = "" if sale.ok else " and more"
        found.hold(
            "sell_gas",
            sale.ok and sale.gas <= limit,
            (
                f"a sale takes {sale.gas:,} gas",
                f"a sale takes {sale.gas:,} gas{more}, over the limit of {limit:,}",
            ),
            figure=f"{sale.gas} gas",
            limit=f"{limit} gas",
        )


def judge_larger(found: Findings, larger: Purchase | NotRun) -> None:
    """A limit above the purchase: worth knowing, no reason to refuse."""
    if isinstance(larger, NotRun):
        found.add(LARGER, Outcome.NOT_PROVEN, f"a larger purchase could not be tried: {larger.why}")
    elif larger.ok:
        found.add(LARGER, Outcome.PASS, f"{found.coins(larger.amount)} can be bought at once")
    else:
        words = f"{found.coins(larger.amount)} cannot be bought at once ({larger.reason}); the purchase itself can"
        found.add(LARGER, Outcome.PASS, words)
