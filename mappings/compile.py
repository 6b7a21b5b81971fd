"""From a mapping's name to a `Mapping`: load, lay over, make the rows ready, look for overlaps, hang up the closures.

Everything that is wrong is collected on the way and raised once. What comes out is versioned by its content: the
artifacts hold the resolved rows and the code lists, so that a record can be mapped again as it was then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from collections.abc import Mapping as Dictionary
from dataclasses import replace
from hashlib import sha256
from typing import Any

from mappings import choices as choosing
from mappings import paths, spanning
from mappings.converters.port import OwnConverter
from mappings.facts import facts_of
from mappings.mapping import Mapping, MappingFaults, Writing, canonical
from mappings.meta import Json
from mappings.overlaps import overlaps
from mappings.overlay import Load, Resolved, resolve
from mappings.provenance import mapped_rows
from mappings.read import reader
from mappings.referral import Referral
from mappings.rows import Codes, ReadyRow, RowMaker
from mappings.several import SeveralRow, make_several
from mappings.spanning import Spans
from mappings.terms import all_terms
from mappings.write import Shape, writer

FORMAT = 1  # of the artifact; raised when the same file would compile to something else


def compile_mapping(
    name: str,
    load: Load,
    codes: Codes,
    zone: str,
    own: Dictionary[str, OwnConverter] | None = None,
    *,
    written_as: int = FORMAT,
) -> Mapping:
    """Compile the mapping of that name.

    `load(name)` gives (plain data, origin) and `codes(name)` a CodeList; both raise LookupError for an unknown name.
    `zone` is the clock of the system's times without offset; `own` are the converters that the site adds. `written_as`:
    the format of the artifact, for what `mappings.kept` compiles again. Raises MappingFaults with everything wrong.
    """
    resolved = resolve(name, load)
    own = own or {}
    maker = RowMaker(resolved, codes, zone, make_several, {key: one.declared for key, one in own.items()})
    rows, several = maker.make_all(resolved.rows)
    optional = _optional(resolved)
    choices = choosing.choices_of(resolved, rows, several, optional)
    in_lists = choosing.choices_in_lists(resolved, rows, maker.unique_name)
    overlaps(rows, several, resolved, choices)
    if resolved.faults:
        raise MappingFaults(resolved.faults)
    lists = {name: list_.stamp for name, list_ in sorted(maker.used.items())}
    used = {key: own[key].digest for key in sorted(maker.used_own)}
    body = canonical(
        {
            "format": written_as,
            "name": name,
            "zone": zone,
            "head": resolved.head,
            "rows": [placed.plain() for placed in resolved.rows],
            "codes": lists,
        }
        | ({"converters": used} if used else {})
    )
    digest = sha256(body).hexdigest()
    artifacts = {digest: ("mapping", body)}
    artifacts |= {list_.digest: ("codes", list_.text.encode()) for list_ in maker.used.values()}
    artifacts |= {own[key].digest: ("converter", own[key].source) for key in used}
    read, writers = reader(rows), writer(rows, Shape(resolved.head.get("empty", "omit"), optional))
    write = writers.facts
    spans = Spans(tuple(several), tuple(row for row in rows if row.several))
    if spans.top or spans.lists:
        held = reader([replace(part, direction="both") for row in several for part in row.parts])
        read, write = spanning.reading(read, spans), spanning.writing(write, held, spans)
    if choices:
        read, write = choosing.reading(read, choices), choosing.writing(write, choices)
    if in_lists:
        write = choosing.writing_lists(write, in_lists)
    return Mapping(
        name=name,
        system=resolved.head["system"],
        record=resolved.head["record"],
        digest=digest,
        artifacts=artifacts,
        rows=mapped_rows(rows, several),
        terms=all_terms(rows, several, maker.used),
        _read=read,
        _write=_from_referrals(write, writers.referral if write is writers.facts else None, rows, several),
    )


def _from_referrals(
    write: Callable[[Dictionary[str, Json], dict[str, Any] | None], Writing],
    straight: Callable[[Referral], Writing] | None,
    rows: list[ReadyRow],
    several: list[SeveralRow],
) -> Callable[[Referral | Dictionary[str, Json], dict[str, Any] | None, Collection[str]], Writing]:
    """Let a referral be written too: what it does not say counts as not known, save where `empty` says otherwise.

    `straight`: writes a new record without making facts of it, where nothing is laid around the rows.
    """
    fields = [row.ours for row in rows if row.writes and not row.hidden]
    fields += [ours for joint in several if joint.writes for ours in joint.ours]
    wanted = tuple(dict.fromkeys(ours for ours in fields if ours))

    def written(what: Referral | Dictionary[str, Json], onto: dict[str, Any] | None, empty: Collection[str]) -> Writing:
        if type(what) is Referral or isinstance(what, Referral):  # the second asks pydantic, and is slow
            if straight is not None and not onto and not empty:
                return straight(what)
            what = {path: value for path, value in facts_of(what, wanted).items() if value is not None or path in empty}
        return write(what, onto)

    return written


def _optional(resolved: Resolved) -> dict[tuple[str, ...], str | None]:
    """The groups that may be empty as a whole, as keys, and how that is written."""
    groups = {}
    for text, style in resolved.head.get("optional", {}).items():
        place = resolved.places["optional"]
        place = place._replace(path=(*place.path, text))
        try:
            path = paths.parse(text)
        except paths.PathError as error:
            resolved.fault(place, error.found, error.expected, "Correct the path.")
            continue
        if not any(len(other) > len(path) and other[: len(path)] == path for other in _their_paths(resolved)):
            resolved.fault(place, repr(text), "a group with rows in it", "Correct the path, or take it out.")
        groups[tuple(step.key for step in path)] = style
    return groups


def _their_paths(resolved: Resolved) -> list[paths.Path]:
    found = []
    for placed in resolved.rows:
        written = placed.keys.get("theirs", "")
        for text in written if isinstance(written, list) else [written]:
            try:
                found.append(paths.parse(str(text)))
            except paths.PathError:
                continue  # named where the row is made ready
    return found
