"""Telling people, against the pretend Notify: when not yet, when not at all, and what comes back.

One town each for what belongs together, because a town is a process. The journeys are those of the two groups of people
that Track My Request was made for: who asks for themselves, and whom family referred; each in both languages.
"""

import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from console.listener.server import Listener
from pipelines import composition, desk, erasing, persons, register, rung, story, wishes
from pipelines.clock import to_instant
from pipelines.pushes import Pushes
from pipelines.tables import audit, cause, delivery, news, payload, preference, pushed, version
from pipelines.walks import Walker
from sandbox.notify_checks import templates

STEPS = ("ACC", "INP", "CLO")
SAFE = {"type": "mobile", "value": "07700 900123", "ok_to_text": True}
MAIL = {"type": "email", "value": "sian@example.org", "ok_to_text": None}
WISHES = 'replies: {number: "07700 900456", inbox: Duty desk}\npreferences: {opt_in: register}\n'
TEXTS = "texts/track-my-request.yaml"


def edit(town: Any, file: str, *changes: tuple[str, str]) -> None:
    path: Path = town.site / file
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def asks(town: Any, council: str = "torfaen", *, contacts: Any = (SAFE,), letters: str = "cy", **changes: Any) -> Any:
    """Somebody opts in and asks for help; it is in casework when this returns."""
    first = town.ask(council)
    customer = {**first["customer"], "nhs_number": None, "contacts": list(contacts), "last_name": f"Llwyd-{len(first)}"}
    town.control("DELETE", f"{council}/contact/records/{first['id']}")
    made = town.ask(
        council, customer=customer, language={"letters": letters, "speech": None, "interpreter": False},
        updates={"opted_in": True, "asked_at": "2026-07-02T09:14:00Z"},
        **{"referred_by": {"kind": "self"}, "team": "adults", **changes},
    )  # fmt: skip
    town.rest()
    return made


def moves(town: Any, status: str, council: str = "torfaen", of: Any = None, **changes: Any) -> None:
    """Case staff set the status of a request's case, or the newest one's; it is read."""
    cases = town.records(council, "casework")
    case = next(one for one in cases if one["SourceReference"] == of["id"]) if of else cases[-1]
    town.change(council, "casework", case.get("ReferralId") or case["id"], Status=status, **changes)
    town.read(council)


def sent(town: Any, council: str = "torfaen") -> list[tuple[str, str, str]]:
    """What Notify was asked to send, oldest first: to whom, which status, in which language."""
    held = sorted(town.records(council, "notify"), key=lambda one: one["created_at"])
    names = templates()
    return [
        (one["to"], names[one["template_id"]]["status"], names[one["template_id"]]["language"])
        for one in held if "template_id" in one
    ]  # fmt: skip


def mine(town: Any) -> list[str]:
    """What was sent to the first number of all."""
    return [status for to, status, _ in sent(town) if to == "+447700900123"]


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(**where)).all())


def reasons(town: Any) -> list[str]:
    return [one.reason for one in rows(town, delivery, kind="Text")]


def polls(town: Any, kind: str, council: str = "torfaen") -> int:
    place = town.plant.councils[council]
    wired = place.wired["texts"]
    return Walker(town.plant, place).walk(wired, wired.told_by(kind)).taken.news


def test_who_asks_for_themselves_is_told_each_step_in_their_language(town: Any) -> None:
    people = {"cy": ("cy", "07700 900123"), "en": ("en", "07700 900124"), "unknown": ("both", "07700 900125")}
    asked = {
        letters: asks(town, letters=letters, contacts=({**SAFE, "value": number},))
        for letters, (_, number) in people.items()
    }
    for status in STEPS:
        for one in asked.values():
            moves(town, status, of=one)
        town.deliver()
    for language, number in people.values():
        to = "+44" + number.replace(" ", "")[1:]
        told = [one for one in sent(town) if one[0] == to]
        assert told == [(to, one, language) for one in ("accepted", "in_progress", "completed")]
    told = rows(town, news)
    assert {(one.status, one.recipient) for one in told} == {
        (one, "person") for one in ("accepted", "in_progress", "completed")
    }
    assert all(one.changed and one.asked and one.at >= one.changed for one in told)
    assert "7700900" not in repr(told), "no number rests in clear"


def test_whom_family_referred_and_agreed_and_the_family_hears_in_its_own_language(town: Any) -> None:
    family = {"kind": "family", "wants_updates": True, "customer_agrees": True}
    # Each in their own; who was never asked in both, and whatever the person reads.
    reads = {"cy": ("cy", "07700 900455"), "en": ("en", "07700 900457"), None: ("both", "07700 900456")}
    asked = [
        asks(town, "neath-port-talbot", referred_by={**family, "mobile": mobile, "letters": letters}, letters="en")
        for letters, (_, mobile) in reads.items()
    ]
    for one in asked:
        moves(town, "ACC", "neath-port-talbot", of=one)
    town.deliver()
    assert sorted(sent(town, "neath-port-talbot")) == [
        ("+447700900455", "accepted", "cy"), ("+447700900456", "accepted", "both"), ("+447700900457", "accepted", "en"),
    ]  # fmt: skip
    request = town.records("neath-port-talbot", "contact")[-1]
    # The adult takes the agreement back: from now on the family hears nothing, and the adult, who opted in, does.
    town.change("neath-port-talbot", "contact", request["id"], referred_by={**request["referred_by"],
                                                                            "customer_agrees": False})  # fmt: skip
    town.rest()
    moves(town, "INP", "neath-port-talbot")
    town.deliver()
    assert sent(town, "neath-port-talbot")[3:] == [("+447700900123", "in_progress", "en")]


def at(town: Any, hour: int, day: str) -> None:
    """Move the ledger's clock to an hour of a day to come, in the council's winter time."""
    aim = datetime.fromisoformat(f"{day}T{hour:02}:00:00+00:00")
    town.push((aim - to_instant(town.clock.now())).total_seconds())


def test_when_not_yet_quiet_hours_and_days_digest_and_caps(town: Any, rebuild: Callable[[], None]) -> None:
    quiet = 'quiet: {begins: "20:00", ends: "08:00", days: [sun, bank-holiday]}\n'
    words = f"channel: text\ndigest: PT1H\n{quiet}"
    edit(town, TEXTS, ("channel: text\n", words), ("a_recipient: 8", "a_recipient: 3"))
    year = to_instant(town.clock.now()).year + 1
    wednesday = next(day for day in (datetime(year, 2, n, tzinfo=UTC) for n in range(1, 8)) if day.weekday() == 2)
    thursday, day, later = (f"{wednesday + timedelta(days=n):%Y-%m-%d}" for n in (1, 2, 3))
    edit(town, "config/councils/torfaen.yaml", ("\nconnections:", f'\nbank_holidays: ["{thursday}"]\n\nconnections:'))
    rebuild()
    other = asks(town, contacts=({**SAFE, "value": "07700 900124"},))
    asks(town)
    at(town, 22, f"{wednesday:%Y-%m-%d}")
    moves(town, "ACC")
    town.deliver()
    assert (sent(town), reasons(town)) == ([], ["quiet hours"])
    at(town, 12, thursday)
    moves(town, "ACC", of=other)
    town.deliver()
    assert (sent(town), reasons(town)) == ([], ["quiet hours", "quiet day"])
    at(town, 9, day)
    town.deliver()
    assert [one[1] for one in sent(town)] == ["accepted", "accepted"], "judged afresh, it goes when it may"
    # The first went at once; what comes within the hour becomes one at its end, and the story says by which rule.
    moves(town, "INP")
    town.deliver()
    moves(town, "HLD")
    moves(town, "INP")
    town.deliver()
    assert mine(town) == ["accepted"]
    town.push(3601)
    town.deliver()
    assert mine(town) == ["accepted", "in_progress"]
    moves(town, "CLO")
    town.push(3601)
    town.deliver()
    assert mine(town) == ["accepted", "in_progress", "completed"]
    # Three were sent today: a fourth waits until tomorrow, and is judged afresh then.
    moves(town, "INP")
    town.push(3601)
    town.deliver()
    assert len(mine(town)) == 3
    assert reasons(town)[-1].startswith("daily cap: as much was sent today to one recipient")
    at(town, 9, later)
    town.deliver()
    assert len(mine(town)) == 4
    told = "\n".join(line.words for line in story.tell(town.plant, rows(town, news)[-1].referral_id).lines)
    for rule in ("quiet hours", "digest", "daily cap"):
        assert rule in told, rule


def test_safeguarding_becomes_a_task_and_whoever_rings_says_so(town: Any) -> None:
    asks(town, flags={"safeguarding": True, "restricted": False})
    moves(town, "ACC")
    town.deliver()
    (group,) = [one for one in desk.attention(town.plant) if one.step == "tell"]
    assert (group.error, group.count, sent(town)) == ("safeguarding", 1, [])
    assert "rings instead" in group.words
    assert "dolen text rang" in group.remedy
    rung.rang(town.plant, f"d{group.deliveries[0]}", who="officer", why="spoke to her")
    assert rows(town, delivery, id=group.deliveries[0])[0].state == "settled"
    assert [(one.channel, one.status) for one in rows(town, news)] == [("telephone", "accepted")]
    assert [one.who for one in rows(town, audit, action="rang")] == ["officer"]
    with pytest.raises(desk.NotPossible, match="there is nobody to ring"):
        rung.rang(town.plant, f"d{group.deliveries[0]}", who="officer", why="again")


def test_two_messages_go_welsh_first_and_neither_twice(town: Any, rebuild: Callable[[], None]) -> None:
    edit(town, TEXTS, ("both: one", "both: two"))
    rebuild()
    asks(town, letters="unknown")
    moves(town, "ACC")
    # The first call gets no answer, though Notify took it: it is looked up, and only the English one follows.
    town.faults("torfaen", "notify", reset_after={"times": 1, "operations": ["send_sms"]})
    town.deliver()
    town.well("torfaen", "notify")
    town.rest()
    assert [one[2] for one in sent(town)] == ["cy", "en"]
    assert rows(town, delivery, kind="Text")[0].state == "arrived"


def test_what_comes_back_a_wrong_number_another_channel_stop_and_a_language(
    town: Any, rebuild: Callable[[], None]
) -> None:
    mail = (town.site / TEXTS).read_text(encoding="utf-8").replace("channel: text", "channel: email")
    for language in ("cy", "en", "both"):
        ours = next(t for t in templates().values()
                    if (t["status"], t["type"], t["language"]) == ("accepted", "sms", language))["id"]  # fmt: skip
        theirs = next(t for t in templates().values()
                      if (t["status"], t["type"], t["language"]) == ("accepted", "email", language))["id"]  # fmt: skip
        mail = mail.replace(ours, theirs)
    (town.site / "texts/by-email.yaml").write_text(mail, encoding="utf-8")
    edit(
        town, "config/councils/torfaen.yaml",
        ("- {who: person}", "- {who: person, texts: [track-my-request, by-email]}"),
        ("\nroutes:", f"\n{WISHES}\nroutes:"),
        ("    profile: notify\n", "    profile: notify\n    schedule: {every: PT30S}\n"),
    )  # fmt: skip
    edit(town, "config/dolen.yaml", ('["+447700900*"]', '["+447700900*", "sian@example.org"]'))
    rebuild()
    # 07700 900003 is Notify's number for "could not be delivered now", 900002 for "there is no such number".
    asked = asks(town, contacts=({**SAFE, "value": "07700 900003"}, MAIL))
    # The contact centre has no field for news by email: an officer writes it into our register.
    by_email = wishes.wanted(opt_in="email")
    wishes.record(town.plant, asked["id"], by_email, who="officer", why="she asked for it")
    with pytest.raises(desk.NotPossible, match="keeps `language` in the system that owns it"):
        wishes.record(town.plant, asked["id"], wishes.wanted(language="cy"), who="officer", why="she asked for it")
    moves(town, "ACC")
    town.deliver()
    _until_ended(town)
    assert polls(town, "Report") == 1
    assert polls(town, "Report") == 0, "told twice, it changes nothing"
    town.deliver()
    assert [one[0] for one in sent(town)] == ["+447700900003", "sian@example.org"]
    assert sorted(one.channel for one in rows(town, news)) == ["email", "text"]

    asks(town, contacts=({**SAFE, "value": "07700 900002"},))
    moves(town, "ACC")
    town.deliver()
    _until_ended(town)
    polls(town, "Report")
    (group,) = [one for one in desk.attention(town.plant) if one.step == "tell"]
    assert group.error == "wrong number"
    assert any(one.report == "permanent-failure" for one in rows(town, news))
    moves(town, "INP")
    town.deliver()
    assert len([one for one in sent(town) if one[0] == "+447700900002"]) == 1, "nothing goes to a wrong number again"

    asks(town, letters="unknown")
    moves(town, "ACC")
    town.deliver()
    for content in ("CYMRAEG.", "Pryd fydd rhywun yn galw?", "Cymraeg"):
        town.control("POST", "torfaen/notify/records", {"user_number": "447700900123", "content": content})
    assert polls(town, "ReceivedText") == 3
    assert polls(town, "ReceivedText") == 0
    (group,) = [one for one in desk.attention(town.plant) if one.step == "reply"]
    assert (group.count, "Duty desk" in group.words) == (1, True)
    (reply,) = wishes.unread(town.plant)
    assert wishes.read(town.plant, reply.id, who="officer", why="my turn") == "Pryd fydd rhywun yn galw?"
    desk.close(town.plant, reply.id, who="officer", why="rang her")
    assert wishes.unread(town.plant) == []
    assert [one.action for one in rows(town, audit, subject=reply.id)] == ["text read", "close"]
    moves(town, "INP")
    town.deliver()
    assert sent(town)[-1] == ("+447700900123", "in_progress", "cy")
    town.control("POST", "torfaen/notify/records", {"user_number": "447700900123", "content": "Stopiwch!"})
    polls(town, "ReceivedText")
    moves(town, "CLO")
    town.deliver()
    assert sent(town)[-1] == ("+447700900123", "in_progress", "cy"), "none after STOP"
    town.rest()
    request = town.records("torfaen", "contact")[-1]
    assert request["updates"]["opted_in"] is False, "the system that owns the wish was sent it"
    assert request["language"]["letters"] == "cy"
    assert "rhywun" not in repr(rows(town, version)), "what they wrote rests sealed"
    with town.plant.ledger.reading() as connection:
        known = register.known(connection, town.plant.vault, "torfaen")("07700 900123")
    assert known.opted_out
    assert rows(town, cause)


def _until_ended(town: Any) -> None:
    """Wait until the pretend Notify says how its newest message ended: two seconds by its own clock."""
    until = time.monotonic() + 10
    newest = max(datetime.fromisoformat(one["created_at"]) for one in town.records("torfaen", "notify")
                 if "template_id" in one)  # fmt: skip
    while datetime.now(UTC) < newest + timedelta(seconds=2.1) and time.monotonic() < until:
        time.sleep(0.05)


def test_notify_calls_back_with_its_token_and_a_replay_changes_nothing(
    town: Any, rebuild: Callable[[], None], tmp_path: Path
) -> None:
    token = "tocyn-yr-hysbysu-0123456789"
    (tmp_path / "token").write_text(token, encoding="utf-8")
    (tmp_path / "token").chmod(0o600)
    proof = f'      push: {{bearer: {{tokens: ["file:{tmp_path / "token"}"]}}}}\n'
    edit(
        town, "config/councils/torfaen.yaml", ("\nroutes:", f"\n{WISHES}\nroutes:"),
        ("/torfaen/notify\n", f"/torfaen/notify\n{proof}"),
    )  # fmt: skip
    edit(town, "config/dolen.yaml", ("data: var\n", "data: var\nlistener: {port: 0}\n"))
    rebuild()
    asks(town, contacts=({**SAFE, "value": "07700 900002"},))
    moves(town, "ACC")
    town.deliver()
    settings = composition.load(town.site).settings.listener
    assert settings is not None
    listener, stop = Listener(town.plant, settings), threading.Event()
    serving = threading.Thread(target=listener.run, args=(stop,))
    serving.start()
    try:
        place = f"{listener.address}/push/torfaen/texts"
        # The pretend Notify itself calls: the report of the message that it took.
        town.control("POST", "notify/callback", {"tenant": "torfaen", "url": f"{place}/Report", "bearer": token})
        until = time.monotonic() + 20
        while not rows(town, pushed) and time.monotonic() < until:
            time.sleep(0.05)
        wired, pushes = town.plant.councils["torfaen"].wired["texts"], Pushes(town.plant)
        assert pushes.now(wired, "Report") == 1
        assert [one.report for one in rows(town, news)] == ["permanent-failure"]
        (kept,) = rows(town, pushed)
        assert kept.taken
        # What it says of a text that came in, once with the wrong token, then twice with the right one.
        said = {"id": str(uuid.uuid4()), "source_number": "447700900002", "destination_number": "07700900456",
                "message": "STOP", "date_received": "2026-07-02T09:14:00.000000Z"}  # fmt: skip
        for bearer, status in (("wrong-token-0123456789", 401), (token, 204), (token, 204)):
            answer = requests.post(
                f"{place}/ReceivedText", json=said, headers={"Authorization": f"Bearer {bearer}"}, timeout=20
            )
            assert (answer.status_code, answer.content) == (status, b"")
        assert pushes.now(wired, "ReceivedText") == 1
        assert len(rows(town, version, kind="ReceivedText")) == 1
        with town.plant.ledger.reading() as connection:
            known = register.known(connection, town.plant.vault, "torfaen")("07700 900002")
        assert (known.opted_out, known.wrong) == (True, True)
    finally:
        stop.set()
        serving.join()


def test_whoever_is_erased_leaves_no_number_and_no_wish_behind(town: Any) -> None:
    asked = asks(town)
    moves(town, "ACC")
    town.deliver()
    with town.plant.ledger.writing() as connection:
        mark = register.whom(town.plant.vault, "torfaen", SAFE["value"])
        register.write(connection, town.plant.vault, "torfaen", mark, register.LANGUAGE, "en", by="reply", now=1)
    (kept,) = rows(town, preference)
    whose = persons.by_reference(town.plant, asked["id"])
    erasing.erase(town.plant, whose, ground="objection", who="dpo", why="asked")
    assert [(one.whom, one.status) for one in rows(town, news)] == [("", "accepted")]
    assert rows(town, preference) == []
    assert rows(town, payload, id=kept.value)[0].body is None
