"""Liquidity of V3 and v4 pools that a waiting transaction takes out: which position, of which pool, and how much.

There the liquidity belongs to numbered positions, and a call names nothing but the number: which pool that is, its
manager knows. It is asked only while something of that exchange is held. Anybody may send a call for anybody's
position: it counts if who sends it owns that position or may act for its owner, and takes no more than is in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from eth_utils.crypto import keccak

from sniper_cli.chains import abi
from sniper_cli.chains.exchange import Exchange, Exchanges, Protocol
from sniper_cli.sniping.announcements import actions_of, fees_of, inner_calls, v3_pool
from sniper_cli.sniping.listings import ARGUMENTS, Removal

if TYPE_CHECKING:
    from sniper_cli.chains.node import Node

DECREASE, BURN = 0x01, 0x03
"""Actions of v4's position manager (v4-periphery, Actions.sol) that take liquidity out: a part of it, all of it."""
MOST_KNOWN = 10_000
KEY_DIGITS = 5 * 64
"""A v4 pool's key: five words, whose hash is its id."""


class Withdrawal(NamedTuple):
    """A waiting call that takes liquidity out of a position."""

    exchange: Exchange
    position: int
    liquidity: int | None
    """None: all that is in it."""
    sender: str
    tx_hash: str
    max_fee: int


def read_withdrawals(transaction: Mapping[str, Any], exchanges: Exchanges) -> list[Withdrawal]:
    """What a waiting transaction takes out of positions; empty for nearly all."""
    called = str(transaction.get("to") or "").lower()
    for exchange in exchanges.listed:
        if exchange.position_manager and called == exchange.position_manager:
            return list(_taken(transaction, exchange))
    return []


def _taken(transaction: Mapping[str, Any], exchange: Exchange) -> list[Withdrawal]:
    amounts = _taken_v3 if exchange.protocol is Protocol.V3 else _taken_v4
    sender, tx_hash = str(transaction["from"]).lower(), str(transaction["hash"])
    return [
        Withdrawal(exchange, position, liquidity, sender, tx_hash, fees_of(transaction).max_fee)
        for call in inner_calls(str(transaction.get("input") or ""))
        for position, liquidity in amounts(call)
    ]


def _taken_v3(call: str) -> list[tuple[int, int | None]]:
    """decreaseLiquidity; burn and collect move nothing that was not taken out before."""
    if call[:ARGUMENTS] != abi.CALL_DECREASE_LIQUIDITY or len(call) < ARGUMENTS + 5 * 64:
        return []
    return [(_word(call[ARGUMENTS:], 0), _word(call[ARGUMENTS:], 32))]


def _taken_v4(call: str) -> list[tuple[int, int | None]]:
    """The actions in modifyLiquidities that decrease or burn."""
    found: list[tuple[int, int | None]] = []
    for action, given in actions_of(call):
        if action in (DECREASE, BURN) and len(given) >= 2 * 64:
            found.append((_word(given, 0), _word(given, 32) if action == DECREASE else None))
    return found


def _word(body: str, place: int) -> int:
    """The word at a place in bytes. Raises ValueError where there is none."""
    return int(body[2 * place : 2 * place + 64], 16)


class Positions:
    """Which pool each position is in, as far as its manager was asked."""

    def __init__(self) -> None:
        self._pools: dict[tuple[str, int], str] = {}

    async def removal_by(self, node: Node, withdrawal: Withdrawal) -> Removal | None:
        """What a withdrawal takes out of which pool; None where it will fail. Raises NetworkError."""
        exchange, position = withdrawal.exchange, withdrawal.position
        manager, number = exchange.position_manager, f"{position:064x}"
        questions = [abi.CALL_OWNER_OF + number, *_about(exchange, number)]
        owner, *told = await node.batch(
            [("eth_call", [{"to": manager, "data": data}, "latest"]) for data in questions],
            return_errors=True,
        )
        if not isinstance(owner, str) or len(owner) < 66 or not all(isinstance(each, str) for each in told):
            return None
        if not await self._may_act(node, manager, withdrawal, abi.address_word(owner, 0), number):
            return None
        pool = self._pools.get((manager, position)) or self._keep(withdrawal, told)
        held = abi.word(told[0], 7) if exchange.protocol is Protocol.V3 else abi.word(told[1], 0)
        taken = held if withdrawal.liquidity is None else withdrawal.liquidity
        if pool is None or not 0 < taken <= held:
            return None
        return Removal(None, pool, taken, withdrawal.tx_hash, withdrawal.max_fee)

    async def _may_act(
        self, node: Node, manager: str, withdrawal: Withdrawal, owner: str, number: str
    ) -> bool:
        """Whether the sender owns the position, or was allowed to act for it."""
        if owner == withdrawal.sender:
            return True
        both = owner[2:].rjust(64, "0") + withdrawal.sender[2:].rjust(64, "0")
        approved, for_all = await node.batch(
            [
                ("eth_call", [{"to": manager, "data": abi.CALL_GET_APPROVED + number}, "latest"]),
                ("eth_call", [{"to": manager, "data": abi.CALL_APPROVED_FOR_ALL + both}, "latest"]),
            ],
            return_errors=True,
        )
        allowed = isinstance(approved, str) and len(approved) >= 66 and abi.address_word(approved, 0)
        everything = isinstance(for_all, str) and len(for_all) >= 66 and abi.word(for_all, 0) == 1
        return allowed == withdrawal.sender or everything

    def _keep(self, withdrawal: Withdrawal, told: list[str]) -> str | None:
        exchange, answer = withdrawal.exchange, told[0]
        if exchange.protocol is Protocol.V3:
            if len(answer) < 2 + 8 * 64:
                return None
            pool = v3_pool(
                exchange, abi.address_word(answer, 2), abi.address_word(answer, 3), abi.word(answer, 4)
            )
        else:
            key = answer[2 : 2 + KEY_DIGITS]
            if len(key) < KEY_DIGITS:
                return None
            pool = "0x" + keccak(bytes.fromhex(key)).hex()
        if len(self._pools) < MOST_KNOWN:
            self._pools[exchange.position_manager, withdrawal.position] = pool
        return pool


def together(removals: Sequence[Removal]) -> list[Removal]:
    """One removal a pool: many small positions emptied at once are a large one."""
    found: dict[str | None, Removal] = {}
    for each in removals:
        known = found.get(each.pool)
        shares = (each.shares or 0) + ((known.shares or 0) if known else 0)
        found[each.pool] = replace(each, shares=shares)
    return list(found.values())


def _about(exchange: Exchange, number: str) -> list[str]:
    """The questions that tell a position's pool and what is in it."""
    if exchange.protocol is Protocol.V3:
        return [abi.CALL_POSITIONS + number]
    return [abi.CALL_POSITION_INFO + number, abi.CALL_POSITION_LIQUIDITY + number]
