"""`snipe run` from its options to its exit code: the guards before it, the narration of it, the end of it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sniper_cli.errors import Exit, InsufficientFunds, LiveNotConfirmed
from sniper_cli.interrupts import interruptible
from sniper_cli.moments import parse_duration
from sniper_cli.output import confirm, note
from sniper_cli.output.formats import plain
from sniper_cli.settings.model import Mode
from sniper_cli.sniping.events import HeadSeen, Listener, SniperEvent
from state.identifiers import short

if TYPE_CHECKING:
    from sniper_cli.context import Context
    from sniper_cli.settings.model import SnipingSettings
    from sniper_cli.sniping.station import Station


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What was asked for on the command line."""

    profile: str | None = None
    amount: str | None = None
    duration: str | None = None
    live: bool = False
    close_at_end: bool = False
    yes: bool = False
    dry_run: bool = False
    as_json: bool = False


def run_session(request: RunRequest) -> int:
    """Snipe until the time is over or a signal comes; the exit code: 130 after Ctrl-C, 0 after SIGTERM.

    Raises LiveNotConfirmed, LeaseLost, ConfigurationError, NotAllowed, NetworkError.
    """
    from sniper_cli.context import Context, acting_person, open_database
    from sniper_cli.settings import load
    from sniper_cli.settings.paths import home_paths
    from state.schema import require_current

    seconds = parse_duration(request.duration).total_seconds() if request.duration else None
    overrides: dict[str, Any] = {"sniping": {"amount": request.amount}} if request.amount else {}
    resolved, paths = load(request.profile, **overrides), home_paths()
    with open_database(resolved, paths) as database:
        require_current(database)
        context = Context(resolved, paths, database, acting_person())
        _agree(context, request)
        return asyncio.run(_run(context, request, seconds))


def _agree(context: Context, request: RunRequest) -> None:
    """Real money needs a live profile, --live, and a yes to what it may cost."""
    from sniper_cli.sniping.followed import buys_early
    from sniper_cli.sniping.station import require_chain

    require_chain(context)
    settings = context.settings
    if settings.mode is not Mode.LIVE:
        if request.live:
            raise LiveNotConfirmed(
                f"the profile {context.profile!r} is {settings.mode}, not live", hint="sniper profile list"
            )
        return
    if request.dry_run:
        return
    if not request.live:
        raise LiveNotConfirmed(
            f"the profile {context.profile!r} trades with real money",
            hint=f"sniper snipe run --profile {context.profile} --live",
        )
    sniping = settings.sniping
    confirm(
        f"Buy launches on chain {settings.chain.chain_id} for {sniping.amount} {settings.chain.coin} each"
        f"{_with(sniping)}, "
        f"at most {sniping.max_open_positions} positions and {sniping.max_total_spend} {settings.chain.coin} together, "
        f"accepting {sniping.slippage_bps / 100:g} % below the expected outcome, "
        f"up to {sniping.max_fee_gwei} gwei per gas"
        f"{', in the block of the listing itself where it is seen waiting' if buys_early(sniping) else ''}?",
        yes=request.yes,
    )


def _with(sniping: SnipingSettings) -> str:
    """Who buys, where several wallets do."""
    if not sniping.wallets:
        return ""
    how = "divided among" if sniping.spreading == "split" else "in turn by"
    return f" ({how} {len(sniping.wallets) + 1} wallets, each with these limits)"


async def _run(context: Context, request: RunRequest, seconds: float | None) -> int:
    from sniper_cli.sniping.runner import Sniper
    from sniper_cli.sniping.second_opinions import second_opinions
    from sniper_cli.sniping.station import open_station

    stop, working = asyncio.Event(), False

    def ask_to_stop() -> bool:
        if working:
            stop.set()
        return working

    async def work() -> None:
        nonlocal working
        async with open_station(context) as station:
            opinions = second_opinions(context.resolved, context.paths, context.database)
            sniper = Sniper(
                context.database,
                station.node,
                station.exchange,
                exchanges=station.exchanges,
                desk=station.desk,
                settings=context.settings.sniping,
                account=station.account,
                on_event=_listener(as_json=request.as_json),
                block_seconds=context.settings.chain.block_seconds,
                dry_run=request.dry_run,
                close_at_end=request.close_at_end,
                books_transfers=not request.dry_run,
                opinions=opinions,
                others=station.others,
            )
            if not request.dry_run:
                await _require_funds(context, station)
            if seconds is not None:
                asyncio.get_running_loop().call_later(seconds, stop.set)
            working = True
            await sniper.run(stop)

    ended = await interruptible(work(), ask_to_stop)
    if ended.signal is signal.SIGINT:
        return Exit.INTERRUPTED
    return _stuck(context)


def _stuck(context: Context) -> int:
    """A run that leaves positions behind which it could not sell does not end as if all were well."""
    from sniper_cli.sniping.telling import stuck_positions

    after = context.settings.sniping.exits.stuck_after
    with context.database.read() as session:
        stuck = stuck_positions(session, after=after)
    for position_id, failed in stuck.items():
        note(
            f"ALARM    position {short(position_id)} could not be sold in {failed} attempts and is still held"
        )
    if stuck:
        note("hint: sniper position exits ID shows its rules, sniper position exit ID --urgent tries at once")
    return Exit.PARTIAL if stuck else Exit.OK


async def _require_funds(context: Context, station: Station) -> None:
    """A hunt with nothing to spend and nothing to look after ends before it begins. Raises InsufficientFunds."""
    from state.orders import working_orders
    from state.positions import open_positions

    sniping, coin = context.settings.sniping, context.settings.chain.coin
    parts = len(station.accounts) if sniping.spreading == "split" else 1
    part, held = sniping.amount / parts, Decimal(0)
    for account in station.accounts:
        with context.database.read() as session:
            if open_positions(session, account.id) or working_orders(session, account.id):
                return
        answer = await station.node.call("eth_getBalance", [account.address, "latest"])
        held = max(held, Decimal(int(answer, 16)).scaleb(-18))
    if held < part:
        devnet = context.settings.mode is Mode.DEVNET
        first = station.account.address
        more = "" if len(station.accounts) == 1 else f" and {len(station.accounts) - 1} more"
        raise InsufficientFunds(
            f"{first}{more} holds {held:f} {coin}, a launch is bought for {part:f}",
            hint=f"sniper devnet fund {first}" if devnet else "sniper wallet list --balance",
            held=str(held),
            amount=str(part),
        )


def _listener(*, as_json: bool) -> Listener:
    return _as_json if as_json else narrate


def narrate(event: SniperEvent) -> None:
    """One line an event on stderr; a block by itself is no news."""
    if not isinstance(event, HeadSeen):
        note(f"{event.at:%H:%M:%S.%f}"[:-3] + f"  {event.line()}")


def _as_json(event: SniperEvent) -> None:
    """One JSON object an event on stdout, amounts as strings."""
    if isinstance(event, HeadSeen):
        return
    body = {item.name: _exact(item.name, getattr(event, item.name)) for item in fields(event)}
    sys.stdout.write(json.dumps({"event": type(event).__name__, **body}) + "\n")
    sys.stdout.flush()


AMOUNTS = frozenset({"amount", "coins", "costs", "max_fee", "profit", "quantity", "received", "spent"})


def _exact(name: str, value: Any) -> Any:
    return str(value) if name in AMOUNTS else plain(value)
