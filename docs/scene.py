"""One evening on the local chain, as rows: what the pictures show and what the screens' tests look at.

Every figure, id and time is fixed, so that a picture made twice is the same file. The tokens are the kinds
that `sniper demo` stages; the rows are written as the sniper and the desk write them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

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
from sniper_cli.sniping.exits import ExitRules
from state.accounts import Account, Asset, Instrument, Movement, VenueKind, post
from state.controls import KillSwitch
from state.database import Database
from state.journal import append
from state.launches import ChainCursor, Decision, Launch, Verdict
from state.orders import Fill, Order, OrderState, OrderType, Side, TimeInForce
from state.positions import Lot, Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState

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
    with database.write() as session:
        account = _account(session)
        for number, act in enumerate(ACTS):
            Play(session, account, number, act).perform()
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
            position = session.get(Position, _id("position", number))
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


def _account(session: Session) -> Account:
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
    _book(session, account, Movement.DEPOSIT, (100 * COIN, "opening", start))
    append(session, "account.created", account.id, {"name": "demo", "chain_id": CHAIN}, actor=ACTOR, at=start)
    append(session, "runner.started", account.id, {"account": "demo", "block": 89}, actor=ACTOR, at=start)
    return account


def _book(session: Session, account: Account, why: Movement, what: tuple[int, str, datetime]) -> None:
    units, reference, at = what
    post(session, account.id, NATIVE, why, units, reference=reference, at=at)
    session.flush()


@dataclass(slots=True)
class Play:
    """One act on its way into the tables."""

    session: Session
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
            protocol="uniswap_v2",
            factory=address_of("factory", 0),
            pool=address_of("pool", number),
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
        rules = ExitRules.from_settings(SETTINGS.sniping.exits).as_json()
        held = act.coins * (97 - number % 7) // 100
        position = Position(
            id=_id("position", number),
            account_id=self.account.id,
            instrument_id=instrument.id,
            launch_id=launch.id,
            quantity=quantity,
            spent=STAKE,
            mark_value=path(number, act, 0),
            marked_at=NOW,
            peak_value=STAKE * (act.peak or max(act.worth or 0, 1000)) // 1000,
            exit_rules=rules | {"entry_liquidity": str(act.coins), "liquidity": str(held)},
            opened_at=mined,
        )
        self.session.add(position)
        self.session.flush()
        buy = self.order("buy", launch, position, at)
        launch.order_id = buy.id
        position.fees = self.settle(buy, position, (quantity, STAKE), mined)
        opened = {"instrument": instrument.id, "quantity": quantity, "spent": STAKE}
        self.note("position.opened", position.id, opened, mined)
        if act.exit_rule is None:
            later = mined + timedelta(seconds=1)
            if later <= NOW:
                position.fees += self.transaction(buy, "approve", later)
            return
        position.fees += self.transaction(buy, "approve", mined + timedelta(seconds=1))
        self.leave(launch, position)

    def list_instrument(self, launch: Launch) -> Instrument:
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
        return instrument

    def leave(self, launch: Launch, position: Position) -> None:
        """The sale that closes a position."""
        act = self.act
        seconds = 60 if act.exit_rule == "time" else 9 + self.number % 5
        at = position.opened_at + timedelta(seconds=seconds, milliseconds=21)
        mined, received = _mined(at), STAKE * (act.worth or 0) // 1000
        sell = self.order(act.exit_rule or "", launch, position, at)
        position.fees += self.settle(sell, position, (position.quantity, received), mined)
        position.state, position.quantity, position.mark_value = PositionState.CLOSED, 0, None
        position.received, position.realised = received, received - STAKE
        position.exit_rule, position.closed_at = act.exit_rule, mined
        closed = {"rule": act.exit_rule, "spent": STAKE, "received": received, "fees": position.fees}
        self.note("position.closed", position.id, closed, mined)

    def order(self, rule: str, launch: Launch, position: Position, at: datetime) -> Order:
        buying = rule == "buy"
        detail = "the launch was judged safe" if buying else EXITS[rule]
        order = Order(
            id=_id(f"order-{'buy' if buying else 'sell'}", self.number, at),
            account_id=self.account.id,
            client_order_id=f"{'launch' if buying else 'exit'}-{self.number}",
            fingerprint=hashed("order", self.number),
            instrument_id=position.instrument_id,
            side=Side.BUY if buying else Side.SELL,
            type=OrderType.MARKET,
            time_in_force=TimeInForce.FOK,
            quantity=None if buying else position.quantity,
            budget=STAKE if buying else None,
            state=OrderState.RECORDED,
            reason={"origin": "launch", "detail": detail}
            if buying
            else {"origin": "exit", "rule": rule, "detail": detail},
            checks=CHECKS,
            launch_id=launch.id,
            position_id=position.id,
            created_at=at,
            updated_at=at,
        )
        self.session.add(order)
        self.session.flush()
        facts: dict[str, Any] = {"side": str(order.side), "reason": order.reason}
        self.note("order.recorded", order.id, facts | ({"budget": STAKE} if buying else {}), at)
        return order

    def settle(self, order: Order, position: Position, amounts: tuple[int, int], mined: datetime) -> int:
        """Mined and filled: the transaction, the fill, the ledger. Returns the gas paid."""
        quantity, notional = amounts
        name = str(order.side)
        gas = self.transaction(order, name, mined, sent=order.created_at + timedelta(milliseconds=4))
        order.state, order.updated_at = OrderState.FILLED, mined
        order.filled_quantity, order.filled_notional = quantity, notional
        order.venue_reference = hashed(f"tx-{name}", self.number)
        fill = Fill(
            id=_id(f"fill-{name}", self.number, mined),
            order_id=order.id,
            account_id=self.account.id,
            venue_trade_id=f"{order.venue_reference}:0",
            side=order.side,
            quantity=quantity,
            notional=notional,
            fee_asset=NATIVE,
            fee=gas,
            at=mined,
        )
        self.session.add(fill)
        self.session.flush()
        buying = order.side is Side.BUY
        movement = Movement.BUY if buying else Movement.SELL
        _book(self.session, self.account, movement, (-notional if buying else notional, str(fill.id), mined))
        if buying:
            self.session.add(
                Lot(
                    id=_id("lot", self.number, mined),
                    position_id=position.id,
                    fill_id=fill.id,
                    quantity=quantity,
                    remaining=quantity,
                    cost=notional,
                    opened_at=mined,
                )
            )
        self.note("order.filled", order.id, {"side": name, "quantity": quantity, "notional": notional}, mined)
        return gas

    def transaction(self, order: Order, name: str, mined: datetime, *, sent: datetime | None = None) -> int:
        """A mined transaction of an order and its gas in the ledger. Returns the wei paid."""
        number = self.number
        used = {"buy": 128_402, "sell": 117_733, "approve": 46_109}[name] + 113 * number
        price = 2 * GWEI + 7 * 10**7 + number * 10**6
        moment = sent or mined - timedelta(milliseconds=960)
        tx = ChainTransaction(
            id=_id(f"tx-{name}", number, moment),
            account_id=self.account.id,
            order_id=order.id,
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
        facts = {"order": order.id, "purpose": name, "nonce": tx.nonce, "hash": tx.tx_hash}
        self.note("transaction.sent", tx.id, facts, moment)
        outcome = {"block": tx.block_number, "gas_cost": tx.gas_cost, "gas_used": used}
        self.note("transaction.mined", tx.id, facts | outcome, mined)
        _book(self.session, self.account, Movement.GAS, (-(used * price), str(tx.id), mined))
        return used * price


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
