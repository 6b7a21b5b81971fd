"""Our register of wishes: what an officer writes into it of a person or a referrer, and what people text back, counts.

On a bench whose contact centre has no field for any of it: its file says that they are kept here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from connectors.port import Item
from pipelines import composition, heeding, register, revisions, wishes
from pipelines.batch import Batch, one_referral
from pipelines.library import Library
from pipelines.looking import NotPossible
from pipelines.previewing import preview
from pipelines.text_checks import text_routes
from pipelines.tidings import Tidings

pytest_plugins = ("tests.pipelines.pieces",)

PLACES = "preferences: {opt_in: register, language: register, safe_number: register, referrer: register}\n"
REPLIES = 'replies: {number: "07700 900456", inbox: Duty desk}\n'


@pytest.fixture
def kept(bench_with: Any) -> Iterator[Any]:
    """A bench where a relative or else the person is told, and nothing is known of what either wants."""
    bench = bench_with(
        ("- {who: person}", "- {who: family}\n      - {who: person}"), ("\nroutes:", f"\n{PLACES}{REPLIES}routes:")
    )
    unknown = {"updates": None, "language": {"letters": "unknown"}}
    bench.take(bench.request("C-1", **unknown, referred_by={"kind": "family", "mobile": "07700 900456"}))
    bench.arrived(bench.rows("delivery", connection="casework")[-1].lane, "881")
    bench.take(bench.case("881", Status="ACC"))
    yield bench


def would(bench: Any) -> tuple[str, Any]:
    """What sending the text now would do: the rule by which nothing goes, or to whom and in which language."""
    shown = preview(bench.plant, f"d{bench.row('delivery', kind='Text', state='waiting').id}")
    return shown.words, dict(shown.fields).get("to")


def test_an_officer_writes_down_what_whoever_referred_wants_and_why_the_person_need_not_agree(kept: Any) -> None:
    assert would(kept)[0].startswith("family: the referrer did not ask for updates; person: not opted in")
    asked = wishes.of_referrer(wants=True, language="cy")
    wishes.record(kept.plant, "C-1", asked, who="A. Officer", why="rang us")
    assert would(kept)[0].startswith("family: the person did not agree")
    with pytest.raises(NotPossible, match="must both be written down"):
        wishes.record(kept.plant, "C-1", {}, who="A. Officer", why=" ", waived=True)
    wishes.record(kept.plant, "C-1", {}, who="A. Officer", why="holds power of attorney", waived=True)
    assert would(kept) == ("text to the family, cy", "+447700900456")
    wishes.record(kept.plant, "C-1", wishes.of_referrer(safe=False), who="A. Officer", why="shares the phone")
    assert would(kept)[0].startswith("family: no safe number")
    with pytest.raises(NotPossible, match="the language is one of"):
        wishes.of_referrer(language="pl")


def test_what_the_person_wants_is_counted_among_those_who_asked_for_news(kept: Any) -> None:
    assert not kept.row("referral").wants_news
    opted = wishes.wanted(opt_in="text", language="en")
    wishes.record(kept.plant, "C-1", opted, who="A. Officer", why="rang us")
    assert would(kept) == ("text to the person, en", "+447700900123")
    assert kept.row("referral").wants_news
    changed(kept, priority="urgent")
    assert kept.row("referral").wants_news, "a later revision says nothing of it"
    wishes.record(kept.plant, "C-1", wishes.wanted(withdraw="text"), who="A. Officer", why="rang us")
    assert not kept.row("referral").wants_news


def test_another_request_of_the_same_person_may_have_another_referrer(kept: Any) -> None:
    wishes.record(kept.plant, "C-1", wishes.of_referrer(wants=True, agrees=True), who="A. Officer", why="rang us")
    assert would(kept)[0] == "text to the family, both"
    code, row = "torfaen", kept.row("referral")
    with kept.reading() as connection:
        other = register.laid_over(connection, kept.vault, kept.council, row.person_id, "another referral", {})
    assert "referrer.wants_updates" not in other
    with kept.writing() as connection:
        assert register.forget(connection, kept.vault, code, row.person_id, [row.id])
    assert kept.rows("preference") == []


def test_only_what_is_kept_here_is_written_here(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    with pytest.raises(NotPossible, match="keeps `referrer` in the system that owns it"):
        wishes.record(bench.plant, "C-1", wishes.of_referrer(wants=True), who="A. Officer", why="rang us")


def test_start_after_stop_begins_again_and_of_a_stranger_is_read_by_a_person(kept: Any) -> None:
    wishes.record(kept.plant, "C-1", wishes.wanted(opt_in="text", language="en"), who="A. Officer", why="rang us")
    told(kept, "+447700900123", "person")
    assert texted(kept, "DECHRAU") == "needs attention", "who never left cannot begin again"
    assert texted(kept, "Stop") == "merged"
    assert would(kept)[0].endswith("person: not opted in")
    assert texted(kept, "Dechrau!") == "merged"
    assert would(kept)[0] == "text to the person, en"
    assert [one.remark for one in kept.rows("version", kind="ReceivedText")][1:] == [
        "a text from a resident: opted out", "a text from a resident: opted in again",
    ]  # fmt: skip


def test_a_referrer_who_texts_a_language_or_stop_changes_their_own_wishes_alone(kept: Any) -> None:
    wishes.record(kept.plant, "C-1", wishes.of_referrer(wants=True, agrees=True), who="A. Officer", why="rang us")
    told(kept, "+447700900456", "family")
    assert texted(kept, "CYMRAEG", "447700900456") == "merged"
    assert kept.facts()["referrer.language"] == "cy"
    assert kept.facts().get("language.correspondence") in (None, "not-asked")
    assert would(kept)[0] == "text to the family, cy"
    texted(kept, "STOP", "447700900456")
    assert kept.facts()["referrer.wants_updates"] is False
    assert "opted_in" not in json.dumps([name for name, value in kept.facts().items() if value is False])


def test_an_officer_lets_a_number_be_used_again(kept: Any) -> None:
    wishes.record(kept.plant, "C-1", wishes.wanted(opt_in="text", language="en"), who="A. Officer", why="rang us")
    with pytest.raises(NotPossible, match="none of its numbers"):
        wishes.again(kept.plant, "C-1", who="A. Officer", why="it works again")
    with kept.writing() as connection:
        mark = register.whom(kept.vault, "torfaen", "07700 900123")
        register.write(connection, kept.vault, "torfaen", mark, register.WRONG, True, by="report", now=1)
    assert would(kept)[0].startswith("wrong number")
    assert "1 of the numbers" in wishes.again(kept.plant, "C-1", who="A. Officer", why="it works again")
    assert would(kept)[0] == "text to the person, en"
    assert [one.action for one in kept.rows("audit")][-1] == "number used again"


@pytest.mark.parametrize("word", ["Start", "UNSTOP.", "dechrau", "Dechreuwch!"])
def test_words_by_which_people_begin_again(word: str) -> None:
    assert heeding.heard(word) == heeding.Heard(start=True, for_a_person=False)
    assert heeding.heard(f"{word} with the bathroom").for_a_person


def changed(bench: Any, **facts: Any) -> None:
    with bench.writing() as connection:
        batch = Batch(connection, bench.vault, bench.council, bench.clock.now())
        referral = one_referral(batch, bench.row("referral").id)
        assert referral is not None
        revisions.revise(batch, referral, facts, by="contact")
        batch.flush()


def told(bench: Any, number: str, who: str) -> None:
    """Somebody was told of the request at this number."""
    id = bench.plain_delivery("torfaen/texts/earlier", kind="Text", connection="texts", state="not sent", due=None,
                              referral_id=bench.row("referral").id)  # fmt: skip
    with bench.writing() as connection:
        batch = Batch(connection, bench.vault, bench.council, bench.clock.now())
        batch.note(
            "news", delivery_id=id, council="torfaen", connection="texts", referral_id=bench.row("referral").id,
            route="tell-the-resident", recipient=who, words="track-my-request", channel="text", language="both",
            status="received", whom=register.whom(bench.vault, "torfaen", number), parts=3, asked=None, changed=None,
            at=bench.clock.now(), report="",
        )  # fmt: skip
        batch.flush()


def texted(bench: Any, content: str, number: str = "447700900123") -> str:
    """Somebody texts back; what came of it."""
    bench.clock.pass_by(60)
    id = f"t{len(bench.rows('version', kind='ReceivedText'))}"
    record = {"user_number": number, "content": content}
    kind: Any = SimpleNamespace(name="ReceivedText")
    item = Item(id, record, json.dumps(record).encode())
    Tidings(bench.plant, bench.council).take(bench.council.wired["texts"], kind, [item])
    return str(bench.row("version", external_id=id).state)


def test_whom_a_route_tells_decides_what_must_have_a_place(site_folder: Path) -> None:
    """Found before a text goes: who wants news, and that the person agreed, must be known from somewhere."""
    site = composition.load(site_folder)
    council = site.councils["neath-port-talbot"]
    at = next(n for n, route in enumerate(council.settings.routes) if route.text)

    def missing(*read: str) -> list[str]:
        known = {"contact": {*read, *(field for what in ("opt_in", "language", "safe_number")
                                      for field in register.PLACES[what])}}  # fmt: skip
        found = list(text_routes(site, council, Library(site.layers), known))
        assert all(one.key == f"routes[{at}].recipients" and one.line for one in found), found
        return [str(one) for one in found]

    wants, agrees = "referrer.wants_updates", "referrer.person_agrees"
    assert missing(wants, agrees) == missing(wants, "referrer.agreement_waiver.by") == []
    (one,) = missing(wants)
    assert "whether the person agreed that the referrer hears" in one
    assert "`preferences: {referrer: register}`" in one
    assert len(missing()) == 2
