"""What a mapping and an interface are to each other as wholes: choices, XML, directions, overlays (G9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.findings import Severity
from mappings import fitting
from mappings.interface import Interface
from mappings.overlay import Place, PlacedRow, Resolved
from tests.pipelines.fitting_site import FittingSite, expect

TEXT = {"type": "string"}
ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.fixture
def site(tmp_path: Path) -> FittingSite:
    return FittingSite(tmp_path)


def test_two_members_of_a_choice(site: FittingSite) -> None:
    site.soap(
        '<xs:sequence><xs:choice><xs:element name="Phone" type="xs:string"/><xs:element name="Email" type="xs:string"/>'
        "</xs:choice></xs:sequence>"
    )
    phone = '- {ours: "person.telecom[system=phone,use=home].value", theirs: Phone}'
    email = '- {ours: "person.telecom[system=email].value", theirs: Email%s}'
    site.mapping(f"{phone}\n{email % ''} #!")
    expect(site, ERROR, "`Email` beside `Phone`")
    site.mapping(f"{phone}\n{email % ', direction: read'}")
    assert site.found() == []
    site.mapping(email % ", direction: read")
    assert [one.found for one in site.found()] == ["no row that writes `Phone` or `Email`"]


def test_xml_of_dates_texts_and_lists(site: FittingSite) -> None:
    site.soap(
        '<xs:sequence><xs:element name="Received" type="t:Local" minOccurs="0"/>'
        '<xs:element name="Born" type="xs:date" minOccurs="0"/><xs:element name="Name" type="xs:string" minOccurs="0" '
        'maxOccurs="3"/><xs:element name="Number" type="xs:long" minOccurs="0"/></xs:sequence>',
        '<xs:simpleType name="Local"><xs:restriction base="xs:dateTime">'
        '<xs:pattern value="[0-9T:-]+"/></xs:restriction></xs:simpleType>',
    )
    site.mapping("""
        - {ours: received_at, theirs: Received, as: time, lossy: the offset} #!
        - {ours: status_changed_at, theirs: Born, as: time, lossy: the offset, direction: read} #!
    """)
    expect(site, ERROR, "as: local-time", "a day")
    site.mapping("- {ours: person.name.family, theirs: Name} #!\n- {ours: citizen_reference, theirs: Number} #!")
    expect(site, WARNING, "which is a list", "a whole number")


def test_a_time_of_which_nobody_says_the_zone(site: FittingSite) -> None:
    site.by_hand({"Received": TEXT})
    site.mapping("- {ours: received_at, theirs: Received, as: local-time, direction: write} #!")
    expect(site, WARNING, "carry no offset", "zone: Europe/London")
    site.mapping("- {ours: received_at, theirs: Received, as: local-time, direction: write, zone: Europe/London}")
    assert site.found() == []


def test_a_row_of_a_direction_that_the_profile_has_not(site: FittingSite) -> None:
    site.by_hand({"Name": TEXT})
    site.mapping("""
        - {ours: person.name.family, theirs: Name}
        - {ours: person.name.title, theirs: Title, direction: read} #!
    """)
    expect(site, WARNING, "nothing is read from it")


def test_an_interface_without_an_end_is_told_at_the_profile(site: FittingSite) -> None:
    types = "".join(
        f'<xs:complexType name="T{level}"><xs:sequence>'
        + "".join(f'<xs:element name="E{place}" type="t:T{level + 1}" minOccurs="0"/>' for place in range(9))
        + "</xs:sequence></xs:complexType>"
        for level in range(7)
    )
    last = '<xs:complexType name="T7"><xs:sequence/></xs:complexType>'
    top = '<xs:sequence><xs:element name="Id" type="xs:string"/><xs:element name="A" type="t:T0"/></xs:sequence>'
    site.soap(top, types + last)
    site.mapping("- {ours: person.name.family, theirs: A/E1}")
    (one,) = site.found()
    assert (one.file, one.line, one.severity) == ("profiles/t.yaml", 3, WARNING)
    assert "grows beyond" in one.found


def test_a_finding_stands_in_the_overlay_that_wrote_the_key(site: FittingSite) -> None:
    site.rest({"last": {"type": "string", "maxLength": 35}})
    site.mapping("- {ours: person.name.family, theirs: last, max_length: 35}")
    site.write(
        "mappings/t/own.yaml", "extends: t/case\nfields:\n  - ours: person.name.family\n    max_length: 70 #!\n"
    )
    expect(site, ERROR, "`max_length: 70`")


def test_a_choice_that_the_head_names_may_be_written_by_several_rows() -> None:
    schema = {"type": "object", "properties": {"A": TEXT, "B": TEXT}, "x-choices": [{"min": 0, "of": [["A"], ["B"]]}]}
    place = Place("f", ("fields", 0))
    rows = [
        PlacedRow({"ours": ours, "theirs": theirs}, {}, place)
        for ours, theirs in (("reason.text", "A"), ("reason.code", "B"))
    ]
    interface = Interface("t", "Case", "i", schema, schema)

    def kinds(head: dict[str, Any]) -> list[str]:
        resolved = Resolved(head={"system": "t", "record": "Case", **head}, rows=rows)
        return [one.kind for one in fitting.check(resolved, interface, lambda _: pytest.fail("no list"), "UTC")]

    assert kinds({}) == ["two of a choice"]
    assert kinds({"choices": [["A", "B"]]}) == []


def test_a_row_with_several_paths_is_looked_at_path_by_path() -> None:
    schema = {"type": "object", "properties": {"Day": TEXT, "Time": TEXT}}
    keys = {"ours": "received_at", "theirs": ["Day", "Tmie"], "as": "date-and-time"}
    row = PlacedRow(keys, {}, Place("f", ("fields", 0)))
    resolved = Resolved(head={"system": "t", "record": "Case"}, rows=[row])
    interface = Interface("t", "Case", "i", schema, schema)
    (one,) = fitting.check(resolved, interface, lambda _: pytest.fail("no list"), "UTC")
    assert (one.kind, one.file, one.path) == ("unknown path", "f", ("fields", 0))
    assert "`Time`" in one.remedy
