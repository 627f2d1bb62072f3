"""A dossier: what its lines say of real tokens, and what each level makes of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from sniper_cli.chains import abi
from sniper_cli.pools.pool import pair_of
from sniper_cli.safety import inquiries
from sniper_cli.safety.deployers import Record
from sniper_cli.safety.dossier import Dossier, Extras, compile_dossier
from sniper_cli.safety.levels import LEVELS, WEIGHTS, Weight, level_named
from sniper_cli.safety.lines import Group, Line
from sniper_cli.safety.policy import SafetyPolicy
from sniper_cli.safety.report import Outcome
from sniper_cli.settings.safety import DossierPolicy
from state.launches import Verdict
from tests.chain_fixtures import ADDRESSES, Chain
from tests.hostile_zoo import GOOD, listed
from tests.zoo import ZOO_POLICY, Listing, anvil_account, calldata, list_token, transact

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("dossiers")]

DEPLOYER = anvil_account(9)
DEAD = "0x000000000000000000000000000000000000dead"


async def compiled(
    chain: Chain,
    listing: Listing,
    level: str = "standard",
    *,
    policy: DossierPolicy | None = None,
    budget_ms: int | None = None,
    extras: Extras | None = None,
) -> Dossier:
    return await compile_dossier(
        chain.node,
        pair_of(chain.exchange, *listing),
        amount=ZOO_POLICY.amount,
        policy=SafetyPolicy(),
        level=level_named(level, policy),
        budget_ms=budget_ms,
        extras=extras,
    )


def outcome(dossier: Dossier, name: str) -> Outcome:
    line = dossier.line(name)
    assert line is not None
    return line.outcome


@pytest.mark.parametrize(
    ("kind", "verdicts"),
    [
        ("Normal", ("unsafe", "safe", "safe")),  # its liquidity lies with its deployer
        ("Mintable", ("unsafe", "safe", "safe")),
        ("Pausable", ("unsafe", "safe", "safe")),
        ("Proxy1967", ("unsafe", "safe", "safe")),
        ("BalanceBurn", ("unsafe", "unsafe", "safe")),
        ("HiddenOwner", ("unsafe", "unsafe", "safe")),
        ("Sell99", ("unsafe", "unsafe", "unsafe")),
    ],
)
async def test_each_level_draws_its_line(anvil: Chain, kind: str, verdicts: tuple[str, str, str]) -> None:
    listing = await list_token(anvil.node, anvil.exchange, kind)
    found = [(await compiled(anvil, listing, level)).verdict.value for level in LEVELS]
    assert tuple(found) == verdicts


@pytest.mark.parametrize("kind", GOOD)
async def test_an_honest_token_of_unusual_habits_is_bought_at_the_standard_level(
    anvil: Chain, kind: str
) -> None:
    dossier = await compiled(anvil, await listed(anvil.node, anvil.exchange, kind))
    assert dossier.verdict is Verdict.SAFE, dossier.report.reasons


async def test_what_is_refused_names_the_power_and_keeps_the_call(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "BalanceBurn")
    dossier = await compiled(anvil, listing)
    [reason] = dossier.report.reasons
    assert "can take a holder's tokens" in reason
    line = dossier.line("seizes")
    assert line is not None
    assert line.evidence[0].data.startswith(calldata("burnFrom2(address,uint256)", DEAD, 1)[:10])
    assert line.evidence[0].block == dossier.report.block_number


async def test_the_operators_word_on_a_line_beats_the_level(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Mintable")
    assert (await compiled(anvil, listing)).verdict is Verdict.SAFE
    refused = await compiled(anvil, listing, policy=DossierPolicy(mints="refuse"))
    assert refused.verdict is Verdict.UNSAFE
    assert "can make new tokens" in refused.report.reasons[0]


async def test_what_is_not_in_time_is_not_proven_and_the_level_decides(
    anvil: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> Sequence[Line]:
        await asyncio.Event().wait()
        raise AssertionError

    all_parts = inquiries.parts
    monkeypatch.setattr(inquiries, "parts", lambda *given: all_parts(*given) | {Group.POWERS: never})
    listing = await list_token(anvil.node, anvil.exchange, "BalanceBurn")
    hurried = await compiled(anvil, listing, budget_ms=0)
    assert "powers" in hurried.late
    assert outcome(hurried, "powers_tried") is Outcome.NOT_PROVEN
    assert hurried.verdict is Verdict.SAFE  # bought, judged again while held, and left then
    cautious = await compiled(anvil, listing, "cautious", budget_ms=0)
    assert cautious.verdict is not Verdict.SAFE


async def test_liquidity_that_is_burned_passes_and_a_part_of_it_does_not(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "NormalRenounced")
    dossier = await compiled(anvil, listing)
    line = dossier.line("liquidity_held")
    assert line is not None
    assert line.outcome is Outcome.FAIL
    assert DEPLOYER.address.lower() in line.detail
    assert "a withdrawal goes through now" in "".join(each.result for each in line.evidence)

    held = abi.word(
        await anvil.node.call(
            "eth_call",
            [{"to": listing.pool, "data": calldata("balanceOf(address)", DEPLOYER.address)}, "latest"],
        ),
        0,
    )
    half = calldata("transfer(address,uint256)", DEAD, held // 2)
    assert (await transact(anvil.node, DEPLOYER, listing.pool, half)).ok
    assert outcome(await compiled(anvil, listing), "liquidity_held") is Outcome.FAIL
    rest = calldata("transfer(address,uint256)", DEAD, held - held // 2)
    assert (await transact(anvil.node, DEPLOYER, listing.pool, rest)).ok
    burned = await compiled(anvil, listing)
    assert outcome(burned, "liquidity_held") is Outcome.PASS


async def test_liquidity_in_a_contract_is_not_proven_to_stay(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "NormalRenounced")
    held = abi.word(
        await anvil.node.call(
            "eth_call",
            [{"to": listing.pool, "data": calldata("balanceOf(address)", DEPLOYER.address)}, "latest"],
        ),
        0,
    )
    away = calldata("transfer(address,uint256)", anvil.exchange.factory, held)
    assert (await transact(anvil.node, DEPLOYER, listing.pool, away)).ok
    assert outcome(await compiled(anvil, listing), "liquidity_held") is Outcome.NOT_PROVEN


async def test_a_deployer_with_a_past_is_told(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Normal")
    asked: list[str] = []

    def history(deployer: str) -> Record:
        asked.append(deployer)
        return Record(3, 1, 1)

    dossier = await compiled(anvil, listing, extras=Extras(history=history))
    assert asked == [DEPLOYER.address.lower()]
    line = dossier.line("deployer_record")
    assert line is not None
    assert (line.outcome, line.figure) == (Outcome.FAIL, "2 of 3")
    assert dossier.verdict is Verdict.SAFE
    assert line.detail in dossier.report.warnings


async def test_a_token_with_a_great_name_is_told(anvil: Chain) -> None:
    listing = await list_token(
        anvil.node, anvil.exchange, "NormalRenounced", name="Tether USD", symbol="USDT"
    )
    assert outcome(await compiled(anvil, listing), "impersonation") is Outcome.FAIL


async def test_a_dossiers_json_has_every_group_with_weights_and_the_checks_as_before(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Mintable")
    plain = (await compiled(anvil, listing)).as_json()
    assert list(plain["groups"]) == [
        "trading",
        "holders",
        "powers",
        "proxy",
        "liquidity",
        "deployer",
        "metadata",
    ]
    assert [line["name"] for line in plain["groups"]["trading"]] == [each["name"] for each in plain["checks"]]
    mints = next(line for line in plain["groups"]["powers"] if line["name"] == "mints")
    assert (mints["outcome"], mints["weight"]) == ("fail", "warn")
    assert set(mints["evidence"][0]) == {"what", "to", "sender", "data", "block", "result"}


async def test_an_account_with_an_upgradeable_token_is_named(anvil: Chain) -> None:
    listing = await list_token(anvil.node, anvil.exchange, "Proxy1967")
    line = (await compiled(anvil, listing)).line("upgradeable")
    assert line is not None
    assert line.figure == "eoa"
    assert DEPLOYER.address.lower() in line.detail


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("363d3d373d3d3d363d73", "5af43d82803e903d91602b57fd5bf3"),
        ("3d3d3d3d363d3d37363d73", "5af43d3d93803e602a57fd5bf3"),
        ("365f5f375f5f365f73", "5af43d5f5f3e5f3d91602a57fd5bf3"),
        ("ef0100", ""),
    ],
)
async def test_a_clone_runs_its_implementations_code(anvil: Chain, before: str, after: str) -> None:
    """The powers of a clone's owner are those that its implementation gives him."""
    from sniper_cli.safety.bytecode import layout_of
    from sniper_cli.safety.proxies import read_code

    listing = await list_token(anvil.node, anvil.exchange, "Mintable")
    clone = ADDRESSES[3][:-4] + "beef"
    await anvil.node.call("anvil_setCode", [clone, "0x" + before + listing.token[2:] + after])
    code = await read_code(anvil.node, clone, "latest")
    assert list(code.implementations) == [listing.token]
    assert calldata("mint(address,uint256)", DEAD, 1)[2:10] in {
        each.selector for each in layout_of(code).functions
    }
    assert code.changeable is (before == "ef0100")


async def test_a_delegatecall_of_no_known_kind_is_not_proven(anvil: Chain) -> None:
    from sniper_cli.safety.proxies import judge_proxy, read_code

    where = ADDRESSES[3][:-4] + "cafe"
    # CALLDATASIZE RETURNDATASIZE RETURNDATASIZE … PUSH1 7 SLOAD GAS DELEGATECALL
    await anvil.node.call("anvil_setCode", [where, "0x3d3d363d6007545af43d3d3d3df3"])
    code = await read_code(anvil.node, where, "latest")
    [line] = await judge_proxy(anvil.node, where, code, (await anvil.node.head()).number)
    assert line.outcome is Outcome.NOT_PROVEN


def test_every_line_that_can_be_weighed_has_a_setting() -> None:
    assert set(WEIGHTS) == set(DossierPolicy.model_fields)


def test_a_line_that_no_level_knows_is_not_bought() -> None:
    from sniper_cli.safety.lines import unproven

    assert level_named("daring").weigh(unproven("new", Group.POWERS, "something new")) is Weight.REFUSE


def test_a_weight_may_differ_for_failed_and_not_proven() -> None:
    level = level_named("standard", DossierPolicy(mints="refuse,ignore"))
    assert level.weights["mints"] == (Weight.REFUSE, Weight.IGNORE)
