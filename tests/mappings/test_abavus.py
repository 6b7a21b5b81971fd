"""The shipped mapping of Abavus: golden pairs, laws, and the interface that it is written for."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from config.documents import read_yaml
from connectors.registry import interfaces_of
from mappings import golden
from mappings.codes import CodeList, parse
from mappings.compile import compile_mapping
from mappings.interface import Interface, interface_of
from mappings.laws.facts import facts
from mappings.laws.search import invented, search
from mappings.mapping import Mapping

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "mappings" / "shipped"
NAME = "abavus/service-request"


@cache
def mapping() -> Mapping:
    def codes(name: str) -> CodeList:
        return parse((SHIPPED / "codes" / f"{name}.csv").read_bytes(), name)

    return compile_mapping(NAME, lambda name: (read_yaml(SHIPPED / f"{name}.yaml").data, name), codes, "Europe/London")


@cache
def interface() -> Interface:
    profile = read_yaml(ROOT / "connectors" / "profiles" / "abavus.yaml").data
    (one,) = interfaces_of(profile, interfaces=lambda name: (ROOT / "connectors" / name).read_bytes())
    return interface_of(one)


def pairs() -> dict[str, golden.Pair]:
    files = sorted((SHIPPED).glob(golden.pattern(NAME)))
    return {file.name: golden.load(file.read_bytes(), file.name) for file in files}


def test_golden_pairs_hold_and_show_every_row() -> None:
    assert len(pairs()) == 3
    assert [str(difference) for difference in golden.run(mapping(), pairs(), reveal=True)] == []
    assert golden.uncovered(mapping(), pairs().values()) == []


def test_the_laws_hold(seed: int) -> None:
    searched = search(mapping(), interface(), examples=60, start=seed)
    assert [f"{one.breach.why}: {one.smallest}" for one in searched.found] == []
    assert searched.referrals >= 60
    assert searched.records >= 60


def test_what_is_written_is_what_the_interface_takes(seed: int) -> None:
    """Nothing of a person goes anywhere but into the answers of the form, in the body."""
    allowed = {"languageCode", "submissionDate", "catalogue", "form", "status", "questions"}
    for one in invented(facts(mapping().terms), 60, seed):
        writing = mapping().write(one)
        if not writing.stopped:
            assert writing.record.keys() == {"serviceRequest"}
            assert writing.record["serviceRequest"].keys() <= allowed


@pytest.mark.parametrize("code", ["UNKNOWN_S", "", None])
def test_a_status_that_nobody_listed_stops_the_record(code: str | None) -> None:
    assert mapping().read({"ServiceEvent": {"number": 1, "guid": "x", "sub_process": code}}).stopped
