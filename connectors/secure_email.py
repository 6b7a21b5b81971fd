"""A target that takes referrals by secure email: the record as a page goes to an office, which gives its number back.

The line to the mail server is encrypted or nothing is sent: STARTTLS, or TLS from the first byte, with a certificate
that is checked. The subject holds fixed words and our key, never a person. That the mail was taken does not mean that
anybody entered it, so the delivery waits for the number, as every one that is entered by hand.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors import paper
from connectors.by_hand import ByHandConnector, ByHandProfile, ByHandRecord, ByHandSettings
from connectors.deadline import Deadline
from connectors.errors import (
    ConnectorError,
    ForAPerson,
    Misconfigured,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)
from connectors.pace import Agree
from connectors.port import Finding, Receipt, Record
from connectors.profile import Name
from connectors.references import Closed, ExistingFile, Resolved, Secret, Text

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError("write one address, such as referrals@example.org")
    return text


def _plain_subject(text: str) -> str:
    if not text.isprintable():
        raise ValueError("write one line of fixed words; our key is put behind it")
    return text


Address = Annotated[str, Resolved, AfterValidator(_address)]


class EmailLogin(Closed):
    """A user name and a password."""

    username: Text = Field(description="User name.", examples=["dolen@example.org"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:MAIL_PASSWORD"])


class EmailProfile(ByHandProfile):
    """A system whose people receive records by email."""

    protocol: Literal["email"] = Field(  # type: ignore[assignment]  # the same sheet, by another way
        description="Kind of interface.", examples=["email"]
    )
    records: dict[Name, ByHandRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )


class EmailSettings(ByHandSettings):
    """A connection to an office by secure email."""

    host: Text = Field(description="The mail server that takes our mail.", examples=["mail.example.org"])
    port: int = Field(default=587, ge=1, le=65_535, description="Its port.", examples=[587])
    security: Literal["starttls", "tls"] = Field(
        default="starttls",
        description="starttls: the line is encrypted before anything is said. tls: from the first byte (port 465).",
        examples=["starttls"],
    )
    login: EmailLogin | None = Field(
        default=None,
        description="How we log in. Leave out where the server knows this machine.",
        examples=[{"username": "dolen@example.org", "password": "env:MAIL_PASSWORD"}],
    )
    from_: Address = Field(alias="from", description="Our own address.", examples=["dolen@example.org"])
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
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="How long one call may take in all.", examples=[30]
    )
    ca_bundle: ExistingFile | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out for the machine's own.",
        examples=["/etc/dolen/council-ca.pem"],
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
        try:
            self._tls = ssl.create_default_context(cafile=str(settings.ca_bundle) if settings.ca_bundle else None)
        except (ssl.SSLError, OSError):
            raise Misconfigured("ca_bundle cannot be read: is it a PEM file of certificates?") from None
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def __repr__(self) -> str:
        return f"EmailConnector({self._profile.system})"

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters
        """Send the record as a page, then raise ForAPerson: it is there when somebody says under which number.

        Raises Unreachable, Unauthorised, Throttled, Rejected and Misconfigured where the mail was not taken, and
        Unknown where nobody knows.
        """
        self._known(kind)
        message = self._message(record, self.labels(kind), key=key, number=id)
        with self._line() as line:
            self._hand_over(line, message)
        raise ForAPerson(f"sent by email: whoever {'changes' if id else 'enters'} this {kind} gives its number back")

    def doctor(self) -> list[Finding]:
        """Look at the mail server without sending anything: route, TLS, login."""
        try:
            with self._line() as line:
                line.noop()
        except ConnectorError as trouble:
            remedy = "compare host, port, security, login and ca_bundle with what the mail team gave"
            subject = "login" if isinstance(trouble, Unauthorised) else "route"
            return [Finding(subject, False, trouble.reason, remedy)]
        return [
            Finding("route", True, "the mail server answers"),
            Finding("TLS", True, "the line is encrypted, and its certificate is trusted"),
            Finding("login", True, "the server took our login" if self._mail.login else "it asks for no login"),
        ]

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

    @contextmanager
    def _line(self) -> Iterator[smtplib.SMTP]:
        """A line to the mail server that is encrypted and logged in, cut when the call's time is over."""
        deadline = Deadline.of(self._mail.timeout_seconds)
        try:
            line = self._dialled(deadline)
        except ConnectorError:
            raise
        except ssl.SSLError:
            raise Unreachable("no secure line could be laid: the server's certificate is not trusted") from None
        except (smtplib.SMTPException, OSError) as trouble:
            raise Unreachable(f"the mail server does not answer ({type(trouble).__name__})") from None
        timer = threading.Timer(max(deadline.left(), 0.0), _hang_up, [line.sock])
        timer.daemon = True
        timer.start()
        try:
            yield line
        finally:
            timer.cancel()
            with suppress(smtplib.SMTPException, OSError):
                line.quit()
            line.close()

    def _dialled(self, deadline: Deadline) -> smtplib.SMTP:
        mail = self._mail
        if mail.security == "tls":
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                mail.host, mail.port, timeout=deadline.left_or_raise(), context=self._tls
            )
        else:
            line = smtplib.SMTP(mail.host, mail.port, timeout=deadline.left_or_raise())
        timer = threading.Timer(max(deadline.left(), 0.0), _hang_up, [line.sock])
        timer.daemon = True
        timer.start()
        try:
            line.ehlo()
            if mail.security == "starttls":
                if not line.has_extn("starttls"):
                    raise Misconfigured("the mail server offers no STARTTLS: nothing is sent to it in clear")  # noqa: TRY301 - closes the line too
                line.starttls(context=self._tls)
                line.ehlo()
            if mail.login is not None:
                line.login(mail.login.username, mail.login.password.get_secret_value())
        except smtplib.SMTPAuthenticationError as refused:
            line.close()
            if refused.smtp_code < 500:
                raise Unreachable("the mail server cannot look at our login now") from None
            raise Unauthorised("the mail server refuses the login") from None
        except smtplib.SMTPNotSupportedError:
            line.close()
            raise Misconfigured("the mail server takes no login: leave login out") from None
        except BaseException:
            line.close()
            raise
        finally:
            timer.cancel()
        return line

    def _hand_over(self, line: smtplib.SMTP, message: EmailMessage) -> None:
        """All recipients or none; what is not a clear answer to the mail itself is Unknown."""
        try:
            _expect(*line.mail(self._mail.from_), "our address")
            for number, address in enumerate(self._mail.to, 1):
                _expect(*line.rcpt(address), f"address {number} of `to`")
        except (smtplib.SMTPServerDisconnected, OSError):
            raise Unreachable("the mail server hung up before the mail was sent") from None
        try:
            _expect(*line.data(message.as_bytes()), "the mail")
        except smtplib.SMTPDataError as refused:
            _expect(refused.smtp_code, b"", "the mail")
        except (smtplib.SMTPException, OSError):
            raise Unknown("the mail was sent and there is no answer: look into the office's mailbox") from None


def _expect(code: int, _words: bytes, what: str) -> None:
    """Raise for an answer that is no success: nothing was done. The server's own words are dropped."""
    if 200 <= code < 300:
        return
    if 400 <= code < 500:
        raise Throttled(f"the mail server does not take {what} now ({code})", after=60.0, code=str(code))
    raise Rejected(f"the mail server refuses {what} ({code})", code=str(code))


def _hang_up(line: socket.socket | None) -> None:
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
