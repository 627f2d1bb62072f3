"""What must hold among the tables themselves, whatever the journal says.

The telling proves that the tables are what `Book.apply` makes of the journal; these sums prove that what it makes is
bookkeeping: nothing appears, nothing is lost, and every profit is a price less a cost. They read the tables only.

    balance           = Σ ledger entries                        an account's asset
    Σ buys and sells  = Σ fills that stand                      an account's asset: the ledger and the trades
    Σ transfers       = 0                                       an asset, over all accounts
    filled            = Σ fills that stand                      an order's quantity and notional
    quantity          = ± Σ open lots,  basis = Σ their cost    a position
    realised          = received − spent ± basis                a position: proceeds less cost
    realised          = ± Σ (proceeds − cost) of its matches    a fill that stands; what brought nothing lost its price
    held              ≥ Σ positions                             an asset of an account without margin
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import groupby
from operator import itemgetter

from sniper_cli.books.differences import MISSING, THERE, Difference
from state.accounts import COUNTERPARTS, Movement
from state.orders import Fill, Order
from state.positions import Lot, LotMatch, Position
from state.reading import Reader
from state.writing import read_hex

RULE = "identity"

TRADES = frozenset({Movement.BUY.value, Movement.SELL.value})
OTHER_SIDE = {movement.value: name for movement, name in COUNTERPARTS.items()}

Sums = dict[tuple[str, str], int]
Check = Callable[[Reader], Iterator[Difference]]


def balances(reader: Reader) -> Iterator[Difference]:
    """Each balance is the sum of its entries, each entry has its other side, transfers come to nothing."""
    sums: Sums = defaultdict(int)
    trades: Sums = defaultdict(int)
    moved: dict[str, int] = defaultdict(int)
    query = "SELECT account_id, asset_id, movement, counterpart, amount, reference FROM ledger_entry"
    for account, asset, movement, counterpart, amount, reference in reader.stream(query):
        owner, units = (read_hex(account), asset), int(amount)
        sums[owner] += units
        if movement in TRADES:
            trades[owner] += units
        elif movement == Movement.TRANSFER:
            moved[asset] += units
        if OTHER_SIDE.get(movement) != counterpart:
            key = f"{owner[0]} {asset} {movement} {reference}"
            yield _broken("ledger_entry", key, "counterpart", OTHER_SIDE.get(movement), counterpart)
    for account, asset, amount in reader.stream("SELECT account_id, asset_id, amount FROM balance"):
        owner = (read_hex(account), asset)
        yield from _equal("balance", " ".join(owner), "amount", sums.pop(owner, 0), int(amount))
    for owner, units in sums.items():
        yield from _equal("balance", " ".join(owner), "amount", units, 0)
    for asset, units in moved.items():
        yield from _equal("ledger_entry", asset, "transfers", 0, units)
    yield from _trades(reader, trades)


def _trades(reader: Reader, entries: Sums) -> Iterator[Difference]:
    """What the ledger says was bought and sold is what the fills say."""
    pairs = {row[0]: row[1:] for row in reader.rows("SELECT id, base_asset, quote_asset FROM instrument")}
    sums: Sums = defaultdict(int)
    query = "SELECT account_id, instrument_id, side, quantity, notional FROM fill WHERE reversed_at IS NULL"
    for account, instrument, side, quantity, notional in reader.stream(query):
        if instrument not in pairs:
            yield _broken("fill", read_hex(account), "instrument_id", "a known one", instrument)
            continue
        (base, quote), key, sign = pairs[instrument], read_hex(account), 1 if side == "buy" else -1
        sums[key, base] += sign * int(quantity)
        sums[key, quote] -= sign * int(notional)
    for owner in sorted(sums.keys() | entries.keys()):
        yield from _equal("ledger_entry", " ".join(owner), "traded", sums[owner], entries[owner])


def orders(reader: Reader) -> Iterator[Difference]:
    """Each order is filled by what its fills come to."""
    fills = _filled(reader)
    current = next(fills, None)
    names = reader.columns(Order, "id, filled_quantity, filled_notional")
    for key, quantity, notional in reader.stream(f'SELECT {names} FROM "order" ORDER BY id'):  # noqa: S608
        while current is not None and current[0] < key:
            yield _broken("fill", f"order {current[0]}", "order_id", THERE, MISSING)
            current = next(fills, None)
        found = (0, 0)
        if current is not None and current[0] == key:
            found, current = current[1:], next(fills, None)
        yield from _equal("order", key, "filled_quantity", found[0], int(quantity))
        yield from _equal("order", key, "filled_notional", found[1], int(notional))
    if current is not None:
        yield _broken("fill", f"order {current[0]}", "order_id", THERE, MISSING)


def _filled(reader: Reader) -> Iterator[tuple[str, int, int]]:
    """Orders with fills that stand, in the order of their ids, with the sums."""
    names = reader.columns(Fill, "order_id, quantity, notional")
    query = f"SELECT {names} FROM fill WHERE reversed_at IS NULL ORDER BY order_id"  # noqa: S608
    key, quantity, notional = "", 0, 0
    for order, units, worth in reader.stream(query):
        if order != key:
            if key:
                yield key, quantity, notional
            key, quantity, notional = order, 0, 0
        quantity += int(units)
        notional += int(worth)
    if key:
        yield key, quantity, notional


def positions(reader: Reader) -> Iterator[Difference]:
    """Each position holds its open lots, and has made its proceeds less its cost."""
    lots = groupby(_open_lots(reader), key=itemgetter(0))
    current = next(lots, None)
    names = reader.columns(Position, "id, state, quantity, basis, spent, received, realised")
    for key, state, *amounts in reader.stream(f"SELECT {names} FROM position ORDER BY id"):  # noqa: S608
        quantity, basis, spent, received, realised = (int(amount) for amount in amounts)
        while current is not None and current[0] < key:
            yield _broken("lot", f"position {current[0]}", "position_id", THERE, MISSING)
            current = next(lots, None)
        remaining = cost = 0
        if current is not None and current[0] == key:
            for _, units, worth in current[1]:
                remaining, cost = remaining + units, cost + worth
            current = next(lots, None)
        yield from _equal("position", key, "quantity", -remaining if quantity < 0 else remaining, quantity)
        if state == "open":
            yield from _equal("position", key, "basis", cost, basis)
        gain = received - spent + (basis if quantity >= 0 else -basis)
        yield from _equal("position", key, "realised", gain, realised)
        if (state == "open") != bool(quantity):
            yield _broken("position", key, "state", "open" if quantity else "closed", state)
    if current is not None:
        yield _broken("lot", f"position {current[0]}", "position_id", THERE, MISSING)


def _open_lots(reader: Reader) -> Iterator[tuple[str, int, int]]:
    """(position, units left, what those cost) of lots with something left, by position."""
    names = reader.columns(Lot, "position_id, quantity, remaining, cost")
    query = f"SELECT {names} FROM lot WHERE remaining <> '0' ORDER BY position_id"  # noqa: S608
    for key, quantity, remaining, cost in reader.stream(query):
        whole, left, worth = int(quantity), int(remaining), int(cost)
        yield key, left, worth - worth * (whole - left) // whole


def profits(reader: Reader) -> Iterator[Difference]:
    """Each fill realised what its parts of lots brought in less what they cost."""
    matches = _matched(reader)
    current = next(matches, None)
    bases = {row[0]: row[1] for row in reader.rows("SELECT id, base_asset FROM instrument")}
    names = reader.columns(
        Fill, "id, side, realised, reversed_at, instrument_id, quantity, notional, fee_asset, fee"
    )
    for row in reader.stream(f"SELECT {names} FROM fill ORDER BY id"):  # noqa: S608
        key, side, realised, reversed_at, instrument, quantity, notional, fee_asset, fee = row
        while current is not None and current[0] < key:
            current = next(matches, None)  # units written off belong to no fill
        gain = 0
        if current is not None and current[0] == key:
            gain = current[1] if side == "sell" else -current[1]
            current = next(matches, None)
        elif side == "buy" and int(quantity) == (int(fee) if fee_asset == bases.get(instrument) else 0):
            gain = -int(notional)
        if reversed_at is None:
            yield from _equal("fill", key, "realised", gain, int(realised))


def _matched(reader: Reader) -> Iterator[tuple[str, int]]:
    """(fill, proceeds less cost) of everything that was taken from lots, in the order of the fills' ids."""
    names = reader.columns(LotMatch, "fill_id, cost, proceeds")
    key, gain = "", 0
    for fill, cost, proceeds in reader.stream(f"SELECT {names} FROM lot_match ORDER BY fill_id"):  # noqa: S608
        if fill != key:
            if key:
                yield key, gain
            key, gain = fill, 0
        gain += int(proceeds) - int(cost)
    if key:
        yield key, gain


def holdings(reader: Reader) -> Iterator[Difference]:
    """An account that may not be short has what its positions say it holds."""
    query = (
        "SELECT p.account_id, i.base_asset, p.quantity, a.margin FROM position p "
        "JOIN instrument i ON i.id = p.instrument_id JOIN account a ON a.id = p.account_id WHERE p.state = 'open'"
    )
    sums: Sums = defaultdict(int)
    for account, asset, quantity, margin in reader.stream(query):
        if not Decimal(margin):
            sums[read_hex(account), asset] += int(quantity)
    held = {
        (read_hex(account), asset): int(amount)
        for account, asset, amount in reader.stream("SELECT account_id, asset_id, amount FROM balance")
    }
    for owner, quantity in sums.items():
        if held.get(owner, 0) < quantity:
            yield _broken("position", " ".join(owner), "held", quantity, held.get(owner, 0))


IDENTITIES: dict[str, Check] = {
    "balances are the sums of their entries, and trades those of their fills": balances,
    "orders are filled by their fills": orders,
    "positions are their open lots, and realised proceeds less cost": positions,
    "fills realised what their lots brought in less what they cost": profits,
    "accounts hold what their positions say": holdings,
}


def _equal(table: str, key: str, field: str, expected: int, found: int) -> Iterator[Difference]:
    if expected != found:
        yield _broken(table, key, field, expected, found)


def _broken(table: str, key: str, field: str, expected: object, found: object) -> Difference:
    return Difference(table, key, field, str(expected), str(found), RULE)
