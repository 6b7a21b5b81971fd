"""What a REST system pushes: a record, or only its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.json_body import UnreadableBody, as_received, parse, sound
from connectors.port import Item, UnreadableItem
from connectors.push import json_push
from connectors.push.port import Answer, Kept, Named, Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings
from connectors.rest.items import ItemReader
from connectors.rest.profile_push import RestPush
from connectors.rest.replies import at, id_text

PROBLEM = "application/problem+json"


class RestPushes:
    """The pushes of one kind; see `connectors.push.port.Push`."""

    one_body_an_id = False
    tells_reference = False

    def __init__(self, kind: str, told: RestPush, settings: PushSettings, reader: ItemReader) -> None:
        self._kind = kind
        self._told = told
        self._settings = settings
        self._reader = reader

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """See the port."""
        return prove(self._settings, pushed, now)

    def look(self, pushed: Pushed) -> None:
        """See the port."""
        value = json_push.look(pushed)
        if not isinstance(self._listed(value), list):
            where = (self._told.items or "").removesuffix("[]") or "the top"
            raise PushRefused(400, f"at {where}: expected {'a list' if self._told.items else 'an object'}")

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:  # noqa: ARG002 - the port's
        """See the port."""
        try:
            listed = self._listed(parse(body, "application/json"))
        except UnreadableBody as trouble:  # it was whole when it came
            return [UnreadableItem(body, f"{self._kind} {trouble.reason}")]
        return [self._one(found) for found in listed or []]

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's
        """See the port."""
        return Answer(self._told.answer)

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's
        """See the port."""
        return problem(refusal)

    def _listed(self, value: Any) -> Any:
        path = self._told.items
        if path is None:
            return [value] if isinstance(value, dict) else None
        return value if path == "[]" else at(value, path.removesuffix("[]"))

    def _one(self, found: Any) -> Item | UnreadableItem | Named:
        if self._told.carries == "record":
            record = at(found, self._told.record) if self._told.record else found
            return self._reader.item(record)
        assert self._told.id is not None  # the profile says so
        id = id_text(at(found, self._told.id))
        if id:
            return Named(id)
        try:
            raw = sound(found)
        except UnreadableBody:
            raw = as_received(found)
        return UnreadableItem(raw, f"{self._kind} at {self._told.id}: expected the id of the record that it names")


def problem(refusal: PushRefused, more: Mapping[str, Any] | None = None) -> Answer:
    """A refusal as problem details (RFC 9457)."""
    told: dict[str, Any] = {"type": "about:blank", "status": refusal.status, "title": refusal.reason, **(more or {})}
    if refusal.problems:
        told["errors"] = [dict(one) for one in refusal.problems]
    return Answer(refusal.status, PROBLEM, orjson.dumps(told))
