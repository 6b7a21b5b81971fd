"""Reads a Bundle that a search or a history answered with: its entries, its next page, and which is which resource.

Nothing in a Bundle is followed but the link to its next page, and that only below the connection's own url.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from connectors.errors import PageUnreadable
from connectors.http import Reply
from connectors.json_body import twice_on_the_way

Resource = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a Bundle as it came."""

    place: int
    whole: Any
    resource: Any  # None where the entry has none
    mode: str  # "match", "include" or "outcome"; "" if it does not say

    @property
    def type(self) -> str:
        """The resource's type, "" if it does not say."""
        told = self.resource.get("resourceType") if isinstance(self.resource, dict) else None
        return told if isinstance(told, str) else ""


def entries(bundle: Any, reply: Reply, doing: str) -> list[Entry]:
    """The entries of a search or history. Raises PageUnreadable, with the bytes, for what is no Bundle."""
    if twice := twice_on_the_way(bundle, "entry") or twice_on_the_way(bundle, "link"):
        raise PageUnreadable(f"{doing}: {twice}", reply=reply.body)
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise PageUnreadable(f"{doing}: at resourceType: expected a Bundle", reply=reply.body)
    found = bundle.get("entry", [])
    if not isinstance(found, list):
        raise PageUnreadable(f"{doing}: at entry: expected a list", reply=reply.body)
    made = []
    for place, one in enumerate(found):
        search = one.get("search") if isinstance(one, dict) else None
        mode = search.get("mode") if isinstance(search, dict) else ""
        resource = one.get("resource") if isinstance(one, dict) else None
        made.append(Entry(place, one, resource, mode if isinstance(mode, str) else ""))
    return made


def next_of(bundle: Any, reply: Reply, doing: str) -> str:
    """The address of the next page as the Bundle writes it, "" if this is the last. Raises PageUnreadable."""
    links = bundle.get("link", [])
    if not isinstance(links, list):
        raise PageUnreadable(f"{doing}: at link: expected a list", reply=reply.body)
    for link in links:
        if isinstance(link, dict) and link.get("relation") == "next":
            url = link.get("url")
            if not isinstance(url, str) or not url.strip():
                raise PageUnreadable(f"{doing}: at link/url: expected the next page", reply=reply.body)
            return url
    return ""


class Together:
    """The resources of one Bundle, to be found by what refers to them."""

    def __init__(self, found: list[Entry]) -> None:
        self._by_name: dict[str, Resource] = {}
        for entry in found:
            if isinstance(entry.resource, dict):
                for name in _names(entry):
                    self._by_name.setdefault(name, entry.resource)

    def led_to(self, reference: Any, type: str) -> Resource | None:
        """The resource of that type that a Reference leads to; None if it is not here."""
        told = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(told, str):
            return None
        told = told.partition("/_history/")[0]
        found = self._by_name.get(told) or self._by_name.get("/".join(told.split("/")[-2:]))
        return found if found is not None and found.get("resourceType") == type else None


def _names(entry: Entry) -> Iterator[str]:
    full = entry.whole.get("fullUrl") if isinstance(entry.whole, dict) else None
    if isinstance(full, str) and full:
        yield full
    id = entry.resource.get("id")
    if isinstance(id, str) and id and entry.type:
        yield f"{entry.type}/{id}"
