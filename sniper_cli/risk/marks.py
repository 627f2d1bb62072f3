"""What things are worth now, as whole numbers: quote units for so many base units, without a Decimal in between."""

from __future__ import annotations

from collections.abc import Callable

from state.writing import Writer

Rate = tuple[int, int]
"""So many quote units (the first) for so many base units (the second)."""

Marks = Callable[[str], Rate | None]
"""The rate of an instrument by its id; None where nobody knows one."""


class TableMarks:
    """The marks that stand with the positions, for a venue that must be asked over the network for a price."""

    def __init__(self, writer: Writer, account_key: str) -> None:
        self._writer = writer
        self._account_key = account_key
        self._rates: dict[str, Rate] | None = None

    def __call__(self, instrument_id: str) -> Rate | None:
        if self._rates is None:
            self._rates = self._read()
        return self._rates.get(instrument_id)

    def _read(self) -> dict[str, Rate]:
        query = (
            "SELECT instrument_id, mark_value, quantity FROM position "
            "WHERE account_id = ? AND state = 'open' AND mark_value IS NOT NULL"
        )
        return {
            instrument: (int(value), int(quantity))
            for instrument, value, quantity in self._writer.rows(query, (self._account_key,))
            if int(quantity) > 0
        }
