"""Who may do what: a role brings its rights for its council and for no other."""

from __future__ import annotations

import pytest

from pipelines.rights import BRINGS, Officer, Right, Role


def test_a_role_counts_for_its_own_council_alone() -> None:
    officer = Officer("a.evans", {"torfaen": frozenset({Role.OPERATOR})})
    assert officer.may(Right.SEND, "torfaen")
    assert not officer.may(Right.SEND, "blaenau-gwent")
    assert officer.councils() == ("torfaen",)


def test_nobody_has_anything_without_a_role() -> None:
    nobody = Officer("a.evans")
    assert not any(nobody.may(right, "torfaen") for right in Right)
    assert nobody.councils() == ()


@pytest.mark.parametrize("role", Role)
def test_each_role_sees_and_brings_something(role: Role) -> None:
    assert Right.SEE in BRINGS[role]


def test_only_a_case_reader_unmasks_and_only_data_protection_protects() -> None:
    assert [role for role in Role if Right.UNMASK in BRINGS[role]] == [Role.CASE_READER]
    assert [role for role in Role if Right.PROTECT in BRINGS[role]] == [Role.DATA_PROTECTION]
