"""A real mail server (aiosmtpd) on loopback with TLS and a login, in which one answer of a conversation goes wrong.

What is wrong is made in the server itself, behind the encryption, where a proxy could not reach. Its texts quote a
person and a token, as a server's do that repeats an address, so that whoever passes them on is found out.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.connectors.fault_proxy import PERSON, TOKEN

PASSWORD = "gwenynen-y-llythyrau"
#: The answers of one conversation in their order. END is the one that says whether the mail was taken.
STAGES = ("HELLO", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END")


@dataclass(frozen=True)
class MailFault:
    """What becomes of one answer. What is not said stays as the server does it."""

    at: str
    says: str = ""  # in its place
    silent: bool = False
    resets: bool = False
    drips: float = 0.0  # seconds between the bytes
    takes: bool = True  # at END: whether the mail was taken all the same


class PostOffice:
    """The server; `taken` is what it took, newest last. Use it as a context."""

    def __init__(self, folder: Path, *, starttls: bool = True) -> None:
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self._tls)
        self.taken: list[Envelope] = []
        self.fault: MailFault | None = None
        self.struck = 0
        self.conversations: list[_Conversation] = []
        office, more = self, {"tls_context": self._tls, "require_starttls": True} if starttls else {}

        class Server(Controller):
            def factory(self) -> SMTP:
                return _Conversation(
                    office, hostname="office.example.org", authenticator=office.login, auth_require_tls=starttls, **more
                )

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._server = Server(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> PostOffice:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.conversations:
            if one.transport is not None:
                self._server.loop.call_soon_threadsafe(one.transport.abort)
        self._server.stop()

    def strike(self, fault: MailFault | None) -> None:
        """Let that answer go wrong from now on; None for none."""
        self.fault, self.struck = fault, 0

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, told: Any) -> AuthResult:
        """See aiosmtpd."""
        return AuthResult(success=told.password == PASSWORD.encode(), handled=False)

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        """See aiosmtpd."""
        assert session.ssl is not None, "in clear"
        server.stage = "END"
        if self.fault is None or self.fault.at != "END" or self.fault.takes:
            self.taken.append(envelope)
        return "250 OK"


class _Conversation(SMTP):
    """One conversation, which knows at which answer it is."""

    stage = "HELLO"

    def __init__(self, office: PostOffice, **more: Any) -> None:
        super().__init__(office, **more)
        self._office = office
        office.conversations.append(self)

    async def push(self, status: Any) -> None:
        fault = self._office.fault
        if fault is None or fault.at != self.stage:
            await super().push(status)
            return
        self._office.struck += 1
        if fault.resets:
            self.transport.abort()  # type: ignore[union-attr]  # it is connected
        elif fault.silent:
            await asyncio.sleep(3600)  # until the caller hangs up, or the server is stopped
        elif fault.drips:
            for byte in f"250 {PERSON}\r\n".encode():
                self._writer.write(bytes([byte]))  # type: ignore[union-attr]  # it is connected
                await asyncio.sleep(fault.drips)
        else:
            await super().push(fault.says)

    async def smtp_EHLO(self, hostname: str) -> None:
        self.stage = "EHLO"
        await super().smtp_EHLO(hostname)

    async def smtp_STARTTLS(self, arg: str) -> None:
        self.stage = "STARTTLS"
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:
        self.stage = "AUTH"
        await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:
        self.stage = "MAIL"
        await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        self.stage = "RCPT"
        await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        self.stage = "DATA"
        if self._office.fault is not None and self._office.fault.at == "DATA":
            await self.push("")  # and no mail is waited for
            return
        await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        self.stage = "QUIT"
        await super().smtp_QUIT(arg)


def _said(code: int) -> str:
    return f"{code} {PERSON} {TOKEN}".encode("ascii", "replace").decode()


def faults() -> dict[str, MailFault]:
    """Everything that goes wrong in a conversation, by its name in an exemption."""
    made: dict[str, MailFault] = {}
    for at in STAGES:
        takes = {"takes": False} if at == "END" else {}
        made |= {f"{at} says {code}": MailFault(at, says=_said(code), **takes) for code in (421, 451, 550)}
        made[f"{at} is cut off"] = MailFault(at, resets=True)
        made[f"{at} is garbage"] = MailFault(at, says="\x00\x01 <html>" + TOKEN)
        made[f"{at} is a line without end"] = MailFault(at, says="250 " + "x" * 70_000)
    for at in ("HELLO", "AUTH", "RCPT", "END"):
        made[f"{at} is silent"] = MailFault(at, silent=True)
    made["END drips"] = MailFault("END", drips=0.4)  # not even its code comes whole
    made["END is cut off before"] = MailFault("END", resets=True, takes=False)
    made["QUIT is silent"] = MailFault("QUIT", silent=True)
    made["QUIT is cut off"] = MailFault("QUIT", resets=True)
    return made
