"""Whatever a file holds, a draft or one clear sentence comes of it: interfaces with lines lost, doubled and emptied."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from ruamel.yaml import YAML

from connectors.drafting import Draft, NoDraft, draft_of
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
