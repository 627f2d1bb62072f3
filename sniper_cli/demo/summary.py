"""A demo's report as text: two tables and the reconciliation, for a terminal, a pipe and the TUI's last screen."""

from __future__ import annotations

from decimal import Decimal

from sniper_cli.demo.report import DemoReport, LaunchLine, TradeLine, protocol_word
from sniper_cli.output.formats import Column
from sniper_cli.output.table import table_lines
from sniper_cli.output.terminal import paint

STYLES = {"safe": "good", "unsafe": "bad", "not_proven": "warn", "pending": "dim"}
STRANGER = "outside"
"""What a token is called that the staging knows nothing of."""


def _bad(line: LaunchLine) -> str:
    if line.bad is None:
        return "?"
    return "bad" if line.bad else "fine"


LAUNCHES = (
    Column("symbol", "token", value=lambda line: line.symbol or line.token[:10], priority=0),
    Column("protocol", "on", value=lambda line: protocol_word(line.protocol), priority=0),
    Column("verdict", priority=0, show=lambda verdict: verdict.replace("_", " "), style=STYLES.get),
    Column("kind", "really", value=lambda line: line.kind or STRANGER, priority=0),
    Column("bad", value=_bad, style=lambda word: "bad" if word == "bad" else "good"),
    Column("bought", value=lambda line: "bought" if line.bought else line.decision, priority=1),
    Column("latency_ms", "ms", value=lambda line: line.latency_ms, right=True, priority=2),
    Column("reasons", value=lambda line: "; ".join(line.reasons), elastic=True, priority=1),
)
TRADES = (
    Column("symbol", "token", value=lambda line: line.symbol or line.token[:10], priority=0),
    Column("exit_rule", "left by", value=lambda line: (line.exit_rule or "still held").replace("_", " ")),
    Column("spent", "paid", value=lambda line: _coins(line.spent_wei), right=True, priority=1),
    Column("received", value=lambda line: _coins(line.received_wei), right=True, priority=1),
    Column("gas", value=lambda line: _coins(line.gas_wei), right=True, priority=2),
    Column(
        "profit",
        value=lambda line: _signed(line.profit_wei),
        style=lambda text: "bad" if text.startswith("-") else "good",
        right=True,
        priority=0,
    ),
    Column("entry_tx", "bought in", value=lambda line: _short(line.entry_tx), priority=3),
    Column("exit_tx", "sold in", value=lambda line: _short(line.exit_tx), priority=3),
)


def summary_lines(report: DemoReport, width: int | None) -> list[str]:
    """The whole report, a line each."""
    lines = [paint("Launches", "strong"), *_table(report.launches, LAUNCHES, width), *_score(report), ""]
    lines += [paint("Trades", "strong"), *_table(report.trades, TRADES, width), *_result(report), ""]
    return [*lines, *_reconciliation(report)]


def _table(
    rows: tuple[LaunchLine, ...] | tuple[TradeLine, ...], columns: tuple[Column, ...], width: int | None
) -> list[str]:
    return table_lines(rows, columns, width) if rows else [paint("none", "dim")]


def _score(report: DemoReport) -> list[str]:
    """How the verdicts stand to the truth."""
    judged = [line for line in report.launches if line.bad is not None and line.verdict != "pending"]
    bad = [line for line in judged if line.bad]
    bought = [line for line in report.launches if line.bought]
    refused = sum(not line.bought for line in bad)
    words = f"{len(report.launches)} launches, {len(bought)} bought; of {len(bad)} bad ones {refused} refused"
    if refused < len(bad):
        words += (
            f", {len(bad) - refused} bought while it still was what it seemed (see how it was left below)"
        )
    return [paint(words, "dim")]


def _result(report: DemoReport) -> list[str]:
    profit = sum(line.profit_wei for line in report.trades)
    return [f"{len(report.trades)} trades, {_signed(profit)} ETH after gas"]


def _reconciliation(report: DemoReport) -> list[str]:
    lines = [
        paint("Reconciliation", "strong"),
        f"ledger  {report.ledger_wei} wei",
        f"chain   {report.chain_wei} wei",
    ]
    if report.reconciled:
        return [*lines, paint("equal to the wei", "good")]
    differing = [f"{asset}: ledger {ledger}, chain {chain}" for asset, ledger, chain in report.differences]
    return [*lines, paint("NOT EQUAL", "bad"), *differing]


def _coins(wei: int) -> str:
    """Six places: enough to compare by eye; the exact figures are in the JSON and in the ledger."""
    return f"{Decimal(wei).scaleb(-18):.6f}"


def _signed(wei: int) -> str:
    return f"{Decimal(wei).scaleb(-18):+.6f}"


def _short(tx_hash: str | None) -> str:
    return "" if tx_hash is None else f"{tx_hash[:10]}"
