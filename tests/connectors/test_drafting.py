"""Whatever a file holds, a draft or one clear sentence comes of it: interfaces with lines lost, doubled and emptied."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest
from ruamel.yaml import YAML

from connectors.drafting import Draft, NoDraft, draft_of
from connectors.drafts import LIKELY, the_id
from connectors.errors import Misconfigured
from connectors.problems import ProfileFaults
from connectors.registry import check_profile

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs/connect-a-system"
FILES = {
    "cynefin.wsdl": (TUTORIAL / "cynefin.wsdl").read_bytes(),
    "cynefin-types.xsd": (TUTORIAL / "cynefin-types.xsd").read_bytes(),
    "contact.openapi.yaml": (ROOT / "connectors/interfaces/contact.openapi.yaml").read_bytes(),
    "schema.json": json.dumps({
        "$schema": "x", "type": "object", "properties": {
            "surname": {"type": ["string", "null"]}, "home": {"$ref": "#/$defs/Home"}, "needs": {"type": "array",
             "items": {"type": "object", "properties": {"code": {"enum": ["meals", "memory"]}}}}},
        "$defs": {"Home": {"type": "object", "properties": {"postcode": {"type": "string"}}}},
    }, indent=1).encode(),
}  # fmt: skip


def drafted(name: str, files: dict[str, bytes]) -> Draft | None:
    """The draft of a file; None if it was refused in one line."""

    def read(asked: str) -> bytes:
        return files[asked]

    try:
        return draft_of("damaged", [name], read)
    except (NoDraft, Misconfigured) as fault:
        words = getattr(fault, "reason", "") or str(fault)
        assert words
        assert "\n" not in words
        return None


def damaged(body: bytes, chance: Random) -> bytes:
    """A file with a few lines lost, doubled, exchanged or emptied of their values."""
    lines = body.split(b"\n")
    for _ in range(chance.randrange(1, 5)):
        at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
        match chance.randrange(4):
            case 0:
                lines[at] = b""
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                head, colon, _ = lines[at].partition(b": ")
                lines[at] = head + colon + chance.choice((b"null", b"[]", b"7", b"{}", b"text"))
    return b"\n".join(lines)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_gives_a_draft_or_a_sentence(name: str) -> None:
    begun = name if name != "cynefin-types.xsd" else "cynefin.wsdl"
    chance, made = Random(name), 0
    for _ in range(25 if "yaml" in name else 60):
        made += drafted(begun, {**FILES, name: damaged(FILES[name], chance)}) is not None
    assert made  # damage that stops everything would show nothing


@pytest.mark.parametrize("name", ["cynefin.wsdl", "contact.openapi.yaml"])
def test_what_is_drafted_of_a_damaged_file_is_a_profile_that_lacks_no_more_than_an_id(name: str) -> None:
    chance = Random(f"profile {name}")
    for _ in range(12):
        found = drafted(name, {**FILES, name: damaged(FILES[name], chance)})
        if found is None:
            continue
        try:
            check_profile(YAML(typ="safe", pure=True).load(found.profile))
        except ProfileFaults as faults:
            assert {problem.path[2:] for problem in faults.problems} <= {("item",), ("item", "id")}


def told(change: dict[str, str], **asked: list[str]) -> Draft:
    """The draft of the tutorial's WSDL with some of its words changed."""
    files = {name: FILES[name].decode() for name in ("cynefin.wsdl", "cynefin-types.xsd")}
    for old, new in change.items():
        files = {name: text.replace(old, new) for name, text in files.items()}
    return draft_of("told", ["cynefin.wsdl"], lambda name: files[name].encode(), **asked)


def test_a_record_that_stands_in_lists_alone_is_drafted_with_nothing_that_could_read_it() -> None:
    lists = {'"ModifiedAfter" type="xs:dateTime"': '"ModifiedAfter" type="xs:string"'}
    made = told(lists, operations=["GetCasesModifiedSince"])
    assert [kind.name for kind in made.kinds] == ["ServiceCase"]
    assert "Surname" in str(made.kinds[0].read)
    for use in ("changes", "fetch", "create", "update", "find"):
        assert f"\n    # {use}: " in made.profile
        assert f"\n    {use}:" not in made.profile


def test_a_record_s_own_id_comes_before_that_of_a_group_in_it() -> None:
    number = {"type": "string"}
    inner = {"type": "object", "properties": {"Id": number}}
    record = {"type": "object", "properties": {"Address": inner, "Id": number}}
    assert the_id("Client", record) == ("Id", LIKELY)
    assert the_id("Client", {"type": "object", "properties": {"Address": inner}}) == ("Address/Id", LIKELY)


def test_the_id_of_what_was_made_may_be_named_after_the_record() -> None:
    answer = '<xs:element name="{}" type="xs:string"/>\n          <xs:element name="RowVersion"'
    made = told({'"CaseNumber"': '"Id"', answer.format("Id"): answer.format("ServiceCaseId")})
    assert "reply: {id: ServiceCaseId, " in made.profile


def test_faults_that_nobody_could_guess_stand_under_a_word_that_says_what_they_are() -> None:
    made = told({"BusinessRuleFault": "FaultA", "ConcurrencyFault": "FaultB", "CaseNotFound": "FaultC"})
    listed = re.search(r"\n    # errors: .*" + r"\n      # (Fault.): .*" * 3, made.profile)
    assert listed is not None
    assert sorted(listed.groups()) == ["FaultA", "FaultB", "FaultC"]
