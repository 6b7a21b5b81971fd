"""Secure email: a real mail server on loopback takes the page over STARTTLS or gets nothing, and no person in clear."""

from __future__ import annotations

import email
import email.policy
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from connectors import paper, registry
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
from connectors.port import Tier
from connectors.problems import ProfileFaults
from connectors.secure_email import EmailConnector

PASSWORD = "Gwenllian-Canary"
RECORD = {
    "Reference": "DLN-7K3M", "Family name": "O'Neill <b>", "Given names": ["Siân", "Mair"], "Safeguarding": True,
    "Needs": [{"Need": "bathing", "Note": "Mae angen help & offer"}], "Town": None,
}  # fmt: skip


class Office:
    """The office's mail server: it remembers what it took, and answers as it is told."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.ca = folder / "ca.pem"
        authority.cert_pem.write_to_path(self.ca)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(self.context)
        self.taken: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.pause = 0.0

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(self, server: Any, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        assert session.ssl is not None, "in clear"
        if self.pause:
            time.sleep(self.pause)
        if not self.answers.get("DATA", "250").startswith("250"):
            return self.answers["DATA"]
        self.taken.append(envelope)
        return "250 OK"

    def login(self, server: Any, session: Session, envelope: Envelope, mechanism: str, told: Any) -> AuthResult:
        return AuthResult(success=told.password == PASSWORD.encode())

    def serve(self, *, starttls: bool = True) -> Controller:
        more = {"tls_context": self.context, "require_starttls": True} if starttls else {}

        class Server(Controller):
            def factory(inner: Any) -> SMTP:
                return SMTP(
                    self, hostname="office.example.org", authenticator=self.login, auth_require_tls=starttls, **more
                )

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        made = Server(self, hostname="127.0.0.1", port=port)
        made.start()
        return made


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


Opened = Callable[..., EmailConnector]


@pytest.fixture
def opened(office: Office, shipped: Callable[[str], Any], clock: Callable[[], datetime]) -> Iterator[Opened]:
    """Serves the office and connects to it."""
    running: list[Controller] = []

    def start(*, starttls: bool = True, **changes: Any) -> EmailConnector:
        server = office.serve(starttls=starttls)
        running.append(server)
        connect = {
            "host": "localhost", "port": server.port, "from": "dolen@example.org", "to": ["referrals@example.org"],
            "login": {"username": "dolen", "password": "env:MAIL"}, "ca_bundle": str(office.ca), "timeout_seconds": 5,
            **changes,
        }  # fmt: skip
        made = registry.open_connector(
            shipped("secure-email"),
            {name: value for name, value in connect.items() if value is not None},
            interfaces=lambda _: b"",
            clock=clock,
            secret=lambda _: PASSWORD,
        )
        assert isinstance(made, EmailConnector)
        return made

    yield start
    for one in running:
        one.stop()


def read(envelope: Envelope) -> tuple[Any, str]:
    """The mail, and the page that is attached to it."""
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=email.policy.default)
    [page] = message.iter_attachments()
    return message, page.get_content().replace("\r\n", "\n")


def test_the_record_goes_as_a_page_and_waits_for_its_number(opened: Opened, office: Office) -> None:
    connector = opened(to=["referrals@example.org", "duty@example.org"], subject="[secure] Referral")
    with pytest.raises(ForAPerson, match="gives its number back") as caught:
        connector.deliver("Referral", RECORD, key="k-123")
    [taken] = office.taken
    assert taken.rcpt_tos == ["referrals@example.org", "duty@example.org"]
    message, page = read(taken)
    assert message["Subject"] == "[secure] Referral k-123"
    head = "\n".join(f"{name}: {value}" for name, value in message.items())
    body = message.get_body().get_content()
    assert not any(word in head + body + str(caught.value) for word in ("O'Neill", "Siân", "bathing", "DLN"))
    assert "k-123" in body
    for shown in ("O&#x27;Neill &lt;b&gt;", "Siân\nMair", "Cyfenw", "Family name", "Ie", "Mae angen help &amp; offer"):
        assert shown in page
    assert "<b>" not in page
    assert message["Message-ID"].endswith("@example.org>")


def test_the_same_mail_has_the_same_id_and_a_change_another(opened: Opened, office: Office) -> None:
    connector = opened()
    for id in ("", "", "940"):
        with pytest.raises(ForAPerson):
            connector.deliver("Referral", RECORD, key="k-123", id=id)
    first, second, third = (read(one)[0]["Message-ID"] for one in office.taken)
    assert first == second != third
    assert "940" in read(office.taken[2])[1]


def test_nothing_is_said_to_a_server_without_starttls(opened: Opened, office: Office) -> None:
    connector = opened(starttls=False)
    with pytest.raises(Misconfigured, match="offers no STARTTLS"):
        connector.deliver("Referral", RECORD, key="k")
    assert [finding.well for finding in connector.doctor()] == [False]
    assert office.taken == []


def test_nothing_is_said_to_a_server_that_nobody_vouches_for(opened: Opened, office: Office) -> None:
    with pytest.raises(Unreachable, match="not trusted"):
        opened(ca_bundle=None).deliver("Referral", RECORD, key="k")
    with pytest.raises(Unreachable, match="not trusted"):
        opened(host="127.0.0.1").deliver("Referral", RECORD, key="k")
    assert office.taken == []


def test_a_wrong_password_is_told_without_it(opened: Opened, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = opened()
    assert PASSWORD not in f"{connector!r} {connector._mail!r} {connector._mail.model_dump_json()}"
    monkeypatch.setattr(office, "login", lambda *_: AuthResult(success=False, handled=False))
    connector = opened()
    with pytest.raises(Unauthorised) as caught:
        connector.deliver("Referral", RECORD, key="k")
    assert PASSWORD not in repr(caught.value)
    assert [finding.subject for finding in connector.doctor() if not finding.well] == ["login"]


@pytest.mark.parametrize(
    ("at", "answer", "error"),
    [
        ("MAIL", "550 no", Rejected), ("MAIL", "451 later", Throttled), ("duty@example.org", "550 unknown", Rejected),
        ("DATA", "552 too long", Rejected), ("DATA", "451 later", Throttled),
    ],
)  # fmt: skip
def test_what_the_server_does_not_take_was_not_sent(
    opened: Opened, office: Office, at: str, answer: str, error: type[ConnectorError]
) -> None:
    office.answers[at] = answer
    with pytest.raises(error) as caught:
        opened(to=["referrals@example.org", "duty@example.org"]).deliver("Referral", RECORD, key="k")
    assert "duty@" not in str(caught.value)
    assert office.taken == []


def test_a_server_that_does_not_answer_in_time_leaves_it_unknown(opened: Opened, office: Office) -> None:
    office.pause = 1.5
    begun = time.monotonic()
    with pytest.raises(Unknown, match="look into the office's mailbox"):
        opened(timeout_seconds=0.7).deliver("Referral", RECORD, key="k")
    assert time.monotonic() - begun < 4


def test_nobody_answers(opened: Opened) -> None:
    with pytest.raises(Unreachable):
        opened(port=9).deliver("Referral", RECORD, key="k")


def test_it_is_like_any_system_that_people_write_to(opened: Opened) -> None:
    connector = opened()
    assert connector.offers("Referral") == {"create", "update"}
    assert connector.tier("Referral") is Tier.NEITHER
    assert all(finding.well for finding in connector.doctor())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"to": []}, "to"), ({"to": ["all"]}, "referrals@example.org"), ({"subject": "a\nb"}, "one line"),
        ({"from": "a@example.org\r\nBcc: b@example.org"}, "referrals@example.org"), ({"security": "none"}, "security"),
    ],
)  # fmt: skip
def test_settings_that_cannot_stand(change: dict[str, Any], words: str) -> None:
    good = {"host": "mail.example.org", "from": "dolen@example.org", "to": ["referrals@example.org"]}
    with pytest.raises(ProfileFaults) as caught:
        registry.check_settings("email", {**good, **change}, secret=lambda _: "")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("language", "there", "not_there"), [("cy", "Cyfenw", "Family name"), ("en", "Family name", "Cyfenw")]
)
def test_a_page_in_one_language(language: Any, there: str, not_there: str) -> None:
    page = paper.page(RECORD, {"Family name": "Cyfenw"}, key="k", language=language)
    assert there in page
    assert not_there not in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")
