"""What a command is answered: tokens as people name them, amounts exact, a tax that the quote did not know of."""

from __future__ import annotations

import pytest

from sniper_cli.chains.exchange import Exchange, Exchanges
from sniper_cli.errors import NotFound, OrderRefused, UsageProblem
from sniper_cli.routing.answering import RouteQuestion, answer
from sniper_cli.routing.tokens import Token, address_meant
from tests import zoo
from tests.chain_fixtures import Chain

ADDRESS, WRAPPED = "0x" + "aB" * 20, "0x" + "3" * 40
EXCHANGES = Exchanges((Exchange(1, WRAPPED, "0x" + "7" * 40, "0x" + "8" * 40),))
CENT = Token(ADDRESS, "CENT", 2)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("ETH", (WRAPPED, True)),
        ("weth", (WRAPPED, False)),
        (ADDRESS, (ADDRESS.lower(), False)),
    ],
)
def test_a_token_by_name_or_address(word: str, meant: tuple[str, bool]) -> None:
    assert address_meant(word, EXCHANGES) == meant


@pytest.mark.parametrize("word", ["0x12", "USDC", ""])
def test_what_is_no_token(word: str) -> None:
    with pytest.raises(UsageProblem, match="no token"):
        address_meant(word, EXCHANGES)


@pytest.mark.parametrize(("amount", "units"), [("1", 100), ("0.01", 1), ("1e3", 100_000), ("12.50", 1250)])
def test_whole_amounts_as_units_and_back(amount: str, units: int) -> None:
    assert CENT.units(amount) == units
    assert CENT.units(CENT.spelled(units)) == units


def test_amounts_are_exact_however_many_digits() -> None:
    assert Token(ADDRESS, "", 18).spelled(10**60 + 1) == "1" + "0" * 42 + "." + "0" * 17 + "1"
    assert Token(ADDRESS, "", 18).spelled(0) == "0"


@pytest.mark.parametrize("amount", ["0", "-1", "x", "NaN", "Infinity", "0.001"])
def test_what_is_no_amount(amount: str) -> None:
    with pytest.raises(UsageProblem):
        CENT.units(amount)


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
async def test_a_tax_shows_in_the_simulation(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Fot5")

    found = await answer(anvil.node, anvil.exchanges, RouteQuestion("ETH", listing.token, "1"))

    promised = found.quote.split.amount_out
    assert found.tried.arrived == promised - promised * 5 // 100


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
async def test_what_no_route_takes_is_refused(anvil: Chain) -> None:
    listing = await zoo.list_token(anvil.node, anvil.exchange, "Normal")

    with pytest.raises(OrderRefused, match="no route takes"):
        await answer(anvil.node, anvil.exchanges, RouteQuestion(listing.token, "ETH", "1e40"))


@pytest.mark.anvil
@pytest.mark.xdist_group("anvil")
async def test_where_nothing_is_there_is_nothing_to_quote(anvil: Chain) -> None:
    with pytest.raises(NotFound, match="no token"):
        await answer(anvil.node, anvil.exchanges, RouteQuestion("ETH", "0x" + "9" * 40, "1"))
    lonely = await zoo.deploy_token(anvil.node, "NormalRenounced")
    with pytest.raises(NotFound, match="has a pool"):
        await answer(anvil.node, anvil.exchanges, RouteQuestion("ETH", lonely, "1"))
    with pytest.raises(UsageProblem, match="same"):
        await answer(anvil.node, anvil.exchanges, RouteQuestion("ETH", "WETH", "1"))
