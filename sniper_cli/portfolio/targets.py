"""What a portfolio shall consist of, and the trades that bring it there: pure figures, no desk.

    weight = worth of what is held / equity          drift = weight − target
    |drift| ≤ band: left alone      else: traded to the target, or only to the band's edge

Trading to the edge costs less and leaves the portfolio as far off as it may be; trading to the target is done less
often. What is bought is cut to what the sales and the cash will pay for, in proportion, so that nothing is refused
for want of funds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sniper_cli.errors import UsageProblem

HUNDRED = Decimal(100)
HINT = "sniper portfolio rebalance BTC/USDT=50 ETH/USDT=30 --dry-run"
LINE = re.compile(r"^\s*(?P<name>[^=,;#]+?)\s*[=,;]\s*(?P<weight>[^=,;#]+?)\s*%?\s*(?:#.*)?$")


@dataclass(frozen=True, slots=True)
class Stand:
    """An instrument as it stands, in base and quote units."""

    instrument: str
    held: int
    middle: tuple[int, int]
    """Quote units for base units at the middle price: what weights are reckoned at."""
    lot: int
    """Steps of the quantity in base units."""
    minimum: int
    """Smallest order in quote units."""
    buying: tuple[int, int]
    """Quote units for base units when buying, at worst and with the fee."""
    selling: tuple[int, int]
    """… and what selling brings at worst, the fee taken off."""

    @property
    def worth(self) -> int:
        """Of what is held, in quote units."""
        return self.held * self.middle[0] // self.middle[1]


@dataclass(frozen=True, slots=True)
class Trade:
    """What is to be done with an instrument."""

    instrument: str
    target: Decimal
    """Percent of the equity."""
    weight: Decimal
    quantity: int
    """Base units: bought if positive, sold if negative; 0: left alone."""
    why: str

    @property
    def drift(self) -> Decimal:
        return self.weight - self.target


def parse_targets(texts: Iterable[str]) -> dict[str, Decimal]:
    """`BTC/USDT=50`, or a file's line `BTC/USDT,50`: weights in percent by what the instrument is called.

    Empty lines, comments and a heading (`instrument,weight`) are passed over. Raises UsageProblem.
    """
    targets: dict[str, Decimal] = {}
    for text in texts:
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        found = LINE.match(text)
        if found is None:
            raise UsageProblem(f"{text.strip()!r} is no target: write BTC/USDT=50", hint=HINT)
        name, word = found["name"].strip(), found["weight"]
        if not targets and word.lower() in ("weight", "target", "weight_pct", "target_pct"):
            continue
        weight = _weight(name, word)
        if name.upper() in targets:
            raise UsageProblem(f"{name} is named twice", hint=HINT)
        targets[name.upper()] = weight
    total = sum(targets.values(), Decimal(0))
    if total > HUNDRED:
        raise UsageProblem(f"the targets come to {total} %: more than there is", hint=HINT)
    return targets


def _weight(name: str, word: str) -> Decimal:
    try:
        weight = Decimal(word)
    except InvalidOperation as error:
        raise UsageProblem(f"{word!r} is no weight for {name}", hint=HINT) from error
    if not weight.is_finite() or not 0 <= weight <= HUNDRED:
        raise UsageProblem(f"a weight is between 0 and 100 percent, and {name}'s is {word}", hint=HINT)
    return weight


def trades(
    stands: Sequence[Stand],
    targets: Mapping[str, Decimal],
    equity: int,
    cash: int,
    band: Decimal,
    *,
    to_edge: bool = False,
) -> list[Trade]:
    """What to do with each instrument that has a target, sales first. `cash`: what may be spent, before the sales."""
    if equity <= 0:
        raise UsageProblem("there is no equity to share out", hint="sniper portfolio show")
    wanted = [_wanted(stand, targets[stand.instrument], equity, band, to_edge=to_edge) for stand in stands]
    by_name = {stand.instrument: stand for stand in stands}
    proceeds = sum(_brings(by_name[one.instrument], -one.quantity) for one in wanted if one.quantity < 0)
    costs = {
        one.instrument: _costs(by_name[one.instrument], one.quantity) for one in wanted if one.quantity > 0
    }
    total, purse = sum(costs.values()), max(0, cash + proceeds)
    if total > purse:
        wanted = [_cut(one, by_name[one.instrument], purse, total) for one in wanted]
    return sorted(wanted, key=lambda one: (one.quantity >= 0, one.instrument))


def _wanted(stand: Stand, target: Decimal, equity: int, band: Decimal, *, to_edge: bool) -> Trade:
    weight = Decimal(stand.worth) * HUNDRED / Decimal(equity)
    drift = weight - target
    if abs(drift) <= band:
        return Trade(stand.instrument, target, weight, 0, "within the band")
    goal = target if not to_edge else target + (band if drift > 0 else -band)
    missing = int(goal * equity / HUNDRED) - stand.worth
    over, under = stand.middle
    quantity = _floor(abs(missing) * under // max(1, over), stand.lot)
    if missing > 0:
        return _checked(stand, target, weight, quantity, missing, "below its target")
    if not goal:
        quantity = stand.held  # all of it, not all but a rounding
    quantity = _floor(min(quantity, max(0, stand.held)), stand.lot)
    return _checked(stand, target, weight, -quantity, -missing, "above its target")


def _checked(stand: Stand, target: Decimal, weight: Decimal, quantity: int, value: int, why: str) -> Trade:
    if not quantity:
        return Trade(stand.instrument, target, weight, 0, "less than the smallest quantity is missing")
    if value < stand.minimum:
        return Trade(stand.instrument, target, weight, 0, "less than the smallest order is missing")
    return Trade(stand.instrument, target, weight, quantity, why)


def _cut(one: Trade, stand: Stand, purse: int, total: int) -> Trade:
    """A purchase cut to its share of what there is to pay with."""
    if one.quantity <= 0:
        return one
    quantity = _floor(one.quantity * purse // total, stand.lot)
    value = quantity * stand.buying[0] // stand.buying[1]
    return _checked(stand, one.target, one.weight, quantity, value, f"{one.why}, cut to the cash there is")


def _costs(stand: Stand, quantity: int) -> int:
    return -(-quantity * stand.buying[0] // stand.buying[1])


def _brings(stand: Stand, quantity: int) -> int:
    return quantity * stand.selling[0] // stand.selling[1]


def _floor(quantity: int, step: int) -> int:
    return quantity // step * step
