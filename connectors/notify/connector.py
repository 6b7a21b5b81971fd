"""Sends texts and emails through GOV.UK Notify, each under our own reference.

Notify keeps a reference but does not refuse a second message with the same one, so a message that may have been sent
is looked up before it is sent again (tier B).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

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
from connectors.json_body import sound
from connectors.notify.client import Client
from connectors.notify.profile import NotifyProfile, NotifySettings, allows
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier
from connectors.quiet import silence_libraries
from connectors.sight import certificate_finding, name_finding

KIND = "Text"
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class _Text(BaseModel):
    """What a text must be made of."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    channel: Literal["text", "email"]
    to: str = Field(min_length=3, max_length=320, repr=False)
    template_id: str = Field(pattern=f"(?i)^{_ID.pattern}$")
    personalisation: dict[str, str | int] = Field(default={}, repr=False)


class NotifyConnector:
    """Sends texts and emails through GOV.UK Notify. Safe to use from several threads at once."""

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

    def __repr__(self) -> str:
        return f"NotifyConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """Texts are the only kind."""
        return tuple(self._profile.records)

    def offers(self, kind: str) -> frozenset[str]:
        """A text can be sent, read and found by our reference."""
        return frozenset({"create", "fetch", "find"}) if kind == KIND else frozenset()

    def tier(self, kind: str) -> Tier:
        """Notify can be searched by our reference, and does not refuse a second message with the same one."""
        self._known(kind)
        return Tier.SEARCHABLE

    def reads_first(self, kind: str) -> bool:
        """A text is never changed."""
        self._known(kind)
        return False

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send one text or email with `key` as its reference.

        `record` is {"channel": "text"|"email", "to", "template_id", "personalisation": {...}}. Raises Rejected before
        anything is sent when it is not, or when `only_to` does not name the recipient.
        """
        self._known(kind)
        if id:
            raise Misconfigured("a text that was sent cannot be changed: notify offers create only")
        text = _checked(record)
        if self._allowed is not None and not self._allowed(text.to):
            raise Rejected("the recipient is not among only_to; nothing was sent", field="to")
        told = {"template_id": text.template_id, "personalisation": text.personalisation, "reference": key}
        deadline = self._session.deadline()
        if text.channel == "text":
            doing = "sending a text"
            answer, reply = self._client.call(
                lambda client: client.send_sms_notification(phone_number=text.to, **told), deadline, doing
            )
        else:
            doing = "sending an email"
            answer, reply = self._client.call(
                lambda client: client.send_email_notification(email_address=text.to, **told), deadline, doing
            )
        sent = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(sent, str) or not _ID.fullmatch(sent):
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
        self._known(kind)
        if not _ID.fullmatch(id):
            return None
        try:
            return _item(self._read(lambda client: client.get_notification_by_id(id), "reading a text"))
        except NotThere:
            return None

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters
        """Not offered. Raises Misconfigured."""
        raise Misconfigured("notify is not a source: it offers create, fetch and find")

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item:  # noqa: ARG002 - the port's parameters
        """Not offered. Raises Misconfigured."""
        raise Misconfigured("notify is not a source: it offers create, fetch and find")

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """Not offered. Raises Misconfigured."""
        raise Misconfigured("notify is not a source: it offers create, fetch and find")

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters; nothing is called
        """None: there are no codes to ask for."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise Misconfigured(f"{self._profile.system} offers no look-up of {path} for {kind}")

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


def _checked(record: Record) -> _Text:
    try:
        return _Text.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_input=False, include_context=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        field = field if field in _Text.model_fields else ""
        raise Rejected(f"the text is not what Notify takes, at {field or '?'}; nothing was sent", field=field) from None


def _item(found: Any) -> Item:
    id = found.get("id") if isinstance(found, dict) else None
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise PageUnreadable("reading a text: at id: expected the id of a message")
    stamps = [moment for name in ("created_at", "sent_at", "completed_at") if (moment := _moment(found.get(name)))]
    reference = found.get("reference")
    return Item(
        id,
        found,
        sound(found),
        modified=max(stamps, default=None),
        our_key=reference if isinstance(reference, str) else "",
    )


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment is not None and moment.tzinfo else None
