"""Facts, invented from the referral's own declarations for the fields that a mapping maps, within what it can carry.

A value is one that the row's converter can give: whatever else a field may hold, `coverage` counts as lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from mappings import fieldpaths
from mappings.converters import WrongType
from mappings.laws import values
from mappings.laws.values import Values
from mappings.meta import Json, Kind
from mappings.terms import Terms

_OPEN_CODES = st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True)


def facts(terms: Iterable[Terms]) -> Values:
    """Facts for writing: what is needed always, all else sometimes, known to be empty at times; or all of it."""
    terms = list(terms)
    rows = [(ours, row) for row in terms if row.writes for ours in row.ours]
    made = {ours: _value(ours, row) for ours, row in rows}
    needed = {ours: made[ours] for ours, row in rows if row.needed}
    others = {ours: made[ours] for ours, row in rows if not row.needed}
    some = st.fixed_dictionaries(
        needed, optional={ours: st.one_of(value, value, st.none()) for ours, value in others.items()}
    )
    joint = [row for row in terms if row.several is not None and row.writes]
    return st.one_of(some, st.fixed_dictionaries(made), st.fixed_dictionaries(needed)).map(
        lambda found: _settled(found, joint)
    )


def _settled(found: dict[str, Json], joint: list[Terms]) -> dict[str, Json]:
    """The facts with what rows of several paths carry as such a row gives it: put together and taken apart once."""
    for row in joint:
        values = [found.get(ours) for ours in row.ours]
        assert row.several is not None
        if all(value is None for value in values):
            continue
        try:
            if len(row.ours) > 1:
                values = list(row.several.apart(row.several.together(values)))
            else:
                values = [row.several.together(row.several.apart(values[0]))]
        except WrongType:  # these cannot be put together: nothing is known of them then
            found = {path: value for path, value in found.items() if path not in row.ours}
            continue
        found = found | dict(zip(row.ours, values, strict=True))
    return found


def _value(ours: str, row: Terms) -> Values:
    if row.items:
        return _within(st.lists(_item(row), min_size=1, max_size=min(row.most or 3, 3)), row)
    declared = fieldpaths.type_of(ours, row.within)
    one = _single(ours, row, declared)
    if declared.many:
        return st.lists(one, min_size=1, max_size=min(row.most or 3, 3))
    return one


def _item(row: Terms) -> Values:
    """An item of a list, as reading gives it: nothing empty in it, and not empty itself."""
    rows = [(ours, item) for item in row.items if item.writes for ours in item.ours]
    must = {ours: _value(ours, item) for ours, item in rows if item.needed or item.key}
    may = {ours: _value(ours, item) for ours, item in rows if ours not in must}
    return st.fixed_dictionaries(must, optional=may).filter(bool).map(_nested)


def _nested(flat: dict[str, Json]) -> dict[str, Json]:
    deep: dict[str, Any] = {}
    for name, value in flat.items():
        *parents, last = name.split(".")
        at = deep
        for parent in parents:
            at = at.setdefault(parent, {})
        at[last] = value
    return deep


def _single(ours: str, row: Terms, declared: fieldpaths.FieldType) -> Values:
    if row.codes is not None:
        return st.sampled_from(sorted(row.codes.writes()))
    if declared.codes:
        return st.sampled_from(declared.codes)
    named = row.converter.name if row.converter is not None else ""
    if declared.kind is Kind.BOOLEAN:
        return st.booleans()
    if declared.kind is Kind.INTEGER:
        return st.integers(0, 1_000)
    if declared.kind in (Kind.DATE, Kind.PARTIAL_DATE, Kind.WHEN, Kind.INSTANT):
        return _in_time(declared.kind, named).filter(lambda value: value not in row.absent)
    return _within(_text(ours, row, declared, named), row)


def _in_time(kind: Kind, converter: str) -> Values:
    """A day or an instant, of the sort that the converter can carry."""
    if kind is Kind.INSTANT:
        return values.instants()
    if kind is Kind.PARTIAL_DATE and converter == "partial-date":
        return values.partial_days()
    if kind is Kind.WHEN and converter == "when":
        return st.one_of(values.days(), values.instants())
    return values.instants() if kind is Kind.WHEN and converter != "date" else values.days()


def _text(ours: str, row: Terms, declared: fieldpaths.FieldType, converter: str) -> Values:
    field = fieldpaths.field_of(f"{row.within}[].{ours}" if row.within else ours)
    check = field.meta.check if field is not None else ""
    if converter == "number-as-text":
        return st.integers(0, 10**9).map(str)
    if check == "telecom":
        wants_mail = "system=email" in ours
        return st.sampled_from([value for value in values.CHECKED[check] if ("@" in value) == wants_mail])
    if check in values.CHECKED:
        return st.sampled_from(values.CHECKED[check])
    if declared.kind is Kind.CODE:
        return _OPEN_CODES
    return values.texts(1, row.longest or None).filter(lambda text: _comes_back(row, text))


def _comes_back(row: Terms, text: str) -> bool:
    """Whether reading can give this text: a converter that trims gives none with spaces around it."""
    if row.converter is None or not row.converter.many:
        return row.converter is None or row.converter.exact or row.converter.read(text) == text
    return row.converter.exact or row.converter.read(text) == [text]


def _within(made: Values, row: Terms) -> Values:
    """Only what fits: not what is too long, and not what means that there is nothing."""
    longest = row.longest
    return made.filter(
        lambda value: value not in row.absent and not (longest and isinstance(value, str) and len(value) > longest)
    )
