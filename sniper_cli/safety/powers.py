"""What those who rule a token can do to its holders, each proved: buy, let them act, try to sell.

Static reading finds the candidates (functions that write, accounts that may call), simulation decides: the same
purchase and sale with and without the act between them. What changes is the power: sales blocked, a tax raised,
tokens minted or taken. What nobody known may call, but somebody unknown might, is *not proven*, never passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from sniper_cli.chains.node import Node
from sniper_cli.safety.acts import Act, After, Trial
from sniper_cli.safety.arguments import patterns
from sniper_cli.safety.authorities import DEAD, Authorities, find_authorities, listed_in
from sniper_cli.safety.bytecode import RENOUNCE, Function, Layout, layout_of
from sniper_cli.safety.doors import STRANGER, WORD, Door, look_at
from sniper_cli.safety.lines import Evidence, Group, Line, failed, passed, unproven
from sniper_cli.safety.proxies import Code, Holder, holder_of, opcodes
from sniper_cli.safety.simulation import (
    METHOD,
    Surroundings,
    fresh_address,
)
from sniper_cli.safety.trades import Market

MOST_ACTS = 240
"""Acts that are simulated for one token; what is left over is told as not proven."""
NOTICED_BPS = 500
"""By how much a sale must bring less before the difference counts as a tax."""
BPS = 10_000
UPGRADES = frozenset({"3659cfe6", "4f1ef286", "8f283970", "f851a440", "1f931c1c"})
"""upgradeTo, upgradeToAndCall, changeAdmin, diamondCut: told as the proxy's, and no guess of ours has new code."""

BLOCKS_SALES, RAISES_TAX, MINTS, SEIZES = "blocks_sales", "raises_tax", "mints", "seizes"
OPENS_SALES, TAKES_OWNERSHIP = "opens_sales", "takes_ownership"
HARMFUL = (SEIZES, BLOCKS_SALES, RAISES_TAX, MINTS, TAKES_OWNERSHIP)
WORDS = {
    SEIZES: "take a holder's tokens",
    BLOCKS_SALES: "block a holder's sales",
    RAISES_TAX: "raise what a sale costs",
    MINTS: "make new tokens",
    OPENS_SALES: "decide when sales open",
    TAKES_OWNERSHIP: "take the ownership back",
}
HIDDEN, ANYBODY, UNKNOWN, TRIED = "hidden_powers", "powers_of_anybody", "unknown_authority", "powers_tried"


@dataclass(frozen=True, slots=True)
class Power:
    """A power that was proved."""

    kind: str
    act: Act
    result: str
    figure: str = ""


@dataclass(frozen=True, slots=True)
class Powers:
    """What was found out about one token's rulers."""

    lines: tuple[Line, ...]
    found: tuple[Power, ...]
    authorities: Authorities
    simulations: int


async def prove_powers(
    node: Node,
    around: Surroundings,
    market: Market,
    code: Code,
    *,
    deployer: str | None = None,
    turn: Callable[[], Awaitable[None]] | None = None,
) -> Powers:
    """Find the rulers' powers and prove each. Raises NetworkError.

    `turn` is awaited between reading and simulating: until then little is asked of the node.
    """
    block = around.head.number
    layout = layout_of(code)
    exchange = market.exchange
    known = (market.place.keeper, exchange.router, exchange.factory, exchange.wrapped, *code.implementations)
    buyer = fresh_address()
    trial = Trial(node, around, market, buyer, 0)
    named = await find_authorities(node, market.token, layout, block, known=known, deployer=deployer)
    holders = await asyncio.gather(*(holder_of(node, who, hex(block)) for who in named.sources))
    if turn is not None:
        await turn()
    held = await _first(trial)
    if not held:
        words = "nothing could be bought: what its rulers can do to a holder was not tried"
        return Powers((unproven(TRIED, Group.POWERS, words),), (), named, trial.simulations)
    trial.held = held
    kinds = {holder.address: holder for holder in holders}
    trial.contracts = {holder.address for holder in holders if not holder.alone}
    found = _Search(trial, layout, code, named, kinds, _rewiring(layout, named, known))
    await found.search()
    return Powers(tuple(found.lines()), tuple(found.powers), named, trial.simulations)


async def _first(trial: Trial) -> int:
    """What the purchase brings."""
    trial.held = 1
    [after] = await trial.run([Act(trial.buyer, None)])
    return after.balance


def _rewiring(layout: Layout, named: Authorities, known: Iterable[str]) -> frozenset[str]:
    """Writers of the slots that hold the pool's or the router's address now."""
    market = {int(address, 16) for address in known}
    return frozenset(
        selector
        for place in layout.addresses
        if place.value(named.words.get(int(place.slot, 16), 0)) in market
        for selector in place.writers
    )


@dataclass(slots=True)
class _Search:
    """The candidates of one token, what became of them, and what is said of it."""

    trial: Trial
    layout: Layout
    code: Code
    named: Authorities
    kinds: dict[str, Holder]
    rewiring: frozenset[str]
    """Functions that say which account is the pool: a holder named as that loses more than his sale, by no theft."""
    powers: list[Power] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)
    """Functions that somebody got through."""
    without_effect: dict[str, Act] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    left_out: int = 0
    base: dict[str, After] = field(default_factory=dict)

    async def search(self) -> None:
        """Everybody known; then whom the closed doors know besides; then two acts in a row. Raises NetworkError."""
        stranger = fresh_address()
        acts = [act for who in self.named.sources for act in self._acts(who)]
        acts += self._acts(stranger, few=True)
        await self._try(acts, stranger)
        more = await self._whom_doors_know()
        if more:
            await self._try([act for who in more for act in self._acts(who)], stranger)
        await self._try(self._pairs(), stranger)

    def _acts(self, who: str, *, few: bool = False) -> Iterable[Act]:
        """Governing functions first: where there are too many, the others are left out."""
        functions = (each for each in self.layout.functions if each.selector not in UPGRADES)
        for function in sorted(functions, key=lambda each: not each.governing):
            guesses = patterns(function.arguments, self.trial.buyer, who, self.trial.held, few=few)
            for guess in guesses:
                yield Act(who, function, f"0x{function.selector}{guess}")

    async def _try(self, acts: Sequence[Act], stranger: str) -> None:
        acts, spared = acts[:MOST_ACTS], acts[MOST_ACTS:]
        self.left_out += len(spared)
        fresh = [who for who in dict.fromkeys(act.sender for act in acts) if who not in self.base]
        ended = await self.trial.run([*(Act(who, None) for who in fresh), *acts])
        self.base |= dict(zip(fresh, ended, strict=False))
        for act, after in zip(acts, ended[len(fresh) :], strict=True):
            if not after.done or act.function is None:
                continue
            self.passed.add(act.function.selector)
            effects = list(self._effects(act, after, self.base[act.sender]))
            self.powers += effects
            if all(effect.kind == TAKES_OWNERSHIP for effect in effects):
                self.without_effect.setdefault(f"{act.sender} {act.data}", act)
            if act.sender == stranger and effects:
                self.named.sources.setdefault(stranger, "anybody")

    def _effects(self, act: Act, after: After, base: After) -> Iterable[Power]:
        """What the act changed against the same trade without it."""
        if after.balance < base.balance and act.function and act.function.selector in self.rewiring:
            yield Power(BLOCKS_SALES, act, "the holder is then taken for the market itself")
        elif after.balance < base.balance:
            taken = (base.balance - after.balance) * BPS // base.balance
            yield Power(SEIZES, act, f"the holder's balance fell by {taken / 100:.2f} %", f"{taken} bps")
        elif base.sold and not after.sold:
            yield Power(BLOCKS_SALES, act, f"the sale then fails: {after.reason}")
        elif base.sold and base.brought and after.brought < base.brought:
            less = (base.brought - after.brought) * BPS // base.brought
            if less > NOTICED_BPS:
                yield Power(RAISES_TAX, act, f"the sale then brings {less / 100:.2f} % less", f"{less} bps")
        elif not base.sold and after.sold:
            yield Power(OPENS_SALES, act, "the sale then goes through")
        if after.supply > base.supply:
            yield Power(MINTS, act, f"the supply grew by {after.supply - base.supply}")
        elif after.gained > base.gained + base.supply:
            yield Power(MINTS, act, f"the caller's balance grew by {after.gained - base.gained}")
        if self.named.renounced and base.owner in DEAD and after.owner not in DEAD:
            yield Power(TAKES_OWNERSHIP, act, f"owner() then answers 0x{after.owner:040x}")

    async def _whom_doors_know(self) -> list[str]:
        """Look at the doors that nobody passed: whom else do they know? Raises NetworkError."""
        # Also those that let everybody in and did nothing: a door that turns nobody away may still know one.
        did = {power.act.function.selector for power in self.powers if power.act.function}
        shut = [each for each in self.layout.functions if each.governing and each.selector not in did]
        for _ in range(3):  # a slot's value may name the next slot
            self.doors = {each.selector: self._door(each) for each in shut}
            missing = {slot for door in self.doors.values() for slot in door.missing} - set(self.named.words)
            if not missing:
                break
            self.named.words |= await self._words(missing)
        turned_away = [door for selector, door in self.doors.items() if selector not in self.passed]
        mappings = {slot for door in turned_away for slot in door.mappings}
        candidates = [who for who in self.named.people if who not in self.named.sources][:32]
        listed = await listed_in(
            self.trial.node, self.trial.market.token, mappings, candidates, self.trial.around.head.number
        )
        compared = {who for door in self.doors.values() for who in door.compared}
        more = sorted(listed | {f"0x{who:040x}" for who in compared if who not in DEAD})
        new = [who for who in more if who not in self.named.sources]
        for who, source in zip(new, ["list" if who in listed else "door" for who in new], strict=True):
            self.named.sources[who] = source
        holders = await asyncio.gather(
            *(holder_of(self.trial.node, who, hex(self.trial.around.head.number)) for who in new)
        )
        self.kinds |= {holder.address: holder for holder in holders}
        self.trial.contracts |= {holder.address for holder in holders if not holder.alone}
        return new

    def _door(self, function: Function) -> Door:
        stranger = f"0x{STRANGER:040x}"
        words = patterns(function.arguments, self.trial.buyer, stranger, WORD) or [""]
        guess = next((each for each in words if f"{WORD:064x}" in each), words[0])
        data = bytes.fromhex(function.selector + guess)
        runs = [run for run in self.code.all if bytes.fromhex(function.selector) in _selectors(run)]
        doors = [look_at(run, data, self.named.words) for run in runs[:1]]
        return doors[0] if doors else Door(called=True)

    async def _words(self, slots: set[int]) -> dict[int, int]:
        listed = sorted(slots)
        token, at = self.trial.market.token, hex(self.trial.around.head.number)
        words = await self.trial.node.batch([("eth_getStorageAt", [token, hex(slot), at]) for slot in listed])
        return {slot: int(word, 16) for slot, word in zip(listed, words, strict=True)}

    def _pairs(self) -> list[Act]:
        """An act that changed nothing by itself may open the way for another: what one writes, the other reads."""
        found: dict[str, Act] = {}
        for first in self.without_effect.values():
            if first.function is None or first.function.selector == RENOUNCE:
                continue
            for second in self.layout.functions:
                if second.selector in self.passed or not second.reads & first.function.writes:
                    continue
                guesses = patterns(
                    second.arguments, self.trial.buyer, first.sender, self.trial.held, few=True
                )
                for guess in guesses:
                    act = Act(first.sender, second, f"0x{second.selector}{guess}", before=first)
                    found.setdefault(f"{first.data}{act.data}", act)
        return list(found.values())[:40]

    def lines(self) -> Iterable[Line]:
        """What is said of it all."""
        hidden = [p for p in self.powers if p.kind in HARMFUL and self._is_hidden(p)]
        anybody = [p for p in self.powers if p.kind in HARMFUL and self._source(p) == "anybody"]
        shown = [p for p in self.powers if p not in hidden and p not in anybody]
        for kind in (*HARMFUL, OPENS_SALES):
            yield self._line(kind, [p for p in shown if p.kind == kind], WORDS[kind])
        yield self._line(HIDDEN, hidden, "")
        yield self._line(ANYBODY, anybody, "")
        yield self._unknown()
        tried = f"{self.trial.simulations} simulated trades, {len(self.named.sources)} authorities"
        if self.left_out:
            yield unproven(TRIED, Group.POWERS, f"{tried}; {self.left_out} acts more were left out")
        else:
            yield passed(TRIED, Group.POWERS, tried)

    def _line(self, name: str, powers: Sequence[Power], words: str) -> Line:
        if not powers:
            words = words or {HIDDEN: "rule unseen", ANYBODY: "be used by everybody"}[name]
            return passed(name, Group.POWERS, f"nobody was found who can {words}")
        worst = max(powers, key=lambda power: int(power.figure.split()[0]) if power.figure else BPS)
        who, source = worst.act.sender, self._source(worst)
        kind = self.kinds[who].kind if who in self.kinds else ""
        rules = {
            HIDDEN: f"a hidden authority, {who} (from its {source}, {kind}), can {WORDS[worst.kind]}",
            ANYBODY: f"anybody can {WORDS[worst.kind]}",
        }.get(name, f"{who} ({source}, {kind}) can {words}")
        evidence = _distinct(powers, self.trial.around.head.number, self.trial.market.token)
        called = worst.act.function.words if worst.act.function else ""
        return failed(
            name,
            Group.POWERS,
            f"{rules}: {called}, {worst.result}",
            *evidence,
            figure=worst.figure or None,
        )

    def _unknown(self) -> Line:
        """Doors that nobody known passes and that are not known to be shut for ever."""
        doubtful = [
            each
            for each in self.layout.functions
            if each.selector in self.doors and self._doubtful(each.selector)
        ]
        if not doubtful:
            return passed(UNKNOWN, Group.POWERS, "every function that governs trading has a known guard")
        words = ", ".join(each.words for each in doubtful[:3])
        return unproven(
            UNKNOWN,
            Group.POWERS,
            f"{words}: writes what transfers read, and who may call it could not be found out",
            *(
                Evidence(
                    "bytecode", self.trial.market.token, data=f"0x{each.selector}", result=self._why(each)
                )
                for each in doubtful
            ),
        )

    def _doubtful(self, selector: str) -> bool:
        """A list that names nobody known, a hash, a password, a foreign contract. An owner who is gone is no doubt.

        Of a door that was passed only hashes count: honest functions ask other contracts and their caller's balance.
        """
        door = self.doors[selector]
        if selector in self.passed:
            return door.hashed or door.sealed
        return door.unknown or bool(door.mappings)

    def _why(self, function: Function) -> str:
        door = self.doors[function.selector]
        parts = {
            "compares a hash of the caller": door.hashed,
            "compares a hash of an argument": door.secret,
            "asks another contract": door.called,
            "asks a list that names nobody known": bool(door.mappings),
        }
        return ", ".join(words for words, true in parts.items() if true)

    def _source(self, power: Power) -> str:
        return self.named.sources.get(power.act.sender, "anybody")

    def _is_hidden(self, power: Power) -> bool:
        return not self.named.shown(power.act.sender) and self._source(power) != "anybody"


def _distinct(powers: Sequence[Power], block: int, token: str) -> list[Evidence]:
    """One piece of evidence for each function, caller and effect, the strongest first."""
    found: dict[tuple[str, str, str], Evidence] = {}
    for power in sorted(powers, key=lambda each: -(int(each.figure.split()[0]) if each.figure else BPS)):
        selector = power.act.function.selector if power.act.function else ""
        before = f"after {power.act.before.data}, " if power.act.before else ""
        found.setdefault(
            (power.act.sender, selector, power.kind),
            Evidence(METHOD, token, power.act.sender, power.act.data, block, before + power.result),
        )
    return list(found.values())


def _selectors(code: bytes) -> set[bytes]:
    return {pushed.rjust(4, b"\0") for _, _, pushed in opcodes(code) if 1 <= len(pushed) <= 4}
