"""Plain email to residents through the council's own mail server, where no service sends by template.

The words come with each message, because a mail server has no templates. It keeps no reference that could be asked
for, so a mail without a clear answer waits for a person (tier C). Nobody's name stands in a header: to, subject with
the resident's reference, and a Message-ID made from our key.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Any, Literal

from pydantic import Field

from connectors.errors import Misconfigured, Rejected
from connectors.mail_line import Address, MailLine, MailServer, hand_over, is_address
from connectors.neutral import interface
from connectors.notify.profile import allows
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.profile import Name
from connectors.references import Closed

KIND = "Text"


class MailRecord(Closed):
    """There is nothing to say about a mail: every server takes it in the same way."""

    @property
    def offers(self) -> frozenset[str]:
        """It is sent, with the words themselves, and cannot be found again."""
        return frozenset({"create", "words"})


class MailProfile(Closed):
    """A mail server."""

    system: Name = Field(description="The system's name.", examples=["plain-email"])
    protocol: Literal["smtp"] = Field(description="Kind of interface.", examples=["smtp"])
    records: dict[Literal["Text"], MailRecord] = Field(
        min_length=1, description="The one kind of record: a message to a resident.", examples=[{"Text": {}}]
    )


class MailSettings(MailServer):
    """A connection to the council's own mail server, for mail to residents."""

    reply_to: Address | None = Field(
        default=None, description="Where an answer goes: a mailbox that people read.", examples=["help@example.org"]
    )
    only_to: list[str] | None = Field(
        default=None,
        description="Send to these addresses alone. Always written in stage test. Leave out to send to everybody.",
        examples=[["someone@example.org"]],
        repr=False,
    )


class MailConnector:
    """One mail server. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: MailProfile,
        settings: MailSettings,
        _interfaces: Callable[[str], bytes] | None = None,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,  # noqa: ARG002 - every family is made in the same way
    ) -> None:
        """Read the authorities to trust; nothing is sent. Raises Misconfigured."""
        self._profile, self._mail, self._now = profile, settings, clock
        self._allowed = None if settings.only_to is None else allows(settings.only_to)
        self._line = MailLine(settings)

    def __repr__(self) -> str:
        return f"MailConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """Mail to residents."""
        return tuple(self._profile.records)

    def offers(self, kind: str) -> frozenset[str]:
        """It is sent, with the words themselves, and cannot be found again."""
        return self._profile.records["Text"].offers if kind == KIND else frozenset()

    def tier(self, kind: str) -> Tier:
        """A mail that may have gone is never sent again by itself."""
        self._known(kind)
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """A mail is never changed."""
        self._known(kind)
        return False

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send one mail. `record` is {"channel": "email", "to", "subject", "body"}.

        Raises Rejected before anything is sent when it is not, or when `only_to` does not name the recipient; and what
        the line raises.
        """
        self._known(kind)
        if id:
            raise Misconfigured("a mail that was sent cannot be changed: mail offers create only")
        to, subject, body = (record.get(name) for name in ("to", "subject", "body"))
        if record.get("channel") != "email":
            raise Rejected("a mail server sends emails alone; nothing was sent", field="channel")
        if not isinstance(to, str) or not is_address(to):
            raise Rejected("the recipient has no email address; nothing was sent", field="to")
        if self._allowed is not None and not self._allowed(to):
            raise Rejected("the recipient is not among only_to; nothing was sent", field="to")
        if not isinstance(subject, str) or not subject.isprintable() or not isinstance(body, str) or not body.strip():
            raise Rejected("the mail has no subject of one line, or no words; nothing was sent", field="body")
        message = self._message(to, subject, body, key)
        with self._line.laid() as line:
            hand_over(line, message, self._mail.from_, {"the recipient": to})
        return Receipt(str(message["Message-ID"]), "created")

    def _message(self, to: str, subject: str, body: str, key: str) -> EmailMessage:
        message = EmailMessage(policy=SMTP)
        message["Subject"], message["From"], message["To"] = subject, self._mail.from_, to
        if self._mail.reply_to:
            message["Reply-To"] = self._mail.reply_to
        message["Date"] = self._now()
        message["Message-ID"] = f"<{sha256(key.encode()).hexdigest()[:40]}@{self._mail.from_.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(body)
        return message

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters
        """See `connectors.port`: a mail server shows no mail again."""
        raise Misconfigured(f"a mail server shows no {kind} again")

    def find(self, kind: str, key: str) -> list[Item]:
        """See `connectors.port`: nor can it be asked, as the tier is C."""
        raise NotImplementedError(f"a mail server cannot be asked for a {kind}")  # tier C, as the port has it

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters
        """See `connectors.port.Source`."""
        raise Misconfigured(f"a mail server is no source of {kind}")

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:  # noqa: ARG002 - the port's parameters
        """See `connectors.port.Source`."""
        raise Misconfigured(f"a mail server is no source of {kind}")

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters
        """See `connectors.port.Source`."""
        raise Misconfigured(f"a mail server is no source of {kind}")

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters
        """It has no code lists."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:  # noqa: ARG002 - the port's parameters
        """See `connectors.port`."""
        raise Misconfigured("a mail server has no code lists")

    def doctor(self) -> list[Finding]:
        """Look at the mail server without sending anything: route, TLS, login."""
        return self._line.doctor()

    def close(self) -> None:
        """Nothing is kept open."""

    def _known(self, kind: str) -> None:
        if kind != KIND:
            raise Misconfigured(f"a mail server has no records {kind}; it has {KIND}")


def interfaces_of(profile: MailProfile, interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:  # noqa: ARG001 - every family is asked in the same way
    """One interface for each kind, of which nothing is known."""
    return [
        interface(profile.system, kind, "", read=None, create=None, update=None, ours=()) for kind in profile.records
    ]
