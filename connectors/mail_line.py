"""An encrypted line to a mail server, and what its answers to one mail mean.

STARTTLS, or TLS from the first byte, with a certificate that is checked, or nothing is sent. What the server says in
words is dropped, as it may quote an address; what is no clear answer to the mail itself is Unknown.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unauthorised, Unknown, Unreachable
from connectors.port import Finding
from connectors.references import Closed, ExistingFile, Resolved, Secret, Text

_DOT = re.compile(rb"(?m)^\.")  # a dot that begins a line is sent twice (RFC 5321, 4.5.2)
_FAREWELL_SECONDS = 1.0
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or len(text) > 254:
        raise ValueError("write one address, such as referrals@example.org")
    return text


Address = Annotated[str, Resolved, AfterValidator(_address)]


def is_address(text: str) -> bool:
    """Whether this can be the address of a mailbox."""
    return len(text) <= 254 and _ADDRESS.fullmatch(text) is not None


class EmailLogin(Closed):
    """A user name and a password."""

    username: Text = Field(description="User name.", examples=["dolen@example.org"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:MAIL_PASSWORD"])


class MailServer(Closed):
    """The mail server that takes our mail."""

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
    timeout_seconds: float = Field(
        default=30.0, gt=0, le=600, description="How long one call may take in all.", examples=[30]
    )
    ca_bundle: ExistingFile | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out for the machine's own.",
        examples=["/etc/dolen/council-ca.pem"],
    )


class MailLine:
    """Lays lines to one mail server. Safe to use from several threads at once."""

    def __init__(self, mail: MailServer) -> None:
        """Read the authorities to trust; nothing is sent. Raises Misconfigured."""
        self._mail = mail
        try:
            self._tls = ssl.create_default_context(cafile=str(mail.ca_bundle) if mail.ca_bundle else None)
        except (ssl.SSLError, OSError):
            raise Misconfigured("ca_bundle cannot be read: is it a PEM file of certificates?") from None
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2

    def doctor(self) -> list[Finding]:
        """Look at the mail server without sending anything: route, TLS, login."""
        try:
            with self.laid() as line:
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

    @contextmanager
    def laid(self) -> Iterator[smtplib.SMTP]:
        """A line that is encrypted and logged in, cut when the call's time is over. Raises ConnectorError."""
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
            with suppress(smtplib.SMTPException, OSError):
                if line.sock is not None:  # the mail is settled, and a farewell is worth no waiting
                    line.sock.settimeout(min(max(deadline.left(), 0.01), _FAREWELL_SECONDS))
                line.quit()
            timer.cancel()
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


def hand_over(line: smtplib.SMTP, message: EmailMessage, sender: str, recipients: Mapping[str, str]) -> None:
    """Hand one mail over, to all recipients or none. `recipients`: what each is called in an error -> the address.

    Raises Throttled, Rejected, Unreachable where it was not taken, and Unknown where nobody knows.
    """
    try:
        _expect(*line.mail(sender), "our address")
        for name, address in recipients.items():
            _expect(*line.rcpt(address), name)
        _expect(*line.docmd("DATA"), "the mail", well=3)
    except (smtplib.SMTPException, OSError):
        raise Unreachable("the mail server hung up before the mail was sent") from None
    try:
        line.send(_DOT.sub(b"..", message.as_bytes()) + b".\r\n")
        code, _ = line.getreply()
    except (smtplib.SMTPException, OSError):
        raise Unknown("the mail was sent and there is no answer: look into the office's mailbox") from None
    if not 200 <= code < 300 and not 400 <= code < 600:
        raise Unknown("the mail was sent and the answer is none: look into the office's mailbox")
    _expect(code, b"", "the mail")


def _expect(code: int, _words: bytes, what: str, *, well: int = 2) -> None:
    """Raise for an answer that is no success: nothing was done. The server's own words are dropped."""
    if code // 100 == well:
        return
    if 400 <= code < 500:
        raise Throttled(f"the mail server does not take {what} now ({code})", after=60.0, code=str(code))
    if 500 <= code < 600:
        raise Rejected(f"the mail server refuses {what} ({code})", code=str(code))
    raise Unreachable("what answers does not speak as a mail server does; nothing was sent")


def _hang_up(line: socket.socket | None) -> None:
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
