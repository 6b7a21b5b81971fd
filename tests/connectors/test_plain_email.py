"""Plain email to residents: a real mail server takes the words over an encrypted line, or nothing is sent."""

import email
import email.policy
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from connectors import registry
from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unknown
from connectors.plain_email import MailConnector
from connectors.port import Tier
from tests.connectors.test_secure_email import PASSWORD, Office

WORDS = {
    "channel": "email", "to": "sian@example.org", "subject": "Eich cais H7K / Your request H7K",
    "body": "Mae eich cais wedi'i dderbyn yn Nhŷ'r Cyngor.\n\nYour request has been accepted.",
}  # fmt: skip


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def opened(
    office: Office, shipped: Callable[[str], Any], clock: Callable[[], datetime]
) -> Iterator[Callable[..., MailConnector]]:
    running: list[Controller] = []

    def start(*, starttls: bool = True, **changes: Any) -> MailConnector:
        server = office.serve(starttls=starttls)
        running.append(server)
        connect = {
            "host": "localhost", "port": server.port, "ca_bundle": str(office.ca), "from": "council@example.org",
            "login": {"username": "dolen", "password": "env:MAIL"}, "timeout_seconds": 5, **changes,
        }  # fmt: skip
        made = registry.open_connector(
            shipped("plain-email"), connect, interfaces=lambda _name: b"", clock=clock,
            secret=lambda reference: PASSWORD if reference.startswith("env:") else reference.removeprefix("file:"),
        )  # fmt: skip
        assert isinstance(made, MailConnector)
        return made

    yield start
    for one in running:
        one.stop()


def test_the_words_arrive_in_both_languages_under_a_message_id_of_ours(office: Office, opened: Any) -> None:
    mail = opened(reply_to="help@example.org")
    assert mail.offers("Text") == {"create", "words"}
    assert mail.tier("Text") is Tier.NEITHER
    receipt = mail.deliver("Text", WORDS, key="k-1")
    (taken,) = office.taken
    message = email.message_from_bytes(taken.content, policy=email.policy.default)
    assert (message["To"], message["Reply-To"], message["Auto-Submitted"]) == (
        "sian@example.org", "help@example.org", "auto-generated",
    )  # fmt: skip
    assert message["Subject"] == WORDS["subject"]
    assert message.get_content().strip().replace("\r\n", "\n") == WORDS["body"]
    assert message["Message-ID"] == receipt.id
    assert "k-1" not in receipt.id, "our key is hashed: the id of a mail is seen by many"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"to": "nobody"}, "to"), ({"to": None}, "to"), ({"channel": "text"}, "channel"), ({"body": " "}, "body"),
        ({"subject": "a\nBcc: x@example.org"}, "body"), ({"to": "other@example.org"}, "to"),
    ],
)  # fmt: skip
def test_what_is_no_mail_to_somebody_permitted_is_refused_before_anything_is_sent(
    office: Office, opened: Any, change: Any, field: str
) -> None:
    mail = opened(only_to=["sian@example.org"])
    with pytest.raises(Rejected) as refused:
        mail.deliver("Text", {**WORDS, **change}, key="k-1")
    assert refused.value.field == field
    assert "example.org" not in str(refused.value)
    assert office.taken == []


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"sian@example.org": "550 no such mailbox"}, Rejected), ({"sian@example.org": "450 busy"}, Throttled),
        ({"DATA": "554 refused"}, Rejected),
    ],
)  # fmt: skip
def test_what_the_server_answers(office: Office, opened: Any, answers: Any, error: type[ConnectorError]) -> None:
    office.answers = answers
    with pytest.raises(error):
        opened().deliver("Text", WORDS, key="k-1")


def test_no_answer_is_not_sure_and_clear_text_is_never_spoken(office: Office, opened: Any) -> None:
    office.pause = 2.0
    with pytest.raises(Unknown):
        opened(timeout_seconds=1).deliver("Text", WORDS, key="k-1")
    with pytest.raises(Misconfigured, match="STARTTLS"):
        opened(starttls=False).deliver("Text", WORDS, key="k-2")


def test_the_doctor_looks_without_sending(office: Office, opened: Any) -> None:
    assert all(one.well for one in opened().doctor())
    assert office.taken == []
