"""One evening on the local chain, as rows: what the pictures show and what the screens' tests look at.

Every figure, id and time is fixed, so that a picture made twice is the same file. The tokens are the kinds
that `sniper demo` stages; the rows are written as the sniper and the desk write them.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlmodel import Session

from sniper_cli.settings.model import ChainSettings, ExitSettings, Mode, Settings, SnipingSettings
from sniper_cli.sniping.exits import ExitRules
from state.accounts import Account, Asset, Instrument, Movement, VenueKind, post
from state.controls import KillSwitch
from state.database import Database
from state.journal import append
from state.launches import ChainCursor, Decision, Launch, Verdict
from state.orders import Fill, Order, OrderState, OrderType, Side, TimeInForce
from state.positions import Lot, Position, PositionState
from state.transactions import ChainTransaction, Purpose, TransactionState

NOW = datetime(2026, 3, 14, 20, 15, 42, 400_000, tzinfo=UTC)
CHAIN = 31337
COIN = 10**18
GWEI = 10**9
HEAD = 214
NATIVE = f"evm:{CHAIN}:native"
ACTOR = "sniper@demo"
STAKE = COIN // 10
SETTINGS = Settings(
    mode=Mode.DEVNET,
    chain=ChainSettings(chain_id=CHAIN, block_seconds=Decimal(1)),
    sniping=SnipingSettings(exits=ExitSettings(max_age_seconds=60)),
)


@dataclass(frozen=True, slots=True)
class Act:
    """One launch of the evening. Taxes in basis points, worths in thousandths of what was paid."""

    symbol: str
    name: str
    kind: str
    verdict: Verdict
    reasons: tuple[str, ...] = ()
    taxes: tuple[int, int] = (0, 0)
    pool: int = 12
    worth: int | None = None
    peak: int | None = None
    exit_rule: str | None = None
    decision: Decision | None = None


SAFE, UNSAFE, UNPROVEN = Verdict.SAFE, Verdict.UNSAFE, Verdict.NOT_PROVEN
ACTS: tuple[Act, ...] = (
    Act("ORBIT", "Orbit Protocol", "ok", SAFE, taxes=(0, 0), pool=15, worth=1618, exit_rule="take_profit"),
    Act("FROGE", "Froge", "honeypot", UNSAFE, ("selling reverts for everyone but the owner",), (0, 10000), 10),
    Act("GLINT", "Glint", "ok", SAFE, taxes=(300, 300), pool=20, worth=1094, peak=1262, exit_rule="trailing_stop"),
    Act("SAFEMARS", "Safe Mars", "tax", UNSAFE, ("sell tax 90% is above the limit of 10%",), (500, 9000), 9),
    Act("TIDAL", "Tidal", "ok", SAFE, taxes=(0, 0), pool=8, worth=672, exit_rule="stop_loss"),
    Act("LOCKET", "Locket", "time_trap", UNSAFE, ("cannot be sold two blocks after the purchase",), (0, 0), 12),
    Act("RUGBY", "Rugby", "ok", SAFE, taxes=(0, 0), pool=14, worth=1007, exit_rule="liquidity_pending"),
    Act("MAXWELL", "Maxwell", "partial_sell", UNSAFE, ("only 1% of a holding can be sold at once",), (0, 0), 11),
    Act("EMBER", "Ember", "ok", SAFE, taxes=(100, 200), pool=18, worth=1604, exit_rule="take_profit"),
    Act("COOLIO", "Coolio", "cooldown", UNSAFE, ("a holder must wait 300 blocks between two sales",), (0, 0), 10),
    Act("DUSTY", "Dusty Pool", "no_liquidity", UNSAFE, ("the pool holds 0.40 ETH, less than 1 ETH",), (0, 0), 0),
    Act("KITE", "Kite", "ok", SAFE, taxes=(0, 0), pool=16, worth=1013, exit_rule="time"),
    Act("GASSY", "Gassy", "gas_grief", UNSAFE, ("a sale burns 9,412,880 gas, the limit is 2,000,000",), (0, 0), 13),
    Act("PHANTOM", "Phantom", "honeypot", UNSAFE, ("the router's sale pays out 0 ETH",), (0, 10000), 12),
    Act("WAVE", "Wave", "ok", SAFE, taxes=(0, 0), pool=12, worth=1488, peak=1502),
    Act("NEMO", "Nemo", "unknown", UNPROVEN, ("the node could not simulate a sale a day later",), (0, 0), 10),
    Act("ARROW", "Arrow", "ok", SAFE, taxes=(200, 200), pool=22, worth=1131, peak=1209),
    Act("SECOND", "Second Helping", "second_sell", UNSAFE, ("a second sale from one address reverts",), (0, 0), 9),
    Act("LUMEN", "Lumen", "ok", SAFE, taxes=(0, 0), pool=17, worth=1042, peak=1060),
    Act("WHALE", "Whale Only", "ok", SAFE, taxes=(0, 0), pool=25, decision=Decision.SKIPPED,
        reasons=("5 of 5 positions are open",)),
    Act("MIMIC", "Mimic", "honeypot", UNSAFE, ("buyers are put on a blacklist by their purchase",), (0, 10000), 12),
    Act("QUARTZ", "Quartz", "ok", SAFE, taxes=(0, 0), pool=14, worth=767, peak=1005),
    Act("OPENING", "Opening Soon", "launch_tax", UNSAFE, ("sell tax is 45% in the first 10 blocks",), (500, 4500), 10),
    Act("PIXEL", "Pixel", "ok", SAFE, taxes=(0, 0), pool=12, worth=996, peak=996),
    Act("DRIFT", "Drift", "pending", Verdict.PENDING, pool=11),
)  # fmt: skip
EVERY = timedelta(seconds=5)


def stage(database: Database, *, tripped: bool = False) -> Account:
    """Write the whole evening into an empty schema."""
    with database.write() as session:
        account = _account(session)
        for number, act in enumerate(ACTS):
            _perform(session, account, number, act)
        last = HEAD - 1 + 1
        session.add(
            ChainCursor(
                chain_id=CHAIN,
                stream="heads",
                block_number=last,
                block_hash=_hash("block", last),
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
                position.mark_value = _path(number, act, step)


def _path(number: int, act: Act, step: int) -> int:
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
    wobble = 0 if step == 0 else (int(_hash("wobble", number * 100 + done)[2:6], 16) % 31) - 15
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
    _book(session, account, Movement.DEPOSIT, 100 * COIN, "opening", start)
    append(session, "account.created", account.id, {"name": "demo", "chain_id": CHAIN}, actor=ACTOR, at=start)
    append(session, "runner.started", "sniper", {"profile": "demo"}, actor=ACTOR, at=start)
    return account


def _book(
    session: Session, account: Account, why: Movement, units: int, reference: str, at: datetime
) -> None:
    post(session, account.id, NATIVE, why, units, reference=reference, at=at)
    session.flush()


def _perform(session: Session, account: Account, number: int, act: Act) -> None:
    """One launch: seen, judged, decided, and for the bought ones the whole path of their orders."""
    seen = NOW - EVERY * (len(ACTS) - number) + timedelta(milliseconds=3600 + 37 * number)
    token, pool = _address("token", number), _address("pool", number)
    latency = 31_000 + int(_hash("latency", number)[2:6], 16) % 24_000
    judged = act.verdict is not Verdict.PENDING
    launch = Launch(
        id=_id("launch", number),
        chain_id=CHAIN,
        protocol="uniswap_v2",
        factory=_address("factory", 0),
        pool=pool,
        token=token,
        quote_token=_address("weth", 0),
        symbol=act.symbol,
        name=act.name,
        decimals=18,
        liquidity=act.pool * COIN if act.pool else COIN * 4 // 10,
        block_number=_block(seen),
        block_hash=_hash("block", _block(seen)),
        tx_hash=_hash("launch", number),
        seen_at=seen,
        judged_at=seen + timedelta(microseconds=latency) if judged else None,
        latency_us=latency if judged else None,
        verdict=act.verdict,
        classification=act.kind if judged else None,
        reasons=list(act.reasons),
        report=report(act, number) if judged else {},
        decision=_decision(act),
    )
    session.add(launch)
    session.flush()
    facts = {"symbol": act.symbol, "token": token, "pool": pool, "block_number": launch.block_number}
    append(session, "launch.seen", launch.id, facts, actor=ACTOR, at=seen)
    if not judged or launch.judged_at is None:
        return
    verdict = {"symbol": act.symbol, "verdict": str(act.verdict), "classification": act.kind}
    append(
        session,
        "launch.judged",
        launch.id,
        verdict | {"reasons": list(act.reasons)},
        actor=ACTOR,
        at=launch.judged_at,
    )
    decided = launch.judged_at + timedelta(milliseconds=1)
    decision: dict[str, Any] = {"symbol": act.symbol, "decision": str(launch.decision)}
    append(
        session,
        "launch.decided",
        launch.id,
        decision | {"reasons": list(act.reasons)},
        actor=ACTOR,
        at=decided,
    )
    if act.worth is not None:
        _trade(session, account, number, act, launch, decided)


def _decision(act: Act) -> Decision:
    if act.decision is not None:
        return act.decision
    if act.worth is not None:
        return Decision.BOUGHT
    return Decision.WAITING if act.verdict is Verdict.PENDING else Decision.REFUSED


def _trade(session: Session, account: Account, number: int, act: Act, launch: Launch, at: datetime) -> None:
    """The purchase, the position, and the sale if it was left."""
    base = Asset(id=f"evm:{CHAIN}:{launch.token}", symbol=act.symbol, name=act.name, decimals=18)
    session.add(base)
    session.flush()
    instrument = Instrument(
        id=f"evm:{CHAIN}:{launch.pool}",
        venue=VenueKind.EVM,
        symbol=f"{act.symbol}/ETH",
        base_asset=base.id,
        quote_asset=NATIVE,
        pool=launch.pool,
    )
    session.add(instrument)
    session.flush()
    quantity = 987_158 * COIN * (10_000 - act.taxes[0]) // 10_000 // act.pool
    mined = _mined(at)
    rules = ExitRules.from_settings(SETTINGS.sniping.exits).as_json()
    liquidity = act.pool * COIN
    position = Position(
        id=_id("position", number),
        account_id=account.id,
        instrument_id=instrument.id,
        launch_id=launch.id,
        quantity=quantity,
        spent=STAKE,
        mark_value=STAKE * (act.worth or 0) // 1000,
        marked_at=NOW,
        peak_value=STAKE * (act.peak or max(act.worth or 0, 1000)) // 1000,
        exit_rules=rules
        | {"entry_liquidity": str(liquidity), "liquidity": str(liquidity * (97 - number % 7) // 100)},
        opened_at=mined,
    )
    session.add(position)
    session.flush()
    buy = _order(session, account, instrument, number, "buy", launch, position, at)
    gas = _settle(session, account, buy, position, quantity, STAKE, mined)
    approval = _transaction(session, account, buy, number, "approve", Purpose.APPROVE, mined)
    position.fees = gas + approval
    append(
        session, "position.opened", position.id, {"symbol": act.symbol, "spent": STAKE}, actor=ACTOR, at=mined
    )
    session.flush()
    launch.order_id = buy.id
    if act.exit_rule is not None:
        _leave(session, account, instrument, number, act, launch, position)


def _leave(
    session: Session,
    account: Account,
    instrument: Instrument,
    number: int,
    act: Act,
    launch: Launch,
    position: Position,
) -> None:
    """The sale that closes a position."""
    at = position.opened_at + timedelta(
        seconds=60 if act.exit_rule == "time" else 9 + number % 5, milliseconds=21
    )
    mined = _mined(at)
    received = STAKE * (act.worth or 0) // 1000
    sell = _order(session, account, instrument, number, act.exit_rule or "", launch, position, at)
    gas = _settle(session, account, sell, position, position.quantity, received, mined)
    position.state = PositionState.CLOSED
    position.quantity = 0
    position.received = received
    position.realised = received - STAKE
    position.fees += gas
    position.mark_value = None
    position.exit_rule = act.exit_rule
    position.closed_at = mined
    closed = {"symbol": act.symbol, "exit_rule": act.exit_rule, "profit": position.profit}
    append(session, "position.closed", position.id, closed, actor=ACTOR, at=mined)
    session.flush()


def _order(
    session: Session,
    account: Account,
    instrument: Instrument,
    number: int,
    rule: str,
    launch: Launch,
    position: Position,
    at: datetime,
) -> Order:
    buying = rule == "buy"
    order = Order(
        id=_id(f"order-{'buy' if buying else 'sell'}", number, at),
        account_id=account.id,
        client_order_id=f"launch-{number}-{rule}",
        fingerprint=_hash("order", number),
        instrument_id=instrument.id,
        side=Side.BUY if buying else Side.SELL,
        type=OrderType.MARKET,
        time_in_force=TimeInForce.FOK,
        quantity=None if buying else position.quantity,
        budget=STAKE if buying else None,
        state=OrderState.RECORDED,
        reason={"origin": "launch"} if buying else {"origin": "exit", "rule": rule},
        checks=[
            {"name": "kill switch", "passed": True, "detail": "not tripped", "figures": {}},
            {"name": "funds", "passed": True, "detail": "99.41 ETH held, 0.1021 ETH needed", "figures": {}},
            {"name": "open positions", "passed": True, "detail": "4 of 20", "figures": {}},
        ],
        launch_id=launch.id,
        position_id=position.id,
        created_at=at,
        updated_at=at,
    )
    session.add(order)
    session.flush()
    facts = {
        "side": str(order.side),
        "symbol": launch.symbol,
        "budget": order.budget,
        "rule": None if buying else rule,
    }
    append(session, "order.recorded", order.id, facts, actor=ACTOR, at=at)
    return order


def _settle(
    session: Session,
    account: Account,
    order: Order,
    position: Position,
    quantity: int,
    notional: int,
    mined: datetime,
) -> int:
    """Mined and filled: the transaction, the fill, the ledger. Returns the gas paid."""
    buying = order.side is Side.BUY
    number = int(order.client_order_id.split("-")[1])
    gas = _transaction(session, account, order, number, str(order.side), Purpose(str(order.side)), mined)
    order.state = OrderState.FILLED
    order.filled_quantity, order.filled_notional = quantity, notional
    order.updated_at = mined
    order.venue_reference = _hash(f"tx-{order.side}", number)
    fill = Fill(
        id=_id(f"fill-{order.side}", number, mined),
        order_id=order.id,
        account_id=account.id,
        venue_trade_id=f"{order.venue_reference}:0",
        side=order.side,
        quantity=quantity,
        notional=notional,
        fee_asset=NATIVE,
        fee=gas,
        at=mined,
    )
    session.add(fill)
    session.flush()
    movement = Movement.BUY if buying else Movement.SELL
    _book(session, account, movement, -notional if buying else notional, str(fill.id), mined)
    if buying:
        lot = Lot(
            id=_id("lot", number, mined),
            position_id=position.id,
            fill_id=fill.id,
            quantity=quantity,
            remaining=quantity,
            cost=notional,
            opened_at=mined,
        )
        session.add(lot)
    filled = {"side": str(order.side), "symbol": position.instrument_id[-4:], "notional": notional}
    filled["symbol"] = order.client_order_id and ACTS[number].symbol
    append(session, "order.filled", order.id, filled, actor=ACTOR, at=mined)
    return gas


def _transaction(
    session: Session,
    account: Account,
    order: Order,
    number: int,
    name: str,
    purpose: Purpose,
    mined: datetime,
) -> int:
    """A mined transaction of an order and its gas in the ledger. Returns the wei paid."""
    used = {"buy": 128_402, "sell": 117_733, "approve": 46_109}[name] + 113 * number
    price = 2 * GWEI + 7 * 10**7 + number * 10**6
    nonce = 3 * number + {"buy": 0, "approve": 1, "sell": 2}[name]
    sent = mined - timedelta(milliseconds=640)
    tx = ChainTransaction(
        id=_id(f"tx-{name}", number, sent),
        account_id=account.id,
        order_id=order.id,
        purpose=purpose,
        chain_id=CHAIN,
        sender=account.address or "",
        nonce=nonce,
        tx_hash=_hash(f"tx-{name}", number),
        raw="0x02",
        to=_address("router", 0),
        value=STAKE if name == "buy" else 0,
        gas_limit=used * 13 // 10,
        max_fee=5 * GWEI,
        priority_fee=2 * GWEI,
        state=TransactionState.MINED,
        block_number=_block(mined),
        block_hash=_hash("block", _block(mined)),
        gas_used=used,
        gas_cost=used * price,
        created_at=sent - timedelta(milliseconds=3),
        sent_at=sent,
        settled_at=mined,
    )
    session.add(tx)
    session.flush()
    facts = {"purpose": name, "nonce": nonce, "tx_hash": tx.tx_hash}
    append(session, "transaction.sent", order.id, facts, actor=ACTOR, at=sent)
    mined_facts = {
        "purpose": name,
        "block_number": tx.block_number,
        "gas_cost": tx.gas_cost,
        "gas_used": used,
    }
    append(session, "transaction.mined", order.id, mined_facts, actor=ACTOR, at=mined)
    _book(session, account, Movement.GAS, -(used * price), str(tx.id), mined)
    return used * price


def report(act: Act, number: int) -> dict[str, Any]:
    """The safety report of an act, as the judge stores it."""
    from docs.scene_reports import report_of

    return report_of(act, number)


def _mined(at: datetime) -> datetime:
    """Blocks come on the full second."""
    return at.replace(microsecond=0) + timedelta(seconds=1)


def _block(at: datetime) -> int:
    return HEAD - int((NOW - at).total_seconds())


def _hash(kind: str, number: int) -> str:
    return "0x" + hashlib.sha256(f"{kind}:{number}".encode()).hexdigest()


def _address(kind: str, number: int) -> str:
    return _hash(kind, number)[:42]


def _id(kind: str, number: int, at: datetime | None = None) -> UUID:
    """A UUIDv7 of a fixed time and fixed digits."""
    moment = at or NOW - EVERY * (len(ACTS) - number)
    head = int(moment.timestamp() * 1000) << 80
    tail = int(_hash(kind, number)[2:22], 16)
    return UUID(
        int=head | (0x7 << 76) | (tail & ((0xFFF << 64) | (1 << 64) - 1)) & ~(0x3 << 62) | (0x2 << 62)
    )
