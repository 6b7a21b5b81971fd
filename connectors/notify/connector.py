"""Sends texts, emails and letters through GOV.UK Notify, each under our own reference, and reads what became of them.

Notify keeps a reference but does not refuse a second message with the same one, so a message that may have been sent
is looked up before it is sent again (tier B). Reports and texts that came in are read from its lists (`lists.py`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from connectors.again import safely_again
from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Unauthorised,
    Unknown,
)
from connectors.http import HttpSession
from connectors.json_body import UnreadableBody, read
from connectors.notify import templates as held
from connectors.notify.client import Client
from connectors.notify.lists import LISTS, item_of, page
from connectors.notify.message import ID, checked
from connectors.notify.profile import NotifyProfile, NotifyRecord, NotifySettings, allows
from connectors.notify.push import NotifyPushes
from connectors.pace import Agree
from connectors.port import Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.quiet import silence_libraries
from connectors.sections import WithoutLookups
from connectors.sight import certificate_finding, name_finding
from connectors.templates import Template

KIND = "Text"


class NotifyConnector(WithoutLookups[NotifyRecord]):
    """One service of GOV.UK Notify. Safe to use from several threads at once."""

    _profile: NotifyProfile

    def __init__(
        self,
        profile: NotifyProfile,
        settings: NotifySettings,
        _interfaces: Callable[[str], bytes] | None = None,  # the client knows the interface
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent yet. Raises Misconfigured for what cannot be an API key."""
        silence_libraries()
        assert settings.login is not None and settings.login.notify is not None
        self._profile = profile
        self._allowed = None if settings.only_to is None else allows(settings.only_to)
        self._session = HttpSession(settings, agree=agree, monotonic=monotonic, sleep=sleep)
        self._client = Client(self._session, settings.url, settings.login.notify.api_key)
        self._sleep, self._settings, self._clock = sleep, settings, clock

    def offers(self, kind: str) -> frozenset[str]:
        """A text can be sent, read and found by our reference; the lists can be walked through."""
        return self._profile.offers_of(kind)

    def tier(self, kind: str) -> Tier:
        """Notify can be searched by our reference, and does not refuse a second message with the same one."""
        self._known(kind)
        return Tier.SEARCHABLE

    def reads_first(self, kind: str) -> bool:
        """A text is never changed."""
        self._known(kind)
        return False

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send one text, email or letter with `key` as its reference.

        `record` is {"channel": "text"|"email", "to", "template_id", "personalisation": {...}}, or for a letter
        {"channel": "letter", "address": [3 to 7 lines, the last the postcode], ...}. Raises Rejected before anything is
        sent when it is not, or when `only_to` does not name the recipient (of a letter: its postcode).
        """
        self._known(kind)
        if id:
            raise Misconfigured("a text that was sent cannot be changed: notify offers create only")
        message = checked(record)
        if self._allowed is not None and not self._allowed(message.recipient):
            raise Rejected("the recipient is not among only_to; nothing was sent", field="to")
        told = {"template_id": message.template_id, "personalisation": message.filled, "reference": key}
        ways: dict[str, tuple[str, Callable[[Any], object]]] = {
            "text": ("sending a text", lambda client: client.send_sms_notification(phone_number=message.to, **told)),
            "email": (
                "sending an email",
                lambda client: client.send_email_notification(email_address=message.to, **told),
            ),
            "letter": ("sending a letter", lambda client: client.send_letter_notification(**told)),
        }
        doing, send = ways[message.channel]
        answer, reply = self._client.call(send, self._session.deadline(), doing)
        sent = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(sent, str) or not ID.fullmatch(sent):
            raise Unknown(f"{doing}: the answer holds no id", reply=reply)
        return Receipt(sent, "created", reply=reply)

    def find(self, kind: str, key: str) -> list[Item]:
        """Find the messages that carry our reference."""
        self._known(kind)
        answer = self._read(lambda client: client.get_all_notifications(reference=key), "looking up a text")
        found = answer.get("notifications") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise PageUnreadable("looking up a text: at notifications: expected a list")
        return [item for item in map(_item, found) if item.our_key == key]

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one message by Notify's id."""
        if kind not in (KIND, "Report"):
            raise Misconfigured(f"notify offers no fetch of {kind}")
        if not ID.fullmatch(id):
            return None
        try:
            return _item(self._read(lambda client: client.get_notification_by_id(id), "reading a text"))
        except NotThere:
            return None

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """See `connectors.port.Source`. A walk through Report goes four days back, for what may still change."""
        listed = LISTS.get(kind)
        if listed is None:
            raise Misconfigured(f"notify is not a source of {kind}: it offers create, fetch and find")

        def answer(older_than: str | None) -> Any:
            return self._read(lambda client: listed.ask(client, older_than), listed.doing)

        return page(kind, answer, watermark=watermark, cursor=cursor, limit=limit)

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:
        """See `connectors.port.Source`."""
        if kind not in LISTS:
            raise Misconfigured(f"notify is not a source of {kind}: it offers create, fetch and find")
        try:
            return item_of(read(raw, "application/json"))
        except UnreadableBody as trouble:
            return UnreadableItem(raw, trouble.reason, id)

    def push(self, kind: str) -> NotifyPushes:
        """See `connectors.push.port.Receiving`."""
        told = self._profile.records.get(kind) if kind in LISTS else None  # type: ignore[call-overload]  # kinds are text
        if told is None or told.push is None or self._settings.push is None:
            raise Misconfigured(f"notify: nothing says how {kind} is pushed: add push to the connection")
        return NotifyPushes(kind, self._settings.push)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """None: where a page of Notify's cannot be read, nothing names the message behind it."""
        if kind not in LISTS:
            raise Misconfigured(f"notify is not a source of {kind}: it offers create, fetch and find")
        return None

    def templates(self) -> Mapping[str, Template]:
        """See `connectors.templates`."""
        return held.read(self._read(lambda client: client.get_all_templates(), "reading the templates"))

    def doctor(self) -> list[Finding]:
        """Look up a reference that does not exist: that needs name, TLS, key and clock to be right."""
        found = [name_finding(self._settings)]
        certificate = certificate_finding(self._settings, self._clock())
        found += [certificate] if certificate else []
        if not all(finding.well for finding in found):
            return found
        try:
            self.find(KIND, "dolen-doctor")
        except Unauthorised as error:
            remedy = "compare the API key with Notify's, and set this machine's clock by a time server"
            return [*found, Finding("login", False, error.reason, remedy)]
        except ConnectorError as error:
            return [
                *found,
                Finding("route", False, error.reason, "look at Notify's status page, url and the way through"),
            ]
        listed = "everybody" if self._allowed is None else "listed numbers and addresses only"
        return [
            *found,
            Finding("route", True, "Notify answers"),
            Finding("login", True, "it accepts our key, and our clock within 30 seconds"),
            Finding("recipients", True, f"messages may go to {listed}"),
        ]

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    def _known(self, kind: str) -> None:
        if kind != KIND:
            raise Misconfigured(f"notify has no records {kind}; it has {KIND}")

    def _read(self, what: Callable[[Any], object], doing: str) -> Any:
        deadline = self._session.deadline()
        return safely_again(lambda: self._client.call(what, deadline, doing)[0], deadline, sleep=self._sleep)


def _item(found: Any) -> Item:
    item = item_of(found)
    if isinstance(item, UnreadableItem):
        raise PageUnreadable("reading a text: at id: expected the id of a message")
    return item
