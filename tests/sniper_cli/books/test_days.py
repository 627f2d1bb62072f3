"""A day's sums: what a strategy won and lost, what was traded of an instrument; without what was taken back."""

from __future__ import annotations

from sqlmodel import select

from state.projections import InstrumentDay, StrategyDay
from tests.books_fixtures import COIN, PAIR, Ledger


def test_days_forget_what_was_undone(ledger: Ledger) -> None:
    ledger.buy(100, 1000, fee=7)
    sale = ledger.sell(40, 900, fee=3)
    ledger.undo(sale)
    [strategy] = _days(ledger, StrategyDay)
    assert (strategy.realised, strategy.wins, strategy.won, strategy.sold, strategy.fills) == (0, 0, 0, 0, 1)
    assert (strategy.bought, strategy.fees) == (1000, 7)
    [instrument] = _days(ledger, InstrumentDay)
    assert (instrument.quantity, instrument.held, instrument.basis, instrument.fills) == (100, 100, 1000, 1)


def test_a_strategys_day_tells_wins_from_losses(ledger: Ledger) -> None:
    ledger.buy(100, 1000, fee=1, strategy="grid")
    ledger.sell(50, 800, fee=2, strategy="grid")
    ledger.sell(50, 300, fee=3, strategy="grid")
    ledger.buy(1, 10)
    grid, person = sorted(_days(ledger, StrategyDay), key=lambda day: day.strategy, reverse=True)
    assert (grid.strategy, grid.quote_asset, grid.fills, grid.fees) == ("grid", COIN, 3, 6)
    assert (grid.wins, grid.won, grid.losses, grid.lost, grid.realised) == (1, 300, 1, 200, 100)
    assert (grid.bought, grid.sold) == (1000, 1100)
    assert (person.strategy, person.bought) == ("", 10)
    [day] = _days(ledger, InstrumentDay)
    assert (day.instrument_id, day.quantity, day.notional, day.fills, day.held) == (PAIR, 201, 2110, 4, 1)


def _days(
    ledger: Ledger, model: type[StrategyDay] | type[InstrumentDay]
) -> list[StrategyDay | InstrumentDay]:
    with ledger.database.read() as session:
        found = list(session.exec(select(model).where(model.account_id == ledger.account_id)).all())
        session.expunge_all()
        return found
