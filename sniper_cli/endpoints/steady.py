"""Work of many reads on one node, watched: did the node fail on the way?

A judgement takes a simulation that could not be run for an answer: not proven, so not safe. That is right
where there is one node. Where there are several, what one of them could not run the next one may, so what failed on
the way counts, also where the work itself went on without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sniper_cli.chains.node import Node
from sniper_cli.endpoints.faults import Fault, fault_of
from sniper_cli.errors import NetworkError, NodeRefused

TROUBLE = frozenset({Fault.BROKEN, Fault.FROZEN, Fault.BUSY, Fault.SKEW})


class Spoilt(NetworkError):
    """The work was done, but the node failed on the way: `result` may be the worse for it."""

    def __init__(self, trouble: NetworkError, result: Any) -> None:
        super().__init__(trouble.message, hint=trouble.hint)
        self.trouble = trouble
        self.result = result


class Watched(Node):
    """A node's client that remembers what failed; opens no connection of its own."""

    def __init__(self, node: Node) -> None:
        super().__init__(node.url, ws_url=node.ws_url, timeout_seconds=node.timeout_seconds, shown=node.shown)
        self._node = node
        self.trouble: NetworkError | None = None
        """The first failure of the node."""

    async def close(self) -> None:
        """The connections belong to the pool."""

    async def call(self, method: str, params: Sequence[Any] = ()) -> Any:
        try:
            return await self._node.call(method, params)
        except NetworkError as error:
            self._note(error)
            raise

    async def batch(
        self, calls: Sequence[tuple[str, Sequence[Any]]], *, return_errors: bool = False
    ) -> list[Any]:
        try:
            results = await self._node.batch(calls, return_errors=return_errors)
        except NetworkError as error:
            self._note(error)
            raise
        for result in results:
            if isinstance(result, NodeRefused):
                self._note(result)
        return results

    def _note(self, error: NetworkError) -> None:
        if self.trouble is None and fault_of(error) in TROUBLE:
            self.trouble = error
