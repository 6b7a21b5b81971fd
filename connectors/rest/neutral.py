"""What a REST system's records look like, from its pinned OpenAPI or JSON Schema file: one interface a kind, as data.

A record is read as the component says that the profile names. What may be sent is the body that the file describes for
the profile's method and path; where it describes none, the component again, without what only the system sets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from connectors.errors import Misconfigured
from connectors.flat import Flattener
from connectors.neutral import interface
from connectors.rest.interface import Interface, open_interface
from connectors.rest.profile import RestCreate, RestProfile, RestRecord, RestUpdate

Schema = dict[str, Any]
_PLACE = re.compile(r"\{[^{}]*\}")


def fits(profile: RestProfile, interfaces: Callable[[str], bytes]) -> None:
    """Compile what each kind is judged by when it is read. Raises Misconfigured for what the file does not have."""
    opened = open_interface(interfaces(profile.interface), profile.interface)
    for record in profile.records.values():
        opened.prepare(record.component)


def interfaces_of(profile: RestProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """One interface for each kind of record. Raises Misconfigured for what the file does not have."""
    try:
        body = interfaces(profile.interface)
    except (LookupError, OSError, ValueError) as problem:
        raise Misconfigured(
            f"interface: {profile.interface} is not among the pinned interfaces: save it there"
        ) from problem
    opened = open_interface(body, profile.interface)
    return [
        interface(
            profile.system,
            kind,
            profile.interface,
            read=_flat(opened, "read").made(opened.raw_component(record.component)),
            create=_sent(opened, record, record.create),
            update=_sent(opened, record, record.update),
            ours=_ours(record),
        )
        for kind, record in profile.records.items()
    ]


def _flat(opened: Interface, use: str) -> Flattener:
    return Flattener(opened.name, opened.follow, use=use)


def _sent(opened: Interface, record: RestRecord, section: RestCreate | RestUpdate | None) -> Schema | None:
    if section is None:
        return None
    body = _body(opened, section.method, section.path, section.content_type)
    made = {} if body is None else _flat(opened, "write").made(body)
    if "properties" not in made and "anyOf" not in made:  # "any of the fields" is all that some files say
        made = _flat(opened, "write").made(opened.raw_component(record.component))
    return _partial(made) if isinstance(section, RestUpdate) and section.mode == "merge" else made


def _partial(schema: Schema) -> Schema:
    """What a merge may leave out: everything but the parts of a list's items, as lists are replaced whole."""
    made = {key: value for key, value in schema.items() if key != "required"}
    if "x-choices" in made:
        made["x-choices"] = [{**choice, "min": 0} for choice in made["x-choices"]]
    if "properties" in made:
        made["properties"] = {name: _partial(inner) for name, inner in made["properties"].items()}
    if "anyOf" in made:
        made["anyOf"] = [_partial(one) for one in made["anyOf"]]
    return made


def _body(opened: Interface, method: str, path: str, content_type: str) -> Any:
    """The schema of a request's body; None if the file describes no such request."""
    wanted = _PLACE.sub("{}", path)
    # The file's paths may begin with what belongs to the connection's url here.
    near = [known for known in opened.paths() if _PLACE.sub("{}", known).endswith(wanted)]
    for known in sorted(near, key=len):
        told = opened.operation(known, method)
        content = opened.resolved(told.get("requestBody", {})).get("content", {})
        if isinstance(content, Mapping) and content:
            first = content.get(content_type) or next(iter(content.values()))
            return first.get("schema") if isinstance(first, Mapping) else None
    return None


def _ours(record: RestRecord) -> set[str]:
    """What the connector puts into a record by itself, and what it takes out of one for the ledger."""
    item = record.item
    found = [item.id, item.version, item.modified, item.our_key, item.deleted, *record.leave_out]
    return {path for path in [*found, record.create and record.create.our_key] if path}
