"""Records cut out of a page and read by a pattern are those that the tree gives, whatever the page looks like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from connectors import xml
from connectors.errors import PageUnreadable
from connectors.registry import open_connector
from connectors.soap.connector import SoapConnector
from connectors.soap.items import Items
from connectors.soap.times import moment

SPACE = "urn:example:casework:2"
OPTIONAL = ("Reason", "StatusReason", "Team", "OfficerNotes", "SourceReference", "TransportNeeds")
TEXTS = st.text(
    st.sampled_from("aŵ &<>\"'\n\t\r]�😀") | st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12
)

CODES = st.sampled_from([' code="N01"', " code='N02'", ' code="N&#49;"'])


@pytest.fixture(scope="module")
def connector(shipped: Callable[[str], Any], interfaces: Any, clock: Any) -> Iterator[SoapConnector]:
    login = {"ws_security": {"username": "dolen", "password": "env:X"}}
    told = {"url": "http://127.0.0.1:9", "login": login}
    made = open_connector(shipped("casework"), told, interfaces=interfaces, clock=clock, secret=lambda _: "x")
    assert isinstance(made, SoapConnector)
    yield made
    made.close()


def escaped(text: str, how: int) -> str:
    """A text as XML may write it."""
    if how == 1 and "]]>" not in text and "\r" not in text:
        return f"<![CDATA[{text}]]>"
    if how == 2:
        return "".join(f"&#{ord(sign)};" for sign in text)
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace("\r", "&#xD;")
    return plain.replace("]]>", "]]&gt;") if how == 3 else plain.replace(">", "&gt;")


@st.composite
def pages(draw: st.DrawFn) -> bytes:
    """A page of casework's records: prefixes, spaces, spellings, what nobody knows and what is not valid."""
    prefix = draw(st.sampled_from(["", "", "cw:"]))
    space = draw(st.sampled_from(["", "", "\n  "]))

    def leaf(name: str, text: str, how: int = 0, attributes: str = "") -> str:
        if not text and how == 3:
            return f"{space}<{prefix}{name}{attributes}/>"
        return f"{space}<{prefix}{name}{attributes}>{escaped(text, how)}</{prefix}{name}>"

    def record(number: int) -> str:
        how = st.integers(0, 3)
        given = {name: leaf(name, draw(TEXTS), draw(how)) for name in OPTIONAL if draw(st.booleans())}
        needs = "".join(
            leaf("Need", draw(TEXTS), draw(how), draw(CODES))
            for _ in range(draw(st.integers(0, 3)))
        )
        names = "".join(leaf("Forename", draw(TEXTS) or "S", draw(how)) for _ in range(draw(st.integers(1, 3))))
        odd = draw(st.sampled_from(["", "", "", "", "<cw:Newer xmlns:cw='urn:example:casework:2'>1</cw:Newer>",
                                    "<x:Odd xmlns:x='urn:x' a='1'>t</x:Odd>", "<!-- said -->", "<?pi?>"]))  # fmt: skip
        nil = " xsi:nil='true'" if draw(st.integers(0, 9)) == 0 else ""
        lines = "".join(leaf("Line", draw(TEXTS), draw(how)) for _ in range(draw(st.integers(0, 2))))
        address = f"{space}<{prefix}Address>{lines}{space}</{prefix}Address>" if draw(st.booleans()) else ""
        subject = names + leaf("Surname", "Ŷ", draw(how)) + leaf("DOB", "0001-01-01") + leaf("Gender", "2")
        subject += address + leaf("PreferredLanguage", "W")
        inner = leaf("ReferralId", f"R{number}") + leaf("Version", draw(st.sampled_from(["1", "2", "one"])))
        inner += leaf("LastChanged", "2026-03-02T09:30:00") + given.get("SourceReference", "")
        inner += leaf("Received", "2026-03-02T09:30:00") + leaf("Kind", "REF") + leaf("Status", "NEW")
        inner += given.get("StatusReason", "") + leaf("Priority", "P2") + odd
        inner += leaf("Reason", "", 3, nil) if nil else given.get("Reason", "")
        inner += given.get("Team", "") + f"{space}<{prefix}Subject>{subject}{space}</{prefix}Subject>"
        inner += f"{space}<{prefix}Needs>{needs}</{prefix}Needs>" if draw(st.booleans()) else ""
        inner += leaf("Safeguarding", draw(st.sampled_from(["true", "0", " false "]))) + leaf("Restricted", "false")
        inner += given.get("OfficerNotes", "") + given.get("TransportNeeds", "")
        own = draw(st.sampled_from(["", "", "", f' xmlns:own="{SPACE}"', ' a="1"' if draw(st.booleans()) else ""]))
        return f"{space}<{prefix}Referral{own}>{inner}{space}</{prefix}Referral>"

    records = "".join(record(number) for number in range(draw(st.integers(0, 4))))
    declared = f'xmlns:cw="{SPACE}"' if prefix else f'xmlns="{SPACE}"'
    encoding = draw(st.sampled_from(["UTF-8", "utf-8", "UTF-16"]))
    return (
        f'<?xml version="1.0" encoding="{encoding}"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:xsi="{xml.XSI}"><s:Body><{prefix}FindReferralsResponse {declared}>{records}'
        f"{leaf('MorePages', 'false')}</{prefix}FindReferralsResponse></s:Body></s:Envelope>"
    ).encode(encoding)


def shown(items: Items, page: bytes) -> Any:
    """What a page gives, each time from a tree of its own."""
    answer = xml.parse(page, max_bytes=10_000_000)[0][0]
    try:
        return items.of_page(answer, "Referral[]", page)
    except PageUnreadable as fault:
        return fault.reason


@given(page=pages())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_pattern_reads_what_the_tree_gives(connector: SoapConnector, page: bytes) -> None:
    swift = connector._items["Referral"]
    slow = Items(swift._paths, ZoneInfo("Europe/London"), swift._validity, swift._namespaces, None)
    try:
        etree.fromstring(page)
    except etree.XMLSyntaxError:
        return
    assert shown(swift, page) == shown(slow, page)


def test_an_ordinary_page_is_read_by_the_pattern(connector: SoapConnector) -> None:
    text = (
        f'<a xmlns="{SPACE}"><Referral><ReferralId>R1</ReferralId><Received>2026-03-02T09:30:00</Received>'
        "<Subject><Forename>Siân</Forename><Forename>Mair</Forename><Surname>Ŷ</Surname></Subject><Needs><Need "
        'code="N01">x</Need></Needs></Referral></a>'
    )
    swift = connector._items["Referral"]._swift
    assert swift is not None
    found = [etree.fromstring(text.encode())[0]]
    (cut,) = swift.slices(text.encode(), found)
    assert cut == xml.canonical(found[0])
    assert swift.read(cut) == xml.record_of(found[0], frozenset({SPACE}))
    for wrong in (text.replace("Siân", "Siân &amp; Mair"), text.replace("<Surname>Ŷ</Surname>", "<Surname/>")):
        (cut,) = swift.slices(wrong.encode(), found)
        assert not cut or swift.read(cut) is None


@pytest.mark.parametrize("zone", ["Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Africa/Monrovia"])
def test_a_stamp_is_read_as_both_of_its_meanings_would_be(zone: str) -> None:
    at, place = datetime.fromisoformat("2026-03-28T20:00"), ZoneInfo(zone)
    for _ in range(260 * 4):
        at += timedelta(minutes=17)
        readings = [at.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1)]
        assert moment(at.isoformat(), place) == min(readings)
        if at.day == 30 and at.month == 3:
            at = datetime.fromisoformat("2026-10-24T20:00")
    assert moment("9999-12-31T23:59:59", ZoneInfo("UTC")) is not None
