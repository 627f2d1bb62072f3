"""Who launched it, and what became of what he launched before: people repeat themselves.

From our own record (every launch of the same deployer, its verdict, what it was judged later) and from the chain: how
new his account is and how many pools he made lately at this factory.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlmodel import Session, col, select

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Protocol
from sniper_cli.chains.node import Node
from sniper_cli.errors import NodeRefused
from sniper_cli.safety.authorities import LOG_BLOCKS
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven
from state.launches import Judgement, Launch, Verdict

if TYPE_CHECKING:
    from sniper_cli.safety.dossier import History, Subject
    from state.database import Database

RECORD = "deployer_record"
FEW = 10
"""Nonces below this are a new account's."""
MOST = 200
"""Earlier launches that are looked at."""


@dataclass(frozen=True, slots=True)
class Record:
    """What our own tables know of a deployer's launches."""

    launches: int = 0
    unsafe: int = 0
    turned_bad: int = 0
    """Judged safe at the launch and unsafe later."""


def history_in(database: Database, chain_id: int, *, besides: str) -> History:
    """A look at what our tables know of a deployer."""

    def look(deployer: str) -> Record:
        with database.read() as session:
            return record_of(session, chain_id, deployer, besides=besides)

    return look


def record_of(session: Session, chain_id: int, deployer: str, *, besides: str) -> Record:
    """A deployer's other launches, and what became of them."""
    query = (
        select(Launch)
        .where(Launch.chain_id == chain_id, Launch.deployer == deployer.lower(), Launch.pool != besides)
        .order_by(col(Launch.id).desc())
        .limit(MOST)
    )
    launches = session.exec(query).all()
    unsafe = {launch.id for launch in launches if launch.verdict is Verdict.UNSAFE}
    later = select(Judgement.launch_id).where(
        col(Judgement.launch_id).in_([launch.id for launch in launches]), Judgement.verdict == Verdict.UNSAFE
    )
    turned = {found for found in session.exec(later).all() if found is not None} - unsafe
    return Record(len(launches), len(unsafe), len(turned))


async def find_deployer(node: Node, subject: Subject) -> str | None:
    """Who sent the transaction that made the pool, from the factory's log. Raises NetworkError."""
    if subject.deployer:
        return subject.deployer.lower()
    span = {
        "address": subject.exchange.factory,
        "fromBlock": hex(max(0, subject.block - LOG_BLOCKS)),
        "toBlock": hex(subject.block),
        "topics": _topics(subject),
    }
    [logs] = await node.batch([("eth_getLogs", [span])], return_errors=True)
    if isinstance(logs, NodeRefused) or not logs:
        return None
    sent = await node.call("eth_getTransactionByHash", [logs[0]["transactionHash"]])
    return None if sent is None else str(sent["from"]).lower()


def _topics(subject: Subject) -> list[str | None]:
    """What marks the log: the factories of V2 and V3 index both tokens, v4's manager the pool's id."""
    if subject.exchange.protocol is Protocol.V4:
        return [abi.INITIALIZE_V4, subject.pool]
    return [None, *(abi.address_topic(each) for each in subject.place.currencies)]


async def judge_deployer(subject: Subject, history: History | None) -> list[Line]:
    """The deployer's account and record. Raises NetworkError."""
    node, at = subject.node, hex(subject.block)
    deployer = await subject.once("deployer", partial(find_deployer, node, subject))
    if deployer is None:
        words = f"who made the pool could not be found in the last {LOG_BLOCKS} blocks"
        return [unproven(RECORD, Group.DEPLOYER, words)]
    nonce, balance = await node.batch(
        [("eth_getTransactionCount", [deployer, at]), ("eth_getBalance", [deployer, at])]
    )
    account = _account(subject, deployer, int(nonce, 16), int(balance, 16))
    if history is None:
        return [account, unproven(RECORD, Group.DEPLOYER, "our record of launches was not at hand")]
    return [account, _recorded(deployer, history(deployer))]


def _account(subject: Subject, deployer: str, nonce: int, balance: int) -> Line:
    new = ", a new account" if nonce < FEW else ""
    proof: dict[str, Any] = {"to": deployer, "block": subject.block}
    return passed(
        "deployer_account",
        Group.DEPLOYER,
        f"{deployer} has sent {nonce} transactions{new} and holds {balance} wei",
        Evidence("eth_getTransactionCount", result=str(nonce), **proof),
        Evidence("eth_getBalance", result=str(balance), **proof),
        figure=f"{nonce} transactions",
    )


def _recorded(deployer: str, record: Record) -> Line:
    figure = f"{record.unsafe + record.turned_bad} of {record.launches}"
    if record.unsafe + record.turned_bad:
        words = (
            f"of {record.launches} earlier launches of {deployer} {record.unsafe} were unsafe, "
            f"{record.turned_bad} turned so"
        )
        return failed(RECORD, Group.DEPLOYER, words, figure=figure)
    if not record.launches:
        return unproven(RECORD, Group.DEPLOYER, f"no earlier launch of {deployer} is on record")
    words = f"none of {record.launches} earlier launches of {deployer} was unsafe"
    return passed(RECORD, Group.DEPLOYER, words, figure=figure)
