"""One evening on the local chain, as rows: what the pictures show and what the screens' tests look at.

Every figure, id and time is fixed, so that a picture made twice is the same file. The tokens are the kinds
that `sniper demo` stages; the rows are written as the sniper and the desk write them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, select

from docs.scene_acts import (
    ACTOR,
    ACTS,
    CHAIN,
    COIN,
    EVERY,
    GWEI,
    HEAD,
    NATIVE,
    NOW,
    SETTINGS,
    STAKE,
    Act,
    address_of,
    hashed,
    received_for,
)
from docs.scene_reports import report as report_of
from sniper_cli.books.cash import move_cash
from sniper_cli.books.events import Filled, Match, Moved, Recorded, raw, wide, wide_or_none
from sniper_cli.books.records import Books, Page
from sniper_cli.sniping.exits import ExitRules
from state.accounts import Account, Asset, Instrument, Movement, VenueKind
from state.controls import KillSwitch
from state.database import Database
from state.journal import append
from state.launches import ChainCursor, Decision, Launch, Verdict
from state.orders import OrderState, OrderType, Side, TimeInForce
from state.positions import Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState
from state.writing import instant, micros

CHECKS: list[dict[str, Any]] = [
    {"name": "kill_switch", "passed": True, "detail": "not tripped", "figures": {}},
    {"name": "funds", "passed": True, "detail": "99.41 ETH held, 0.1021 ETH needed at most", "figures": {}},
    {"name": "open_positions", "passed": True, "detail": "4 of 20 are open", "figures": {}},
    {"name": "total_spend", "passed": True, "detail": "0.4 ETH stand in positions, 5 ETH may", "figures": {}},
]
EXITS = {
    "take_profit": "has gained 60.4 %",
    "stop_loss": "has lost 32.8 %",
    "trailing_stop": "has fallen 13.3 % below its peak",
    "time": "has been held for 60 s",
    "liquidity_pending": "a removal of the pool's liquidity is pending",
}


def stage(database: Database, *, tripped: bool = False) -> Account:
    """Write the whole evening into an empty schema."""
    books = Books(database, actor=ACTOR)
    with database.write() as session:
        account = _account(session, books)
        for number, act in enumerate(ACTS):
            Play(session, books, account, number, act).perform()
        session.add(
            ChainCursor(
                chain_id=CHAIN,
                stream="heads",
                block_number=HEAD,
                block_hash=hashed("block", HEAD),
                updated_at=NOW - timedelta(milliseconds=400),
            )
        )
        if tripped:
            trip(session)
    return account


def trip(session: Session) -> None:
    """The kill switch, tripped by a person."""
    moment = NOW - timedelta(seconds=3)
    session.add(
        KillSwitch(scope="global", tripped=True, actor="ada", reason="strange fills on QUARTZ", at=moment)
    )
    append(session, "kill.tripped", "global", {"reason": "strange fills on QUARTZ"}, actor="ada", at=moment)


def advance(database: Database, step: int) -> None:
    """Move the open positions' marks one block: `step` counts up to 0, the marks the scene ends with."""
    with database.write() as session:
        for number, act in enumerate(ACTS):
            if act.worth is None or act.exit_rule is not None:
                continue
            position = _position(session, number)
            if position is not None:
                position.mark_value = path(number, act, step)


def path(number: int, act: Act, step: int) -> int:
    """Where a mark stood `-step` blocks before the end: a walk from what was paid, over the peak, to the worth."""
    blocks = 24
    done = blocks + step
    end, peak = act.worth or 1000, act.peak or act.worth or 1000
    turn = blocks * 3 // 4
    base = (
        1000 + (peak - 1000) * done // turn
        if done <= turn
        else peak + (end - peak) * (done - turn) // (blocks - turn)
    )
    wobble = 0 if step == 0 else (int(hashed("wobble", number * 100 + done)[2:6], 16) % 31) - 15
    return STAKE * (base + wobble) // 1000


def _position(session: Session, number: int) -> Position | None:
    return session.exec(select(Position).where(Position.launch_id == _id("launch", number))).first()


def _account(session: Session, books: Books) -> Account:
    session.add(Asset(id=NATIVE, symbol="ETH", name="Ether", decimals=18))
    session.flush()
    start = NOW - EVERY * len(ACTS)
    account = Account(
        id=_id("account", 0),
        name="demo",
        venue=VenueKind.EVM,
        chain_id=CHAIN,
        address="0x8ba1f109551bd432803012645ac136ddd64dba72",
        reporting_asset=NATIVE,
        created_at=start,
    )
    session.add(account)
    session.flush()
    append(session, "account.created", account.id, {"name": "demo", "chain_id": CHAIN}, actor=ACTOR, at=start)
    with _page(session, books, account, start, "desk.cash") as page:
        move_cash(page, NATIVE, Movement.DEPOSIT, 100 * COIN, reference="opening")
    append(session, "runner.started", account.id, {"account": "demo", "block": 89}, actor=ACTOR, at=start)
    return account


@contextmanager
def _page(
    session: Session, books: Books, account: Account, at: datetime, kind: str = "desk.orders"
) -> Iterator[Page]:
    """The account's page, written at a time of the evening."""
    with books.within(session, account.id, kind=kind) as page:
        page.at, page.now = at, micros(at)
        yield page


@dataclass(slots=True)
class Play:
    """One act on its way into the tables."""

    session: Session
    books: Books
    account: Account
    number: int
    act: Act

    def perform(self) -> None:
        """Seen, judged, decided, and for the bought ones the whole path of their orders."""
        launch = self.see()
        if launch.judged_at is None:
            return
        act, decided = self.act, launch.judged_at + timedelta(milliseconds=1)
        verdict = {"verdict": str(act.verdict), "classification": act.kind, "reasons": list(act.reasons)}
        self.note("launch.judged", launch.id, verdict, launch.judged_at)
        reason = act.reasons[0] if act.reasons else "it can be sold again"
        self.note("launch.decided", launch.id, {"decision": str(launch.decision), "reason": reason}, decided)
        if act.worth is not None:
            self.trade(launch, decided + timedelta(milliseconds=2))

    def note(self, kind: str, subject: object, data: dict[str, Any], at: datetime) -> None:
        append(self.session, kind, subject, data, actor=ACTOR, at=at)
        self.session.flush()

    def see(self) -> Launch:
        number, act = self.number, self.act
        seen = NOW - EVERY * (len(ACTS) - number) + timedelta(milliseconds=3600 + 37 * number)
        latency = 31_000 + int(hashed("latency", number)[2:6], 16) % 24_000
        judged = act.verdict is not Verdict.PENDING
        launch = Launch(
            id=_id("launch", number),
            chain_id=CHAIN,
            protocol=act.protocol,
            factory=address_of("factory", 0),
            pool=address_of("pool", number),
            fee=act.fee,
            hooks=act.hooks or None,
            source=act.source,
            vanished_at=seen + timedelta(seconds=1) if act.vanished else None,
            token=address_of("token", number),
            quote_token=address_of("weth", 0),
            symbol=act.symbol,
            name=act.name,
            decimals=18,
            liquidity=act.coins,
            block_number=_block(seen),
            block_hash=hashed("block", _block(seen)),
            tx_hash=hashed("launch", number),
            seen_at=seen,
            judged_at=seen + timedelta(microseconds=latency) if judged else None,
            latency_us=latency if judged else None,
            verdict=act.verdict,
            classification=act.kind if judged else None,
            reasons=list(act.reasons),
            report=report_of(act, number) if judged else {},
            decision=_decision(act),
        )
        self.session.add(launch)
        self.session.flush()
        facts = {"token": launch.token, "pool": launch.pool, "block_number": launch.block_number}
        self.note("launch.seen", launch.id, facts, seen)
        return launch

    def trade(self, launch: Launch, at: datetime) -> None:
        """The purchase, the approval, and the sale if the position was left."""
        act, number = self.act, self.number
        instrument = self.list_instrument(launch)
        quantity = received_for(act)
        mined = _mined(at)
        launch_id, held = launch.id, act.coins * (97 - number % 7) // 100
        buy = self.order("buy", launch_id, instrument, at, budget=STAKE)
        launch.order_id = UUID(buy)
        fill = _id("fill-buy", number, mined).hex
        key = _id("position", number, mined + timedelta(milliseconds=1)).hex
        bought = Filled(
            fill, buy, f"{hashed('tx-buy', number)}:0", wide(quantity), STAKE, NATIVE, 0, 0, micros(mined),
            position=key, opened=wide(quantity), cost=STAKE, lot=fill,
        )  # fmt: skip
        self.settle(buy, Side.BUY, bought, mined, at)
        if (later := mined + timedelta(seconds=1)) <= NOW or act.exit_rule is not None:
            self.transaction(buy, "approve", later)
        if act.exit_rule is not None:
            self.leave(launch_id, instrument, bought)
        position = _position(self.session, number)
        assert position is not None
        position.peak_value = STAKE * (act.peak or max(act.worth or 0, 1000)) // 1000
        rules = ExitRules.from_settings(SETTINGS.sniping.exits).as_json()
        position.exit_rules = rules | {"entry_liquidity": str(act.coins), "liquidity": str(held)}
        if position.state is PositionState.OPEN:
            position.mark_value, position.marked_at = path(number, act, 0), NOW

    def list_instrument(self, launch: Launch) -> str:
        base = Asset(
            id=f"evm:{CHAIN}:{launch.token}", symbol=self.act.symbol, name=self.act.name, decimals=18
        )
        self.session.add(base)
        self.session.flush()
        instrument = Instrument(
            id=f"evm:{CHAIN}:{launch.pool}",
            venue=VenueKind.EVM,
            symbol=f"{self.act.symbol}/ETH",
            base_asset=base.id,
            quote_asset=NATIVE,
            pool=launch.pool,
        )
        self.session.add(instrument)
        self.session.flush()
        return instrument.id

    def leave(self, launch_id: UUID, instrument: str, bought: Filled) -> None:
        """The sale that closes a position."""
        act, number = self.act, self.number
        seconds = 60 if act.exit_rule == "time" else 9 + number % 5
        at = instant(bought.at) + timedelta(seconds=seconds, milliseconds=21)
        mined, received = _mined(at), STAKE * (act.worth or 0) // 1000
        assert bought.position is not None
        quantity = int(bought.quantity)
        sell = self.order(
            act.exit_rule or "", launch_id, instrument, at, quantity=quantity, position=bought.position
        )
        sold = Filled(
            _id("fill-sell", number, mined).hex, sell, f"{hashed('tx-sell', number)}:0", wide(quantity), received,
            NATIVE, 0, 0, micros(mined), position=bought.position,
            closed=(Match(bought.fill, wide(quantity), STAKE, received),), realised=received - STAKE,
        )  # fmt: skip
        self.settle(sell, Side.SELL, sold, mined, at)

    def order(
        self,
        rule: str,
        launch_id: UUID,
        instrument: str,
        at: datetime,
        *,
        budget: int | None = None,
        quantity: int | None = None,
        position: str | None = None,
    ) -> str:
        """An order, recorded; its key."""
        buying = rule == "buy"
        detail = "the launch was judged safe" if buying else EXITS[rule]
        reason = {
            "origin": "launch" if buying else "exit",
            "rule": None if buying else rule,
            "detail": detail,
        }
        key = _id(f"order-{'buy' if buying else 'sell'}", self.number, at).hex
        event = Recorded(
            key,
            f"{'launch' if buying else 'exit'}-{self.number}",
            instrument,
            (Side.BUY if buying else Side.SELL).value,
            OrderType.MARKET.value,
            TimeInForce.FOK.value,
            wide_or_none(quantity),
            wide_or_none(budget),
            None,
            OrderState.RECORDED.value,
            0,
            micros(at),
            raw(CHECKS),
            raw({name: value for name, value in reason.items() if value}),
            position=position,
            launch=launch_id.hex,
        )
        with _page(self.session, self.books, self.account, at) as page:
            page.add(event)
        return key

    def settle(self, order: str, side: Side, fill: Filled, mined: datetime, at: datetime) -> None:
        """Sent, mined and filled."""
        sent = at + timedelta(milliseconds=4)
        reference = hashed(f"tx-{side}", self.number)
        with _page(self.session, self.books, self.account, sent) as page:
            page.add(Moved(order, OrderState.SENT.value, page.now, None, reference))
        self.transaction(order, str(side), mined, sent=sent, fill=fill)

    def transaction(
        self,
        order: str,
        name: str,
        mined: datetime,
        *,
        sent: datetime | None = None,
        fill: Filled | None = None,
    ) -> None:
        """A mined transaction of an order, what it filled and its gas."""
        number = self.number
        used = {"buy": 128_402, "sell": 117_733, "approve": 46_109}[name] + 113 * number
        price = 2 * GWEI + 7 * 10**7 + number * 10**6
        moment = sent or mined - timedelta(milliseconds=960)
        tx = ChainTransaction(
            id=_id(f"tx-{name}", number, moment),
            account_id=self.account.id,
            order_id=UUID(order),
            purpose=Purpose(name),
            chain_id=CHAIN,
            sender=self.account.address or "",
            nonce=3 * number + {"buy": 0, "approve": 1, "sell": 2}[name],
            tx_hash=hashed(f"tx-{name}", number),
            raw="0x02",
            to=address_of("router", 0),
            value=STAKE if name == "buy" else 0,
            gas_limit=used * 13 // 10,
            max_fee=5 * GWEI,
            priority_fee=2 * GWEI,
            state=TransactionState.MINED,
            block_number=_block(mined),
            block_hash=hashed("block", _block(mined)),
            gas_used=used,
            gas_cost=used * price,
            created_at=moment - timedelta(milliseconds=3),
            sent_at=moment,
            settled_at=mined,
        )
        self.session.add(tx)
        self.session.flush()
        facts = {"order": str(UUID(order)), "purpose": name, "nonce": tx.nonce, "hash": tx.tx_hash}
        outcome = {"block": tx.block_number, "gas_cost": tx.gas_cost, "gas_used": used}
        reference = str(tx.id)
        self.note("transaction.sent", reference, facts, moment)
        self.note("transaction.mined", reference, facts | outcome, mined)
        with _page(self.session, self.books, self.account, mined) as page:
            if fill is not None:
                page.add(fill)
            move_cash(page, NATIVE, Movement.GAS, -(used * price), reference=reference, order=order)
            if name == "buy":
                page.add(Moved(order, OrderState.FILLED.value, page.now))


def _decision(act: Act) -> Decision:
    if act.decision is not None:
        return act.decision
    if act.worth is not None:
        return Decision.BOUGHT
    return Decision.WAITING if act.verdict is Verdict.PENDING else Decision.REFUSED


def _mined(at: datetime) -> datetime:
    """Blocks come on the full second."""
    return at.replace(microsecond=0) + timedelta(seconds=1)


def _block(at: datetime) -> int:
    return HEAD - int((NOW - at).total_seconds())


def _id(kind: str, number: int, at: datetime | None = None) -> UUID:
    """A UUIDv7 of a fixed time and fixed digits."""
    moment = at or NOW - EVERY * (len(ACTS) - number)
    head = int(moment.timestamp() * 1000) << 80
    tail = int(hashed(kind, number)[2:22], 16)
    return UUID(
        int=head | (0x7 << 76) | (tail & ((0xFFF << 64) | (1 << 64) - 1)) & ~(0x3 << 62) | (0x2 << 62)
    )
