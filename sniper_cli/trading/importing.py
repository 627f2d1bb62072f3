"""Orders from a file or a pipe: CSV with a header, or a JSON object a line, with a result for each line.

A line says what the command line says, under the same names. Lines go to the desk a thousand at a time, each thousand
one walk and one record. A line without a client order id gets one from what it says (and from a batch's name), so that
a file that is corrected and read again places nothing twice; what was refused is asked for anew.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import NotFound, OrderRefused, PartlyDone, SniperError, UsageProblem
from sniper_cli.trading.asking import Asked, read
from sniper_cli.trading.assembly import OpenDesk, open_desk
from sniper_cli.trading.intents import OrderOutcome
from sniper_cli.trading.placing import ground_of
from sniper_cli.trading.requests import Ground, OrderRequest, with_client_id
from sniper_cli.trading.views import instrument_of
from state.orders import OrderState

if TYPE_CHECKING:
    from sniper_cli.context import Context

BATCH = 1_000
"""Lines of one walk."""

COLUMNS = tuple(one.name for one in fields(OrderRequest))
WHOLE = {one.name for one in fields(OrderRequest) if "int" in str(one.type)}
TRUTHS = {one.name for one in fields(OrderRequest) if one.type == "bool"}
YES, NO = {"1", "true", "yes", "y", "x"}, {"", "0", "false", "no", "n"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file: what it asks for, or what is wrong with it."""

    number: int
    request: OrderRequest | None = None
    problem: SniperError | None = None


@dataclass(slots=True)
class Imported:
    """What came of a line."""

    line: int
    client_order_id: str | None = None
    id: str | None = None
    instrument: str | None = None
    side: str | None = None
    type: str | None = None
    quantity: Decimal | None = None
    state: str = "invalid"
    filled_quantity: Decimal | None = None
    orders: int = 0
    """How many orders it made, legs and steps too."""
    replayed: bool = False
    message: str | None = None

    @property
    def taken(self) -> bool:
        return self.state not in ("invalid", OrderState.REFUSED.value, OrderState.REJECTED.value)


async def import_orders(
    context: Context,
    source: str,
    agree: Callable[[str], None],
    *,
    together: bool = False,
    batch: str = "",
    dry_run: bool = False,
    live: bool = False,
) -> list[Imported]:
    """Place every order of a file; with `together` all of them or none. The same lines in another `batch` are others.

    Raises NotFound, UsageProblem for a file that cannot be read as a whole.
    """
    text, name = _text_of(source)
    lines = list(read_lines(text, name))
    async with open_desk(context, live=live, bulk=len(lines) > BATCH) as opened:
        asked, results = await _understand(opened, lines, batch)
        if dry_run or together:
            await _place(opened, asked, results, dry_run=True)
            if dry_run or any(not one.taken for one in results):
                return results
        if asked:
            agree(
                f"Place the orders of {len(asked)} line{'s' if len(asked) > 1 else ''} on {context.profile}?"
            )
        await _place(opened, asked, results, dry_run=False)
        return results


def raise_unless_all(results: Sequence[Imported]) -> None:
    """Raise PartlyDone where some lines were not taken, OrderRefused or UsageProblem where none was."""
    bad = [one for one in results if not one.taken]
    if not bad:
        return
    first = f"line {bad[0].line}: {bad[0].message}"
    if len(bad) < len(results):
        raise PartlyDone(
            f"{len(results) - len(bad)} of {len(results)} lines were taken; {first}",
            hint="correct the others and import the same file again: what was taken is not placed twice",
        )
    error = UsageProblem if all(one.state == "invalid" for one in bad) else OrderRefused
    raise error(f"no line was taken; {first}", hint="sniper order template")


# -- reading ------------------------------------------------------------------------------------------------------


def _text_of(source: str) -> tuple[str, str]:
    """The text of a file or of stdin, and what to call it in errors."""
    if source == "-":
        data, name = (
            sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode(),
            "stdin",
        )
    else:
        name = source
        try:
            data = Path(source).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"there is no file {source}", hint="sniper order template > orders.csv") from error
        except OSError as error:
            raise UsageProblem(
                f"{source} cannot be read: {error.strerror}", hint="sniper order template"
            ) from error
    try:
        return data.decode("utf-8-sig"), name
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise UsageProblem(
            f"{name}:{line}:{column}: this is no UTF-8 text", hint="save it as CSV in UTF-8"
        ) from error


def read_lines(text: str, name: str) -> Iterator[Line]:
    """The lines of a file in whichever of the two formats it is. Raises UsageProblem for a header that is wrong."""
    content = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not content:
        raise UsageProblem(f"{name} has no orders in it", hint="sniper order template")
    if content[0].lstrip().startswith(("{", "[")):
        return _json_lines(text, name)
    return _csv_lines(text, name)


def _csv_lines(text: str, name: str) -> Iterator[Line]:
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    first, header = numbered[0]
    delimiter = max(",;\t", key=header.count)
    names = _header(name, first, header, delimiter)
    if len(numbered) == 1:
        raise UsageProblem(f"{name} has a header and no orders under it", hint="sniper order template")
    reader = csv.reader((line for _, line in numbered[1:]), delimiter=delimiter, strict=True)
    lines = iter(numbered[1:])
    while True:
        number = next(lines, (0, ""))[0]
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Line(
                number, problem=UsageProblem(f"{name}:{number}: {error}", hint="sniper order template")
            )
            return
        yield _row(name, number, names, cells)


def _header(name: str, line: int, header: str, delimiter: str) -> list[str]:
    names: list[str] = []
    column = 1
    for cell in header.split(delimiter):
        word = cell.strip().strip('"').lower().replace("-", "_")
        where = f"{name}:{line}:{column}"
        if word not in COLUMNS:
            near = get_close_matches(word, COLUMNS, n=1)
            meant = f"; did you mean {near[0]!r}?" if near else ""
            raise UsageProblem(
                f"{where}: there is no column {cell.strip()!r}{meant}", hint="sniper order template"
            )
        if word in names:
            raise UsageProblem(
                f"{where}: the column {word!r} stands there twice", hint="sniper order template"
            )
        names.append(word)
        column += len(cell) + 1
    missing = [one for one in ("side", "instrument") if one not in names]
    if missing:
        raise UsageProblem(
            f"{name}:{line}:1: the header has no column {missing[0]!r}", hint="sniper order template"
        )
    return names


def _row(name: str, number: int, names: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) != len(names):
        problem = f"{name}:{number}: {len(cells)} cells under {len(names)} columns"
        return Line(number, problem=UsageProblem(problem, hint="sniper order template"))
    given = {key: cell.strip() for key, cell in zip(names, cells, strict=True) if cell.strip()}
    return _line(name, number, given)


def _json_lines(text: str, name: str) -> Iterator[Line]:
    if text.lstrip().startswith("["):
        yield from _json_array(text, name)
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            given = json.loads(line, parse_float=str, parse_int=str)
        except json.JSONDecodeError as error:
            problem = f"{name}:{number}:{error.colno}: {error.msg}"
            yield Line(number, problem=UsageProblem(problem, hint="sniper order template --format jsonl"))
            continue
        yield _object(name, number, given)


def _json_array(text: str, name: str) -> Iterator[Line]:
    try:
        entries = json.loads(text, parse_float=str, parse_int=str)
    except json.JSONDecodeError as error:
        raise UsageProblem(
            f"{name}:{error.lineno}:{error.colno}: {error.msg}", hint="sniper order template --format jsonl"
        ) from error
    for number, given in enumerate(entries, 1):
        yield _object(name, number, given)


def _object(name: str, number: int, given: Any) -> Line:
    if not isinstance(given, dict):
        problem = UsageProblem(
            f"{name}:{number}: an order is an object", hint="sniper order template --format jsonl"
        )
        return Line(number, problem=problem)
    spelled = {
        key.lower().replace("-", "_"): value for key, value in given.items() if value not in (None, "")
    }
    unknown = next((key for key in spelled if key not in COLUMNS), None)
    if unknown is not None:
        near = get_close_matches(unknown, COLUMNS, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        problem = UsageProblem(
            f"{name}:{number}: there is no field {unknown!r}{meant}",
            hint="sniper order template --format jsonl",
        )
        return Line(number, problem=problem)
    return _line(name, number, spelled)


def _line(name: str, number: int, given: dict[str, Any]) -> Line:
    """A request, its numbers and truths read; everything else stays as it was typed."""
    values: dict[str, Any] = {}
    for key, value in given.items():
        word = str(value).strip()
        if key in TRUTHS:
            if isinstance(value, bool) or word.lower() in YES | NO:
                values[key] = value if isinstance(value, bool) else word.lower() in YES
                continue
            problem = f"{name}:{number}: {key} is yes or no, not {word!r}"
        elif key in WHOLE:
            if word.isdigit():
                values[key] = int(word)
                continue
            problem = f"{name}:{number}: {key} is a whole number, not {word!r}"
        else:
            values[key] = word
            continue
        return Line(number, problem=UsageProblem(problem, hint="sniper order template"))
    return Line(number, OrderRequest(**values))


# -- placing ------------------------------------------------------------------------------------------------------


async def _understand(
    opened: OpenDesk, lines: Sequence[Line], batch: str
) -> tuple[list[tuple[Imported, Asked]], list[Imported]]:
    """What each line means; a result for each, with what is wrong in those that mean nothing."""
    grounds: dict[str, Ground] = {}
    asked: list[tuple[Imported, Asked]] = []
    results: list[Imported] = []
    named = Names(opened, batch)
    for line in lines:
        result = Imported(line.number)
        results.append(result)
        try:
            if line.problem is not None or line.request is None:
                raise line.problem or UsageProblem("nothing stands there", hint="sniper order template")
            request = (
                line.request
                if line.request.client_id
                else with_client_id(line.request, named.next(line.request))
            )
            result.client_order_id, result.instrument = request.client_id, request.instrument
            key = request.instrument.lower()
            if key not in grounds or opened.exchange is not None:
                grounds[key] = await ground_of(opened, request)
            meant = read(request, grounds[key])
            result.instrument, result.side = grounds[key].listing.symbol, meant.family.head.side.value
            asked.append((result, meant))
        except SniperError as error:
            result.message = error.message
    return asked, results


class Names:
    """Client order ids for lines that have none: from what they say, and how often they have said it."""

    def __init__(self, opened: OpenDesk, batch: str) -> None:
        self.opened, self.batch = opened, batch
        self.counted: dict[str, int] = {}

    def next(self, request: OrderRequest) -> str:
        """The name of a line; another one where an order of that name was refused."""
        said = "\x1f".join([self.batch, *(f"{name}={getattr(request, name)}" for name in COLUMNS)])
        digest = hashlib.sha256(said.encode()).hexdigest()[:16]
        number = self.counted[digest] = self.counted.get(digest, 0) + 1
        name, again = f"import-{digest}-{number}", 1
        while self._was_refused(name):
            again += 1
            name = f"import-{digest}-{number}.{again}"
        return name

    def _was_refused(self, name: str) -> bool:
        known = self.opened.desk.find_order(self.opened.account.id, name)
        return known is not None and known.state is OrderState.REFUSED


async def _place(
    opened: OpenDesk, asked: Sequence[tuple[Imported, Asked]], results: Sequence[Imported], *, dry_run: bool
) -> None:
    """Place in batches; a rehearsal is one batch, for what a line would find depends on those before it."""
    del results
    size = max(1, len(asked)) if dry_run else BATCH
    for start in range(0, len(asked), size):
        batch = asked[start : start + size]
        families = [meant.family for _, meant in batch]
        try:
            outcomes = await opened.desk.place(opened.account.id, families, dry_run=dry_run)
        except OrderRefused as refused:
            await _one_by_one(opened, batch, refused, dry_run=dry_run)
            continue
        for (result, _), members in zip(batch, outcomes, strict=True):
            _take_down(opened, result, members)


async def _one_by_one(
    opened: OpenDesk, batch: Sequence[tuple[Imported, Asked]], refused: OrderRefused, *, dry_run: bool
) -> None:
    """One line's client order id was used for something else, which ends a whole walk: find it, place the others."""
    if len(batch) == 1:
        result = batch[0][0]
        result.state, result.message = OrderState.REFUSED.value, refused.message
        return
    half = len(batch) // 2
    for part in (batch[:half], batch[half:]):
        await _place(opened, part, [], dry_run=dry_run)


def _take_down(opened: OpenDesk, result: Imported, members: Sequence[OrderOutcome]) -> None:
    head = members[0].order
    listing = opened.desk.listings.get(head.instrument_id)
    if listing is not None:
        base = listing.base
    else:
        with opened.desk.database.read() as session:
            _, base, _ = instrument_of(session, head.instrument_id)
    result.id, result.state, result.type = str(head.id), head.state.value, head.type.value
    result.quantity = None if head.quantity is None else base.amount(head.quantity).normalize()
    result.filled_quantity = base.amount(head.filled_quantity).normalize()
    result.orders, result.replayed = len(members), members[0].replayed
    result.message = head.explanation or ("placed before" if result.replayed else None)


# -- templates ----------------------------------------------------------------------------------------------------

EXPLAINED = (
    ("side", "buy or sell"),
    ("instrument", "BTC/USDT, or on a chain a token's address"),
    ("quantity", "how much of the base asset"),
    ("budget", "in place of it, for a purchase: how much to spend"),
    ("type", "market, limit, stop, stop_limit, take_profit, trailing_stop; found from what else is given"),
    ("price", "the limit"),
    ("trigger", "where a stop, stop limit or take profit goes off"),
    ("trail", "how far a trailing stop stays behind: 250 or 2%"),
    ("time_in_force", "gtc, ioc, fok, gtd, day"),
    ("expires", "2h, 17:30, 2026-12-31"),
    ("take_profit", "a bracket's exits: a price, or 5% from the entry"),
    ("stop_loss", ""),
    ("client_id", "the same id is the same order, however often; found from the file if there is none"),
)
EXAMPLES = (
    {"side": "buy", "instrument": "BTC/USDT", "budget": "250", "client_id": "first"},
    {"side": "buy", "instrument": "ETH/USDT", "quantity": "0.5", "price": "1500", "time_in_force": "day"},
    {"side": "buy", "instrument": "SOL/USDT", "quantity": "3", "take_profit": "5%", "stop_loss": "3%"},
)


def template(form: str) -> Iterator[str]:
    """The lines of an empty file, its columns explained, with examples that are commented out."""
    yield "# Orders for `sniper order import FILE`. Lines that begin with # are not read."
    for name, words in EXPLAINED:
        if words:
            yield f"# {name}: {words}"
    others = [name for name in COLUMNS if name not in {known for known, _ in EXPLAINED}]
    yield f"# More columns: {', '.join(others)} (as in sniper order place --help)"
    if form == "jsonl":
        for example in EXAMPLES:
            yield f"# {json.dumps(example)}"
        return
    names = [name for name, _ in EXPLAINED]
    yield ",".join(names)
    for example in EXAMPLES:
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([example.get(name, "") for name in names])
        yield f"# {row.getvalue()}"


__all__ = ["Imported", "Line", "import_orders", "raise_unless_all", "read_lines", "template"]
