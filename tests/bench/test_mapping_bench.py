"""`dolen bench mapping`, run small: what it prints, that all contenders agree, and what it does without one of them."""

from __future__ import annotations

import json
import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest

from console.bench import byhand, engines
from console.bench import mapping as bench

VERBS = ("read", "write")
OTHERS = ("hand-written", "jmespath", "glom", "jsonata")
KEYS = {"name", "ours", "against", "theirs", "ratio", "unit", "runs"}


def record() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((bench.HERE / "record.json").read_bytes())
    return found


def values(part: Any) -> int:
    """How many values there are; a list of texts counts as one."""
    if isinstance(part, dict):
        return sum(map(values, part.values()))
    return sum(map(values, part)) if isinstance(part, list) and isinstance(part[0], dict) else 1


def test_it_prints_what_benches_print() -> None:
    command = [sys.executable, "-m", "console", "bench", "mapping", "--json", "--runs", "1", "--seconds", "0.001"]
    result = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    assert result["bench"] == "mapping"
    names = [one["name"] for one in result["results"]]
    assert names == [f"{verb} against {other}" for verb in VERBS for other in OTHERS]
    assert all(set(one) == KEYS and one["ratio"] > 0 for one in result["results"])
    assert set(result["machine"]) == {"cores", "python", "platform"}


def test_the_record_is_what_the_page_says() -> None:
    sizes = len(json.dumps(record(), ensure_ascii=False).encode()), values(record())
    assert sizes[0] == pytest.approx(2000, rel=0.1)
    # Not read, because they are the connector's business: id, version, changed_at. The types only pick a contact.
    assert sizes[1] - 3 - len(record()["customer"]["contacts"]) == 60


def test_everybody_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = bench.contest()
    assert [other.name for other in found.others] == list(OTHERS)
    monkeypatch.setattr(byhand, "postcode", byhand.text)
    with pytest.raises(bench.Disagreed, match="hand-written Python reads another referral"):
        bench.contest()
    monkeypatch.undo()
    monkeypatch.setattr(byhand, "stamp", lambda value: value[:10] if value else None)
    with pytest.raises(bench.Disagreed, match="hand-written Python writes another record"):
        bench.contest()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("status",), "nowhere"),
        (("customer", "gender"), 1),
        (("customer", "title"), {"en": "Mr", "cy": "Mr"}),
        (("customer", "date_of_birth"), "1938-02-30"),
        (("due_at",), "soon"),
        (("flags", "restricted"), "maybe"),
        (("needs", 0, "code"), "none such"),
    ],
)
def test_what_is_written_by_hand_checks_what_the_mapping_checks(place: tuple[str | int, ...], value: Any) -> None:
    wrong: Any = deepcopy(record())
    at = wrong
    for step in place[:-1]:
        at = at[step]
    at[place[-1]] = value
    library = bench.library()
    reading = library.mapping(bench.MAPPING, bench.ZONE).read(wrong)
    assert [*reading.stopped, *reading.left_out]
    with pytest.raises(ValueError):  # what Python says of a wrong day is one too
        byhand.read(wrong, bench.GIVEN, bench.code_lists(library)[0])


def test_an_engine_that_is_not_there_is_left_out_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    without = tuple(
        one._replace(module="no_such_module") if one.name == "glom" else one for one in engines.ENGINES
    )
    monkeypatch.setattr(bench, "ENGINES", without)
    result = bench.mapping(1, 0.001)
    assert not any("glom" in one["name"] for one in result["results"])
    assert len(result["results"]) == 6
    (note,) = result["notes"]
    assert note.startswith("Left out, as glom is not installed")
    assert "pip install" in note
