"""Who is held to the one suite and hands records to people: by hand, secure email; and plain email to residents.

Nobody's system can be asked here, so what the suite asks of a record that is there is exempted, each with its reason.
What goes wrong in a conversation with a mail server is `mail_faults.py`'s business.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.port import Connector
from connectors.registry import open_connector
from tests.connectors.conftest import Council
from tests.connectors.post_office import PASSWORD, PostOffice
from tests.connectors.standing import CALM_SECONDS, Standing

MAIL_SECONDS = 0.6  # where the server is silent: four round trips and a handshake come before that
_PERSON = "a named officer enters the record and gives its number back: no machine can say what stands there"
_ONE_WAY = "a mail server shows nothing that it took, and takes no login but for sending"
NO_CODES = {"lists of codes": "the system tells no codes, and the profile names no list of them"}
BY_PEOPLE = {
    **NO_CODES,
    **dict.fromkeys(("create", "create twice", "create twice at once", "an update of nothing"), _PERSON),
}


@dataclass
class MailStanding(Standing):
    """One that speaks to a mail server."""

    office: PostOffice | None = None

    def mails(self) -> list[bytes]:
        """What the server took, newest last."""
        assert self.office is not None
        return [bytes(one.content or b"") for one in self.office.taken]


def _record(text: str) -> dict[str, Any]:
    return {"Reference": "DLN-7K3M", "Family name": "ap Rhŷs", "Given names": ["Siân"], "Safeguarding": True,
            "Reason": text}  # fmt: skip


@contextmanager
def by_hand(_council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """A system without any way in: nothing travels at all."""

    def opened(**_: bool) -> Connector:
        told = {"where": "the social-care system, Referrals, New"}
        return open_connector(
            shipped("by-hand"), told, interfaces=lambda name: b"", clock=lambda: datetime.now(UTC), secret=lambda _: ""
        )

    yield Standing(
        "by-hand", "Referral", opened, _record, None, overlap=False, versioned=False,
        exempt={**BY_PEOPLE, "a wrong login": "there is nothing to log in to"},
    )  # fmt: skip


@contextmanager
def secure_email(_council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """An office that takes records by mail: STARTTLS, a login, a page attached."""
    connect = {"from": "dolen@example.org", "to": ["referrals@example.org", "duty@example.org"]}
    with _mail("secure-email", "Referral", shipped, connect, _record) as standing:
        standing.exempt = {**BY_PEOPLE, "a wrong login": _ONE_WAY}
        yield standing


@contextmanager
def plain_email(_council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The council's own mail server, for words to residents: tier C."""

    def words(text: str) -> dict[str, Any]:
        return {"channel": "email", "to": "sian@example.org", "subject": "Eich cais / Your request", "body": text}

    with _mail("plain-email", "Text", shipped, {"from": "council@example.org"}, words) as standing:
        standing.exempt = {
            **NO_CODES, "a wrong login": _ONE_WAY,
            **dict.fromkeys(
                ("create twice", "create twice at once"),
                "mail carries our Message-ID and no server refuses it twice: what is not sure waits for a person",
            ),
        }  # fmt: skip
        yield standing


@contextmanager
def _mail(
    name: str, kind: str, shipped: Callable[[str], Any], connect: dict[str, Any], record: Callable[[str], Any]
) -> Iterator[MailStanding]:
    with tempfile.TemporaryDirectory() as place, PostOffice(Path(place)) as office:

        def opened(**how: bool) -> Connector:
            told = {
                "host": "localhost", "port": office.port, "ca_bundle": str(office.ca), **connect,
                "login": {"username": "dolen", "password": "env:MAIL"},
                "timeout_seconds": MAIL_SECONDS if how.get("hurried") else CALM_SECONDS,
            }  # fmt: skip
            return open_connector(
                shipped(name), told, interfaces=lambda _: b"", clock=lambda: datetime.now(UTC),
                secret=lambda _: "not-the-password" if how.get("wrong") else PASSWORD,
            )  # fmt: skip

        yield MailStanding(
            name, kind, opened, record, None, (PASSWORD,), overlap=False, versioned=False, office=office,
            held=lambda: len(office.taken),
        )  # fmt: skip
