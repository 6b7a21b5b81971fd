"""Each kind of thing in which a mapping and its system's interface do not fit, found in its own line (G9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from config.findings import Severity
from tests.pipelines.fitting_site import FittingSite, expect

TEXT = {"type": "string"}
LIST = {"type": "array", "items": TEXT}
DATE = {"type": "string", "format": "date"}
MOMENT = {"type": "string", "format": "date-time"}
WORDS = {"enum": ["M", "F", "O", "U"]}
CONTACTS = {
    "type": "array",
    "items": {"type": "object", "properties": {"type": {"enum": ["phone", "mobile"]}, "value": TEXT}},
}
ERROR, WARNING = Severity.ERROR, Severity.WARNING


@pytest.fixture
def site(tmp_path: Path) -> FittingSite:
    return FittingSite(tmp_path)


JSON: dict[str, tuple[dict[str, Any], str, Severity, tuple[str, ...]]] = {
    "unknown path": (
        {"customer": {"type": "object", "properties": {"last_name": TEXT}}},
        "- {ours: person.name.family, theirs: customer/lastname} #!",
        ERROR,
        ("did you mean `customer/last_name`",),
    ),
    "unknown key of a filter": (
        {"contacts": CONTACTS},
        '- {ours: "person.telecom[system=email].value", theirs: "contacts[tpye=phone]/value", lead: true} #!',
        ERROR,
        ("tpye", "did you mean `type`"),
    ),
    "a filter by a word that never comes": (
        {"contacts": CONTACTS},
        '- {ours: "person.telecom[system=email].value", theirs: "contacts[type=email]/value", lead: true} #!',
        ERROR,
        ("phone, mobile",),
    ),
    "a filter on one thing": (
        {"contact": CONTACTS["items"]},
        '- {ours: "person.telecom[system=email].value", theirs: "contact[type=phone]/value", lead: true} #!',
        ERROR,
        ("take the filter out",),
    ),
    "through a list": (
        {"contacts": CONTACTS},
        '- {ours: "person.telecom[system=email].value", theirs: contacts/value} #!',
        ERROR,
        ("goes through the list `contacts`",),
    ),
    "a list onto one thing": (
        {"first": TEXT}, "- {ours: person.name.given, theirs: first} #!", ERROR, ("stands there once",),
    ),
    "one thing onto a list": (
        {"last": LIST}, "- {ours: person.name.family, theirs: last} #!", ERROR, ("which is a list",),
    ),
    "a day onto a moment": (
        {"visit": MOMENT},
        '- {ours: "appointments[kind=visit].start", theirs: visit, as: date, lossy: the time} #!',
        ERROR,
        ("a date and time", "as: time"),
    ),
    "a moment onto a day": (
        {"received": DATE},
        "- {ours: received_at, theirs: received, as: time, lossy: the offset} #!",
        ERROR,
        ("a day",),
    ),
    "a month may be known alone": (
        {"born": DATE},
        "- {ours: person.date_of_birth, theirs: born, as: partial-date} #!",
        WARNING,
        ("always writes",),
    ),
    "text onto yes or no": (
        {"flag": {"type": "boolean"}}, "- {ours: person.name.family, theirs: flag} #!", ERROR, ("boolean",),
    ),
    "text onto a number": (
        {"number": {"type": "integer"}},
        "- {ours: citizen_reference, theirs: number} #!",
        ERROR,
        ("as: number-as-text",),
    ),
    "a value onto a group": (
        {"customer": {"type": "object", "properties": {"name": TEXT}}},
        "- {ours: person.name.family, theirs: customer} #!",
        ERROR,
        ("name the key below",),
    ),
    "no offset where one must be": (
        {"received": MOMENT},
        "- {ours: received_at, theirs: received, as: local-time, lossy: an hour} #!",
        ERROR,
        ("as: offset-time",),
    ),
    "a longer text than it holds": (
        {"last": {"type": "string", "maxLength": 35}},
        "- {ours: person.name.family, theirs: last, max_length: 70} #!",
        ERROR,
        ("`max_length: 70`", "`max_length: 35`"),
    ),
    "a text of any length": (
        {"team": {"type": "string", "maxLength": 35}},
        "- {ours: assigned_to.team, theirs: team} #!",
        ERROR,
        ("any length", "`max_length: 35`"),
    ),
    "a text that is not to be longer by our own word": (
        {"last": {"type": "string", "maxLength": 35}},
        "- {ours: person.name.family, theirs: last} #!",
        WARNING,
        ("any length",),
    ),
    "a longer list than it holds": (
        {"first": {**LIST, "maxItems": 3}},
        "- {ours: person.name.given, theirs: first, max_items: 5} #!",
        ERROR,
        ("at most 3 items",),
    ),
    "a list of any length": (
        {"first": {**LIST, "maxItems": 3}},
        "- {ours: person.name.given, theirs: first} #!",
        ERROR,
        ("`max_items: 3`",),
    ),
    "a closed list without codes": (
        {"gender": WORDS}, "- {ours: person.gender, theirs: gender} #!", ERROR, ("'M', 'F', 'O', 'U'", "add `codes`"),
    ),
    "a constant that is no word of the list": (
        {"source": WORDS}, "- {theirs: source, constant: DOLEN} #!", ERROR, ("one of M, F, O, U",),
    ),
    "something is lost": (
        {"received": MOMENT}, "- {ours: received_at, theirs: received, as: time} #!", WARNING, ("offset", "`lossy"),
    ),
    "only the day of a moment": (
        {"visit": DATE},
        '- {ours: "appointments[kind=visit].start", theirs: visit, as: date} #!',
        WARNING,
        ("the time of day",),
    ),
    "no fractions of a second": (
        {"received": {**MOMENT, "pattern": "T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}},
        "- {ours: received_at, theirs: received, as: time} #!",
        WARNING,
        ("fractions of a second",),
    ),
    "minutes alone": (
        {"received": {**MOMENT, "pattern": "T[0-9]{2}:[0-9]{2}Z$"}},
        "- {ours: received_at, theirs: received, as: time, lossy: the seconds} #!",
        ERROR,
        ("2026-03-01T09:30:15Z", "pattern"),
    ),
    "null where none may be": (
        {"last": TEXT}, '- {ours: person.name.family, theirs: last, empty: "null"} #!', ERROR, ("never null",),
    ),
    "an empty text where none may be": (
        {"last": {"type": "string", "minLength": 1}},
        "- {ours: person.name.family, theirs: last, empty: text} #!",
        ERROR,
        ("at least 1 characters",),
    ),
    "an empty list where none may be": (
        {"first": {**LIST, "minItems": 1}},
        "- {ours: person.name.given, theirs: first, empty: list} #!",
        ERROR,
        ("at least 1 items",),
    ),
    "a value for empty that is refused": (
        {"born": DATE},
        '- {ours: person.date_of_birth, theirs: born, as: date, lossy: months, absent: [unknown]} #!',
        ERROR,
        ("a day",),
    ),
    "a default that our field cannot hold": (
        {"flag": {"type": "boolean"}},
        '- {ours: language.interpreter_required, theirs: flag, default: {read: "no"}} #!',
        ERROR,
        ("true or false",),
    ),
    "what the connector fills itself": (
        {}, "- {ours: citizen_reference, theirs: id} #!", ERROR, ("direction: read",),
    ),
    "a write that only the system does": (
        {"team": {"type": "string", "readOnly": True}},
        "- {ours: assigned_to.team, theirs: team} #!",
        ERROR,
        ("direction: read",),
    ),
    "a read of what is only sent": (
        {"team": {"type": "string", "writeOnly": True}},
        "- {ours: assigned_to.team, theirs: team} #!",
        ERROR,
        ("direction: write",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", JSON)
def test_each_kind_is_found_in_its_line(site: FittingSite, name: str) -> None:
    properties, row, severity, words = JSON[name]
    site.rest({"public_reference": TEXT, **properties})
    site.mapping(f"- {{ours: referrer.name, theirs: public_reference}}\n{row}")
    expect(site, severity, *words)


def test_what_fits_is_not_mentioned(site: FittingSite) -> None:
    site.rest({"last": {"type": "string", "maxLength": 35}, "gender": WORDS, "contacts": CONTACTS}, "last")
    site.codes("sex", "M,male,both,\nF,female,both,\nO,other,both,\nU,unknown,both,")
    site.mapping("""
        - {ours: person.name.family, theirs: last, max_length: 35, needed: true}
        - {ours: person.gender, theirs: gender, codes: sex}
        - {ours: "person.telecom[system=phone,use=mobile].value", theirs: "contacts[type=mobile]/value", lead: true}
    """)
    assert site.found() == []


def test_a_required_element_that_no_row_fills(site: FittingSite) -> None:
    site.rest({"last": TEXT, "team": TEXT}, "last", "team")
    site.mapping("- {ours: assigned_to.team, theirs: team, needed: true}")
    (one,) = site.found()
    assert (one.file, one.line, one.severity) == ("mappings/t/case.yaml", 4, ERROR)
    assert "`last`" in one.found


@pytest.mark.parametrize("key", ["needed: true", "default: {write: none}"])
def test_a_required_element_that_a_row_may_leave_out(site: FittingSite, key: str) -> None:
    site.rest({"team": TEXT}, "team", "id")
    site.mapping("- {ours: assigned_to.team, theirs: team} #!")
    expect(site, WARNING, "is left out where the referral does not say it", "emptied field")
    site.mapping(f"- {{ours: assigned_to.team, theirs: team, {key}, empty: text}}")
    assert site.found() == []


def test_what_an_optional_group_requires_once_it_is_there(site: FittingSite) -> None:
    group = {"type": "object", "properties": {"kind": TEXT, "name": TEXT}, "required": ["kind"]}
    site.rest({"by": group})
    site.mapping("- {ours: referrer.name, theirs: by/name} #!")
    expect(site, ERROR, "`by/kind`")
    kind = "- {ours: referrer.relationship, theirs: by/kind, lead: true}"
    site.mapping(f"- {{ours: referrer.name, theirs: by/name}}\n{kind}", head="empty: omit\noptional: {by: omit}")
    assert site.found() == []


def test_what_an_item_of_a_list_requires(site: FittingSite) -> None:
    item = {"type": "object", "properties": {"code": TEXT, "note": TEXT}, "required": ["code"]}
    site.rest({"needs": {"type": "array", "items": item}})
    site.write(
        "mappings/t/case.yaml",
        "system: t\nrecord: Case\nempty: omit\nfields:\n  - ours: needs\n    theirs: needs\n    each:\n"
        "      - {ours: text, theirs: note} #!\n",
    )
    expect(site, ERROR, "`needs/code`")


def test_a_key_in_the_head_that_leads_nowhere(site: FittingSite) -> None:
    site.rest({"by": {"type": "object", "properties": {"name": TEXT}}})
    site.mapping("- {ours: referrer.name, theirs: by/name}", head="empty: omit\noptional: {by: 'null'} #!")
    expect(site, ERROR, "takes no null there")


def test_a_required_group_that_the_head_leaves_out(site: FittingSite) -> None:
    site.rest({"by": {"type": "object", "properties": {"name": TEXT}}}, "by")
    site.mapping(
        "- {ours: referrer.name, theirs: by/name, default: {write: nobody}}",
        head="empty: omit\noptional: {by: omit} #!",
    )
    expect(site, ERROR, "the interface requires it")


def test_codes_in_both_directions_are_held_against_both_closed_lists(site: FittingSite) -> None:
    site.rest({"gender": WORDS, "last": TEXT})
    site.codes("sex", "M,male,both,\nF,female,both,\nX,other,both,!\nQ,unknown,read,!")
    site.mapping("- {ours: person.name.family, theirs: last}\n- {ours: person.gender, theirs: gender, codes: sex} #!")
    found = site.found()
    assert {(one.file, one.line) for one in found} == site.marked()
    words = "\n".join(map(str, found))
    assert "the code 'X'" in words
    assert "does not read 'O', 'U'" in words
    assert "does not write 'unknown'" in words
    assert [one.severity for one in found if "'X'" in one.found] == [ERROR]
    assert [one.severity for one in found if "'Q'" in one.found] == [WARNING]


def test_a_code_that_is_not_read_is_an_error_where_it_stops_the_record(site: FittingSite) -> None:
    site.rest({"urgency": {"enum": ["1", "2", "3", "9"]}})
    site.codes("urgency", "1,emergency,both,\n2,urgent,both,\n3,routine,both,")
    site.mapping("- {ours: priority, theirs: urgency, codes: urgency} #!")
    expect(site, ERROR, "does not read '9'", "stops its record")


def test_what_is_said_to_be_lost_is_not_told_again(site: FittingSite) -> None:
    site.rest({"outcome": TEXT})
    row = "- {{ours: person.gender, theirs: outcome, codes: outcome{}}}"
    site.codes("outcome", "A,male,both,")
    site.mapping(row.format("") + " #!")
    expect(site, WARNING, "does not write 'female'")
    site.mapping(row.format(", lossy: the others"))
    assert site.found() == []


def test_a_code_that_is_too_long_or_no_match(site: FittingSite) -> None:
    site.rest({"gender": {"type": "string", "maxLength": 2, "pattern": "^[A-Z]+$"}})
    site.codes("sex", "MALE,male,both,!\nf,female,both,!\nO,other,both,\nU,unknown,both,")
    site.mapping("- {ours: person.gender, theirs: gender, codes: sex}")
    expect(site, ERROR, "at most 2 characters", "pattern")
