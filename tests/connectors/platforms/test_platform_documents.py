"""Documents handed over to platforms: as a record with the file in Base64 in one of its fields, sent piece by piece."""

from __future__ import annotations

import base64
import copy
import io
import json
from typing import Any

import pytest

from connectors.documents import DOCUMENT, Document
from connectors.errors import Rejected
from connectors.port import Tier
from connectors.problems import ProfileFaults
from connectors.registry import check_profile
from connectors.rest.documents import _record
from tests.connectors.platforms.test_dataverse import NEW as ROW
from tests.connectors.platforms.test_salesforce import NEW as RECORD

NEW = {"dataverse": ROW, "salesforce": RECORD}


class Drips(io.BytesIO):
    """A file that gives a few bytes more or less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 7, 1000) if size and size > 0 else size)


def letter(body: bytes, name: str = "llythyr {mime} \"a\".pdf") -> Document:
    return Document(name, "application/pdf", len(body), lambda: Drips(body))


@pytest.mark.parametrize("system", ["dataverse", "salesforce"])
@pytest.mark.parametrize("size", [1, 2, 3, 100_001])
def test_a_document_is_filed_with_its_record(own: Any, opened: Any, system: str, size: int) -> None:
    connector = opened(system)
    assert "create" in connector.offers(DOCUMENT)
    made = connector.deliver("Referral", NEW[system], key="k")
    connector.add("Referral", made.id, letter(b"%PDF-" * size), key="k-1")
    (filed,) = own.world.systems[system].files("torfaen", made.id)
    assert filed.body["size"] == 5 * size
    name = filed.body["filename" if system == "dataverse" else "PathOnClient"]
    assert name == 'llythyr {mime} "a".pdf', "a name is no place to fill in"
    if system == "dataverse":
        assert connector.tier(DOCUMENT) is Tier.SEARCHABLE
        assert connector.find_document("Referral", made.id, "k-1") == filed.id
        assert connector.find_document("Referral", made.id, "k-2") == ""
    else:
        assert connector.tier(DOCUMENT) is Tier.NEITHER
    with pytest.raises(Rejected):
        connector.add("Referral", "00000000-0000-0000-0000-000000000000", letter(b"%PDF-"), key="k-3")


def test_what_is_sent_is_the_file_and_its_length_is_told_before(shipped: Any) -> None:
    told = check_profile(shipped("salesforce")).records["Referral"].documents.add  # type: ignore[attr-defined]
    body = bytes(range(256)) * 4_001
    headers, made = _record(told, letter(body), {"{id}": "R1", "{our_key}": "k"})
    pieces, reader = [], made()
    while piece := reader.read(1 << 16):
        pieces.append(piece)
    assert max(map(len, pieces)) < 100_000, "never whole in memory"
    sent = b"".join(pieces)
    assert int(headers["Content-Length"]) == len(sent)
    assert base64.b64decode(json.loads(sent)["VersionData"]) == body


@pytest.mark.parametrize(
    ("change", "words"),
    [({"data": None}, "sent_as: json and data together"), ({"sent_as": "raw"}, "sent_as: json and data together"),
     ({"fields": {"VersionData": "x", "a": "{id}"}}, "takes the file"), ({"fields": {}}, "write {id}"),
     ({"keeps_key": True}, "a place for our key")],
)  # fmt: skip
def test_a_profile_whose_parts_do_not_agree_is_refused(shipped: Any, change: dict[str, Any], words: str) -> None:
    profile = copy.deepcopy(shipped("salesforce"))
    profile["records"]["Referral"]["documents"]["add"] |= change
    with pytest.raises(ProfileFaults, match=words):
        check_profile(profile)
