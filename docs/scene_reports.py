"""Safety reports for the scene's launches, in the shape the judge stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sniper_cli.safety.report import Classification, Outcome, SafetyCheck, SafetyReport

if TYPE_CHECKING:
    from docs.scene import Act

FAILED: dict[str, tuple[str, str]] = {
    "honeypot": ("sells at once", "the sale reverts: TransferHelper: TRANSFER_FROM_FAILED"),
    "tax": ("sell tax", "of what was sold, held back by the token"),
    "launch_tax": ("sell tax", "of what was sold, held back by the token"),
    "time_trap": ("sells two blocks later", "the sale reverts: not now"),
    "partial_sell": ("sells everything", "the sale of the whole holding reverts"),
    "cooldown": ("sells twice", "the second sale reverts: cooldown"),
    "second_sell": ("sells twice", "the second sale reverts"),
    "gas_grief": ("gas of a sale", "burnt by the token's own loop"),
    "no_liquidity": ("liquidity", "coins in the pool"),
    "unknown": ("sells a day later", "the node refused the block override"),
}


def report_of(act: Act, number: int) -> dict[str, Any]:
    """What the judge would have stored for this act."""
    from docs.scene import CHAIN, COIN, HEAD, STAKE, _address, _hash

    buy, sell = act.taxes
    received = 987_158 * COIN * (10_000 - buy) // 10_000 // max(1, act.pool)
    return SafetyReport(
        chain_id=CHAIN,
        token=_address("token", number),
        pool=_address("pool", number),
        block_number=HEAD,
        block_hash=_hash("block", HEAD),
        verdict=act.verdict,
        classification=Classification(act.kind),
        checks=tuple(_checks(act, number)),
        reasons=act.reasons,
        symbol=act.symbol,
        name=act.name,
        decimals=18,
        buy_tax_bps=buy,
        sell_tax_bps=None if act.kind == "unknown" else sell,
        buy_gas=118_402 + 97 * number,
        sell_gas=9_412_880 if act.kind == "gas_grief" else 104_733 + 113 * number,
        expected_quantity=received,
        liquidity=act.pool * COIN or COIN * 4 // 10,
        simulations=7,
        figures={"amount": str(STAKE)},
    ).as_json()


def _checks(act: Act, number: int) -> list[SafetyCheck]:
    buy, sell = act.taxes
    pool = f"{act.pool}.00 ETH" if act.pool else "0.40 ETH"
    gas = "9,412,880 gas" if act.kind == "gas_grief" else f"{104_733 + 113 * number:,} gas"
    lines = [
        ("node simulates validly", "block context and balances proven by an echo contract", None, None),
        ("pool is the factory's", "pair address equals CREATE2 of factory and tokens", None, None),
        ("liquidity", "coins in the pool", pool, "≥ 1 ETH"),
        (
            "share of the pool",
            "our purchase against the pool's coins",
            f"{10 / max(act.pool, 1):.2f}%",
            "≤ 10%",
        ),
        ("buys", "a purchase of 0.1 ETH arrives", None, None),
        ("buy tax", "of what was bought, held back by the token", f"{buy / 100:g}%", "≤ 10%"),
        ("sells at once", "everything, to the pool, in the same block", None, None),
        ("sell tax", "of what was sold, held back by the token", f"{sell / 100:g}%", "≤ 10%"),
        ("gas of a sale", "with the approval apart", gas, "≤ 2,000,000 gas"),
        ("sells two blocks later", "block number and time moved on", None, None),
        ("sells twice", "two halves, one after the other", None, None),
        ("sells a day later", "time moved on by 86,400 s", None, None),
    ]
    return [_check(act, *line) for line in lines]


def _check(act: Act, name: str, detail: str, figure: str | None, limit: str | None) -> SafetyCheck:
    failing, words = FAILED.get(act.kind, ("", ""))
    if name == failing or (act.kind == "partial_sell" and name == "sells at once"):
        outcome = Outcome.NOT_PROVEN if act.kind == "unknown" else Outcome.FAIL
        return SafetyCheck(name, outcome, words, figure, limit)
    return SafetyCheck(name, Outcome.PASS, detail, figure, limit)
