"""One pretend system of one council: its records, its change feed, and what it does with a write.

All systems have one shape and differ in one thing, their tier: A keeps our key and lays a second create with it over
the record it has; B keeps it to be searched by and makes a second record when asked twice; C keeps nothing of ours.
Stamps count whole seconds, so that many are equal; a late commit shows up with the stamp that it began with.
"""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

Body = dict[str, Any]

#: What a write may name; the rest is the system's own or its staff's.
FIELDS = frozenset(
    {"status", "status_reason", "kind", "priority", "team", "received_at", "reason", "person", "safeguarding",
     "restricted", "notes"}
)  # fmt: skip
PERSON = frozenset({"last_name", "first_names", "date_of_birth", "mobile"})
NEEDED = ("status", "kind", "priority", "received_at", "reason", "person")
#: Walks that are remembered at once; an older one is forgotten, as real systems forget them.
WALKS = 200


class Refused(Exception):
    """The system says no, with an HTTP status and a code."""

    def __init__(self, status: int, code: str, field: str = "") -> None:
        super().__init__(code)
        self.status, self.code, self.field = status, code, field


@dataclass(slots=True)
class Held:
    """One record, and the witness's notes about it, which the system itself never shows."""

    id: str
    body: Body
    version: int
    stamp: int  # whole seconds
    key: str = ""  # ours, as the create gave it, kept by the witness for every tier
    known: bool = False  # somebody has asked for it or changed it by its number since it was listed
    listed: bool = False  # it was on a page of the feed
    writes: int = 0
    said: dict[str, list[str]] = field(default_factory=dict)  # field -> every value that a write brought, in order
    mobile_root: str = ""  # the number that the last write (or the first typing) put here

    def shown(self) -> Body:
        """The record as the interface shows it."""
        return {"id": self.id, "version": self.version, "changed_at": stamp_text(self.stamp), **self.body}


class System:
    """The records of one council in one system. `at`: its name, such as `birch/care`."""

    def __init__(self, at: str, tier: str, *, prefix: str, now: Callable[[], float]) -> None:
        self.at, self.tier = at, tier
        self._prefix, self._now = prefix, now
        self.records: dict[str, Held] = {}
        self._by_key: dict[str, list[str]] = {}
        self.by_token: dict[str, list[str]] = {}
        self._order: list[tuple[int, str]] = []  # (stamp, id) of every change ever; what is outdated is passed over
        self._walks: OrderedDict[str, list[str]] = OrderedDict()
        self.walked = 0  # walks that were read to their end
        self.creates: dict[str, int] = {}  # our key -> records made under it

    # --- writing --------------------------------------------------------------------------------------------------

    def create(self, given: Body, *, key: str, token: str) -> Held:
        """Do a create that came over the wire. Raises Refused."""
        check(given, whole=True)
        if self.tier == "A" and key in self._by_key:
            held = self.records[self._by_key[key][0]]
            return self._written(held, given)
        body = {"external_reference": key if self.tier != "C" else None, **_complete(given)}
        held = self.enter(body, token=token)
        held.key = key
        if key:
            self._by_key.setdefault(key, []).append(held.id)
            self.creates[key] = self.creates.get(key, 0) + 1
        held.writes += 1
        _note(held, {}, given)
        return held

    def update(self, id: str, given: Body, *, match: str | None) -> Held:
        """Do an update that came over the wire. Raises Refused."""
        held = self.get(id)
        check(given, whole=False)
        if match is None:
            raise Refused(428, "precondition_required")
        if match.strip('"') != str(held.version):
            raise Refused(412, "precondition_failed")
        return self._written(held, given)

    def enter(self, body: Body, *, token: str, stamp: int | None = None) -> Held:
        """Put a new record in, as staff do; `stamp`: when a late commit began."""
        id = f"{self._prefix}{len(self.records) + 1:06d}"
        held = Held(id, body, 1, self._stamp() if stamp is None else stamp)
        held.mobile_root = str(body["person"].get("mobile") or "")
        self.records[id] = held
        self.by_token.setdefault(token, []).append(id)
        insort(self._order, (held.stamp, id))
        return held

    def change(self, held: Held, changes: Body, *, stamp: int | None = None) -> None:
        """Lay changes over a record, as staff do. A late commit whose record has moved on counts as begun now."""
        held.body = laid(held.body, changes)
        held.version += 1
        held.stamp = max(held.stamp, self._stamp() if stamp is None else stamp)
        insort(self._order, (held.stamp, held.id))

    def _written(self, held: Held, given: Body) -> Held:
        held.writes += 1
        _note(held, held.body, given)
        if laid(held.body, given) != held.body:
            self.change(held, given)
        return held

    # --- reading --------------------------------------------------------------------------------------------------

    def get(self, id: str) -> Held:
        """Find one record by its number. Raises Refused."""
        held = self.records.get(id)
        if held is None:
            raise Refused(404, "not_found")
        return held

    def search(self, key: str) -> list[Held]:
        """Find what was made under our key; tier C cannot."""
        if self.tier == "C":
            raise Refused(404, "no_search")
        return [self.records[id] for id in self._by_key.get(key, [])]

    def page(self, since: int, cursor: str, limit: int, chance: Random) -> tuple[list[Held], str | None]:
        """One page of what changed since, and the place of the next. The order within a walk is nobody's business."""
        name, _, place = cursor.rpartition("-")
        at = int(place) if place.isdecimal() else 0
        if cursor:
            walk = self._walks.get(name)
            if walk is None:
                raise Refused(410, "cursor_expired")
        else:
            walk = list(self._changed(since))
            if chance.random() < 0.5:
                chance.shuffle(walk)
            name = f"w{self.walked}x{chance.randrange(1 << 30)}"
            if len(walk) > limit:
                self._walks[name] = walk
                while len(self._walks) > WALKS:
                    self._walks.popitem(last=False)
        page = [self.records[id] for id in walk[at : at + limit]]
        for held in page:
            held.listed = True
        if at + limit < len(walk):
            return page, f"{name}-{at + limit}"
        self.walked += 1
        return page, None

    def _changed(self, since: int) -> Iterator[str]:
        low, high = 0, len(self._order)
        while low < high:
            middle = (low + high) // 2
            if self._order[middle][0] < since:
                low = middle + 1
            else:
                high = middle
        seen = set()
        for stamp, id in self._order[low:]:
            if id not in seen and self.records[id].stamp == stamp:
                seen.add(id)
                yield id

    def _stamp(self) -> int:
        return int(self._now())


def check(given: Any, *, whole: bool) -> None:
    """Refuse what does not fit the interface. Raises Refused."""
    if not isinstance(given, dict):
        raise Refused(400, "invalid_json")
    for name in given.keys() - FIELDS - {"external_reference"}:
        raise Refused(422, "invalid", name)
    person = given.get("person", {})
    if not isinstance(person, dict) or person.keys() - PERSON:
        raise Refused(422, "invalid", "person")
    missing = [name for name in NEEDED if whole and given.get(name) is None]
    if missing:
        raise Refused(422, "invalid", missing[0])


def laid(onto: Body, changes: Body) -> Body:
    """Lay a merge patch over a record."""
    return {
        **onto,
        **{
            name: {**onto[name], **value} if isinstance(value, dict) and isinstance(onto.get(name), dict) else value
            for name, value in changes.items()
        },
    }


def stamp_text(stamp: int) -> str:
    """A stamp as the interface shows it."""
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _complete(given: Body) -> Body:
    whole: Body = dict.fromkeys(sorted(FIELDS - {"person"}))
    whole |= {name: value for name, value in given.items() if name != "external_reference"}
    whole["person"] = {**dict.fromkeys(sorted(PERSON)), **given["person"]}
    return whole


def _note(held: Held, before: Body, given: Body) -> None:
    """Keep what a write brought that was not there, of the fields that carry a mark of the story."""
    for name in ("reason", "status_reason"):
        if given.get(name) and given[name] != before.get(name):
            held.said.setdefault(name, []).append(given[name])
    mobile = given.get("person", {}).get("mobile")
    if mobile and mobile != before.get("person", {}).get("mobile"):
        held.said.setdefault("mobile", []).append(mobile)
        held.mobile_root = mobile
