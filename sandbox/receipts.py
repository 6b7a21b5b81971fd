"""Delivery receipts of the pretend Notify, pushed to a council's own address once one has been set.

As Notify does it: a POST of JSON with a bearer token when a message has come to its end, tried again every five minutes
and at most five times. Where it stands is in the store, so that a sandbox that is stopped pushes the rest later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import requests

from sandbox.notify import Notify
from sandbox.store import Collection, Document, Json, Store

AGAIN_AFTER = timedelta(minutes=5)
MOST_TRIES = 5
_TIMEOUT_SECONDS = 5
_BATCH = 100


class Receipts:
    """Pushes what is due at each `tick()`; `begin()` has a thread do so until `stop()`."""

    def __init__(self, store: Store, notify: Notify, clock: Callable[[], datetime]) -> None:
        self._store, self._notify, self._clock = store, notify, clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, daemon=True, name="sandbox-receipts")
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def send_to(self, tenant: str, url: str, bearer: str) -> None:
        """From now on push the receipts of that council's messages to `url`; "" pushes none any more."""
        with self._store.transaction():
            if not url:
                self._of("callback").delete(tenant)
                return
            held = self._of("callback").get(tenant)
            since = held.body["since"] if held else ["", ""]
            self._of("callback").put(tenant, {"url": url, "bearer": bearer, "since": since}, version=1, changed="")

    def tick(self) -> int:
        """Push what has come to its end, and again what could not be pushed. Returns how many were tried."""
        tried = 0
        for callback in self._of("callback").each():
            tried += self._ended(callback) + self._again(callback)
        return tried

    def _run(self) -> None:
        while not self._stopping.wait(0.2):
            self.tick()

    def _ended(self, callback: Document) -> int:
        changed, id = callback.body["since"]
        found = self._notify.sent(callback.id).changed_since("", limit=_BATCH, after=(changed, id) if id else None)
        pushed = 0
        for message in found:
            if self._notify.state(message.body)[2] is None:
                break
            self._push(callback, message, tries=0)
            callback.body["since"] = [message.changed, message.id]
            self._of("callback").put(callback.id, callback.body, version=1, changed="")
            pushed += 1
        return pushed

    def _again(self, callback: Document) -> int:
        now = self._clock().isoformat()
        due = [each for each in self._of("again").by_key(callback.id, _BATCH) if each.changed <= now]
        for each in due:
            message = self._notify.sent(callback.id).get(each.id)
            self._of("again").delete(each.id)
            if message is not None:
                self._push(callback, message, tries=each.version)
        return len(due)

    def _push(self, callback: Document, message: Document, *, tries: int) -> None:
        headers = {"Authorization": f"Bearer {callback.body['bearer']}"}
        try:
            answer = requests.post(
                callback.body["url"], json=self._receipt(message.body), headers=headers, timeout=_TIMEOUT_SECONDS
            )
            taken = answer.status_code < 300
        except requests.RequestException:
            taken = False
        if not taken and tries + 1 < MOST_TRIES:
            due = (self._clock() + AGAIN_AFTER).isoformat()
            self._of("again").put(message.id, {}, version=tries + 1, changed=due, key=callback.id)

    def _receipt(self, message: Json) -> Json:
        status, sent_at, completed_at = self._notify.state(message)
        return {
            "id": message["id"],
            "reference": message["reference"],
            "to": message["to"],
            "status": status,
            "created_at": message["created_at"],
            "completed_at": completed_at,
            "sent_at": sent_at,
            "notification_type": message["type"],
            "template_id": message["template_id"],
            "template_version": 1,
        }

    def _of(self, kind: str) -> Collection:
        return self._store.collection("", "receipts", kind)
