"""A target that takes referrals by secure email: the record as a page goes to an office, which gives its number back.

The line to the mail server is encrypted or nothing is sent: STARTTLS, or TLS from the first byte, with a certificate
that is checked. The subject holds fixed words and our key, never a person. That the mail was taken does not mean that
anybody entered it, so the delivery waits for the number, as every one that is entered by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors import paper
from connectors.by_hand import ByHandConnector, ByHandProfile, ByHandRecord, ByHandSettings
from connectors.errors import ForAPerson
from connectors.mail_line import Address, MailLine, MailServer, hand_over
from connectors.pace import Agree
from connectors.port import Finding, Receipt, Record
from connectors.profile import Name


def _plain_subject(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write one line of fixed words; our key is put behind it")
    return text


class EmailProfile(ByHandProfile):
    """A system whose people receive records by email."""

    protocol: Literal["email"] = Field(  # type: ignore[assignment]  # the same sheet, by another way
        description="Kind of interface.", examples=["email"]
    )
    records: dict[Name, ByHandRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )


class EmailSettings(MailServer, ByHandSettings):
    """A connection to an office by secure email."""

    to: list[Address] = Field(
        min_length=1, max_length=20, description="The office's addresses.", examples=[["referrals@example.org"]]
    )
    subject: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain_subject)] = Field(
        default="Atgyfeiriad / Referral",
        description="Fixed words of the subject; some gateways encrypt by a word such as [secure]. Never a person's.",
        examples=["[secure] Referral"],
    )
    language: paper.Language = Field(
        default="both", description="Language of the page that is attached.", examples=["both"]
    )


class EmailConnector(ByHandConnector):
    """Sends every record to an office and leaves the rest to its people."""

    def __init__(
        self,
        profile: EmailProfile,
        settings: EmailSettings,
        _interfaces: Callable[[str], bytes] | None = None,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,  # noqa: ARG002 - every family is made in the same way
    ) -> None:
        """Read the authorities to trust; nothing is sent. Raises Misconfigured."""
        super().__init__(profile, settings)
        self._mail = settings
        self._now = clock
        self._line = MailLine(settings)

    def __repr__(self) -> str:
        return f"EmailConnector({self._profile.system})"

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send the record as a page, then raise ForAPerson: it is there when somebody says under which number.

        Raises Unreachable, Unauthorised, Throttled, Rejected and Misconfigured where the mail was not taken, and
        Unknown where nobody knows.
        """
        self._known(kind)
        message = self._message(record, self.labels(kind), key=key, number=id)
        with self._line.laid() as line:
            everybody = {f"address {number} of `to`": one for number, one in enumerate(self._mail.to, 1)}
            hand_over(line, message, self._mail.from_, everybody)
        raise ForAPerson(f"sent by email: whoever {'changes' if id else 'enters'} this {kind} gives its number back")

    def doctor(self) -> list[Finding]:
        """Look at the mail server without sending anything: route, TLS, login."""
        return self._line.doctor()

    # --- The mail -----------------------------------------------------------------------------------------------------

    def _message(self, record: Record, labels: dict[str, str], *, key: str, number: str) -> EmailMessage:
        sheet = paper.page(record, labels, key=key, number=number, language=self._mail.language)
        message = EmailMessage(policy=SMTP)
        message["Subject"] = f"{self._mail.subject} {key}"
        message["From"] = self._mail.from_
        message["To"] = ", ".join(self._mail.to)
        message["Date"] = self._now()
        domain = self._mail.from_.rpartition("@")[2]
        message["Message-ID"] = f"<{sha256(f'{key} {sheet}'.encode()).hexdigest()[:40]}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(
            "Mae atgyfeiriad wedi'i atodi. Rhowch ef yn eich system a dywedwch wrthym ei rif yno, gyda'r cyfeirnod "
            f"{key}.\n\nA referral is attached. Enter it in your system and tell us its number there, with the "
            f"reference {key}.\n"
        )
        message.add_attachment(sheet, subtype="html", filename="referral.html", cte="base64")
        return message
