"""Drift: the interface that a system shows today against the pinned one, and what of ours a change touches.

Both are turned into the neutral form and compared by meaning (`mappings.drift`). What is found is told with the rows of
the mapping and the keys of the profile that use it, by file and line. The pinned file is never replaced here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.errors import ConnectorError, Misconfigured
from connectors.live import Live, NotOffered, fetch, is_called, operations_of, operations_used
from connectors.registry import interfaces_of, lacking, says_what_it_can
from mappings import paths
from mappings.drift import Harm, Used, What, compare, unused, weigh
from mappings.interface import Interface, interface_of
from pipelines import composition
from pipelines.interfaces_seen import DRIFTED, NOT_OFFERED, NOT_SEEN, SAME
from pipelines.library import Library

if TYPE_CHECKING:
    from config.site import Site
    from mappings.overlay import PlacedRow, Resolved
    from pipelines.plant import Plant, Wired

_WORST = {Harm.BREAKS: 0, Harm.MAY: 1, Harm.NONE: 2}
#: Parts of a profile whose paths lead through an answer or an error and not through a record.
_NOT_RECORD = frozenset({"reply", "fault", "errors", "page", "changes", "find", "check"})
_ON_ITS_WAY = frozenset({What.GONE, What.RENAMED, What.MOVED, What.TYPE, What.ONE_OR_MANY})


@dataclass(frozen=True, slots=True)
class Finding:
    """One change, how bad it is, and what of ours it touches: `file:line what`."""

    harm: str
    words: str
    kind: str = ""  # of record, "" for what is about the whole interface
    path: str = ""
    rows: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(slots=True)
class Looked:
    """What one look at one connection's interface found."""

    council: str
    connection: str
    state: str
    words: str = ""  # why it was not seen, or is not offered
    findings: list[Finding] = field(default_factory=list)
    live: Live | None = field(default=None, repr=False)

    def count(self, harm: Harm) -> int:
        """How many changes are as bad as that."""
        return sum(1 for one in self.findings if one.harm == harm.value)

    @property
    def breaks(self) -> int:
        """Changes that break something."""
        return self.count(Harm.BREAKS)


def look(plant: Plant, wired: Wired, *, site: Site | None = None) -> Looked:
    """Fetch the live interface of one connection and compare it. Never raises for what a system does.

    Raises SiteFaults where the site's own files cannot be used.
    """
    site = site or composition.load(plant.root)
    library = Library(site.layers)
    connection = site.councils[wired.council].settings.connections[wired.name]
    profile = composition.profile_of(library, connection)
    result = Looked(wired.council, wired.name, SAME)
    try:
        if says_what_it_can(profile):
            lacks = lacking(profile, connection.connect, secret=site.secret, agree=wired.agree)
            keys = (_place(library, f"profiles/{connection.profile}", ("records",)),) if lacks else ()
            result.findings = [Finding(Harm.BREAKS.value, words, keys=keys) for words in lacks]
            result.state = DRIFTED if lacks else SAME
            return result
        result.live = fetch(profile, connection.connect, secret=site.secret, agree=wired.agree)
    except NotOffered as told:
        result.state, result.words = NOT_OFFERED, told.reason
        return result
    except ConnectorError as fault:
        result.state, result.words = NOT_SEEN, fault.reason
        return result
    pinned = _Pinned(site)
    result.findings = sorted(
        [
            *_operations(library, connection.profile, profile, pinned, result.live),
            *_records(library, wired, connection.profile, profile, pinned, result.live),
        ],
        key=lambda one: (_WORST[Harm(one.harm)], one.kind, one.path),
    )
    result.state = DRIFTED if result.findings else SAME
    return result


def save(looked: Looked, folder: Path) -> list[Path]:
    """Write what was fetched into a folder, for review; the pinned files stay as they are."""
    written = []
    for name, content in (looked.live.files if looked.live is not None else {}).items():
        path = folder / name.rpartition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


class _Pinned:
    """The pinned files of the site's layers."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def read(self, name: str) -> bytes:
        return self._site.layers.read("interfaces", name)


def _operations(
    library: Library, name: str, profile: Mapping[str, Any], pinned: _Pinned, live: Live
) -> Iterator[Finding]:
    """Operations that are gone and new, and the keys of the profile that call one that is gone."""
    main = str(profile["interface"])
    try:
        was, now = operations_of(pinned.read(main)), operations_of(live.read(main))
    except (LookupError, ValueError):
        return
    called = list(operations_used(profile))
    for gone in sorted(was - now):
        near = next(iter(get_close_matches(gone, now - was, n=1)), "")
        words = f"operation {gone} is gone" + (f"; did it become {near}?" if near else "")
        keys = tuple(_place(library, f"profiles/{name}", at) for at, used in called if is_called(gone, used))
        yield Finding((Harm.BREAKS if keys else Harm.NONE).value, words, keys=keys)
    for new in sorted(now - was):
        yield Finding(Harm.NONE.value, f"operation {new} is new")


def _records(
    library: Library, wired: Wired, name: str, profile: Mapping[str, Any], pinned: _Pinned, live: Live
) -> Iterator[Finding]:
    before = {one.kind: one for one in map(interface_of, interfaces_of(profile, interfaces=pinned.read))}
    try:
        after = {one.kind: one for one in map(interface_of, interfaces_of(profile, interfaces=live.read))}
    except Misconfigured as fault:
        words = f"the profile cannot be used with the interface of today: {fault.reason}"
        yield Finding(Harm.BREAKS.value, words, keys=(_place(library, f"profiles/{name}", ("interface",)),))
        return
    for kind in sorted(before.keys() & wired.kinds.keys()):
        if kind in after:
            yield from _changes(library, wired, name, profile, before[kind], after[kind])


def _changes(
    library: Library, wired: Wired, name: str, profile: Mapping[str, Any], before: Interface, after: Interface
) -> Iterator[Finding]:
    kind = before.kind
    rows = list(rows_of(library, library.resolved(wired.kinds[kind].mapping.name)))
    keys = list(_profile_paths(profile.get("records", {}).get(kind, {}), ("records", kind)))
    for change in compare(before, after):
        weighed = [(weigh(change, used), at) for used, at in rows if change.touches(used.path) and change.meets(used)]
        hit = [at for at, path in keys if change.what in _ON_ITS_WAY and change.touches(path)]
        harms = [harm for harm, _ in weighed] + [Harm.BREAKS for _ in hit]
        if not harms and change.path not in before.ours:  # what the connector itself fills in concerns no row
            harms = [unused(change)]
        yield Finding(
            min(harms, key=_WORST.__getitem__, default=Harm.NONE).value,
            str(change),
            kind,
            change.path,
            tuple(dict.fromkeys(at for harm, at in weighed if harm is not Harm.NONE)),
            tuple(dict.fromkeys(_place(library, f"profiles/{name}", at) for at in hit)),
        )


def rows_of(library: Library, resolved: Resolved) -> Iterator[tuple[Used, str]]:
    """How each row of a mapping uses the system's record, with `file:line ours` to find it by."""
    empty = resolved.head.get("empty", "omit")
    for placed in resolved.rows:
        yield from _row(library, placed, "", "both", empty)


def _row(
    library: Library, placed: PlacedRow, above: str, direction: str, empty: object
) -> Iterator[tuple[Used, str]]:
    keys = placed.keys
    way = str(keys.get("direction", direction))
    at = _located(library, *placed.place("theirs"), _named(keys))
    theirs = keys.get("theirs")
    for text in theirs if isinstance(theirs, list) else [theirs]:
        try:
            path = paths.parse(str(text))
        except paths.PathError:
            continue  # told where the mapping is compiled
        plain = _joined(above, "/".join(step.key for step in path if step.key != "."))
        yield from ((used, at) for used in _picks(path, above, way))
        yield _used(library, keys, plain, way, empty), at
        for inner in placed.each:
            yield from _row(library, inner, plain, way, empty)
        for key in keys.get("where") or {}:
            yield Used(_joined(plain, str(key)), way != "write", way != "read", sure=True), at


def _used(library: Library, keys: Mapping[str, Any], path: str, way: str, empty: object) -> Used:
    default = keys.get("default") or {}
    read_codes, written_codes = _codes(library, keys.get("codes"))
    longest = keys.get("max_length")
    if isinstance(keys.get("constant"), str):
        written_codes = frozenset({keys["constant"]})
    if written_codes:
        longest = max(map(len, written_codes))
    return Used(
        path,
        reads=way != "write" and "constant" not in keys,
        writes=way != "read",
        sure=bool(keys.get("needed") or "constant" in keys or default.get("write") is not None),
        longest=longest,
        codes_read=read_codes,
        codes_written=written_codes,
        empties=("write" in default and default["write"] is None) or keys.get("empty", empty) in (None, "null", "text"),
    )


def _named(keys: Mapping[str, Any]) -> str:
    """What a row is called: its field of ours, or its constant."""
    ours = keys.get("ours") or f"constant {keys.get('constant')}"
    return ", ".join(map(str, ours)) if isinstance(ours, list) else str(ours)


def _picks(path: paths.Path, above: str, way: str) -> Iterator[Used]:
    """The keys by which a path picks the item of a list."""
    here = above
    for step in path:
        here = _joined(here, step.key)
        for key, _ in step.where:
            yield Used(_joined(here, key), way != "write", way != "read", sure=True)


def _joined(above: str, below: str) -> str:
    return "/".join(part for part in (above, below) if part)


def _codes(library: Library, name: object) -> tuple[frozenset[str] | None, frozenset[str] | None]:
    """Their codes that a list understands, and those that it writes."""
    if not isinstance(name, str):
        return None, None
    try:
        found = library.code_list(name)
    except LookupError:
        return None, None
    return frozenset(found.reads()), frozenset(found.writes().values())


def _profile_paths(part: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Where a profile names paths of the record itself."""
    if isinstance(part, Mapping):
        for key, inner in part.items():
            if key not in _NOT_RECORD:
                yield from _profile_paths(inner, (*at, key))
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for number, inner in enumerate(part):
            yield from _profile_paths(inner, (*at, number))
    elif isinstance(part, str):
        yield at, part


def _place(library: Library, file: str, at: Sequence[str | int]) -> str:
    """`file:line key` of a key in a file of the site or a shipped one."""
    kind, _, name = file.partition("/")
    return _located(library, library.document(kind, name).name, tuple(at), ".".join(map(str, at)))


def _located(library: Library, file: str, at: Sequence[str | int], what: str) -> str:
    return f"{file}:{library.locate(file, at, '', '', '').line} {what}"
