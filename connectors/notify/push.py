"""What GOV.UK Notify calls us with: how a message went, and what a resident sent back; proven by its bearer token.

Notify tries a call again every five minutes, five times, when it gets no answer; the same call is known by its content.
Its callbacks name things otherwise than its lists do; here they become the same records.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from connectors.json_body import UnreadableBody, read
from connectors.notify.lists import item_of
from connectors.notify.message import ID
from connectors.port import Item, UnreadableItem
from connectors.push import json_push
from connectors.push.port import Answer, Kept, Named, Pushed, PushRefused
from connectors.push.proofs import prove
from connectors.push.settings import PushSettings

#: What a callback of a text that came in calls each field, and what the list calls it.
_RECEIVED = {
    "id": "id",
    "source_number": "user_number",
    "destination_number": "notify_number",
    "message": "content",
    "date_received": "created_at",
}


class NotifyPushes:
    """The calls of one kind; see `connectors.push.port.Push`."""

    one_body_an_id = False
    tells_reference = False

    def __init__(self, kind: str, settings: PushSettings) -> None:
        self._kind, self._settings = kind, settings

    def prove(self, pushed: Pushed, now: datetime) -> str:
        """See the port. The id is the message's; what is said of it again in the same words is the same call."""
        prove(self._settings, pushed, now)
        try:
            told = read(pushed.body, "application/json")
        except UnreadableBody:
            return ""  # `look` says what is wrong with it
        id = told.get("id") if isinstance(told, dict) else None
        return id if isinstance(id, str) and ID.fullmatch(id) else ""

    def look(self, pushed: Pushed) -> None:
        """See the port."""
        told = json_push.look(pushed)
        id = told.get("id") if isinstance(told, dict) else None
        if not isinstance(id, str) or not ID.fullmatch(id):
            raise PushRefused(400, "the body names no message of Notify's")

    def unpack(self, body: bytes, id: str) -> Sequence[Item | UnreadableItem | Named]:  # noqa: ARG002 - the message's own is in it
        """See the port."""
        told: Any = orjson.loads(body)
        if self._kind == "ReceivedText":
            told = {ours: told.get(theirs) for theirs, ours in _RECEIVED.items()}
        return [item_of(told)]

    def taken(self, kept: Kept, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's parameters
        """See the port: Notify wants nothing but a success."""
        return Answer(204)

    def refused(self, refusal: PushRefused, pushed: Pushed) -> Answer:  # noqa: ARG002 - the port's parameters
        """See the port."""
        return Answer(refusal.status)
