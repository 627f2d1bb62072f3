"""The checked-in bytecode is what the checked-in Solidity compiles to."""

from __future__ import annotations

import json

import pytest

from tests.contracts.compile import ARTIFACTS, seal, source_digests
from tests.zoo import EXPECTED, artifacts


@pytest.mark.parametrize("target", ARTIFACTS, ids=lambda path: path.name)
def test_an_artifact_names_the_sources_it_was_made_from(target):
    assert json.loads(target.read_text())["sources"] == source_digests(ARTIFACTS[target])


@pytest.mark.parametrize("target", ARTIFACTS, ids=lambda path: path.name)
def test_an_artifact_bears_the_seal_of_its_compilation(target):
    """`python -m tests.contracts.compile --check` compiles, and compares all of it."""
    artifact = json.loads(target.read_text())
    assert artifact["seal"] == seal(artifact)


def test_a_seal_breaks_when_a_byte_is_changed():
    artifact = json.loads(next(iter(ARTIFACTS)).read_text())
    name, contract = next(iter(artifact["contracts"].items()))
    changed = contract | {"bytecode": contract["bytecode"][:-1] + "f"}
    assert seal(artifact) != seal(artifact | {"contracts": artifact["contracts"] | {name: changed}})


def test_the_zoo_has_a_contract_for_each_kind():
    assert len(EXPECTED) == 30
    assert set(EXPECTED) <= set(artifacts())
