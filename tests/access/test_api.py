"""The interface as a program meets it: tokens, finding, sending again once, problems in words, pages of a list."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests

from pipelines import grants, tokens
from pipelines.rights import Officer, Right, Role
from pipelines.seeing import through
from pipelines.sight import NotAllowed, NotPossible
from tests.access.conftest import House
from tests.access.test_sight import HIDDEN, OPEN, Desk

ADMIN = Officer("admin", {"torfaen": frozenset({Role.ADMINISTRATOR})}, "name admin")


@pytest.fixture(scope="module")
def at(house: House) -> Iterator[Desk]:
    bench = house.bench
    made = Desk(bench)
    bench.take(bench.request(OPEN), bench.request("C-2", customer__last_name="Arall"),
               bench.request(HIDDEN, flags__restricted=True, customer__last_name="Cudd"))  # fmt: skip
    for number in (OPEN, "C-2", HIDDEN):
        made.stop(number)
    yield made


def token(house: House, *roles: Role, name: str = "", council: str = "torfaen", days: int = 1) -> str:
    plant = through(house.bench.plant, Officer("admin", {council: frozenset({Role.ADMINISTRATOR})}, "name admin"))
    name = name or f"t{len(house.bench.rows('api_token'))}"
    held = {council: roles or (Role.OPERATOR,)}
    return tokens.add(plant, name, held, lasts=timedelta(days=days), why="the nightly job")


def call(house: House, held: str, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {held}"}
    return requests.request(method, f"{house.address}/api/v1{path}", json=body, headers=headers, timeout=30)


def test_a_token_is_shown_once_and_kept_as_a_hash(house: House) -> None:
    held = token(house, name="nightly")
    assert held.startswith("dolen_")
    for file in house.bench.folder.rglob("*.db*"):
        assert held.encode() not in file.read_bytes()
    me = call(house, held, "GET", "/me").json()
    assert me["who"] == "token nightly"
    assert [one["code"] for one in me["councils"]] == ["torfaen"]
    (row,) = [one for one in house.bench.rows("api_token") if one.name == "nightly"]
    assert row.last_used == house.bench.clock.at
    assert [one.action for one in house.bench.rows("audit", subject="token nightly")] == ["token added"]


def test_a_token_ends(house: House) -> None:
    late, revoked = token(house, days=1, name="late"), token(house, days=3, name="revoked")
    house.bench.clock.pass_by(86_401)
    assert call(house, late, "GET", "/me").status_code == 401
    assert call(house, revoked, "GET", "/me").status_code == 200
    tokens.revoke(through(house.bench.plant, ADMIN), "revoked", why="the job is gone")
    assert call(house, revoked, "GET", "/me").status_code == 401
    with pytest.raises(NotPossible, match="revoked before"):
        tokens.revoke(through(house.bench.plant, ADMIN), "revoked", why="again")


def test_nobody_makes_a_token_that_reads_cases_or_is_more_than_they_are(house: House) -> None:
    plant = through(house.bench.plant, ADMIN)
    for role in (Role.CASE_READER, Role.DATA_PROTECTION, Role.ADMINISTRATOR):
        with pytest.raises(NotPossible, match="a token cannot be"):
            tokens.add(plant, "more", {"torfaen": (role,)}, lasts=timedelta(days=1), why="x")
    with pytest.raises(NotPossible, match="no council blaenau-gwent"):
        tokens.add(plant, "more", {"blaenau-gwent": (Role.VIEWER,)}, lasts=timedelta(days=1), why="x")
    operator = through(house.bench.plant, Officer("op", {"torfaen": frozenset({Role.OPERATOR})}))
    with pytest.raises(NotAllowed):
        tokens.add(operator, "more", {"torfaen": (Role.VIEWER,)}, lasts=timedelta(days=1), why="x")


def test_wrong_tokens_are_refused_and_after_many_one_has_to_wait(house: House) -> None:
    right = token(house)
    for wrong in ("", "x", "dolen_", right[:-1], right + "x", right.upper(), "dolen_" + "a" * 5000):
        assert call(house, wrong, "GET", "/me").status_code == 401
    basic = requests.get(f"{house.address}/api/v1/me", auth=("a", right), timeout=20)
    assert basic.status_code == 401
    while call(house, "dolen_x", "GET", "/me").status_code == 401:
        pass
    waits = call(house, "dolen_x", "GET", "/me")
    assert (waits.status_code, waits.headers["Content-Type"]) == (429, "application/problem+json")
    assert int(waits.headers["Retry-After"]) > 0
    assert call(house, right, "GET", "/me").status_code == 200


def test_a_session_calls_with_its_token_and_from_our_pages_alone(house: House) -> None:
    browser = house.signed_in("op@example.org")
    find = {"reference": "C-404"}
    assert browser.api("POST", "/find", find).status_code == 200
    address, csrf = f"{house.address}/api/v1/find", browser.token or ""
    for headers in (
        {}, {"X-CSRF-Token": csrf}, {"Origin": house.address},
        {"X-CSRF-Token": csrf, "Origin": "https://example.org"},
    ):  # fmt: skip
        assert browser.post(address, json=find, headers=headers, timeout=20).status_code == 403


def test_find_attention_story_and_preview(house: House, at: Desk) -> None:
    held = token(house)
    found = call(house, held, "POST", "/find", {"reference": OPEN}).json()
    (story,) = found["referrals"]
    assert story["referral"] == at.id(OPEN)
    assert {line["what"] for line in story["lines"]} >= {"version", "delivery", "try"}
    assert call(house, held, "GET", f"/referrals/{at.id(OPEN)}").json() == story
    never = call(house, held, "POST", "/find", {"reference": "C-404"}).json()
    assert never["referrals"] == []
    (cause,) = call(house, held, "GET", "/attention").json()["items"]
    assert cause["count"] == 2
    assert "Llŷr" not in str(story) + str(cause)
    item = call(house, held, "GET", f"/items/{at.delivery(OPEN)}").json()
    assert (item["state"], item["cause"]) == ("needs attention", cause["fingerprint"])
    preview = call(house, held, "GET", f"/items/{at.delivery(OPEN)}/preview").json()
    assert preview["effect"] == "create"
    assert "Subject/Surname" in preview["fields"]
    assert "Llŷr" not in str(preview)


def test_a_list_comes_in_pages(house: House, at: Desk) -> None:
    held = token(house)
    (cause,) = call(house, held, "GET", "/attention").json()["items"]
    path, seen, after = f"/attention/{cause['fingerprint']}?limit=1", [], ""
    while True:
        page = call(house, held, "GET", f"{path}&after={after}").json()
        seen += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == [at.delivery(OPEN), at.delivery("C-2")]  # and not the restricted one
    assert call(house, held, "GET", "/attention?limit=0").status_code == 422


def test_a_restricted_referral_is_in_no_answer(house: House, at: Desk) -> None:
    held = token(house, Role.OPERATOR, Role.VIEWER, Role.CODE_LIST_OWNER)
    answers = [call(house, held, "POST", "/find", {"reference": one}) for one in (HIDDEN, at.id(HIDDEN))]
    answers += [
        call(house, held, "GET", path)
        for path in ("/attention", "/conflicts", "/left-out", "/codes/unmapped", "/four-eyes", "/connections",
                     "/reconcile", "/status")
    ]  # fmt: skip
    missing = [
        call(house, held, "GET", f"/referrals/{at.id(HIDDEN)}"),
        call(house, held, "GET", f"/items/{at.delivery(HIDDEN)}"),
        call(house, held, "GET", f"/items/{at.delivery(HIDDEN)}/preview"),
        call(house, held, "POST", f"/items/{at.delivery(HIDDEN)}/close", {"why": "x"}),
        call(house, held, "POST", f"/items/{at.delivery(HIDDEN)}/settle", {"how": "not-arrived", "why": "x"}),
    ]  # fmt: skip
    assert [one.status_code for one in missing] == [404] * 5
    there = "\n".join(one.text for one in answers)
    assert at.id(HIDDEN) not in there
    assert HIDDEN not in there
    assert '"count":2' in there
    absent = [one.json()["detail"].replace(at.delivery(HIDDEN), "d999999") for one in missing[1:4]]
    assert absent[0] == call(house, held, "GET", "/items/d999999").json()["detail"]  # no word tells the two apart


def test_four_eyes_and_unmasking_by_the_interface(house: House, at: Desk) -> None:
    protector = at.eyes("dp2", Role.DATA_PROTECTION)
    for name in ("op@example.org", "second@example.org"):
        grants.give(protector, HIDDEN, name, lasts=timedelta(days=1), why="x")
    first, second = house.signed_in("op@example.org"), house.signed_in("second@example.org")
    done = first.api("POST", "/replay", {"ids": [at.delivery(HIDDEN)], "why": "mended"}).json()
    assert (done["done"], len(done["asked"])) == ([], 1)
    (waits,) = second.api("GET", "/four-eyes").json()["items"]
    assert second.api("GET", f"/four-eyes/{waits['id']}").json() == {"why": "mended"}
    itself = first.api("POST", f"/four-eyes/{waits['id']}", {"answer": "confirm", "why": "x"})
    assert (itself.status_code, itself.json()["title"]) == (403, "Forbidden")
    confirmed = second.api("POST", f"/four-eyes/{waits['id']}", {"answer": "confirm", "why": "looked"})
    assert confirmed.json()["done"] == [at.delivery(HIDDEN)]
    assert first.api("POST", f"/referrals/{at.id(OPEN)}/unmask", {"why": "x"}).status_code == 403
    reader = house.signed_in("reader@example.org")
    facts = reader.api("POST", f"/referrals/{at.id(OPEN)}/unmask", {"why": "the carer rang"}).json()["facts"]
    assert facts["person.name.family"] == "Llŷr"
    assert reader.api("POST", f"/referrals/{at.id(HIDDEN)}/unmask", {"why": "x"}).status_code == 404


def test_two_officers_who_send_one_thing_again_send_it_once(house: House, at: Desk) -> None:
    held, answers = [token(house), token(house)], []

    def send(one: str) -> None:
        body = {"ids": [at.delivery(OPEN)], "why": "mended"}
        answers.append(call(house, one, "POST", "/replay", body).json())

    threads = [threading.Thread(target=send, args=(one,)) for one in held]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(len(one["done"]) for one in answers) == [0, 1]
    sent = [row for row in house.bench.rows("audit", subject=at.delivery(OPEN)) if row.action == "send again"]
    assert len(sent) == 1


def test_an_error_is_a_problem_in_words_without_the_value(house: House, at: Desk) -> None:
    held = token(house)
    secret = "Mrs O'Neill of 12 High Street"
    answers = [
        call(house, held, "POST", f"/items/{at.delivery('C-2')}/settle", {"how": "arrived", secret: 1, "why": secret}),
        call(house, held, "POST", "/find", {"reference": [secret]}),
        requests.post(f"{house.address}/api/v1/find", data="{" + secret, timeout=20,
                      headers={"Authorization": f"Bearer {held}", "Content-Type": "application/json"}),
        call(house, held, "GET", "/nowhere"), call(house, held, "DELETE", "/me"),
        call(house, held, "POST", "/items/d999999/close", {"why": secret}),
    ]  # fmt: skip
    assert [one.status_code for one in answers] == [422, 422, 422, 404, 405, 404]
    for one in answers:
        told = one.json()
        assert one.headers["Content-Type"] == "application/problem+json"
        assert told["status"] == one.status_code
        assert told["detail"].endswith((".", "!", "?"))
        assert "O'Neill" not in one.text
    assert answers[4].headers["Allow"] == "GET"
    assert call(house, held, "POST", "/find", {"reference": "\ud800"}).status_code == 422
    for odd in ("a\x00b", "\u202e", "=1+1"):
        assert call(house, held, "POST", "/find", {"reference": odd}).json()["referrals"] == []


def test_pause_settle_and_close(house: House, at: Desk) -> None:
    held = token(house)
    assert call(house, held, "POST", "/connections/torfaen/casework/pause", {"why": "an upgrade"}).status_code == 200
    (link,) = [
        one for one in call(house, held, "GET", "/connections").json()["items"] if one["connection"] == "casework"
    ]
    assert link["paused"] == "by a person"
    assert "goes on" in call(house, held, "POST", "/connections/torfaen/casework/resume").json()["done"]
    stands = call(house, held, "POST", "/connections/torfaen/contact/sync")
    assert (stands.status_code, "nothing runs the site" in stands.text.lower()) == (409, True)
    told = {"how": "by-hand", "number": "R0000777", "why": "typed in"}
    assert "R0000777" in call(house, held, "POST", f"/items/{at.delivery('C-2')}/settle", told).json()["done"]
    again = call(house, held, "POST", f"/items/{at.delivery('C-2')}/settle", told)
    assert (again.status_code, again.json()["title"]) == (409, "Conflict")
    assert Right.SEND.value in call(house, held, "GET", "/me").json()["councils"][0]["rights"]
