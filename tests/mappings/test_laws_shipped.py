"""The shipped mappings and the example site's own: the laws hold, losses only shrink, and no small wrong stays unseen.

Records are invented from the pinned interfaces. `loss.json` beside this file lists what is lost; it may only get
shorter. The search for wrongs takes a part of all mutants, another one for each seed, and HYPOTHESIS_PROFILE=long
takes them all.
"""

from __future__ import annotations

import json
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from connectors.registry import interfaces_of
from mappings import codes, golden
from mappings.codes import CodeFaults
from mappings.compile import compile_mapping
from mappings.coverage import losses
from mappings.interface import Interface, interface_of
from mappings.laws.facts import facts
from mappings.laws.records import hints_of, records
from mappings.laws.search import invented, search
from mappings.laws.trips import back_and_there, there_and_back
from mappings.mapping import Mapping, MappingFaults
from pipelines import composition
from pipelines.library import Library
from pipelines.mapped import Mapped, mapped
from tests.mappings import mutants

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config" / "example"
LOSS = Path(__file__).with_name("loss.json")
NAMES = (
    "bars/referral", "bars/response", "blaenau-gwent/referral", "blaenau-gwent/request", "by-hand/referral",
    "casework/referral", "contact/request", "health/referral",
)  # fmt: skip
# Shipped, and used by no council of the example.
PLATFORMS = ("dataverse/referral", "salesforce/referral", "jadu/case", "verint/case",
             "open311/request", "web-form/referral", "mesh/referral")  # fmt: skip
ALL = (*NAMES, *PLATFORMS)
# Of these records are invented freely. A sheet that an officer types from has no interface; and among FHIR's thousands
# of elements rows pick list items by their URI, which chance does not find: golden pairs and the laws on referrals
# stand for them.
INVENTED = tuple(name for name in ALL if name.partition("/")[0] not in ("by-hand", "health", "bars"))
ZONE = "Europe/London"
LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
PART = 6  # one mutant in so many is tried, unless the search is to be long
EXAMPLES = 2_000 if LONG else 40


@cache
def library() -> Library:
    return Library(composition.load(EXAMPLE).layers)


@cache
def site() -> dict[str, Mapped]:
    return {one.name: one for one in mapped(composition.load(EXAMPLE), library())}


@cache
def of(name: str) -> tuple[Mapping, Interface | None]:
    if name in PLATFORMS:
        profile = library().document("profiles", name.partition("/")[0]).data
        (told,) = interfaces_of(profile, interfaces=lambda file: library().layers.read("interfaces", file))
        return library().mapping(name, "UTC"), interface_of(told)
    found = site()[name]
    assert found.mapping is not None
    return found.mapping, found.interface


def test_every_mapping_of_the_example_is_here_and_its_interface_is_known() -> None:
    # The laws of the first are in test_abavus.py. The second is only sent, and its golden pair shows every row.
    assert set(site()) == {*ALL, "abavus/service-request", "contact/reply"}
    without = {name for name, one in site().items() if one.interface is None}
    assert without == {"by-hand/referral"}  # a sheet that an officer types from: it has no interface


@pytest.mark.parametrize("name", ALL)
def test_the_laws_hold(name: str, seed: int) -> None:
    mapping, interface = of(name)
    interface = interface if name in INVENTED else None
    searched = search(mapping, interface, examples=EXAMPLES, start=seed)
    told = [f"{one.breach.row and one.breach.row.shown}: {one.breach.why}: {one.smallest}" for one in searched.found]
    assert told == []
    assert searched.referrals >= EXAMPLES or not any(row.writes for row in mapping.terms)
    assert searched.records >= EXAMPLES or interface is None


@pytest.mark.parametrize("name", INVENTED)
def test_invented_records_are_read_and_not_stopped(name: str) -> None:
    """A law says nothing of a record that is stopped, so most must not be; and every row must be given something."""
    mapping, interface = of(name)
    assert interface is not None
    assert interface.read is not None
    made = invented(records(interface.read, hints_of(mapping.terms)), 250, 1)
    assert sum(not mapping.read(record).stopped for record in made) > 150
    told = {path for record in made for path, value in mapping.read(record).facts.items() if value is not None}
    assert {row.ours[0] for row in mapping.terms if row.reads and not told & {*row.ours}} == set()


@pytest.mark.parametrize("name", ALL)
def test_what_is_lost_only_shrinks(name: str) -> None:
    known = set(json.loads(LOSS.read_text(encoding="utf-8"))[name])
    now = {one.key for one in losses(*of(name))}
    if name not in INVENTED and of(name)[1] is not None:  # of FHIR's two thousand elements a list says nothing
        now = {key for key in now if not key.startswith("reading: dropped: ")}
    more, fewer = sorted(now - known), sorted(known - now)
    assert not more, (
        f"{name} loses more than before. Carry it; or, if that cannot be, add to {LOSS.name} under {name}, and say why "
        f"in the commit: {json.dumps(more, ensure_ascii=False, indent=2)}"
    )
    assert not fewer, (
        f"{name} loses less than before. Take these out of {LOSS.name} under {name}, so that they never come back: "
        f"{json.dumps(fewer, ensure_ascii=False, indent=2)}"
    )


@pytest.mark.parametrize("name", ALL)
@pytest.mark.timeout(600)
def test_no_small_wrong_stays_unseen(name: str, seed: int) -> None:
    bench = Bench(name)
    assert bench.caught(bench.compiled(mutants.Mutant("nothing changed"))) == ""
    every = PART * 3 if name in PLATFORMS else PART  # those two are alike, row by row
    some = [one for one in bench.mutants() if LONG or zlib.crc32(one.name.encode()) % every == seed % every]
    part = some or list(bench.mutants())  # of a small mapping chance may draw none
    by = Counter((bench.tried(one), one.name) for one in part)
    assert [wrong for caught, wrong in by if not caught] == [], "nothing fails when these are wrong: add a golden pair"
    assert len(part) >= len(list(bench.mutants())) // (1 if LONG else every * 3)


class Bench:
    """One mapping whose files can be changed in memory, and what would notice."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mapping, self.interface = of(name)
        self.data: dict[str, Any] = library().document("mappings", name).data
        self.losses = {one.key for one in losses(self.mapping, self.interface)}
        folders = [library().layers.site / "mappings", library().layers.shipped["mappings"]]
        files = [file for folder in folders for file in sorted(folder.glob(golden.pattern(name)))]
        self.pairs = [(file.name, golden.load(file.read_bytes(), file.name)) for file in files]
        schema = self.interface.read if self.interface is not None and name in INVENTED else None
        self.records = invented(records(schema, hints_of(self.mapping.terms)), 8, 1) if schema is not None else []
        self.facts = invented(facts(self.mapping.terms), 8, 1)

    def mutants(self) -> Iterator[mutants.Mutant]:
        """All wrongs of the file, and of the code lists that it brings in: those of the file below have their own."""
        below: dict[str, dict[str, Any]] = {}
        if "extends" in self.data:
            rows = library().document("mappings", self.data["extends"]).data["fields"]
            below = {str(row["ours"]): row for row in rows if "ours" in row}
        used = {row.codes.name for one in self.mapping.terms for row in (one, *one.items) if row.codes is not None}
        named = {str(row.get("codes")) for row in self.data["fields"]}
        own = sorted(used & named) if "extends" in self.data else sorted(used)
        others = [name for name in library().layers.names("codes") if name.startswith(f"{self.mapping.system}-")]
        yield from mutants.of_file(self.data, below, sorted({*others, *own}) or ["contact-need"])
        for name in own:
            yield from mutants.of_list(name, library().code_list(name).text)

    def compiled(self, mutant: mutants.Mutant) -> Mapping:
        """The mapping with one thing wrong. Raises MappingFaults, CodeFaults."""

        def load(name: str) -> tuple[Any, str]:
            document = library().document("mappings", name)
            return (mutant.data if mutant.data is not None and name == self.name else document.data), document.name

        def listed(name: str) -> codes.CodeList:
            return codes.parse(mutant.codes, name) if name == mutant.list_name else library().code_list(name)

        return compile_mapping(self.name, load, listed, ZONE)

    def tried(self, mutant: mutants.Mutant) -> str:
        """What notices the mutant, "" if nothing does."""
        try:
            wrong = self.compiled(mutant)
        except (MappingFaults, CodeFaults):
            return "compiling"
        return self.caught(wrong)

    def caught(self, wrong: Mapping) -> str:
        """What notices that a mapping is wrong: what is quickest is asked first."""
        if any(golden.run(wrong, {name: pair}) for name, pair in self.pairs):
            return "a golden pair"
        if {one.key for one in losses(wrong, self.interface)} != self.losses:
            return "the list of losses"
        if any(there_and_back(wrong, record) for record in self.records):
            return "a law"
        sent = self.interface.create if self.interface is not None else None
        return "a law" if any(back_and_there(wrong, one, sent) for one in self.facts) else ""
