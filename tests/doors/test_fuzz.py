"""Whatever bytes come in at a door, it answers in its own words: no other error, no hang, no memory without end.

In CI each door gets a few dozen inputs, the same each time; `long_run.py` gives each 50,000, and what that found is
written in docs/threat-model.md. Seen red: YAML aliases in the interface that a system shows of itself made the walk
through it endless.
"""

from __future__ import annotations

import json
import random
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.conftest import PROFILE
from tests.doors import seeds
from tests.doors.door import Door
from tests.doors.fuzzed import DOORS, ROOT, described
from tests.doors.spoiling import Pool, _json, _xml

EXAMPLES = 5_000 if PROFILE == "long" else 40
SECONDS = 5.0  # that one input may take, on a machine that others use too
MEGABYTES = 512  # that all inputs of one door may cost


@st.composite
def inputs(draw: st.DrawFn, door: Door) -> bytes:
    """Bytes that were whole once, or never: cut, doubled, spoilt, with words of the door's language put in; each
    second one as `long_run.py` makes them, changed by its own structure."""
    if draw(st.booleans()):
        return Pool(door).spoilt(random.Random(draw(st.integers(0, 2**32))))
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=300))
    body = bytearray(draw(st.sampled_from(door.seeds)))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(body)))
        match draw(st.integers(0, 4)):
            case 0 | 1:
                body[at:at] = draw(st.sampled_from(door.words))
            case 2:
                del body[at : at + draw(st.integers(1, 40))]
            case 3:
                body[at : at + 1] = draw(st.binary(max_size=3))
            case _:
                body[at:at] = body[at : at + draw(st.integers(1, 200))]
    return bytes(body)


def peak() -> float:
    """The most memory that this process ever had, in megabytes; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.timeout(0 if PROFILE == "long" else 120)
@pytest.mark.parametrize("name", DOORS)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_bytes_end_in_a_named_way(name: str, data: st.DataObject) -> None:
    door = DOORS[name]
    content = data.draw(inputs(door))
    before, began = peak(), time.monotonic()
    door.take(content)
    assert time.monotonic() - began < SECONDS
    assert peak() - before < MEGABYTES


def test_what_is_changed_by_its_structure_is_whole_and_another() -> None:
    """Else a door is fuzzed at its first look alone, and says nothing of the rest."""
    chance, other = random.Random(7), b'{"b": [2, {"c": null}]}'
    made = {_json(chance, seeds.CASE, other) for _ in range(100)}
    assert len(made) > 90
    assert [json.loads(one) for one in made]
    elements = {_xml(chance, seeds.WSDL[0], b"<x><y/></x>") for _ in range(50)}
    assert len(elements) > 45
    assert [etree.fromstring(one) for one in elements]


def test_a_pool_makes_inputs_of_what_it_was_given() -> None:
    """That is what guides a long run."""
    pool, chance = Pool(Door(lambda _: None, (b"aaaa",), (b",",))), random.Random(7)
    assert not any(b"zz" in pool.spoilt(chance) for _ in range(50))
    pool.keep(b"zzzzzzzz")
    assert sum(b"zz" in pool.spoilt(chance) for _ in range(50)) > 10


def test_the_interface_that_is_spoilt_can_be_read_as_long_as_it_is_whole() -> None:
    """Seen red: it was cut after 6,000 bytes, so that nothing behind the parser was ever fuzzed."""
    for whole in seeds.WSDL[:2]:
        (case,) = described(whole)
        assert case["kind"] == "Case"


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(ord("b"), ord("j"))
)


@pytest.mark.parametrize(
    "content", [BOMB, b"openapi: 3.1.0\npaths: &p {/a: *p}\n", b"&a [*a]"], ids=["bomb", "loop", "itself"]
)
@pytest.mark.parametrize("name", ["YAML of a site", "OpenAPI"])
def test_aliases_without_end(name: str, content: bytes) -> None:
    began, before = time.monotonic(), peak()
    DOORS[name].take(b"openapi: 3.1.0\n" + content if content is BOMB else content)
    assert time.monotonic() - began < 4 * SECONDS
    assert peak() - before < MEGABYTES


def test_every_door_of_the_table_has_its_row_in_the_threat_model(threat_model: str) -> None:
    assert [name for name in DOORS if f"`{name}`" not in threat_model] == []


@pytest.fixture
def threat_model() -> str:
    return (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
