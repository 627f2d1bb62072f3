"""The venue's approvals, from being called for to being taken back: what is remembered of them within one process.

What must be done is decided by the record (`approving`); what is remembered here only saves asking: which approvals
nothing is left of, and at which version of an account nothing was loose.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from sniper_cli.books.holdings import AnyOrder
from sniper_cli.chains.exchange import Exchanges
from sniper_cli.chains.node import Node
from sniper_cli.errors import OrderRefused
from sniper_cli.pools.pool import Pool
from sniper_cli.venues.evm import approving
from sniper_cli.venues.evm.approvals import allowance_questions, left_of
from sniper_cli.venues.evm.calls import SwapRequest
from sniper_cli.venues.evm.policy import ExecutionPolicy
from sniper_cli.venues.venue import Granted
from state.accounts import Account
from state.database import Database

AT_ONCE = 200
"""Approvals looked at in one request."""
Store = Callable[[Session, Account, AnyOrder, SwapRequest], object]


class Grants:
    """The approvals of one address."""

    def __init__(
        self,
        database: Database,
        node: Node,
        exchanges: Exchanges,
        address: str,
        policy: Callable[[], Awaitable[ExecutionPolicy]],
        store: Store,
    ) -> None:
        self._database = database
        self._node = node
        self._exchanges = exchanges
        self._address = address
        self._policy = policy
        self._store = store
        self._clean: set[UUID] = set()
        """Approvals of which nothing is left to take back, or nothing can be."""
        self._tidy: dict[UUID, int] = {}
        """At which version of an account no loose approval was found."""
        self._since: dict[UUID, UUID] = {}
        """Where the next look at an account begins: before it all was clean at the last one."""

    async def plan(self, order: AnyOrder) -> SwapRequest | None:
        """What the sale of a position will need; None where the router may take so many already."""
        with self._database.read() as session:
            wanted = approving.wanted_by(session, order, self._exchanges)
        if wanted is None:
            return None
        return await approving.plan_approval(self._node, await self._policy(), self._address, wanted)

    def record(self, session: Session, account: Account, order: AnyOrder, plan: Any) -> bool:
        """Store it; False where one for as many is on its way or mined since."""
        if not approving.is_called_for(session, order, plan, self._exchanges):
            return False
        self._store(session, account, order, plan)
        return True

    async def loose(self, account: Account) -> list[Granted]:
        """Those that nothing needs any more and something is left of. Raises NetworkError."""
        with self._database.read() as session:
            version = session.exec(select(Account.version).where(Account.id == account.id)).one()
            if self._tidy.get(account.id) == version:
                return []
            idle, since = approving.candidates(
                session, account.id, self._exchanges, self._clean, self._since.get(account.id)
            )
        left = await self._left(idle)
        found: list[approving.Loose] = []
        if left:
            with self._database.read() as session:
                found = approving.loose(session, left)
                session.expunge_all()
        kept = {each.approval for each in found}
        self._clean |= {given.id for _, given in idle if given.id not in kept}
        if since is not None:
            self._since[account.id] = since
        if not found:
            self._tidy[account.id] = version
        return [Granted(each.order, each) for each in found]

    async def _left(self, idle: Sequence[approving.Idle]) -> list[approving.Idle]:
        """Those of which something is left, by the chain."""
        asked = [(each, allowance_questions(each.pool, self._address)) for each in idle]
        found = []
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            answers = iter(
                await self._node.batch([one for _, mine in some for one in mine], return_errors=True)
            )
            found += [each for each, mine in some if left_of(list(islice(answers, len(mine))))]
        return found

    async def plan_end(self, granted: Granted) -> SwapRequest | None:
        """What takes a loose one back; None where nothing is left of it. Raises OrderRefused, NetworkError."""
        loose: approving.Loose = granted.details
        try:
            request = await self.plan_end_of(loose.pool)
        except OrderRefused:
            self._clean.add(loose.approval)  # said once, not at every block
            raise
        if request is None:
            self._clean.add(loose.approval)
        return request

    async def plan_end_of(self, pool: Pool) -> SwapRequest | None:
        """What takes back whatever a pool's router may take; None where that is nothing. Raises as `plan_end`."""
        return await approving.plan_revocation(self._node, await self._policy(), self._address, pool)

    def record_end(
        self, session: Session, account: Account, order: AnyOrder, granted: Granted, plan: Any
    ) -> bool:
        """Store it; False where it was taken back since, or is needed again."""
        loose: approving.Loose = granted.details
        if not approving.is_loose(session, account.id, loose, self._exchanges):
            return False
        # One that no node takes is tried again by the next process, not at every block.
        self._clean.add(loose.approval)
        self._store(session, account, order, plan)
        return True


__all__ = ["Grants"]
