"""A draft of a SOAP profile from a WSDL: which operation does what, and where in a record its id and stamps stand.

Operations are told apart by their names, by the types that they share and by the parameters that they take. The record
is the type that most of them speak of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connectors import drafts
from connectors.drafts import (
    LIKELY,
    SURE,
    UNSURE,
    Draft,
    DraftKind,
    Leaf,
    NoDraft,
    Schema,
    asked,
    guess,
    listed,
    squeezed,
)
from connectors.soap.operations import Operation, operations_of, ports_of
from connectors.soap.pinned import Pinned
from connectors.soap.schema import Schemas


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The operation of one use, and where in it the record stands."""

    operation: Operation
    at: str
    score: float


def draft(
    system: str, name: str, read: drafts.Read, *, records: Sequence[str] = (), operations: Sequence[str] = ()
) -> Draft:
    """Draft a profile from a WSDL. Raises NoDraft, or Misconfigured for a file that is missing or cannot be used."""
    pinned = Pinned(name, read)
    schemas = Schemas(pinned, names=True)
    found, left = operations_of(schemas)
    if operations:
        unknown = sorted(set(operations) - set(found))
        if unknown:
            raise NoDraft(f"{name} has no operation {', '.join(unknown)}; it has {listed(found, 40)}")
        found = {each: found[each] for each in operations}
    if not found:
        because = f"its operations ({listed(left)}) are not document/literal with an answer" if left else "it has none"
        raise NoDraft(f"{name} has no operation that can be used: {because}")
    types = [kind for kind in _ranked(list(found.values())) if _seen(kind, list(found.values())) is not None]
    if not types:
        raise NoDraft(f"{name} has no operation that speaks of a record: none shares a type of several elements")
    chosen = _wanted(types, records, name)
    notes = [f"not used, as they are not document/literal: {listed(left)}"] if left else []
    if len(types) > len(chosen):
        others = [_short(kind) for kind in types if kind not in chosen]
        notes.append(f"other types that could be records (--record NAME): {listed(others)}")
    kinds, lines = [], _head(system, name, schemas)
    for kind in chosen:
        made, section = _kind(kind, list(found.values()))
        kinds.append(made)
        lines += section
    files = {file: read(file) for file in pinned.files}
    return Draft(system, "soap", tuple(kinds), "\n".join(lines) + "\n", files, tuple(notes))


# --- Which type is the record -----------------------------------------------------------------------------------------


def _ranked(operations: Sequence[Operation]) -> list[str]:
    """The types that could be a record, the likeliest first."""
    scores: dict[str, float] = {}
    for operation in operations:
        for schema, uses in ((operation.brings, ("changes", "fetch", "find")), (operation.takes, ("create", "update"))):
            for kind, size in _types(schema).items():
                said = max(drafts.says(use, operation.name) for use in uses)
                scores[kind] = scores.get(kind, min(size, 40) / 40) + 1 + said
    return sorted(scores, key=lambda kind: (-scores[kind], kind))


def _types(schema: Schema, deep: int = 4) -> dict[str, int]:
    """The outermost types of some size below a message: name and number of values."""
    found: dict[str, int] = {}
    for inner in schema.get("properties", {}).values():
        one = inner.get("items", inner)
        size = sum(1 for _ in drafts.leaves(one)) if "properties" in one else 0
        kind = one.get("x-type")
        wraps = len(one.get("properties", {})) < 3 or (any("items" in each and "properties" in each["items"]
                for each in one.get("properties", {}).values()) and len(one["properties"]) < 4)  # fmt: skip
        if kind and size >= 3 and not wraps:
            found[kind] = size
        elif deep > 1:
            found |= _types(one, deep - 1)
    return found


def _seen(kind: str, operations: Sequence[Operation]) -> Schema | None:
    """The type as it first stands in a message, answers before requests; None if it lies too deep to be named."""
    for schema in (*(each.brings for each in operations), *(each.takes for each in operations)):
        for at, _ in drafts.places(schema, kind):
            return drafts.inside(schema, at)
    return None


def _wanted(types: Sequence[str], records: Sequence[str], name: str) -> list[str]:
    if not records:
        return [types[0]]
    chosen = []
    for record in records:
        hit = next((kind for kind in types if squeezed(_short(kind)) == squeezed(record)), None)
        if hit is None:
            raise NoDraft(f"{name} has no record {record}; its operations speak of {listed(map(_short, types))}")
        chosen.append(hit)
    return chosen


def _short(kind: str) -> str:
    return kind.rpartition("}")[2]


# --- The profile ------------------------------------------------------------------------------------------------------


def _head(system: str, name: str, schemas: Schemas) -> list[str]:
    ports = ports_of(schemas)
    lines = [
        f"# A draft of how {system} is spoken to, made from {name}. Every line with `guess` is one:",
        "# go through them with the supplier's documents. A commented key is one that",
        "# nobody could guess, with what it might be.",
        f"system: {system}",
        "protocol: soap",
        f"interface: interfaces/{name}",
    ]
    if len(ports) > 1:
        shown = ", ".join(f"{port} (SOAP {version})" for port, version in ports)
        lines.append(guess(f"port: {ports[0][0]}", LIKELY, f"the first of {shown}"))
    lines.append(guess("clock: Europe/London", UNSURE, "zone of times without offset; UTC is usual too"))
    return [*lines, "records:"]


def _kind(kind: str, operations: Sequence[Operation]) -> tuple[DraftKind, list[str]]:
    uses = {use: _choose(use, kind, operations) for use in ("fetch", "create", "update", "find", "changes")}
    reading = next((uses[use] for use in ("fetch", "changes", "find") if uses[use]), None)
    writing = uses["create"] or uses["update"]
    if source := reading or writing:
        record = drafts.inside(source.operation.brings if reading else source.operation.takes, source.at)
    else:  # no operation reads or writes it by itself: it stands in lists and in parts of other answers alone
        record = _seen(kind, operations) or {}
    name = _short(kind)
    fetched = [leaf.name for leaf in drafts.leaves(uses["fetch"].operation.takes)] if uses["fetch"] else []
    sought = [leaf.name for leaf in drafts.leaves(uses["find"].operation.takes)] if uses["find"] else []
    item = {
        "id": drafts.the_id(name, record, fetched), "version": drafts.the_version(record),
        "modified": drafts.the_stamp(record), "our_key": drafts.the_key(record, sought),
    }  # fmt: skip
    id, key = item["id"][0], item["our_key"][0]
    if uses["find"] and not key:
        uses["find"] = None  # what was made without our key cannot be found by it
    lines = [f"  {name}:", "    item:"]
    for part, (path, sure) in item.items():
        if path:
            lines.append(guess(f"      {part}: {path}", sure))
        else:
            every = [leaf.path for leaf in drafts.leaves(record, deep=2)]
            lines.append(asked(f"      {part}: ", f"not found; one of {listed(every)}"))
    lines += _changes(uses["changes"], operations, stamp=item["modified"][0])
    lines += _fetch(uses["fetch"], operations, id)
    lines += _create(uses["create"], item)
    lines += _update(uses["update"], item, fetches=bool(uses["fetch"] and id))
    lines += _find(uses["find"], uses["create"], key)
    lines += _errors(operations)
    ours = frozenset(path for path, _ in item.values() if path)
    create = drafts.inside(writing.operation.takes, writing.at) if writing else None
    return DraftKind(name, record, create, ours, id), lines


def _choose(use: str, kind: str, operations: Sequence[Operation]) -> _Chosen | None:
    """The best operation for a use, None where none fits."""
    writes = use in ("create", "update")
    found = []
    for operation in operations:
        said = drafts.says(use, operation.name)
        for at, many in drafts.places(operation.takes if writes else operation.brings, kind):
            takes = list(drafts.leaves(operation.takes))
            own = [leaf for leaf in takes if drafts.squeezed(leaf.name) not in ("username", "password", "token")]
            score = float(said)
            if use == "changes":
                score += 2 if many and _since(takes) else -9
            elif use == "fetch":
                foreign = any(drafts.is_foreign(leaf.name) for leaf in own)
                score += 2 if not many and len(own) == 1 and not foreign else -9 if many or not own or foreign else 0
            elif use == "find":
                since = _since(takes)
                asks = any(drafts.is_foreign(leaf.name) for leaf in own)
                bound = since is not None and drafts.must(operation.takes, since.path)
                score += (1 if since else 2) if asks and not bound else -9
            elif said == 0 or drafts.says("create" if use == "update" else "update", operation.name) > said:
                score -= 9
            found.append(_Chosen(operation, at, score))
    best = max(found, key=lambda each: each.score, default=None)
    return best if best is not None and best.score > 0 else None


def _since(takes: Sequence[Leaf]) -> Leaf | None:
    """The parameter for the moment from which changes are wanted."""
    signs = {"since", "from", "after", "start", *drafts._CHANGED}
    could = [leaf for leaf in takes if drafts.is_time(leaf.schema)]
    return next((leaf for leaf in could if signs & set(drafts.words(leaf.name))), None)


def _pages(chosen: _Chosen) -> tuple[Leaf | None, Leaf | None, Leaf | None]:
    """The parameters for a page's number and size, and the answer's word for more."""
    number = size = None
    for leaf in drafts.leaves(chosen.operation.takes):
        said = set(drafts.words(leaf.name))
        if not drafts.is_number(leaf.schema):
            continue
        if {"size", "limit", "count", "max", "rows", "per"} & said:
            size = size or leaf
        elif "page" in said:
            number = number or leaf
    flags = [leaf for leaf in drafts.leaves(chosen.operation.brings) if drafts.is_flag(leaf.schema)
             and not leaf.path.startswith(f"{chosen.at}/")]  # fmt: skip
    more = next((leaf for leaf in flags if {"more", "next", "further"} & set(drafts.words(leaf.name))), None)
    return number, size, more


def _names(operations: Sequence[Operation]) -> str:
    return listed(operation.name for operation in operations)


def _sureness(chosen: _Chosen) -> str:
    return SURE if chosen.score >= 4 else LIKELY


def _changes(chosen: _Chosen | None, operations: Sequence[Operation], stamp: str) -> list[str]:
    if chosen is None:
        return [asked("    changes: ", f"no operation lists what changed since a moment; one of {_names(operations)}")]
    since, (number, size, more) = _since(list(drafts.leaves(chosen.operation.takes))), _pages(chosen)
    parts = [
        ("changes:", SURE), ("  feed: modified-since", SURE),
        (f"  operation: {chosen.operation.name}", _sureness(chosen)),
        (f"  since: {since.path if since else ''}", SURE),
        ("  page:", SURE), (f"    number: {number.path if number else ''}", SURE),
        (f"    size: {size.path if size else ''}", SURE),
        ("    of: 100", UNSURE),
        *([("    first: 0", UNSURE)] if number and "index" in drafts.words(number.name) else []),
        (f"    more: {more.path if more else ''}", SURE), (f"  items: {chosen.at}[]", SURE),
    ]  # fmt: skip
    if since and number and size and more and stamp:
        plain = ("changes:", "  page:")
        return [f"    {text}" if text in plain else guess(f"    {text}", sure) for text, sure in parts]
    wanted = {"the page's number": number, "its size": size, "whether there are more": more, "the last change": stamp}
    lacks = [what for what, there in wanted.items() if not there]
    return [
        asked(f"    {text}", f"incomplete: {listed(lacks)}" if not at else "") for at, (text, _) in enumerate(parts)
    ]


def _fetch(chosen: _Chosen | None, operations: Sequence[Operation], id: str) -> list[str]:
    if chosen is None or not id:
        return [asked("    fetch: ", f"no operation reads one record by its id; one of {_names(operations)}")]
    takes = list(drafts.leaves(chosen.operation.takes))
    by = next((leaf for leaf in takes if squeezed(leaf.name) == squeezed(id.rsplit("/", 1)[-1])), takes[0])
    line = f"    fetch: {{operation: {chosen.operation.name}, id: {by.path}, item: {chosen.at}}}"
    return [guess(line, _sureness(chosen))]


def _reply(chosen: _Chosen, item: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Where the answer to a write tells id, version and stamp."""
    found = {}
    for leaf in drafts.leaves(chosen.operation.brings):
        for part in ("id", "version", "modified"):
            own = squeezed(item[part][0].rsplit("/", 1)[-1])
            names = {own, squeezed(chosen.at.rsplit("/", 1)[-1]) + own} if part == "id" else {own}  # Id, AccountId
            if part not in found and own and squeezed(leaf.name) in names and not leaf.many:
                found[part] = leaf.path
    every = drafts.leaves(chosen.operation.brings)
    told = [leaf for leaf in every if not leaf.many and not drafts.is_flag(leaf.schema)]
    if "id" not in found and len(told) == 1 and drafts.squeezed(told[0].name).endswith(("result", "return", "out")):
        found["id"] = told[0].path  # the one thing that it answers with
    return found


def _create(chosen: _Chosen | None, item: Mapping[str, tuple[str, str]]) -> list[str]:
    if chosen is None:
        return [asked("    create: ", "no operation makes a record; leave it out for a system that is only read")]
    reply, key = _reply(chosen, item), item["our_key"][0]
    told = drafts.inside(chosen.operation.takes, chosen.at)
    has_key = key and any(leaf.path == key for leaf in drafts.leaves(told))
    inner = ", ".join(f"{part}: {path}" for part, path in reply.items())
    lines = [
        "create:", f"  operation: {chosen.operation.name}", f"  record: {chosen.at}",
        *([f"  our_key: {key}"] if has_key else []), f"  reply: {{{inner}}}",
    ]  # fmt: skip
    if "id" not in reply:
        every = [leaf.path for leaf in drafts.leaves(chosen.operation.brings)]
        because = f"incomplete: the answer tells no id that we know; reply.id is one of {listed(every)}"
        return [asked(f"    {line}", because if not at else "") for at, line in enumerate(lines)]
    return [f"    {lines[0]}", *(guess(f"    {line}", _sureness(chosen)) for line in lines[1:])]


def _update(chosen: _Chosen | None, item: Mapping[str, tuple[str, str]], *, fetches: bool) -> list[str]:
    if chosen is None:
        return [asked("    update: ", "no operation changes a record")]
    told = {leaf.path for leaf in drafts.leaves(drafts.inside(chosen.operation.takes, chosen.at))}
    reply = {part: path for part, path in _reply(chosen, item).items() if part != "id"}
    id, version = item["id"][0], item["version"][0]
    lines = [("update:", SURE, ""), (f"  operation: {chosen.operation.name}", _sureness(chosen), ""),
             (f"  record: {chosen.at}", SURE, ""),
             ("  mode: replace", UNSURE, "safe either way; merge if what is left out stays as it is"),
             (f"  id: {id}", item["id"][1], "")]  # fmt: skip
    if version in told:
        lines.append((f"  version: {version}", LIKELY, ""))
    if reply:
        lines.append((f"  reply: {{{', '.join(f'{part}: {path}' for part, path in reply.items())}}}", LIKELY, ""))
    if id in told and fetches:
        return ["    update:", *(guess(f"    {text}", sure, why) for text, sure, why in lines[1:])]
    lacks = "its record has no id that we know" if id not in told else "replacing needs `fetch`"
    return [asked(f"    {text}", f"incomplete: {lacks}" if not at else "") for at, (text, _, _) in enumerate(lines)]


def _find(chosen: _Chosen | None, create: _Chosen | None, key: str) -> list[str]:
    if chosen is None or create is None:
        return [asked("    find: ", "no operation finds a record by a caller's own reference: ask the supplier")]
    by = next(leaf for leaf in drafts.leaves(chosen.operation.takes) if drafts.is_foreign(leaf.name))
    line = f'    find: {{operation: {chosen.operation.name}, by: {by.path}, items: "{chosen.at}[]"}}'
    return [guess(line, SURE if squeezed(by.name) == squeezed(key.rsplit("/", 1)[-1]) else LIKELY)]


def _errors(operations: Sequence[Operation]) -> list[str]:
    faults = {name: schema for operation in operations for name, schema in operation.faults.items()}
    lines = []
    for name in faults:
        means = drafts.meaning(name)
        meanings = "rejected, outdated, not_there, unauthorised, throttled or duplicate"
        lines.append(guess(f"      {name}: {means}", LIKELY) if means else asked(f"      {name}: ", meanings))
    told = {leaf.path: squeezed(leaf.name) for schema in faults.values() for leaf in drafts.leaves(schema)}
    code = next((path for path, name in told.items() if name.endswith("code")), "")
    where = next((path for path, name in told.items() if name.endswith(("field", "fieldname", "element", "path"))), "")
    known = ", ".join(f"{part}: {path}" for part, path in (("code", code), ("field", where)) if path)
    if any(not line.lstrip().startswith("#") for line in lines):
        lines = ["    errors:", *lines]
    elif lines:
        lines = [asked("    errors:", "no name says what it means: ask the supplier"), *lines]
    return [*lines, *([guess(f"    fault: {{{known}}}", LIKELY)] if known else [])]
