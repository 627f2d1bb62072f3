"""Play money to begin with: the paper account, its assets and its instruments."""

from __future__ import annotations

from decimal import Decimal

from sqlmodel import Session, func, select

from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Renamed
from sniper_cli.books.records import Books, Page
from sniper_cli.errors import ConfigurationError
from sniper_cli.market.instruments import BASE_DECIMALS, INSTRUMENTS, QUOTE, QUOTE_DECIMALS
from state import journal
from state.accounts import Account, Asset, Instrument, Movement, VenueKind, find_account
from state.columns import utc_now
from state.database import Database, insert_ignoring
from state.identifiers import new_id
from state.positions import LotMethod

OPENING_DEPOSIT = Decimal(100_000)
"""USDT."""

QUOTE_ASSET = f"paper:{QUOTE}"


def ensure_account(
    database: Database,
    name: str = "paper",
    *,
    deposit: Decimal = OPENING_DEPOSIT,
    margin: Decimal = Decimal(0),
    actor: str = "sniper",
) -> Account:
    """The paper account of this name; opened with deposit and margin if it is new. Two processes at once open one.

    Raises ConfigurationError when the name belongs to an account on a chain.
    """

    with database.read() as session:
        known = find_account(session, name) if _all_listed(session) else None
        if known is not None and known.venue is VenueKind.PAPER:
            session.expunge(known)
            return known

    def work(session: Session) -> Account:
        ensure_instruments(session)
        created = _insert(session, name)
        account = find_account(session, name)
        assert account is not None
        if account.venue is not VenueKind.PAPER:
            raise ConfigurationError(
                f"the account {name!r} is at {account.address}, not on paper",
                hint="sniper config set account paper",
            )
        if created:
            data = {"name": name, "venue": "paper", "reporting_asset": QUOTE_ASSET}
            journal.append(session, "account.created", account.id, data, actor=actor)
            with Books(database, actor=actor).within(session, account.id, kind="desk.cash") as page:
                _deposit(page, deposit)
                if margin:
                    page.add(Renamed(LotMethod.FIFO.value, format(margin, "f")))
            session.refresh(account)  # its version is the books' now
        return account

    return database.transact(work)


def _all_listed(session: Session) -> bool:
    """Every instrument of the simulated market is there: nothing has to be written, and nobody waited for."""
    query = select(func.count()).select_from(Instrument).where(Instrument.venue == VenueKind.PAPER)
    return session.exec(query).one() >= len(INSTRUMENTS)


def ensure_instruments(session: Session) -> None:
    """The simulated market's assets and instruments as rows, for orders to refer to."""
    assets = [{"id": QUOTE_ASSET, "symbol": QUOTE, "name": "Tether USD", "decimals": QUOTE_DECIMALS}]
    assets += [
        {"id": spec.base_asset, "symbol": spec.base, "name": spec.name, "decimals": BASE_DECIMALS}
        for spec in INSTRUMENTS.values()
    ]
    insert_ignoring(session, Asset, assets, ["id"])
    rows = [
        {
            "id": spec.id,
            "venue": VenueKind.PAPER,
            "symbol": spec.symbol,
            "base_asset": spec.base_asset,
            "quote_asset": spec.quote_asset,
            "tick": spec.tick,
            "lot": spec.lot_units,
            "minimum_notional": spec.minimum_notional,
            "maximum_notional": spec.maximum_notional,
            "pool": None,
        }
        for spec in INSTRUMENTS.values()
    ]
    insert_ignoring(session, Instrument, rows, ["id"])


def _insert(session: Session, name: str) -> bool:
    """Whether this transaction is the one that made the account; another one is waited for."""
    row = {
        "id": new_id(),
        "tenant_id": "main",
        "name": name,
        "venue": VenueKind.PAPER,
        "chain_id": None,
        "address": None,
        "reporting_asset": QUOTE_ASSET,
        "version": 0,
        "settled_until": 0,
        "lot_method": LotMethod.FIFO,
        "margin": Decimal(0),
        "created_at": utc_now(),
    }
    return insert_ignoring(session, Account, [row], ["name"]) == 1


def _deposit(page: Page, deposit: Decimal) -> None:
    units = int(deposit.scaleb(QUOTE_DECIMALS))
    if units > 0:
        move_cash(page, QUOTE_ASSET, Movement.DEPOSIT, units, reference="opening")
