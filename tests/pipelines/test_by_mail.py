"""A council without GOV.UK Notify: from a change of status to the email that its own server took, in each language.

The mail server is a real one on loopback, and takes nothing that is not encrypted.
"""

import email
import email.policy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from pipelines import doctor, wishes
from pipelines.previewing import preview
from pipelines.tables import delivery, news, referral
from tests.connectors.test_secure_email import PASSWORD, Office
from tests.pipelines.test_telling import asks, edit, moves

PEOPLE = {"cy": "sian@example.org", "en": "ann@example.org", "unknown": "gwen@example.org"}
STEPS = {"ACC": "wedi'i dderbyn", "CLO": "wedi'i gwblhau"}
CONNECTION = """  texts:
    profile: plain-email
    owner: {{name: Digital team, phone: "01632 960403"}}
    supplier: Council IT service desk
    connect:
      host: localhost
      port: {port}
      ca_bundle: {ca}
      from: council@example.org
      reply_to: help@example.org
      login: {{username: dolen, password: env:MAIL_PASSWORD}}
      timeout_seconds: 5
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The council's mail server."""
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    made = Office(tmp_path)
    server = made.serve()
    made.port = server.port  # type: ignore[attr-defined]  # for the site of the test
    yield made
    server.stop()


def by_mail(town: Any, office: Any) -> None:
    """Torfaen tells people by its own mail server, and has no template of anybody's."""
    path = town.site / "config/councils/torfaen.yaml"
    text = path.read_text(encoding="utf-8")
    begin, end = text.index("  texts:\n"), text.index("\nroutes:")
    wishes_here = "preferences: {opt_in: register}\n"
    text = f"{text[:begin]}{CONNECTION.format(port=office.port, ca=office.ca)}{wishes_here}{text[end:]}"
    path.write_text(text.replace("text: track-my-request", "text: by-email"), encoding="utf-8")
    words = (town.site / "texts/track-my-request.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    ours = [line for line in words if not line.startswith(("    template:", "      both:")) and not _is_id(line)]
    (town.site / "texts/by-email.yaml").write_text("".join(ours).replace("channel: text", "channel: email"), "utf-8")
    addresses = ", ".join(f'"{one}"' for one in PEOPLE.values())
    edit(town, "config/dolen.yaml", ('["+447700900*"]', f'["+447700900*", {addresses}]'))


def _is_id(line: str) -> bool:
    return line.startswith(("      cy: ", "      en: ")) and line.count("-") == 4 and ">" not in line


def mails(office: Any) -> list[Any]:
    """What the server took, oldest first."""
    return [email.message_from_bytes(one.content, policy=email.policy.default) for one in office.taken]


def wants_mail(town: Any, letters: str) -> Any:
    """Somebody asks for help and wants news by email."""
    asked = asks(town, letters=letters, contacts=({"type": "email", "value": PEOPLE[letters], "ok_to_text": None},))
    wishes.record(town.plant, asked["id"], wishes.wanted(opt_in="email"), who="officer", why="asked for it")
    return asked


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(**where).order_by(*table.primary_key.columns)).all())


def test_from_a_change_of_status_to_an_email_in_each_language(
    town: Any, rebuild: Callable[[], None], office: Any
) -> None:
    by_mail(town, office)
    rebuild()
    assert all(one.well for _, _, one in doctor.examine(town.plant, "torfaen", "texts"))
    asked = {letters: wants_mail(town, letters) for letters in PEOPLE}
    for one in asked.values():
        moves(town, "ACC", of=one)
    shown = preview(town.plant, f"d{rows(town, delivery, kind='Text')[0].id}")
    assert "wedi'i dderbyn" in dict(shown.fields)["body"], "an officer sees the words before they go"
    town.deliver()
    moves(town, "CLO", of=asked["unknown"])
    town.deliver()
    taken = {one["To"]: one for one in mails(office)[:3]}
    assert set(taken) == set(PEOPLE.values())
    reference = {one.id: one.citizen_reference for one in rows(town, referral)}
    told = rows(town, news)
    assert [(one.channel, one.language) for one in told] == [
        ("email", "cy"), ("email", "en"), ("email", "both"), ("email", "both"),
    ]  # fmt: skip
    of = {one.language: reference[one.referral_id] for one in told}
    welsh, english, both = (taken[PEOPLE[letters]] for letters in ("cy", "en", "unknown"))
    assert welsh["Subject"] == f"Eich cais {of['cy']}"
    assert english["Subject"] == f"Your request {of['en']}"
    assert both["Subject"] == f"Eich cais {of['both']} / Your request {of['both']}"
    for mail, language, begins in ((welsh, "cy", "Mae eich cais"), (english, "en", "Your request")):
        body = mail.get_content()
        assert body.startswith(begins)
        assert f"{of[language]}" in body
        assert "01632 960" in body, "how to reach a person"
    parts = both.get_content().replace("\r\n", "\n").strip().split("\n\n")
    assert (parts[0][:8], parts[1][:12]) == ("Mae eich", "Your request")
    assert "wedi'i gwblhau" in mails(office)[3].get_content()
    assert all(one["Reply-To"] == "help@example.org" and one["Auto-Submitted"] == "auto-generated"
               for one in mails(office))  # fmt: skip
    # Withdrawn means none.
    wishes.record(town.plant, asked["cy"]["id"], wishes.wanted(withdraw="email"), who="officer", why="asked for it")
    moves(town, "CLO", of=asked["cy"])
    town.deliver()
    assert {one.reason for one in rows(town, delivery, kind="Text") if one.state == "not sent"} == {"not opted in"}
    assert len(mails(office)) == 4
