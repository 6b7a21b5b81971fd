"""`extends`: a council's file laid over the shared one, row by row and key by key, remembering where each key is from.

An overlay changes rows, adds rows and takes rows out. What a mapping is about (`system`, `record`, `empty`,
`optional`, `choices`) stays as the shared file says. Every finding is kept, so that one run names all that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from mappings.file import ItemRow, MappingFile, Row
from mappings.mapping import Fault, KeyPath

Load = Callable[[str], tuple[Any, str]]  # name -> (plain data, origin); raises LookupError if there is none

_TELLS_ROWS_APART = ("ours", "theirs", "direction")
_DEEPEST = 8  # nobody reads a file that extends a file that extends ... any further


class Place(NamedTuple):
    """Where something was written: file and key path."""

    origin: str
    path: KeyPath


@dataclass(slots=True)
class PlacedRow:
    """A row as it stands after all overlays, with the place that each of its keys came from."""

    keys: dict[str, Any]  # as written, except `each`
    places: dict[str, Place]
    whole: Place  # the newest place that wrote to this row
    each: list[PlacedRow] = field(default_factory=list)

    def place(self, key: str = "") -> Place:
        """Where that key was written; the row itself if it was not."""
        return self.places.get(key, self.whole)

    def plain(self) -> dict[str, Any]:
        """The row as data again, for the artifact."""
        kept = {key: value for key, value in self.keys.items() if key != "note"}
        return kept | ({"each": [row.plain() for row in self.each]} if self.each else {})


@dataclass(slots=True)
class Resolved:
    """A mapping with nothing left to extend. `places` are those of the file's own keys."""

    head: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    rows: list[PlacedRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    top: Place = field(default=Place("", ()))

    def fault(self, place: Place, found: str, expected: str, remedy: str) -> None:
        """Note one thing that is wrong."""
        self.faults.append(Fault(place.origin, place.path, found, expected, remedy))


def resolve(name: str, load: Load) -> Resolved:
    """Load the mapping of that name and all that it extends, and lay them over one another."""
    resolved = Resolved(top=Place(name, ()))
    layers: list[tuple[dict[str, Any], str]] = []
    seen: list[str] = []
    place = resolved.top
    wanted: str | None = name
    while wanted is not None:
        if wanted in seen or len(seen) == _DEEPEST:
            chain = " -> ".join([*seen, wanted])
            resolved.fault(place, f"a loop or too long a chain: {chain}", "files that end in one without `extends`",
                           "Take out one `extends`.")  # fmt: skip
            break
        seen.append(wanted)
        try:
            data, origin = load(wanted)
        except LookupError:
            resolved.fault(place, f"no mapping named {wanted!r}", "the name of a shipped mapping or of the site's own",
                           "Correct the name, or add the file.")  # fmt: skip
            break
        if len(seen) == 1:
            resolved.top = Place(origin, ())
        if not _well_formed(data, origin, resolved):
            break
        layers.append((data, origin))
        place = Place(origin, ("extends",))
        wanted = data.get("extends")
    if resolved.faults:
        return resolved  # a row laid over nothing would look wrong in every key
    for data, origin in reversed(layers):
        _lay(data, origin, resolved)
    if not resolved.faults:
        for key in ("system", "record"):
            if key not in resolved.head:
                resolved.fault(resolved.top, f"no {key}", f"`{key}: ...` as the profile names it", f"Add `{key}`.")
    return resolved


def _well_formed(data: Any, origin: str, resolved: Resolved) -> bool:
    """Check the closed vocabulary of one file; False if nothing more can be said about it."""
    if not isinstance(data, dict):
        found = "an empty file" if data is None else f"a {type(data).__name__}"
        resolved.fault(Place(origin, ()), found, "keys such as system, record and fields", "Write the mapping as keys.")
        return False
    try:
        MappingFile.model_validate(data)
    except ValidationError as error:
        by_place: dict[KeyPath, list[Fault]] = {}
        for problem in error.errors(include_url=False, include_context=True):
            fault = _named(problem, data, origin)
            by_place.setdefault(fault.path, []).append(fault)
        resolved.faults += [_one_of(several) for several in by_place.values()]
        return False
    return True


def _one_of(several: list[Fault]) -> Fault:
    """One fault of several at one place: a value that fits none of its alternatives is one mistake."""
    first = several[0]
    expected = list(dict.fromkeys(fault.expected for fault in several))
    return first if len(expected) == 1 else replace(first, expected=" or ".join(expected))


def _lay(data: dict[str, Any], origin: str, resolved: Resolved) -> None:
    """Lay one file over what there is."""
    for key in ("system", "record", "empty", "optional", "choices"):
        if data.get(key) is None and (key != "empty" or key not in data):
            continue  # written without a value, which only `empty` may be
        place = Place(origin, (key,))
        if "extends" in data and (key not in resolved.head or data[key] != resolved.head[key]):
            found = f"another `{key}` than in the file that it extends"
            resolved.fault(place, found, "rows, and nothing else, in such a file", f"Take `{key}` out.")
        else:
            resolved.head[key] = data[key]
            resolved.places[key] = place
    _lay_rows(data["fields"], Place(origin, ("fields",)), resolved.rows, resolved, over="extends" in data)


def _lay_rows(
    written: Iterable[dict[str, Any]], at: Place, rows: list[PlacedRow], resolved: Resolved, *, over: bool
) -> None:
    for index, keys in enumerate(written):
        place = Place(at.origin, (*at.path, index))
        same = _rows_below(keys, rows) if over else []
        if len(same) > 1:
            resolved.fault(place, f"{len(same)} rows below that it may mean", "one row that is meant",
                           "Give `direction` as the row below has it.")  # fmt: skip
            continue
        below = same[0] if same else None
        if keys.get("drop"):
            if below is None:
                resolved.fault(place, "`drop` of a row that is not there", "a row of the file that this one extends",
                               "Give `ours` (and `direction`) as that file has them.")  # fmt: skip
            else:
                rows.remove(below)
            continue
        if below is None:
            below = PlacedRow({}, {}, place)
            rows.append(below)
        below.whole = place
        for key, value in keys.items():
            if key in _TELLS_ROWS_APART and key in below.keys and below.keys[key] == value:
                continue  # written to say which row is meant, so it is still from where it was
            if key == "each" and value is None:
                below.each.clear()
            elif key == "each":
                _lay_rows(value, Place(place.origin, (*place.path, "each")), below.each, resolved, over=over)
            elif value is None and key not in ("constant", "empty"):
                below.keys.pop(key, None)  # `codes: null` in an overlay takes the key away again
            else:
                below.keys[key] = value
            below.places[key] = Place(place.origin, (*place.path, key))


def _rows_below(keys: dict[str, Any], rows: list[PlacedRow]) -> list[PlacedRow]:
    """Find the row that an overlay's row means: the same `ours` (a constant: the same `theirs`), then `direction`."""
    name = "ours" if keys.get("ours") else "theirs"
    same = [row for row in rows if row.keys.get(name) == keys.get(name) and ("ours" in row.keys) == (name == "ours")]
    if len(same) > 1:
        wanted = keys.get("direction", "both")
        return [row for row in same if row.keys.get("direction", "both") == wanted] or same
    return same


def _named(problem: Any, data: dict[str, Any], origin: str) -> Fault:
    """Turn a finding of pydantic into words. Mapping files hold no person, so what was found may be shown."""
    path: KeyPath = tuple(problem["loc"])
    kind = problem["type"]
    if kind == "extra_forbidden":
        key = str(path[-1])
        known = _keys_at(path)
        close = get_close_matches(key, known, n=1)
        remedy = f"Did you mean `{close[0]}`?" if close else f"The keys are: {', '.join(known)}."
        return Fault(origin, path, f"unknown key {key!r}", "a key of the format", remedy)
    if kind == "missing":
        return Fault(origin, path[:-1], f"no `{path[-1]}`", f"`{path[-1]}: ...`", f"Add `{path[-1]}`.")
    while path and not _reaches(data, path):
        path = path[:-1]  # pydantic adds the name of the alternative that it tried
    return Fault(origin, path, _shown(problem.get("input")), _expected(problem), "Write what is expected here.")


_KINDS = {
    "bool_type": "true or false",
    "int_type": "a whole number",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "keys",
    "model_type": "keys",
    "model_attributes_type": "keys",
    "none_required": "nothing",
    "string_too_short": "a text that is not empty",
}


def _expected(problem: Any) -> str:
    """What may stand there, in words."""
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "too_short":
        least = context["min_length"]
        return f"{least} {'item' if least == 1 else 'items'} at least"
    if kind == "greater_than":
        return f"a number above {context['gt']}"
    if kind == "literal_error":
        return "one of " + str(context["expected"]).replace("'", "").replace(" or ", ", ")
    return _KINDS.get(kind) or str(problem["msg"]).removeprefix("Input should be").strip()


def _keys_at(path: KeyPath) -> list[str]:
    model: type[BaseModel] = MappingFile
    if "default" in path[:-1]:
        return ["read", "write"]
    if len(path) > 1:
        model = ItemRow if "each" in path[:-1] else Row
    return [info.alias or name for name, info in model.model_fields.items()]


def _reaches(data: Any, path: KeyPath) -> bool:
    for step in path:
        listed = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if not listed and not (isinstance(data, dict) and step in data):
            return False
        data = data[step]
    return True


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return ("a list" if value else "an empty list") if isinstance(value, list) else "keys"
    if value is None or isinstance(value, bool):
        return {None: "nothing", True: "true", False: "false"}[value]
    return repr(value)[:60]
