"""Row 22 of docs/catalogue.md: a supplier changes its interface, one field at a time, in every way.

Each field of a whole record is dropped, renamed, retyped, given a code that nobody knows and moved, goes over the wire
through the connector and then through the mapping. What comes out is the same as before, unknown, or named: never
empty, and never something else.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from config.documents import read_yaml
from connectors import registry, xml
from connectors.port import Item, UnreadableItem
from mappings.codes import parse
from mappings.compile import compile_mapping

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "mappings" / "shipped"
NAMES = {"contact": "contact/request", "casework": "casework/referral"}
KINDS = {"contact": "Request", "casework": "Referral"}
CW = "urn:example:casework:2"
S11 = "http://schemas.xmlsoap.org/soap/envelope/"
#: The system's own names of a record: without them it is no record that could be told from others.
OWN = {"id", "version", "changed_at", "ReferralId", "Version", "LastChanged"}

MAPPINGS = {
    system: compile_mapping(
        name,
        lambda wanted: (read_yaml(SHIPPED / f"{wanted}.yaml").data, wanted),
        lambda wanted: parse((SHIPPED / "codes" / f"{wanted}.csv").read_bytes(), wanted),
        "Europe/London",
    )
    for system, name in NAMES.items()
}
WHOLE = {
    system: json.loads((SHIPPED / name.replace("/", "/golden/")).with_suffix(".full.json").read_bytes())["read"][
        "record"
    ]
    for system, name in NAMES.items()
}

Path_ = tuple[str | int, ...]


def fields(value: Any, at: Path_ = ()) -> Iterator[Path_]:
    """Every field that holds something, groups included, the outermost first."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if inner is not None:
                yield (*at, key)
                yield from fields(inner, (*at, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from fields(inner, (*at, place))


def inside(record: Any, at: Path_) -> Any:
    for step in at[:-1]:
        record = record[step]
    return record


def renamed(record: Any, at: Path_) -> None:
    group = inside(record, at)
    made = {f"{key}New" if key == at[-1] else key: value for key, value in group.items()}
    group.clear()
    group.update(made)


def retyped(record: Any, at: Path_) -> None:
    value = inside(record, at)[at[-1]]
    inside(record, at)[at[-1]] = "text" if isinstance(value, dict | list) else {"Value": value}


def unknown_code(record: Any, at: Path_) -> None:
    inside(record, at)[at[-1]] = "ZZ9"


def moved(record: Any, at: Path_) -> None:
    group = inside(record, at)
    group[at[-1]] = group.pop(at[-1])  # to the end of its group


HOW: dict[str, Callable[[Any, Path_], None]] = {
    "dropped": lambda record, at: inside(record, at).pop(at[-1]),
    "renamed": renamed,
    "retyped": retyped,
    "of an unknown code": unknown_code,
    "moved": moved,
    "beside a new one": lambda record, at: inside(record, at).update({"Brand-New": "x"}),
}


def as_json(record: Any) -> tuple[bytes, dict[str, str]]:
    return json.dumps({"requests": [record], "next": None}).encode(), {"Content-Type": "application/json"}


def as_xml(record: Any) -> tuple[bytes, dict[str, str]]:
    (element,) = xml.elements_of("Referral", record, CW)
    inner = etree.tostring(element, encoding="unicode") + "<MorePages>false</MorePages>"
    body = f'<s:Envelope xmlns:s="{S11}"><s:Body><FindReferralsResponse xmlns="{CW}">{inner}</FindReferralsResponse>'
    return (body + "</s:Body></s:Envelope>").encode(), {"Content-Type": "text/xml"}


WIRE = {"contact": as_json, "casework": as_xml}


@pytest.fixture
def shown(small: Any, answer: Any, shipped: Any, interfaces: Any, clock: Any) -> Iterator[Callable[..., Any]]:
    """`shown(system, record)`: what its connector makes of a page with this one record."""
    opened: dict[str, Any] = {}
    serving: dict[str, Any] = {}

    def shown(system: str, record: Any) -> Item | UnreadableItem:
        serving[system] = WIRE[system](record)
        if system not in opened:
            server = small(lambda _: answer(200, *serving[system]))
            profile = shipped(system)
            settings: dict[str, Any] = {"url": server.url + ("/api" if system == "contact" else "")}
            opened[system] = registry.open_connector(profile, settings, interfaces=interfaces, clock=clock, secret=str)
        (item,) = opened[system].changes(KINDS[system], watermark="").items
        return item  # type: ignore[no-any-return]

    yield shown
    for connector in opened.values():
        connector.close()


CASES = [
    (system, at)
    for system in NAMES
    for at in fields(WHOLE[system])
    if isinstance(at[-1], str) and at[0] not in OWN and not at[-1].startswith((".", "@"))  # those are no elements
]
#: Rows by which a council declared that leaving an element out means that it was emptied. There, and only there, the
#: owner of a field is believed when an element is gone: docs/catalogue.md says so.
DECLARED = {
    system: {row["ours"] for row in read_yaml(SHIPPED / f"{name}.yaml").data["fields"] if row.get("missing") == "empty"}
    for system, name in NAMES.items()
}
#: A list is one value, and what its items do not say they do not say.
LISTS = ("needs",)


@pytest.mark.parametrize("system", NAMES)
def test_row_22_the_record_that_all_begin_with_is_well(shown: Any, system: str) -> None:
    item = shown(system, WHOLE[system])
    assert isinstance(item, Item)
    reading = MAPPINGS[system].read(item.record)
    assert (reading.left_out, reading.stopped) == ([], [])
    assert len(reading.facts) > 40
    assert len([1 for found, _ in CASES if found == system]) > 40


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("system", NAMES)
def test_row_22_a_field_that_is(shown: Any, system: str, how: str) -> None:
    before = MAPPINGS[system].read(shown(system, WHOLE[system]).record).facts
    faults: list[str] = []
    named = same = told = 0
    for at in (found for owner, found in CASES if owner == system):
        record = copy.deepcopy(WHOLE[system])
        HOW[how](record, at)
        item = shown(system, record)
        if isinstance(item, UnreadableItem):
            named += 1
            faults += [] if item.reason and item.id else [f"{at}: stopped without a reason or without its number"]
            continue
        reading = MAPPINGS[system].read(item.record)
        gaps = {gap.field for gap in (*reading.left_out, *reading.stopped)}
        told += bool(gaps)
        faults += [
            f"{'/'.join(map(str, at))}: {wrong}" for wrong in wrong_with(system, how, at, before, reading.facts, gaps)
        ]
        same += dict(reading.facts) == dict(before)
    assert faults == []
    if how == "moved":  # the order of elements is part of an XML interface, and no part of a JSON one
        assert same if system == "contact" else named
    elif how == "beside a new one":
        assert named == 0, "what is new is no fault"
    elif how == "of an unknown code":
        assert told > 3, "no code that nobody knows was listed for mapping"
    else:
        assert named > 3, "no field that is needed was noticed"


def wrong_with(system: str, how: str, at: Path_, before: Any, after: Any, gaps: set[str]) -> Iterator[str]:
    """What became of the facts that no field's change may make of them."""
    for path, value in before.items():
        if path in after:
            now = after[path]
            if now == value or path in LISTS or (now is None and path in DECLARED[system] and how in GONE):
                continue
            if how == "of an unknown code" and ("ZZ9" in str(now) or (now is None and at[-1] == "type")):
                continue  # a text that really says so; or the kind by which an item of a list is picked
            yield f"{path} became {now!r}"
        elif how in ("moved", "beside a new one"):
            yield f"{path} was lost"
        elif how in ("retyped", "of an unknown code") and not any(_near(path, gap) for gap in gaps):
            yield f"{path} is gone without a word"


GONE = ("dropped", "renamed")


def _near(path: str, gap: str) -> bool:
    """Whether a gap that was told speaks of this field, or of the group that it is in."""
    one, other = path.split("[")[0].split("."), gap.split("[")[0].split(".")
    return one[: len(other)] == other or other[: len(one)] == one
