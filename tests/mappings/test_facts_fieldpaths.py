"""The grammar of field paths: one spelling, and problems that say what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given as example
from hypothesis import strategies as st

from mappings import fieldpaths
from mappings.declaration import declared
from mappings.fieldpaths import NEEDED, BadPath, Step, check, normalise, parse
from mappings.meta import Kind
from mappings.vocabulary import Need


def test_a_path_becomes_steps() -> None:
    assert parse("person.telecom[use=mobile, system=phone].value") == (
        Step("person"),
        Step("telecom", (("system", "phone"), ("use", "mobile"))),
        Step("value"),
    )
    assert parse("needs[].code")[0] == Step("needs", ())


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "a[",
        "a]",
        "a[b]",
        "a[b=]",
        "a[=b]",
        "a[b=c,b=d]",
        "a[b=c][d=e]",
        "1a",
        "a.é",
    ],
)
def test_what_is_not_a_path_is_refused(path: str) -> None:
    with pytest.raises(BadPath):
        parse(path)
    assert check(path)


@example(st.text(alphabet="ab.[]=, ", max_size=12))
def test_any_text_is_a_path_or_refused_and_normal_is_normal(text: str) -> None:
    try:
        steps = parse(text)
    except BadPath:
        return
    assert parse(normalise(text)) == steps
    assert normalise(normalise(text)) == normalise(text)


@pytest.mark.parametrize(
    "path",
    [
        "person.name.family",
        "person.name.given",
        "person.address.from",
        "needs",
        "person.telecom[system=phone,use=mobile].value",
        " person . telecom[ use = mobile ] . value ",
        "notify.opt_in[channel=text].opted_in",
        "source_identifiers[system=contact].value",
        "extensions.contact.transport_needs",
    ],
)
def test_good_paths(path: str) -> None:
    assert check(path) is None


@pytest.mark.parametrize(
    ("path", "within", "said"),
    [
        ("person.nmae.family", "", "did you mean 'person.name'"),
        ("person.name.famly", "", "did you mean 'person.name.family'"),
        ("family", "", "did you mean 'person.name.family'"),
        ("prioritty", "", "did you mean 'priority'"),
        ("zzz", "", "there is "),
        ("person", "", "name one of its fields"),
        ("person.telecom.value", "", "say which member"),
        ("person.telecom[use=mobil].value", "", "home, work, mobile"),
        ("person.telecom[usage=home].value", "", "did you mean 'use'"),
        ("person.telecom[rank=1].value", "", "cannot be filtered"),
        ("person.telecom[use=home]", "", "name a field in it"),
        ("person.name[x=y].family", "", "takes no filter"),
        ("person.name.given[x=y]", "", "takes no filter"),
        ("priority.code", "", "one name too far"),
        ("needs[].code", "", "every member"),
        ("extensions.contact", "", "extensions.<system>.<name>"),
        ("cod", "needs", "did you mean 'code'"),
        ("zzz", "needs", "a member of needs"),
    ],
)
def test_a_problem_says_what_was_meant(path: str, within: str, said: str) -> None:
    assert said in (check(path, within) or "")
    with pytest.raises(BadPath):
        fieldpaths.type_of(path, within)


def test_types() -> None:
    assert fieldpaths.type_of("person.date_of_birth").kind is Kind.PARTIAL_DATE
    needs = fieldpaths.type_of("needs")
    assert (needs.kind, needs.many, needs.members) == (Kind.OBJECT, True, ("code", "text"))
    assert fieldpaths.type_of("code", "needs").codes == tuple(need.value for need in Need)
    assert fieldpaths.type_of("person.name.given").many
    assert fieldpaths.type_of("extensions.contact.x").kind is Kind.ANY


def test_every_declared_leaf_is_reachable() -> None:
    for path, field in declared().items():
        if "[]" not in path and path != "extensions" and (field.part is None or field.many):
            assert check(path) is None, path


def test_needed_fields_are_those_where_nothing_may_be_guessed() -> None:
    assert all(path in declared() for path in NEEDED)
    for path in (
        "priority",
        "service_requested.code",
        "person.name.given",
        "person.date_of_birth",
        "restricted_record",
    ):
        assert fieldpaths.needed(path)
    for path in ("person.name.title", "needs", "status_reason.text", "person.telecom[use=home].value", "typeface"):
        assert not fieldpaths.needed(path)
