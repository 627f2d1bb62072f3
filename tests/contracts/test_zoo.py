"""The zoo is what `tests.zoo` says of it: every kind is listed, bought and sold by really mined transactions."""

from __future__ import annotations

import pytest

from tests import zoo

pytestmark = [pytest.mark.anvil, pytest.mark.xdist_group("anvil")]
POOL_FEE = 997 * 997 / 1000**2
"""What is left of a purchase and a full sale in a pool that nobody else touched: 0.3 % each way."""


@pytest.mark.parametrize("kind", zoo.KINDS)
async def test_a_kind_trades_as_its_truth_says(anvil, kind):
    node, exchange, buyer = anvil.node, anvil.exchange, zoo.anvil_account(1)
    token, _ = await zoo.list_token(node, exchange, kind)
    bought = await zoo.buy(node, exchange, token, buyer, zoo.ZOO_POLICY.amount)
    if not bought.ok:
        assert zoo.SENT.get(kind) == "buy refused"
        return
    await zoo.approve(node, exchange, token, buyer)
    before = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    sold = await zoo.sell(node, exchange, token, buyer, await zoo.balance_of(node, token, buyer.address))
    after = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    assert zoo.SENT.get(kind) == (None if sold.ok else "sell refused")
    if sold.ok:
        buy_tax, sell_tax = zoo.TAXES.get(kind, (0, 0))
        kept = POOL_FEE * (1 - buy_tax / 10_000) * (1 - sell_tax / 10_000)
        # Price impact makes up for some of a tax: what was not sold did not press the price.
        assert (after - before + sold.cost) / zoo.ZOO_POLICY.amount == pytest.approx(kept, rel=0.01)
        assert (sold.gas > zoo.ZOO_POLICY.max_sell_gas) is (kind == "GasGrief")


async def test_time_makes_a_trap_of_a_tax_that_flips(anvil):
    node, exchange, buyer = anvil.node, anvil.exchange, zoo.anvil_account(1)
    token, _ = await zoo.list_token(node, exchange, "TaxFlip")
    await zoo.buy(node, exchange, token, buyer, zoo.ZOO_POLICY.amount)
    await zoo.approve(node, exchange, token, buyer)
    await anvil.mine(21)
    before = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    sold = await zoo.sell(node, exchange, token, buyer, await zoo.balance_of(node, token, buyer.address))
    after = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    assert (after - before + sold.cost) / zoo.ZOO_POLICY.amount < 0.02


@pytest.mark.parametrize("kind", zoo.HARDER)
async def test_a_harder_kind_lets_a_holder_out_or_not_as_its_truth_says(anvil, kind):
    node, exchange, buyer = anvil.node, anvil.exchange, zoo.anvil_account(1)
    token, _ = await zoo.list_token(node, exchange, kind)
    assert (await zoo.buy(node, exchange, token, buyer, zoo.ZOO_POLICY.amount)).ok
    await zoo.approve(node, exchange, token, buyer)
    await anvil.mine(12)
    # What melts has melted further by the block that the sale is in.
    held = await zoo.balance_of(node, token, buyer.address) * (9 if kind == "Melting" else 10) // 10
    before = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    sold = await zoo.sell(node, exchange, token, buyer, held)
    after = int(await node.call("eth_getBalance", [buyer.address, "latest"]), 16)
    assert ((after - before + sold.cost) / zoo.ZOO_POLICY.amount > 0.9) is zoo.HARDER[kind]
