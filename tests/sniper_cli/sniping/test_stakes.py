"""A launch's stake by risk: by hand calculation, cut by every cap, refused where nothing is left."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from sniper_cli.sniping.checking import check_token
from sniper_cli.sniping.events import BuySent, LaunchDecided, PositionOpened
from sniper_cli.sniping.stakes import Purse, stake_of
from state.launches import Decision
from state.orders import Order
from tests.chain_fixtures import Chain
from tests.commands.test_snipe import prepared
from tests.sniper_cli.sniping.conftest import WEI, Hunt, exits, sniping
from tests.zoo import list_token

__all__ = ["prepared"]
RULES = exits(stop_loss_pct="25")
PURSE = Purse(equity=100 * WEI, available=100 * WEI, standing=0)


def by_risk(**chosen: Any) -> Any:
    rules = chosen.pop("rules", RULES)
    given = {"sizing": "risk", "amount": Decimal(50), "max_total_spend": Decimal(100)} | chosen
    return sniping(rules, **given)


@pytest.mark.parametrize(
    ("chosen", "purse", "liquidity", "amount", "bound_by"),
    [
        # 1 % of 100 coins is 1 coin; a stop at -25 % loses it of 4.
        ({}, PURSE, 1000 * WEI, 4 * WEI, "risk"),
        ({"risk_pct": Decimal("0.1")}, PURSE, 1000 * WEI, 4 * WEI // 10, "risk"),
        # Without a stop the whole stake may be lost: 1 coin.
        ({"rules": exits()}, PURSE, 1000 * WEI, WEI, "risk"),
        # A third of a wei is no wei.
        ({"rules": exits(stop_loss_pct="30")}, PURSE, 1000 * WEI, 3_333_333_333_333_333_333, "risk"),
        ({"amount": Decimal("0.5")}, PURSE, 1000 * WEI, WEI // 2, "amount"),
        # A tenth of a pool of 20 coins.
        ({}, PURSE, 20 * WEI, 2 * WEI, "pool_share"),
        (
            {"max_total_spend": Decimal(10)},
            Purse(100 * WEI, 100 * WEI, 7 * WEI),
            None,
            3 * WEI,
            "total_spend",
        ),
        ({}, Purse(100 * WEI, WEI, 0), None, WEI, "cash"),
    ],
)
def test_the_stake_is_the_least_of_what_the_risk_and_the_caps_allow(
    chosen: dict[str, Any], purse: Purse, liquidity: int | None, amount: int, bound_by: str
) -> None:
    found = stake_of(by_risk(**chosen), purse, liquidity)
    assert (found.amount, found.bound_by, found.refusal) == (amount, bound_by, None)
    assert found.figures["equity"] == "100"


@pytest.mark.parametrize(
    ("chosen", "purse", "words"),
    [
        ({}, None, "no account whose equity"),
        ({"max_total_spend": Decimal(7)}, Purse(100 * WEI, WEI, 7 * WEI), "allows 0 coins: not bought"),
        ({"trial_amount": Decimal(4)}, PURSE, "no more than its trial of 4"),
    ],
)
def test_where_nothing_is_left_nothing_is_bought(
    chosen: dict[str, Any], purse: Purse | None, words: str
) -> None:
    found = stake_of(by_risk(**chosen), purse, 1000 * WEI)
    assert found.amount == 0
    assert words in found.words


def test_a_fixed_stake_asks_for_no_account() -> None:
    assert stake_of(sniping(), None, None).amount == WEI // 10


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
class TestOnAChain:
    async def test_a_launch_is_bought_for_what_its_stop_may_lose(self, hunt: Hunt) -> None:
        # 0.001 % of 10,000 coins is 0.1; a stop at -25 % loses it of 0.4, and the pool of 10 lets a tenth pass.
        await hunt.start(by_risk(amount=Decimal("0.5"), risk_pct=Decimal("0.001")))
        await hunt.list("Normal")
        assert (await hunt.until(BuySent)).amount == 4 * WEI // 10
        assert (await hunt.until(PositionOpened)).spent == 4 * WEI // 10
        with hunt.database.read() as session:
            told = session.exec(select(Order)).one().reason["stake"]
        assert (told["amount"], told["bound_by"], told["figures"]["equity"]) == ("0.4", "risk", "10000")

    async def test_a_rehearsal_tells_the_amount_and_why(self, hunt: Hunt) -> None:
        await hunt.start(by_risk(amount=Decimal("0.5"), risk_pct=Decimal("0.001")), dry_run=True)
        await hunt.list("Normal")
        assert "it would be 0.4 coins, by what its stop may lose" in (await hunt.until(LaunchDecided)).reason

    async def test_an_account_with_nothing_left_to_risk_stays_out(self, hunt: Hunt) -> None:
        await hunt.start(
            by_risk(amount=Decimal("0.5"), trial_amount=Decimal("0.45"), risk_pct=Decimal("0.001"))
        )
        _, pool = await hunt.list("Normal")
        decided = await hunt.until(LaunchDecided)
        assert decided.decision == Decision.SKIPPED
        assert "no more than its trial" in decided.reason
        assert any("no more than its trial" in reason for reason in hunt.launch(pool).reasons)

    async def test_a_check_tells_the_stake(self, prepared: Chain) -> None:
        token, _ = await list_token(prepared.node, prepared.exchange, "Normal")
        told = await asyncio.to_thread(check_token, token, "devnet")
        assert told["verdict"] == "safe"
        assert (told["stake"]["amount"], told["stake"]["bound_by"]) == ("0.1", "fixed")
