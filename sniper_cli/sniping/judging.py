"""What is held, judged again: the whole dossier without hurry, and the sale of what the account really has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sniper_cli.chains import abi
from sniper_cli.safety.holding import check_holding
from sniper_cli.safety.report import Outcome, SafetyCheck
from sniper_cli.sniping.launches import keep_judgement
from sniper_cli.sniping.marks import market_of
from state.launches import Occasion, Verdict

if TYPE_CHECKING:
    from sniper_cli.chains.node import Head
    from sniper_cli.sniping.marks import Holding
    from sniper_cli.sniping.run import Run


async def judge_holding(run: Run, holding: Holding, head: Head) -> str | None:
    """Judge a held token again, its whole dossier and the sale of what is held. Raises NetworkError.

    The reasons to sell now; None where nothing turned bad. What is not proven is no reason to sell: a node that could
    not simulate for a while would empty every position.
    """
    report = await run.judge(market_of(run, holding), head, hurried=False)
    sale = await _sale(run, holding, head)
    run.database.transact(
        lambda session: keep_judgement(session, report, Occasion.HOLDING, position_id=holding.id)
    )
    reasons = list(report.reasons) if report.verdict is Verdict.UNSAFE else []
    if sale is not None and sale.outcome is Outcome.FAIL:
        reasons.append(sale.detail)
    if report.verdict is Verdict.UNSAFE and not reasons:
        reasons.append(report.classification.value)
    return "; ".join(reasons) or None


async def _sale(run: Run, holding: Holding, head: Head) -> SafetyCheck | None:
    """The sale of what the account has at the head: less than the books say, where a sale was just mined."""
    data = abi.encode_call(abi.CALL_BALANCE_OF, ["address"], [run.address])
    answer = await run.node.call("eth_call", [{"to": holding.token, "data": data}, hex(head.number)])
    quantity = min(holding.position.quantity, int(answer, 16) if len(answer) >= 66 else 0)
    if not quantity:
        return None
    return await check_holding(
        run.node,
        market_of(run, holding),
        holder=run.address,
        quantity=quantity,
        policy=run.policy,
        head=head,
    )
