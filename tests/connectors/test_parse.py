"""A record's own bytes, kept for weeks, are read again without asking the system for anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors import registry
from connectors.errors import Misconfigured
from connectors.port import Connector, Item, UnreadableItem

NOWHERE = "http://127.0.0.1:9"
LOGINS: dict[str, dict[str, Any]] = {
    "casework": {"url": NOWHERE, "login": {"ws_security": {"username": "dolen", "password": "env:X"}}},
    "contact": {"url": NOWHERE},
    "notify": {
        "url": NOWHERE,
        "login": {"notify": {"api_key": "env:KEY"}},
    },
    "by-hand": {},
}
SUBJECT = (
    "<Subject><Forename>Siân</Forename><Surname>Jones</Surname><DOB>1941-02-03</DOB>"
    "<Gender>2</Gender><PreferredLanguage>W</PreferredLanguage></Subject>"
)
REFERRAL = (
    '<Referral xmlns="urn:example:casework:2"><ReferralId>R1</ReferralId><Version>3</Version>'
    "<LastChanged>2026-03-02T09:30:00</LastChanged><Received>2026-03-02T09:30:00</Received><Kind>REF</Kind>"
    f"<Status>NEW</Status><Priority>P2</Priority>{SUBJECT}<Safeguarding>false</Safeguarding>"
    "<Restricted>false</Restricted></Referral>"
)


@pytest.fixture
def opened(
    shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Callable[[str], Connector]]:
    """Opens a connector to nowhere: whatever asked the system for anything would fail."""
    made: list[Connector] = []
    key = "k-" + "-".join(["11111111-2222-3333-4444-555555555555"] * 2)

    def open_one(name: str) -> Connector:
        made.append(
            registry.open_connector(
                shipped(name), LOGINS[name], interfaces=interfaces, clock=clock, secret=lambda _: key
            )
        )
        return made[-1]

    yield open_one
    for one in made:
        one.close()


def test_xml_comes_back_as_the_item_that_it_was(opened: Callable[[str], Connector]) -> None:
    item = opened("casework").parse("Referral", REFERRAL.encode(), id="R1")
    assert isinstance(item, Item)
    assert (item.id, item.version, item.raw) == ("R1", "3", REFERRAL.encode())
    assert item.record["Subject"]["Forename"] == "Siân"
    assert item.modified is not None
    assert item.modified.isoformat() == "2026-03-02T09:30:00+00:00"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (REFERRAL.replace("1941-02-03", "3 Feb 1941"), "Subject/DOB is not a valid"),
        (REFERRAL.replace("<Priority>P2</Priority>", ""), "Priority"),
        (REFERRAL[:-5], "not well-formed"),
    ],
)
def test_xml_that_is_not_as_the_interface_says_stays_unreadable(
    opened: Callable[[str], Connector], raw: str, words: str
) -> None:
    item = opened("casework").parse("Referral", raw.encode(), id="R1")
    assert isinstance(item, UnreadableItem)
    assert words in item.reason
    assert (item.id, item.raw) == ("R1", raw.encode())
    assert "3 Feb" not in item.reason


def test_json_comes_back_too(opened: Callable[[str], Connector]) -> None:
    contact = opened("contact")
    broken = contact.parse("Request", b'{"id": "C-000001"', id="C-000001")
    assert isinstance(broken, UnreadableItem)
    assert "not valid JSON" in broken.reason
    wrong = contact.parse("Request", b'{"id": "C-000001"}', id="C-000001")
    assert isinstance(wrong, UnreadableItem)
    assert (wrong.id, wrong.raw) == ("C-000001", b'{"id": "C-000001"}')


@pytest.mark.parametrize(("name", "kind"), [("notify", "Text"), ("by-hand", "Referral")])
def test_what_is_no_source_says_so(opened: Callable[[str], Connector], name: str, kind: str) -> None:
    with pytest.raises(Misconfigured):
        opened(name).parse(kind, b"{}", id="1")
