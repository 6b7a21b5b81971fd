"""Answers searches and histories of the health service with Bundles, a page at a time, each naming the next.

A page's place travels in its link and means nothing to a caller. The parameters are those of FHIR R4 that this server
supports; any other is refused, as a strict server does.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.health.cabinet import DOCUMENTS, REFERENCES, Cabinet, Version, led_to
from sandbox.store import Document, Json

MOST_A_PAGE = 200
Pairs = Sequence[tuple[str, str]]
Fault = Callable[[str], Any]


class Unsupported(ValueError):
    """A search that this server does not do. The words say why, and quote no value."""


class Searches:
    """Searches of one cabinet."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    def search(self, tenant: str, type: str, pairs: Pairs, base: str, take: Fault) -> Json:
        """A page of a search. `take` asks whether a fault is to be acted out. Raises Unsupported."""
        place = _place(pairs)
        pairs = [(name, value) for name, value in place["pairs"]] if place else list(pairs)
        after = tuple(place["after"]) if place and place["after"] else None
        size, since = _size(pairs), _since(pairs, "_lastUpdated")
        again = place is not None and take("repeated_page") is not None
        if again and place is not None:
            after = tuple(place["before"]) if place["before"] else None
        found, further = self._matching(tenant, type, pairs, since, after, size)
        if found and take("changed_while_paging") is not None:
            self._cabinet.keep(tenant, type, found[0].id, found[0].body)
        brief = ("_summary", "true") in pairs
        shown: list[Json] = [_entry(base, _summary(one.body) if brief else one.body, "match") for one in found]
        shown += self._along(tenant, type, pairs, found, base)
        links = [{"relation": "self", "url": f"{base}/{type}"}]
        here = list(after) if after else None
        if take("endless_page") is not None:
            links.append({"relation": "next", "url": _link(base, type, pairs, here, here)})
        elif again and place is not None:
            links.append({"relation": "next", "url": _link(base, type, pairs, place["after"], place["before"])})
        elif further:
            links.append({"relation": "next", "url": _link(base, type, pairs, [found[-1].changed, found[-1].id], here)})
        if shown and take("broken_record") is not None:
            resource = shown[0]["resource"]
            shown[0] = {**shown[0], "resource": {**resource, "status": {"see": "paper file"}, "identifier": "none"}}
        if shown and (huge := take("huge_record")) is not None:
            resource = shown[-1]["resource"]
            shown[-1] = {**shown[-1], "resource": {**resource, "language": "x" * int(huge["bytes"])}}
        return {
            "resourceType": "Bundle", "type": "searchset", "link": links, **({"entry": shown} if shown else {}),
        }  # fmt: skip

    def history(self, tenant: str, type: str, pairs: Pairs, base: str) -> Json:
        """A page of everything that happened to a type since a moment. Raises Unsupported."""
        place = _place(pairs)
        pairs = [(name, value) for name, value in place["pairs"]] if place else list(pairs)
        after = tuple(place["after"]) if place and place["after"] else None
        size, since = _size(pairs), _moment(dict(pairs).get("_since", ""))
        found = self._cabinet.history(tenant, type, since, after, size + 1)
        page = found[:size]
        links = [{"relation": "self", "url": f"{base}/{type}/_history"}]
        if len(found) > size:
            last = [page[-1].changed, f"{page[-1].id}/{page[-1].number:09}"]
            links.append({"relation": "next", "url": _link(base, f"{type}/_history", pairs, last, None)})
        entries = [_told(base, type, version) for version in page]
        return {
            "resourceType": "Bundle", "type": "history", "link": links, **({"entry": entries} if entries else {}),
        }  # fmt: skip

    def _matching(
        self, tenant: str, type: str, pairs: Pairs, since: str, after: tuple[Any, ...] | None, size: int
    ) -> tuple[list[Document], bool]:
        chosen: dict[str, Document] | None = None
        for name, value in pairs:
            if name.startswith("_") and name != "_id":
                continue
            if name not in ("_id", "identifier", "status", *REFERENCES[type]):
                raise Unsupported(f"{type} cannot be searched by that parameter")
            if name == "status":
                continue
            some: Iterable[Document | None]
            if name == "_id":
                some = [self._cabinet.get(tenant, type, id) for id in value.split(",")]
            else:
                some = self._cabinet.known_by(tenant, type, name, value)
            here = {one.id: one for one in some if one is not None}
            chosen = here if chosen is None else {id: one for id, one in chosen.items() if id in here}
        if chosen is None:
            held = self._cabinet.of(tenant, type)
            found = held.changed_since(since, limit=size + 1, after=(after[0], after[1]) if after else None)
        else:
            found = sorted(
                (
                    one
                    for one in chosen.values()
                    if one.changed >= since and (not after or (one.changed, one.id) > after)
                ),
                key=lambda one: (one.changed, one.id),
            )
        wanted = [value.split(",") for name, value in pairs if name == "status"]
        further = len(found) > size
        page = [one for one in found[:size] if all(one.body.get("status") in some for some in wanted)]
        return page, further

    def _along(self, tenant: str, type: str, pairs: Pairs, found: list[Document], base: str) -> Iterator[Json]:
        """What _include and _revinclude bring along, each resource once."""
        shown = {(type, one.id) for one in found}
        for name, value in pairs:
            if name not in ("_include", "_revinclude"):
                continue
            source, _, parameter = value.partition(":")
            parameter = parameter.partition(":")[0]
            if parameter not in REFERENCES.get(source, {}):
                raise Unsupported(f"{name} does not know that way")
            for one in found:
                brought: list[tuple[str, Document | None]] = []
                if name == "_include" and source == type:
                    ways = [told.partition("/") for told in led_to(one.body, REFERENCES[source][parameter])]
                    brought = [(to, self._cabinet.get(tenant, to, id)) for to, _, id in ways if to in REFERENCES]
                elif name == "_revinclude":
                    some = self._cabinet.known_by(tenant, source, parameter, f"{type}/{one.id}")
                    brought = [(source, each) for each in some]
                for kind, document in brought:
                    if document is not None and (kind, document.id) not in shown:
                        shown.add((kind, document.id))
                        yield _entry(base, document.body, "include")


def parameters(pairs: Pairs) -> None:
    """Refuse control parameters that this server does not know. Raises Unsupported."""
    known = {"_id", "_lastUpdated", "_count", "_include", "_revinclude", "_since", "_page", "_summary", "_format"}
    if any(name.startswith("_") and name not in known for name, _ in pairs):
        raise Unsupported("one of the parameters that begin with an underscore is not supported")


def _entry(base: str, resource: Json, mode: str) -> Json:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}


def _summary(resource: Json) -> Json:
    """A resource without what no summary has: of a document the file (FHIR R4, search.html#summary)."""
    if resource["resourceType"] != DOCUMENTS:
        return resource
    content = [
        {**one, "attachment": {name: told for name, told in one["attachment"].items() if name != "data"}}
        for one in resource["content"]
    ]
    return {**resource, "content": content}


def _told(base: str, type: str, version: Version) -> Json:
    method = "DELETE" if version.resource is None else "POST" if version.number == 1 else "PUT"
    status = {"DELETE": "204", "POST": "201", "PUT": "200"}[method]
    url = type if method == "POST" else f"{type}/{version.id}"
    told: Json = {
        "fullUrl": f"{base}/{type}/{version.id}",
        "request": {"method": method, "url": url},
        "response": {"status": status, "lastModified": version.changed, "etag": f'W/"{version.number}"'},
    }
    return {**told, "resource": version.resource} if version.resource is not None else told


def _size(pairs: Pairs) -> int:
    told = dict(pairs).get("_count", "50")
    if not told.isdecimal() or not int(told) >= 1:
        raise Unsupported("_count must be a whole number from 1")
    return min(int(told), MOST_A_PAGE)


def _since(pairs: Pairs, name: str) -> str:
    told = dict(pairs).get(name, "")
    if told and not told.startswith("ge"):
        raise Unsupported(f"{name} is supported with the prefix ge")
    return _moment(told.removeprefix("ge"))


def _moment(told: str) -> str:
    if not told:
        return ""
    try:
        moment = datetime.fromisoformat(told.replace(" ", "+"))
    except ValueError:
        raise Unsupported("a moment must be an instant with offset") from None
    if moment.tzinfo is None:
        raise Unsupported("a moment must be an instant with offset")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _link(base: str, path: str, pairs: Pairs, after: Any, before: Any) -> str:
    told = json.dumps({"pairs": list(pairs), "after": after, "before": before}).encode()
    count = dict(pairs).get("_count", "50")
    return f"{base}/{path}?_page={base64.urlsafe_b64encode(told).decode()}&_count={count}"


def _place(pairs: Pairs) -> Json | None:
    told = dict(pairs).get("_page")
    if told is None:
        return None
    try:
        place: Json = json.loads(base64.urlsafe_b64decode(told))
        count = dict(pairs).get("_count")
        if count is not None:
            place["pairs"] = [*((n, v) for n, v in place["pairs"] if n != "_count"), ("_count", count)]
    except ValueError:
        raise Unsupported("that page is not known any more") from None
    return place
