"""Safety reports for the scene's launches, with the judge's own checks, words and units."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docs.scene_acts import CHAIN, COIN, HEAD, STAKE, Act, address_of, hashed, received_for
from docs.scene_dossiers import groups
from sniper_cli.safety.report import Classification, Outcome, SafetyCheck, SafetyReport
from sniper_cli.settings.model import SnipingSettings

POLICY = SnipingSettings()
SCENARIOS = (
    ("sell_two_blocks", "two blocks after buying"),
    ("sell_next_block", "in the next block"),
    ("sell_same_block", "in the block of the purchase"),
    ("sell_after_30_blocks", "after 30 blocks"),
    ("sell_after_an_hour", "after an hour"),
    ("sell_after_a_day", "after 200 blocks and a day"),
    ("sell_in_parts", "in parts"),
)
FAILING: dict[str, tuple[str, ...]] = {
    "honeypot": tuple(name for name, _ in SCENARIOS),
    "tax": tuple(name for name, _ in SCENARIOS),
    "partial_sell": tuple(name for name, _ in SCENARIOS if name != "sell_in_parts"),
    "launch_tax": ("sell_next_block",),
    "time_trap": ("sell_two_blocks", "sell_after_30_blocks", "sell_after_an_hour"),
    "cooldown": ("sell_in_parts",),
    "second_sell": ("sell_in_parts",),
    "unknown": ("sell_after_a_day",),
}
"""In which scenarios a kind of token does not let its holder out."""


def report(act: Act, number: int) -> dict[str, Any]:
    """What the judge would have stored for this act."""
    buy, sell = act.taxes
    checks = tuple(_checks(act, number))
    return SafetyReport(
        chain_id=CHAIN,
        token=address_of("token", number),
        pool=address_of("pool", number),
        block_number=HEAD,
        block_hash=hashed("block", HEAD),
        verdict=act.verdict,
        classification=Classification(act.kind),
        checks=checks,
        reasons=act.reasons,
        symbol=act.symbol,
        name=act.name,
        decimals=18,
        buy_tax_bps=buy,
        sell_tax_bps=None if act.kind in ("unknown", "no_liquidity") else sell,
        buy_gas=118_402 + 97 * number,
        sell_gas=_sell_gas(act, number),
        expected_quantity=received_for(act),
        liquidity=act.coins,
        simulations=9,
        figures={"amount": str(STAKE)},
        groups=groups(act, number, checks),
    ).as_json()


def _sell_gas(act: Act, number: int) -> int:
    return 9_412_880 if act.kind == "gas_grief" else 104_733 + 113 * number


def _checks(act: Act, number: int) -> Iterator[SafetyCheck]:
    buy = act.taxes[0]
    share = STAKE * 10_000 // act.coins
    words = act.reasons[0] if act.reasons else ""
    poor, greedy = act.kind == "no_liquidity", act.kind == "gas_grief"
    yield _passed("simulation", "the token saw a base fee, a proposer, a gas price and a random number")
    yield _passed("pool", "the factory's own pool of this token and the wrapped coin")
    held = words if poor else f"the pool holds {act.coins // COIN} ETH"
    yield _held("liquidity", held, f"{act.coins} wei", f"{COIN} wei", passed=not poor)
    of_pool = f"the purchase is {share / 100:.2f} % of the pool's coins"
    yield _held(
        "share_of_pool", of_pool, f"{share} bps", f"{POLICY.max_share_of_pool_bps} bps", passed=not poor
    )
    yield _passed("metadata", "name, symbol, decimals and supply read")
    brings = f"buying for 0.1 ETH brings {received_for(act)} units"
    yield SafetyCheck("buy", Outcome.PASS, brings, f"{118_402 + 97 * number} gas")
    limit = f"{POLICY.max_buy_tax_bps} bps"
    yield _held("buy_tax", f"buy tax {buy / 100:.2f} %", f"{buy} bps", limit, passed=True)
    yield from _sales(act, words)
    gas = _sell_gas(act, number)
    taken = words if greedy else f"a sale takes {gas:,} gas"
    yield _held("sell_gas", taken, f"{gas} gas", f"{POLICY.max_sell_gas} gas", passed=not greedy)


def _sales(act: Act, words: str) -> Iterator[SafetyCheck]:
    failing = FAILING.get(act.kind, ())
    for name, when in SCENARIOS:
        if name in failing:
            outcome = Outcome.NOT_PROVEN if act.kind == "unknown" else Outcome.FAIL
            yield SafetyCheck(name, outcome, words.replace("however it is tried", when))
        else:
            tax = 0 if act.kind == "launch_tax" else act.taxes[1]
            yield SafetyCheck(name, Outcome.PASS, f"sells {when}", f"{tax} bps")


def _passed(name: str, detail: str) -> SafetyCheck:
    return SafetyCheck(name, Outcome.PASS, detail)


def _held(name: str, detail: str, figure: str, limit: str, *, passed: bool) -> SafetyCheck:
    return SafetyCheck(name, Outcome.PASS if passed else Outcome.FAIL, detail, figure, limit)
