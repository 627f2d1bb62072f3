"""What a locker is asked, and what is told of liquidity that one holds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eth_account.signers.local import LocalAccount
from eth_utils import is_checksum_address, keccak

from sniper_cli.chains.profiles import PROFILES
from sniper_cli.pools.pool import Pool, pair_of
from sniper_cli.safety import lockers
from sniper_cli.safety.dossier import Subject
from sniper_cli.safety.lines import Line
from sniper_cli.safety.liquidity import judge_liquidity
from sniper_cli.safety.lockers import KNOWN, Kind, Locker, locker_at
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome
from sniper_cli.safety.simulation import surroundings
from tests import zoo
from tests.chain_fixtures import Chain
from tests.concentrated_zoo import list_on_v3

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]

DEPLOYER = zoo.anvil_account(9)
CONTRACTS = json.loads((Path(zoo.__file__).parent / "contracts" / "lockers.json").read_text())["contracts"]
OF_SHARES = {Kind.UNCX_FIRST: "FirstLocker", Kind.UNCX_SECOND: "SecondLocker", Kind.PINK: "PinkLocker"}
DAY = 86_400


def test_the_lockers_functions_are_those_of_their_signatures() -> None:
    for signature, known in (
        ("getNumLocksForToken(address)", lockers.COUNT_OF_LOCKS),
        ("tokenLocks(address,uint256)", lockers.FIRST_LOCK),
        ("TOKEN_LOCKS(address,uint256)", lockers.NUMBER_OF_LOCK),
        ("LOCKS(uint256)", lockers.LOCKS),
        ("totalLockCountForToken(address)", lockers.COUNT_OF_PINK),
        ("getLocksForToken(address,uint256,uint256)", lockers.PINK_LOCKS),
        ("getLock(uint256)", lockers.GET_LOCK),
    ):
        assert "0x" + keccak(text=signature)[:4].hex() == known


def test_known_lockers_stand_on_known_chains_once_and_are_spelt_right() -> None:
    chains = {profile.chain_id for profile in PROFILES.values()}
    assert {each.chain_id for each in KNOWN} <= chains
    assert all(is_checksum_address(each.address) for each in KNOWN)
    assert len({(each.chain_id, each.address) for each in KNOWN}) == len(KNOWN)


def test_a_locker_is_known_on_its_own_chain_only() -> None:
    first = KNOWN[0]
    assert locker_at(first.chain_id, first.address.lower()) == first
    assert locker_at(10, first.address) is None


async def locker(chain: Chain, kind: Kind, name: str, monkeypatch: pytest.MonkeyPatch) -> Locker:
    """One of that kind on the test's chain, known there."""
    made = await zoo.transact(chain.node, DEPLOYER, None, CONTRACTS[name]["bytecode"])
    assert made.created
    found = Locker(chain.exchange.chain_id, made.created, "UNCX", kind)
    monkeypatch.setattr(lockers, "KNOWN", (found,))
    return found


async def lock(chain: Chain, found: Locker, what: str, amount: int, until: int) -> None:
    data = zoo.calldata("lock(address,uint256,uint256)", what, amount, until)
    assert (await zoo.transact(chain.node, DEPLOYER, found.address, data)).ok


async def now(chain: Chain) -> int:
    return (await chain.node.head()).timestamp


async def line_of(chain: Chain, pool: Pool) -> Line:
    around = surroundings(await chain.node.head(), SafetyPolicy())
    [line] = await judge_liquidity(Subject(chain.node, pool, 10**17, around))
    return line


async def shares(chain: Chain, account: LocalAccount = DEPLOYER) -> tuple[Pool, int]:
    """A V2 launch, and what its deployer holds of its liquidity."""
    listing = await zoo.list_token(chain.node, chain.exchange, "Normal")
    return pair_of(chain.exchange, *listing), await zoo.balance_of(chain.node, listing.pool, account.address)


async def approve(chain: Chain, pool: Pool, found: Locker) -> None:
    data = zoo.calldata("approve(address,uint256)", found.address, zoo.MAX_UINT)
    assert (await zoo.transact(chain.node, DEPLOYER, pool.id, data)).ok


@pytest.mark.parametrize("kind", OF_SHARES)
async def test_shares_that_are_locked_for_long_stay(
    anvil: Chain, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locker(anvil, kind, OF_SHARES[kind], monkeypatch)
    pool, held = await shares(anvil)
    await approve(anvil, pool, found)
    early = await now(anvil) + 100 * DAY
    await lock(anvil, found, pool.id, held // 4, early + 300 * DAY)
    await lock(anvil, found, pool.id, held - held // 4, early)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.PASS
    day = datetime.fromtimestamp(early, UTC).strftime("%Y-%m-%d")
    assert line.detail.endswith(f"locked by UNCX until {day}")
    assert sorted(each.result.split(" %")[0] for each in line.evidence if "locked" in each.result) == [
        "24.99",
        "74.99",
    ]


@pytest.mark.parametrize("kind", OF_SHARES)
async def test_a_lock_that_ends_within_the_month_holds_nothing(
    anvil: Chain, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locker(anvil, kind, OF_SHARES[kind], monkeypatch)
    pool, held = await shares(anvil)
    await approve(anvil, pool, found)
    await lock(anvil, found, pool.id, held, await now(anvil) + 5 * DAY)

    line = await line_of(anvil, pool)

    assert line.outcome is Outcome.FAIL
    assert "99.99 % of the liquidity can be withdrawn" in line.detail


async def test_what_lies_at_a_locker_without_a_lock_is_not_proven(
    anvil: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locker(anvil, Kind.UNCX_FIRST, "FirstLocker", monkeypatch)
    pool, held = await shares(anvil)
    send = zoo.calldata("transfer(address,uint256)", found.address, held)
    assert (await zoo.transact(anvil.node, DEPLOYER, pool.id, send)).ok

    assert (await line_of(anvil, pool)).outcome is Outcome.NOT_PROVEN


async def test_a_lock_by_a_locker_that_nobody_knows_is_not_proven(
    anvil: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locker(anvil, Kind.UNCX_FIRST, "FirstLocker", monkeypatch)
    pool, held = await shares(anvil)
    await approve(anvil, pool, found)
    await lock(anvil, found, pool.id, held, await now(anvil) + 400 * DAY)
    monkeypatch.setattr(lockers, "KNOWN", KNOWN)

    assert (await line_of(anvil, pool)).outcome is Outcome.NOT_PROVEN


async def test_a_v3_position_that_is_locked_stays_until_its_last_date(
    anvil: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await locker(anvil, Kind.POSITIONS, "PositionLocker", monkeypatch)
    pool = await list_on_v3(anvil.node, anvil.v3)
    manager = pool.exchange.position_manager
    let = zoo.calldata("setApprovalForAll(address,bool)", found.address, True)
    assert (await zoo.transact(anvil.node, DEPLOYER, manager, let)).ok
    soon, late = await now(anvil) + DAY, await now(anvil) + 500 * DAY
    await lock(anvil, found, manager, 1, soon)
    assert (await line_of(anvil, pool)).outcome is Outcome.FAIL

    extended = zoo.calldata("relock(uint256,uint256)", 0, late)
    assert (await zoo.transact(anvil.node, DEPLOYER, found.address, extended)).ok

    line = await line_of(anvil, pool)
    assert line.outcome is Outcome.PASS
    assert datetime.fromtimestamp(late, UTC).strftime("until %Y-%m-%d") in line.detail
    assert line.evidence[0].result.startswith(
        "position 1 from tick -887220 to 887220: 100.00 %, locked by UNCX"
    )
