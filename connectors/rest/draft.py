"""A draft of a REST profile from an OpenAPI 3 file: which path does what, and where in a record the things stand.

Paths are told apart by their methods, by the component that they bring and by their parameters. The record is the
component that most of them speak of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors import drafts
from connectors.drafts import LIKELY, SURE, UNSURE, Draft, DraftKind, NoDraft, Schema, asked, guess, listed, squeezed
from connectors.flat import Flattener
from connectors.rest.interface import Interface, open_interface

_METHODS = ("get", "post", "put", "patch")
_PLACE = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Call:
    """One method of one path: its parameters by place, what it takes and what it brings."""

    method: str
    path: str
    name: str
    parameters: Mapping[tuple[str, str], Schema] = field(repr=False)  # (place, name) -> schema
    takes: Schema | None = field(repr=False)
    content_type: str
    brings: Schema = field(repr=False)

    @property
    def places(self) -> list[str]:
        """The names in braces in the path."""
        return _PLACE.findall(self.path)

    def among(self, place: str) -> list[str]:
        """The names of the parameters that stand in one place."""
        return [name for where, name in self.parameters if where == place]

    @property
    def by_key(self) -> bool:
        """Whether the path asks by somebody else's key."""
        if len(self.places) != 1:
            return False
        steps = [step for step in self.path.split("/") if step]
        before = steps[steps.index(next(step for step in steps if "{" in step)) - 1] if len(steps) > 1 else ""
        said = set(drafts.words(before)) & drafts._FOREIGN
        return drafts.is_foreign(self.places[0]) or bool(said)


def draft(
    system: str, name: str, read: drafts.Read, *, records: Sequence[str] = (), operations: Sequence[str] = ()
) -> Draft:
    """Draft a profile from an OpenAPI file. Raises NoDraft, or Misconfigured for a file that cannot be used."""
    body = read(name)
    calls = _calls(open_interface(body, name))
    if operations:
        known = {call.name for call in calls}
        if unknown := sorted(set(operations) - known):
            raise NoDraft(f"{name} has no operation {', '.join(unknown)}; it has {listed(sorted(known), 40)}")
        calls = [call for call in calls if call.name in operations]
    types = _ranked(calls)
    if not types:
        raise NoDraft(f"{name} has no path that brings a record: no answer is a component with several properties")
    chosen = _wanted(types, records, name)
    notes = []
    if len(types) > len(chosen):
        others = [kind for kind in types if kind not in chosen]
        notes.append(f"other components that could be records (--record NAME): {listed(others)}")
    lines = [
        f"# A draft of how {system} is spoken to, made from {name}. Every line with `guess` is one:",
        "# go through them with the supplier's documents. A commented key is one that",
        "# nobody could guess, with what it might be.",
        "# Paths are as in the file: the connection's url ends where they begin.",
        f"system: {system}",
        "protocol: rest",
        f"interface: interfaces/{name}",
        guess("clock: UTC", LIKELY, "zone of times without offset; Europe/London is usual too"),
        "records:",
    ]
    kinds = []
    for kind in chosen:
        made, section = _kind(kind, calls)
        kinds.append(made)
        lines += section
    return Draft(system, "rest", tuple(kinds), "\n".join(lines) + "\n", {name: body}, tuple(notes))


# --- Reading the file -------------------------------------------------------------------------------------------------


def _calls(opened: Interface) -> list[Call]:
    return [
        _call(path, method, opened)
        for path in sorted(opened.paths())
        for method in _METHODS
        if opened.operation(path, method)
    ]


def _call(path: str, method: str, opened: Interface) -> Call:
    told = opened.operation(path, method)
    reads, writes = (Flattener(opened.name, opened.follow, use=use, names=True) for use in ("read", "write"))
    parameters = {}
    for one in opened.parameters(path, method):
        parameters[str(one.get("in")), str(one.get("name"))] = reads.made(one.get("schema"))
    takes, content_type = _content(opened.resolved(told.get("requestBody")), writes)
    brings: Schema = {}
    answers = told.get("responses")
    for status, answer in sorted(
        (answers if isinstance(answers, Mapping) else {}).items(), key=lambda one: str(one[0])
    ):
        if str(status).startswith("2") and not brings:
            brings = _content(opened.resolved(answer), reads)[0] or {}
    name = str(told.get("operationId") or f"{method} {path}")
    return Call(method.upper(), path, name, parameters, takes, content_type, brings)


def _content(node: Mapping[str, Any], flat: Flattener) -> tuple[Schema | None, str]:
    content = node.get("content")
    for content_type, body in (content if isinstance(content, Mapping) else {}).items():
        if "json" in str(content_type) and isinstance(body, Mapping):
            return flat.made(body.get("schema")), str(content_type).partition(";")[0]
    return None, ""


# --- Which component is the record ------------------------------------------------------------------------------------


def _at(brings: Schema, kind: str) -> str | None:
    """Where the records stand in an answer: "" for the whole, "[]" for a list, else a path to a list; None if not."""
    if brings.get("x-type") == kind:
        return ""
    if brings.get("items", {}).get("x-type") == kind:
        return "[]"
    return next((f"{path}[]" for path, many in drafts.places(brings, kind, deep=3) if many), None)


def _ranked(calls: Sequence[Call]) -> list[str]:
    scores: dict[str, float] = {}
    for call in calls:
        one = call.brings
        listed_ones = [inner["items"] for inner in one.get("properties", {}).values() if "items" in inner]
        for told in (one, one.get("items", {}), *listed_ones):
            kind, size = told.get("x-type"), sum(1 for _ in drafts.leaves(told)) if "properties" in told else 0
            holds = any("properties" in inner.get("items", {}) and inner["items"].get("x-type")
                        for inner in told.get("properties", {}).values()) and len(told["properties"]) < 6  # fmt: skip
            if kind and size >= 3 and not (holds and told is one and call.method == "GET" and not call.places):
                scores[kind] = scores.get(kind, min(size, 60) / 20) + 1
    return sorted(scores, key=lambda kind: (-scores[kind], kind))


def _wanted(types: Sequence[str], records: Sequence[str], name: str) -> list[str]:
    chosen = []
    for record in records:
        hit = next((kind for kind in types if squeezed(kind) == squeezed(record)), None)
        if hit is None:
            raise NoDraft(f"{name} has no record {record}; its paths bring {listed(types)}")
        chosen.append(hit)
    return chosen or [types[0]]


# --- The profile ------------------------------------------------------------------------------------------------------


def _kind(kind: str, calls: Sequence[Call]) -> tuple[DraftKind, list[str]]:
    bring = [(call, at) for call in calls if (at := _at(call.brings, kind)) is not None]
    record = next(_record(call.brings, at) for call, at in bring)
    fetch = next((call for call, at in bring if call.method == "GET" and at == "" and len(call.places) == 1
                  and not call.by_key), None)  # fmt: skip
    find = next((call for call, at in bring if call.method == "GET" and at == "" and call.by_key), None)
    sought = (
        find.places if find else [name for call, _ in bring for name in call.among("query") if drafts.is_foreign(name)]
    )
    id = drafts.the_id(kind, record, fetch.places if fetch else ())
    item = {"id": id, "version": drafts.the_version(record), "modified": drafts.the_stamp(record),
            "our_key": drafts.the_key(record, sought)}  # fmt: skip
    lines = [f"  {kind}:", guess(f"    component: {kind}", SURE), "    item:"]
    for part, (path, sure) in item.items():
        every = listed(leaf.path for leaf in drafts.leaves(record, deep=2))
        because = "left out, the ETag is taken" if part == "version" else f"not found; one of {every}"
        lines.append(guess(f"      {part}: {path}", sure) if path else asked(f"      {part}: ", because))
    read_only = [leaf.path for leaf in drafts.leaves(record, deep=2) if leaf.schema.get("readOnly")]
    own = list(dict.fromkeys([*(path for path, _ in item.values() if path), *read_only]))
    lines.append(guess(f"    leave_out: [{', '.join(own)}]", LIKELY, "what the system sets itself"))
    lines += _changes(bring, item["modified"][0])
    if fetch:
        lines.append(guess(f'    fetch: {{path: "{_PLACE.sub("{id}", fetch.path)}"}}', SURE))
    else:
        lines.append(asked("    fetch: ", "no path brings one record by its id"))
    create = _creating(bring, calls)
    lines += _create(create, item["our_key"][0])
    lines += _update([call for call in calls if fetch and call.path == fetch.path], fetches=fetch is not None)
    lines += _find(find, bring)
    lines += _errors()
    return DraftKind(kind, record, create.takes if create else None, frozenset(own), id[0]), lines


def _record(brings: Schema, at: str) -> Schema:
    if at == "":
        return brings
    return brings["items"] if at == "[]" else drafts.inside(brings, at)


def _creating(bring: Sequence[tuple[Call, str]], calls: Sequence[Call]) -> Call | None:
    """The call that makes a record: under a key in the path, or a POST where the records are listed."""
    keyed = [call for call, at in bring if call.method == "PUT" and call.by_key]
    listing = {call.path for call, at in bring if call.method == "GET" and at}
    posted = [call for call in calls if call.method == "POST" and call.takes is not None and call.path in listing]
    named = [call for call, _ in bring if call.method == "POST" and call.takes is not None and not call.places]
    return next(iter([*keyed, *posted, *named]), None)


def _changes(bring: Sequence[tuple[Call, str]], stamp: str) -> list[str]:
    lists = [(call, at) for call, at in bring if call.method == "GET" and at and not call.places]
    if not lists:
        return [asked("    changes: ", "no path lists records")]
    signs = {"since", "from", "after", *drafts._CHANGED}
    call, at = max(
        lists, key=lambda each: sum(bool(signs & set(drafts.words(name))) for name in each[0].among("query"))
    )
    asks = call.among("query")
    since = next(
        (name for name in asks if signs & set(drafts.words(name)) and name.lower() not in ("page", "cursor")), ""
    )
    cursor = next((name for name in asks if {"cursor", "token", "continuation"} & set(drafts.words(name))), "")
    cursor = cursor or next((name for name in asks if name.lower() == "after" and name != since), "")
    size = next((name for name in asks if {"limit", "size", "per", "top", "count"} & set(drafts.words(name))), "")
    answers = [leaf.path for leaf in drafts.leaves(call.brings, deep=3) if "next" in drafts.words(leaf.path)
               and "string" in drafts.types(leaf.schema)]  # fmt: skip
    following = answers[0] if answers else ""
    page = {"next": following, "is": "token" if cursor or not following else "link",
            "at_end": "absent" if following and not _always(call.brings, following) else "",
            "cursor": cursor, "size": size, "of": "100"}  # fmt: skip
    parts = ", ".join(f"{key}: {value}" for key, value in page.items() if value)
    lines = ["changes:", "  feed: cursor", f"  path: {call.path}", f"  since: {since}", f"  page: {{{parts}}}",
             f'  items: "{at}"']  # fmt: skip
    lacks = [what for what, there in (("a parameter for the moment", since), ("the next page in the answer", following),
             ("the record's last change", stamp)) if not there]  # fmt: skip
    if lacks:
        of = f"incomplete: {listed(lacks)} not found; parameters are {listed(asks)}"
        return [asked(f"    {line}", of if not number else "") for number, line in enumerate(lines)]
    return ["    changes:", *(guess(f"    {line}", LIKELY) for line in lines[1:])]


def _always(schema: Schema, path: str) -> bool:
    """Whether the last name of a path must be there, wherever what is around it is."""
    around, _, name = path.rpartition("/")
    return name in (drafts.inside(schema, around) if around else schema).get("required", ())


def _create(create: Call | None, key: str) -> list[str]:
    if create is None:
        return [asked("    create: ", "no path makes a record; leave it out for a system that is only read")]
    if len(create.places) > 1:
        return [
            asked(
                f"    create: {create.method} {create.path}", "has several placeholders; only our key can stand there"
            )
        ]
    lines = [f"  method: {create.method}", f'  path: "{_PLACE.sub("{our_key}", create.path)}"']
    if create.content_type not in ("", "application/json"):
        lines.append(f"  content_type: {create.content_type}")
    header = next((name for name in create.among("header") if "idempotency" in squeezed(name)), "")
    if create.places or header:
        lines += [f"  key_header: {header}"] if header and not create.places else []
        lines.append("  keeps_key: true")
    elif key and create.takes and any(leaf.path == key for leaf in drafts.leaves(create.takes)):
        lines.append(f"  our_key: {key}")
    return ["    create:", *(guess(f"    {line}", LIKELY) for line in lines)]


def _update(calls: Sequence[Call], *, fetches: bool) -> list[str]:
    call = next((call for method in ("PATCH", "PUT") for call in calls if call.method == method), None)
    if call is None or not fetches:
        return [asked("    update: ", "no path changes a record that can be read first")]
    lines = [f"  method: {call.method}", f'  path: "{_PLACE.sub("{id}", call.path)}"']
    if call.content_type not in ("", "application/json"):
        lines.append(f"  content_type: {call.content_type}")
    lines.append(f"  mode: {'merge' if call.method == 'PATCH' else 'replace'}")
    made = ["    update:", *(guess(f"    {line}", LIKELY) for line in lines)]
    made.append(guess("      reads_first: true", LIKELY, "safe either way"))
    if any(name.lower() == "if-match" for name in call.among("header")):
        quoted = "'\"{version}\"'"
        made.append(
            guess(f"      check: {{header: If-Match, value: {quoted}}}", UNSURE, "the ETag, in quotes as usual")
        )
    return made


def _find(find: Call | None, bring: Sequence[tuple[Call, str]]) -> list[str]:
    if find is not None:
        return [guess(f'    find: {{path: "{_PLACE.sub("{our_key}", find.path)}"}}', LIKELY)]
    for call, at in bring:
        by = next((name for name in call.among("query") if drafts.is_foreign(name)), "")
        if call.method == "GET" and at and by and not call.places:
            return [guess(f'    find: {{path: {call.path}, by: {by}, items: "{at}"}}', LIKELY)]
    return [asked("    find: ", "no path finds a record by a caller's own reference: ask the supplier")]


def _errors() -> list[str]:
    statuses = {"404": "not_there", "409": "outdated", "412": "outdated", "401": "unauthorised", "429": "throttled"}
    lines = ["    errors:"]
    for status, means in statuses.items():
        why = "" if status != "409" else "duplicate, if it says that the record is there already"
        lines.append(guess(f'      "{status}": {means}', UNSURE if why else LIKELY, why))
    return lines
