"""Documents handed over by SOAP: one operation, the file in Base64 in one element, looked for by our key."""

from __future__ import annotations

import base64
import copy
import io
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.documents import DOCUMENT, Document, offered
from connectors.errors import Misconfigured, NotThere, Unknown
from connectors.port import Tier
from connectors.problems import ProfileFaults
from connectors.registry import check_profile, open_connector
from sandbox import secrets
from sandbox.world import World
from tests.connectors.conftest import Council
from tests.connectors.soap.conftest import KIND

PDF = b"%PDF-1.7 \xc5\xb5"


def letter(body: bytes = PDF, name: str = "llythyr <ŵ> & 'a'.pdf") -> Document:
    return Document(name, "application/pdf", len(body), lambda: io.BytesIO(body))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    """A sandbox of these tests' own, whose inside may be looked at."""
    made = World(tmp_path_factory.mktemp("papers"), tenants=["torfaen"])
    server = made.server()
    server.start()
    yield made, server.url
    server.stop()
    made.close()


@pytest.fixture
def council(world: tuple[World, str]) -> Council:
    """Its one council."""
    return Council("torfaen", world[1], secrets.everything(["torfaen"])["torfaen"])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 100_001])
def test_a_document_is_filed_with_its_referral(
    connect: Any, world: Any, port: str, new: dict[str, Any], size: int
) -> None:
    casework = connect(port)
    assert (casework.tier(DOCUMENT), offered(casework)) == (Tier.SEARCHABLE, {"create", "find"})
    made = casework.deliver(KIND, new, key="k")
    assert casework.find_document(KIND, made.id, "k-1") == ""
    body = b"\x00\xff" * (size // 2) + b"x" * (size % 2)
    filed = casework.add(KIND, made.id, letter(body), key="k-1")
    (there,) = world[0].systems["casework"].documents("torfaen", made.id)
    assert (there["DocumentId"], there["ClientReference"], there["MediaType"]) == (filed.id, "k-1", "application/pdf")
    assert there["FileName"] == "llythyr <ŵ> & 'a'.pdf"
    assert base64.b64decode(there["Content"], validate=True) == body
    assert casework.find_document(KIND, made.id, "k-1") == filed.id
    assert casework.find_document(KIND, made.id, "k-2") == ""


def test_one_whose_answer_was_lost_is_found_by_our_key(connect: Any, council: Any, new: dict[str, Any]) -> None:
    casework = connect()
    made = casework.deliver(KIND, new, key="k")
    council.faults("casework", reset_after={"operations": ["AddDocument"], "times": 1})
    with pytest.raises(Unknown):
        casework.add(KIND, made.id, letter(), key="k-1")
    assert casework.find_document(KIND, made.id, "k-1") != ""


def test_a_referral_that_is_gone(connect: Any) -> None:
    casework = connect()
    with pytest.raises(NotThere):
        casework.add(KIND, "R9999999", letter(), key="k-1")
    assert casework.find_document(KIND, "R9999999", "k-1") == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [({"operation": "FileDocument"}, "no operation FileDocument"),
     ({"data": "Document/Bytes"}, "no element Document/Bytes"),
     ({"data": "Document"}, "takes no Base64"), ({"our_key": "Document/Key"}, "no element Document/Key"),
     ({"number": "Number"}, "no element Number"), ({"send": {"User": "dolen"}}, "no element User")],
)  # fmt: skip
def test_what_the_pinned_interface_does_not_have_is_refused(
    shipped: Any, interfaces: Any, clock: Any, change: dict[str, Any], words: str
) -> None:
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["documents"]["add"] |= change
    with pytest.raises(Misconfigured, match=words):
        open_connector(profile, {"url": "http://127.0.0.1:9/"}, interfaces=interfaces, clock=clock, secret=str)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"our_key": None}, "find needs add.our_key"), ({"our_key": None, "keeps_key": True}, "keeps_key needs our_key"),
     ({"name": "Document/Content"}, "named twice")],
)  # fmt: skip
def test_a_section_that_does_not_agree_is_refused(shipped: Any, change: dict[str, Any], words: str) -> None:
    profile = copy.deepcopy(shipped("casework"))
    profile["records"][KIND]["documents"]["add"] |= change
    with pytest.raises(ProfileFaults, match=words):
        check_profile(profile)


@pytest.mark.parametrize(("change", "tier"), [({"keeps_key": True}, Tier.KEEPS_KEY), ({}, Tier.NEITHER)])
def test_the_tier_is_what_the_profile_says(
    shipped: Any, interfaces: Any, clock: Any, change: dict[str, Any], tier: Tier
) -> None:
    profile = copy.deepcopy(shipped("casework"))
    told = profile["records"][KIND]["documents"]
    told["add"] |= change
    del told["find"]
    connector: Any = open_connector(
        profile, {"url": "http://127.0.0.1:9/"}, interfaces=interfaces, clock=clock, secret=str
    )
    assert (connector.tier(DOCUMENT), offered(connector)) == (tier, {"create"})
    with pytest.raises(NotImplementedError):
        connector.find_document(KIND, "R1", "k")
    connector.close()


