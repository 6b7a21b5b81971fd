"""A mapping compiled again from its kept artifacts alone is the same mapping, or it is refused in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mappings import golden
from mappings.codes import parse
from mappings.compile import FORMAT, compile_mapping
from mappings.kept import RUNS_AS_WRITTEN, CannotRun, compile_kept
from mappings.mapping import Mapping as FieldMapping
from mappings.mapping import canonical

ROOT = Path(__file__).parents[2]
#: As the first format was written: rows, a code list, and what they made of one record.
FIRST = ROOT / "tests/mappings/kept-format-1.json"


def kept_of(mapping: FieldMapping) -> dict[str, bytes]:
    return {digest: body for digest, (_, body) in mapping.artifacts.items()}


def again(digest: str, kept: Mapping[str, bytes]) -> FieldMapping:
    return compile_kept(digest, kept.__getitem__)


@pytest.fixture(params=["casework/referral", "contact/request", "by-hand/referral", "blaenau-gwent/referral"])
def shipped(request: pytest.FixtureRequest, example: Any) -> FieldMapping:
    mapping: FieldMapping = example.mapping(request.param, "Europe/London")
    return mapping


@pytest.fixture(scope="module")
def example() -> Any:
    from pipelines import composition
    from pipelines.library import Library

    return Library(composition.load(ROOT / "config/example").layers)


def test_what_is_kept_makes_the_same_mapping(shipped: FieldMapping) -> None:
    """Every shipped mapping, and an overlay: the same digest, rows and answers to all of its golden pairs."""
    found = again(shipped.digest, kept_of(shipped))
    assert found.digest == shipped.digest
    assert found.artifacts == shipped.artifacts
    assert [(row.ours, row.theirs, row.direction) for row in found.rows] == [
        (row.ours, row.theirs, row.direction) for row in shipped.rows
    ]
    folders = [ROOT / "mappings/shipped", ROOT / "config/example/mappings"]
    files = [path for folder in folders for path in folder.glob(golden.pattern(shipped.name))]
    pairs = {path.name: golden.load(path.read_bytes(), path.name) for path in files}
    assert pairs
    assert golden.run(found, pairs) == golden.run(shipped, pairs) == []


def test_an_artifact_of_the_first_format_gives_the_answers_that_it_gave() -> None:
    """If this fails because FORMAT was raised: see `RUNS_AS_WRITTEN`."""
    data = json.loads(FIRST.read_text(encoding="utf-8"))
    bodies = {digest: body.encode() for digest, body in data["artifacts"].items()}
    found = again(data["digest"], bodies)
    assert found.digest == data["digest"]
    reading = found.read(data["record"])
    assert json.loads(json.dumps(reading.facts)) == data["facts"]
    assert found.write(data["facts"]).record == data["written"]


def test_this_program_runs_what_it_writes() -> None:
    assert FORMAT in RUNS_AS_WRITTEN


def made() -> FieldMapping:
    data = {
        "system": "s",
        "record": "R",
        "fields": [{"ours": "status", "theirs": "S", "codes": "st"}, {"ours": "outcome_reason", "theirs": "N"}],
    }
    lists = {"st": parse("theirs,ours\nN,received\n", "st")}
    return compile_mapping("mine", lambda _: (data, "mine.yaml"), lists.__getitem__, "Europe/London")


def altered(mapping: FieldMapping, **keys: Any) -> tuple[str, dict[str, bytes]]:
    body = canonical(json.loads(mapping.artifacts[mapping.digest][1]) | keys)
    digest = sha256(body).hexdigest()
    return digest, kept_of(mapping) | {digest: body}


@pytest.mark.parametrize(("format", "whose"), [(0, "an older"), (99, "a newer"), ("x", "a newer")])
def test_a_format_that_cannot_be_run_as_written_is_refused(format: Any, whose: str) -> None:
    digest, kept = altered(made(), format=format)
    with pytest.raises(CannotRun, match=f"format {format} by {whose} Dolen.*use today's mapping"):
        again(digest, kept)


def test_what_was_changed_or_is_gone_is_not_used() -> None:
    mapping = made()
    kept = kept_of(mapping)
    with pytest.raises(CannotRun, match="was changed since"):
        again(mapping.digest, kept | {mapping.digest: kept[mapping.digest] + b" "})
    (codes,) = kept.keys() - {mapping.digest}
    with pytest.raises(CannotRun, match=f"nothing is kept under {codes[:12]}"):
        again(mapping.digest, {mapping.digest: kept[mapping.digest]})
    with pytest.raises(CannotRun, match="was changed since"):
        again(mapping.digest, kept | {codes: b"theirs,ours\nN,accepted\n"})


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"theirs,ours\nN,received\n", b'{"format":1}', b"\xff"])
def test_what_is_no_mapping_is_refused(body: bytes) -> None:
    digest = sha256(body).hexdigest()
    with pytest.raises(CannotRun, match="is no mapping"):
        again(digest, {digest: body})


def test_rows_that_are_not_taken_any_more_are_told() -> None:
    digest, kept = altered(made(), rows=[{"ours": "no.such.field", "theirs": "S"}])
    with pytest.raises(CannotRun, match="does not take its rows any more: mine as kept under"):
        again(digest, kept)
