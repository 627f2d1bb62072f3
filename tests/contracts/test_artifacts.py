"""The checked-in bytecode is what the checked-in Solidity compiles to."""

from __future__ import annotations

import json

import pytest

from tests.contracts.compile import ARTIFACTS, compile_all, compiler, source_digests
from tests.zoo import EXPECTED, artifacts


@pytest.mark.parametrize("target", ARTIFACTS, ids=lambda path: path.name)
def test_an_artifact_names_the_sources_it_was_made_from(target):
    assert json.loads(target.read_text())["sources"] == source_digests(ARTIFACTS[target])


@pytest.mark.timeout(300)
def test_the_artifacts_are_what_the_compiler_makes_of_their_sources():
    if not compiler().exists():
        pytest.skip("no compiler here: python -m tests.contracts.compile fetches it")
    compiled = compile_all()
    assert [target.name for target in ARTIFACTS if target.read_text() != compiled[target]] == []


def test_the_zoo_has_a_contract_for_each_kind():
    assert len(EXPECTED) == 30
    assert set(EXPECTED) <= set(artifacts())
