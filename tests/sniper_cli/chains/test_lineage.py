"""Parent hashes tell which blocks were replaced, whatever the node says or leaves out."""

from hypothesis import given
from hypothesis import strategies as st

from sniper_cli.chains.lineage import MEMORY, Lineage, Step
from sniper_cli.chains.node import Head


def block(number: int, branch: str = "a", parent: str | None = None) -> Head:
    parent = f"a{number - 1}" if parent is None else parent
    return Head(number, f"{branch}{number}", parent, 12 * number, 10**9, 30_000_000, "0x" + "00" * 20)


class Chain:
    """The node's side: every block it ever had, and the canonical ones."""

    def __init__(self) -> None:
        self.canonical = [Head(0, "g", "", 0, 10**9, 30_000_000, "0x")]
        self.blocks = {"g": self.canonical[0]}
        self._made = 0

    def mine(self) -> None:
        self._made += 1
        parent = self.canonical[-1]
        head = Head(parent.number + 1, f"h{self._made}", parent.hash, 0, 10**9, 30_000_000, "0x")
        self.canonical.append(head)
        self.blocks[head.hash] = head

    def reorganise(self, depth: int) -> None:
        depth = min(depth, len(self.canonical) - 1)
        del self.canonical[len(self.canonical) - depth :]
        for _ in range(depth + 1):
            self.mine()

    async def parent(self, block_hash: str) -> Head:
        return self.blocks[block_hash]

    async def at_number(self, number: int) -> Head:
        return self.canonical[min(number, len(self.canonical) - 1)]


async def follow(lineage: Lineage, chain: Chain) -> Step | None:
    return await lineage.step_to(chain.canonical[-1], chain.parent, chain.at_number)


async def test_the_next_block_is_a_step_of_one() -> None:
    chain, lineage = Chain(), Lineage()
    await follow(lineage, chain)
    chain.mine()
    step = await follow(lineage, chain)
    assert step == Step((chain.canonical[-1],), replaces=False, skipped_from=2)


async def test_the_same_head_twice_is_no_step() -> None:
    chain, lineage = Chain(), Lineage()
    await follow(lineage, chain)
    assert await follow(lineage, chain) is None


async def test_blocks_in_between_are_fetched() -> None:
    chain, lineage = Chain(), Lineage()
    await follow(lineage, chain)
    for _ in range(3):
        chain.mine()
    step = await follow(lineage, chain)
    assert step is not None
    assert [head.number for head in step.heads] == [1, 2, 3]
    assert step.skipped_from == 1
    assert not step.replaces


async def test_a_reorganisation_names_the_first_replaced_block() -> None:
    chain, lineage = Chain(), Lineage()
    for _ in range(5):
        chain.mine()
        await follow(lineage, chain)
    chain.reorganise(2)
    step = await follow(lineage, chain)
    assert step is not None
    assert step.replaces
    assert step.skipped_from == 4
    assert list(step.heads) == chain.canonical[4:]


async def test_after_a_long_absence_the_missed_logs_are_named_without_fetching_each_header() -> None:
    chain, lineage = Chain(), Lineage()
    await follow(lineage, chain)
    for _ in range(MEMORY + 50):
        chain.mine()
    step = await follow(lineage, chain)
    assert step is not None
    assert step.skipped_from == 1
    assert len(step.heads) == 1
    assert not step.replaces


moves = st.lists(
    st.tuples(st.sampled_from(["mine", "reorganise"]), st.integers(1, 40), st.booleans()),
    min_size=1,
    max_size=40,
)


@given(moves)
async def test_whatever_happens_the_steps_rebuild_the_nodes_own_chain(
    moves: list[tuple[str, int, bool]],
) -> None:
    chain, lineage = Chain(), Lineage()
    await follow(lineage, chain)
    ours = [chain.canonical[0]]
    for move, size, looked in moves:
        if move == "mine":
            for _ in range(size):
                chain.mine()
        else:
            chain.reorganise(size)
        if looked and (step := await follow(lineage, chain)) is not None:
            if step.replaces:
                ours = [head for head in ours if head.number < step.skipped_from]
            ours = [head for head in ours if head.number < step.heads[0].number] + list(step.heads)
    await follow_and_compare(lineage, chain, ours)


async def follow_and_compare(lineage: Lineage, chain: Chain, ours: list[Head]) -> None:
    step = await follow(lineage, chain)
    if step is not None:
        if step.replaces:
            ours = [head for head in ours if head.number < step.skipped_from]
        ours = [head for head in ours if head.number < step.heads[0].number] + list(step.heads)
    canonical = {head.number: head.hash for head in chain.canonical}
    assert ours[-1] == chain.canonical[-1]
    assert all(canonical[head.number] == head.hash for head in ours)
