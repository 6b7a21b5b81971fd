"""The grammar of `ours`: the paths by which mapping files, facts and field ownership name a referral's fields.

Dotted names; a filter in brackets picks one member of a list, `person.telecom[system=phone,use=mobile].value`;
empty brackets mean every member and serve look-ups in the declaration only, `needs[].code`. Under `extensions` names
are free: `extensions.contact.transport_needs`. Look-ups here are by declaration, never by value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from mappings.declaration import Field, declared
from mappings.meta import Kind, Sensitivity

# One segment: a name (upper case only under `extensions`, where names belong to the supplier) and its brackets.
_SEGMENT = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_-]*)\s*(?:\[([^\[\]]*)\])?\s*(\.|\Z)", re.ASCII)
_TERM = re.compile(r"\s*([a-z][a-z0-9_]*)\s*=\s*([A-Za-z0-9_:/+-]+)\s*", re.ASCII)

# G6: a field in which an unknown code or a wrong type stops the record, each with all that is below it.
NEEDED = frozenset({
    "council",
    "person.date_of_birth",
    "person.name.family",
    "person.name.given",
    "person.nhs_number",
    "priority",
    "restricted_record",
    "safeguarding_flag",
    "service_requested",
    "status",
    "type",
})  # fmt: skip

_GRAMMAR = "names joined by dots, a filter of a list as [key=value]"


class BadPath(ValueError):
    """The text is not a field path; the message says what was expected. Paths hold no personal data."""


class Step(NamedTuple):
    """One segment: a name, and for a list `where` - the filter, () for every member, None for no brackets."""

    name: str
    where: tuple[tuple[str, str], ...] | None = None

    def __str__(self) -> str:
        if self.where is None:
            return self.name
        return f"{self.name}[{','.join(f'{key}={value}' for key, value in self.where)}]"


@dataclass(frozen=True, slots=True)
class FieldType:
    """What the value of a path is. `many`: a list of it. `codes`: our closed list, () if open or not coded.

    `members`: the names inside, where the kind is object.
    """

    kind: Kind
    many: bool = False
    codes: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


@lru_cache(maxsize=4096)  # paths come from mapping files: some hundred a site
def parse(path: str) -> tuple[Step, ...]:
    """The path as steps, filters sorted by key. Raises BadPath."""
    steps: list[Step] = []
    at = 0
    while at < len(path) or not steps:
        found = _SEGMENT.match(path, at)
        if found is None:
            raise BadPath(f"expected {_GRAMMAR}, found {path!r}")
        name, inside, end = found.groups()
        steps.append(Step(name, None if inside is None else _filter(inside, path)))
        at = found.end()
        if end == "." and at == len(path):
            raise BadPath(f"expected a name after the last dot, found {path!r}")
    return tuple(steps)


def _filter(inside: str, path: str) -> tuple[tuple[str, str], ...]:
    if not inside.strip():
        return ()
    terms: dict[str, str] = {}
    for term in inside.split(","):
        found = _TERM.fullmatch(term)
        if found is None:
            raise BadPath(f"expected a filter like [system=phone,use=mobile], found {path!r}")
        if found[1] in terms:
            raise BadPath(f"expected each key of a filter once, found {found[1]!r} twice in {path!r}")
        terms[found[1]] = found[2]
    return tuple(sorted(terms.items()))


@lru_cache(maxsize=4096)
def normalise(path: str) -> str:
    """The one spelling of a path: no spaces, filters sorted by key. Raises BadPath."""
    return ".".join(str(step) for step in parse(path))


@lru_cache(maxsize=4096)
def check(path: str, within: str = "") -> str | None:
    """What is wrong with a path that names the value of a row, as a sentence with a did-you-mean; None if nothing.

    `within`: the list of an `each` row (`needs`), against whose members the path is then read.
    """
    try:
        steps = parse(_whole(path, within))
    except BadPath as bad:
        return str(bad)
    if steps[0].name == "extensions":
        return _check_extension(steps)
    outer = len(parse(within)) if within else 0
    generic = ""
    field: Field | None = None
    for place, step in enumerate(steps):
        if field is not None:
            if field.part is None:
                return f"{generic} has no fields inside it, so {path!r} goes one name too far"
            generic += "[]." if field.many else "."
        known = declared().get(generic + step.name)
        if known is None:
            return _unknown(generic, step.name, path, field, within)
        if problem := _brackets(step, known, last=place == len(steps) - 1, every=place < outer):
            return problem
        field, generic = known, generic + step.name
    if field is not None and field.part is not None and not field.many:
        return f"{path!r} is an object; name one of its fields: {', '.join(field.members)}"
    return None


def _whole(path: str, within: str) -> str:
    return f"{within}[].{path}" if within else path


def _check_extension(steps: tuple[Step, ...]) -> str | None:
    if len(steps) == 3 and all(step.where is None for step in steps):
        return None
    return "an extension is named extensions.<system>.<name>, three names without brackets"


def _unknown(prefix: str, name: str, path: str, parent: Field | None, within: str) -> str:
    siblings = [known for known in declared() if "." not in known] if parent is None else list(parent.members)
    whole = [known for known in declared() if "[]" not in known]
    if near := get_close_matches(name, siblings, n=1):
        meant = near[0] if within else prefix + near[0]
        return f"the referral has no field {path!r}; did you mean {meant!r}?"
    if within:
        return f"a member of {within} has no field {path!r}; there is {', '.join(siblings)}"
    # A name may be right and its place wrong: `family` for `person.name.family`.
    if elsewhere := [known for known in whole if known.rsplit(".", 1)[-1] == name]:
        return f"the referral has no field {path!r}; did you mean {elsewhere[0]!r}?"
    if near := get_close_matches(prefix + name, whole, n=1):
        return f"the referral has no field {path!r}; did you mean {near[0]!r}?"
    return f"the referral has no field {path!r}; there is {', '.join(siblings)}"


def _brackets(step: Step, known: Field, *, last: bool, every: bool) -> str | None:
    """What is wrong with the brackets, or their lack, of one segment. `every`: it is the list of an `each` row."""
    if step.where is None:
        if known.many and known.part is not None and not last:
            return f"{known.path} is a list; say which member, like {step.name}[{known.members[0]}=...]"
        return None
    if not known.many or known.part is None:
        return f"{known.path} is not a list of objects, so it takes no filter"
    if not step.where:
        return None if every else f"{known.path}[] means every member; say which one, or map the list with `each`"
    if last:
        return f"{step} is a whole member of the list; name a field in it: {', '.join(known.members)}"
    for key, value in step.where:
        inner = declared().get(f"{known.path}[].{key}")
        if inner is None:
            near = get_close_matches(key, known.members, n=1)
            return f"{known.path} has no field {key!r} to filter by" + (f"; did you mean {near[0]!r}?" if near else "")
        if inner.part is not None or inner.many or inner.meta.kind not in (Kind.TEXT, Kind.CODE):
            return f"{inner.path} is not text, so it cannot be filtered by"
        if inner.meta.codes is not None and value not in (codes := [code.value for code in inner.meta.codes]):
            return f"{inner.path} is never {value!r}; there is {', '.join(codes)}"
    return None


@lru_cache(maxsize=4096)
def field_of(path: str) -> Field | None:
    """The declaration behind a path (also of an object), None where there is none."""
    steps = parse(path)
    if steps[0].name == "extensions":
        return declared()["extensions"]
    generic = ""
    field: Field | None = None
    for step in steps:
        if field is not None:
            generic += "[]." if field.many else "."
        generic += step.name
        field = declared().get(generic)
        if field is None:
            return None
    return field


def type_of(path: str, within: str = "") -> FieldType:
    """What the value of the path is. Raises BadPath for a path that `check` refuses."""
    if problem := check(path, within):
        raise BadPath(problem)
    field = field_of(_whole(path, within))
    assert field is not None  # check has just found it
    codes = tuple(code.value for code in field.meta.codes) if field.meta.codes else ()
    return FieldType(field.meta.kind, field.many, codes, field.members)


@lru_cache(maxsize=4096)
def sensitivity(path: str) -> Sensitivity:
    """The strictest sensitivity of the field and of all below it; special for what is not declared."""
    try:
        field = field_of(path)
    except BadPath:
        field = None
    return Sensitivity.SPECIAL if field is None else field.strictest


@lru_cache(maxsize=4096)
def group(path: str) -> str:
    """The first segment: the unit of field ownership. Raises BadPath."""
    return parse(path)[0].name


@lru_cache(maxsize=4096)
def needed(path: str) -> bool:
    """Whether an unknown code or wrong type there stops the record (design: nothing guessed). Raises BadPath."""
    names = [step.name for step in parse(path)]
    return any(".".join(names[:length]) in NEEDED for length in range(1, len(names) + 1))
