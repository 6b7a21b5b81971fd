"""Doors of the interface by which a program does what officers do: alerts, tasks, sessions, the audit, choices."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import insert

from pipelines.rights import Role
from pipelines.tables import alert
from pipelines.task_runs import TaskRuns
from tests.access.conftest import House
from tests.access.test_api import call, token
from tests.access.test_sight import OPEN, Desk

WHY = {"why": "agreed on the telephone"}


@pytest.fixture(scope="module")
def at(house: House) -> Iterator[Desk]:
    made = Desk(house.bench)
    house.bench.take(house.bench.request(OPEN), house.bench.request("C-2", customer__last_name="Arall"))
    for number in (OPEN, "C-2"):
        made.stop(number)
    yield made


def test_an_alert_is_listed_in_both_languages_and_taken_on_once(house: House) -> None:
    now = house.bench.clock.now()
    with house.bench.writing() as connection:
        connection.execute(insert(alert).values(
            name="n1", key="k1", kind="attention", council="torfaen", connection="casework", cause="abc",
            words="casework refused it", since=now, newest=now, opened=now, seen=now, urgent=True, count=2, told=1,
        ))  # fmt: skip
    browser = house.signed_in("op@example.org")
    (one,) = browser.api("GET", "/alerts").json()["items"]
    assert (one["id"], one["council"], one["answered"]) == ("a1", "torfaen", None)
    assert one["en"] and one["cy"] and one["en"] != one["cy"]
    assert browser.api("POST", "/alerts/a1/answer", WHY).status_code == 200
    assert browser.api("POST", "/alerts/a1/answer", WHY).status_code == 409
    assert browser.api("GET", "/alerts").json()["items"][0]["answered_by"] == "op@example.org"
    stranger = house.signed_in("bg@example.org")
    assert stranger.api("GET", "/alerts").json()["items"] == []
    assert stranger.api("POST", "/alerts/a1/answer", WHY).status_code == 404
    assert stranger.api("POST", "/alerts/test/torfaen").status_code == 404
    assert browser.api("POST", "/alerts/test/torfaen").json() == {"ways": {}}


def test_a_task_is_asked_for_watched_paused_and_done(house: House, at: Desk) -> None:
    held = token(house)
    (cause,) = call(house, held, "GET", "/attention").json()["items"]
    assert (cause["count"], cause["people"]) == (2, 2) and cause["remedy"]
    asked = {"cause": cause["fingerprint"], "action": "send again", **WHY}
    made = call(house, held, "POST", "/tasks", asked)
    id = made.json()["id"]
    assert call(house, held, "POST", "/tasks", asked).status_code == 409
    assert call(house, held, "POST", f"/tasks/{id}/move", {"step": "pause"}).json()["state"] == "paused"
    assert not TaskRuns(house.bench.plant).turn(threading.Event())
    assert call(house, held, "POST", f"/tasks/{id}/move", {"step": "go on"}).json()["state"] == "under way"
    assert TaskRuns(house.bench.plant).turn(threading.Event())
    told = call(house, held, "GET", f"/tasks/{id}").json()
    assert (told["state"], told["done"], told["total"]) == ("done", 2, 2)
    assert [one["id"] for one in call(house, held, "GET", "/tasks").json()["items"]] == [id]
    other = token(house, council="blaenau-gwent")
    assert call(house, other, "GET", f"/tasks/{id}").status_code in (404, 409)
    assert call(house, other, "POST", "/tasks", {**asked, "council": "torfaen"}).status_code == 404


def test_one_sees_and_ends_ones_own_sessions_and_an_administrator_those_of_the_council(house: House) -> None:
    first, second = house.signed_in("op@example.org"), house.signed_in("op@example.org")
    stranger, admin = house.signed_in("bg@example.org"), house.signed_in("admin@example.org")
    mine = second.api("GET", "/sessions").json()["items"]
    assert {one["who"] for one in mine} == {"op@example.org"} and [one["this"] for one in mine].count(True) == 1
    (other,) = [one["id"] for one in mine if not one["this"]][:1]
    assert stranger.api("POST", f"/sessions/{other}/end").status_code == 404
    assert second.api("POST", f"/sessions/{other}/end").status_code == 200
    assert second.api("POST", f"/sessions/{other}/end").status_code == 404
    gone = [one for one in (first, second) if one.home()["who"] is None]
    assert gone == [first] or len(mine) > 2
    seen = {one["who"] for one in admin.api("GET", "/sessions").json()["items"]}
    assert {"admin@example.org", "op@example.org"} <= seen and "bg@example.org" not in seen
    (this,) = [one["id"] for one in second.api("GET", "/sessions").json()["items"] if one["this"]]
    assert admin.api("POST", f"/sessions/{this}/end").status_code == 200
    assert second.home()["who"] is None and stranger.home()["who"] == "bg@example.org"
    ended = house.bench.rows("audit", action="end session")
    assert [(row.who, row.detail["of"]) for row in ended] == [
        ("op@example.org", "op@example.org"), ("admin@example.org", "op@example.org"),
    ]  # fmt: skip
    assert call(house, token(house), "GET", "/sessions").json()["items"] == []


def test_the_audit_comes_in_pages_and_says_whether_it_is_whole(house: House) -> None:
    for _ in range(3):  # each is a line of the audit
        browser = house.signed_in("dp@example.org")
    seen, after = [], ""
    while after is not None:
        page = browser.api("GET", f"/audit?limit=2&after={after}").json()
        seen += [one["seq"] for one in page["items"]]
        after = page["next"]
    assert seen == sorted(seen, reverse=True) and len(seen) > 2
    assert browser.api("POST", "/audit/verify").json() == {"whole": True, "words": ""}


def test_lists_comparisons_and_candidates_are_there_for_programs(house: House, at: Desk) -> None:
    held = token(house)
    assert {one["kind"] for one in call(house, held, "GET", "/schedule").json()["items"]} >= {"Request"}
    assert call(house, held, "GET", "/handover").json()["items"] == []
    path = "/reconcile/torfaen/contact-to-casework/compare"
    assert call(house, held, "POST", path).status_code == 202
    assert call(house, held, "POST", path).status_code == 409
    assert call(house, held, "POST", "/reconcile/blaenau-gwent/contact-to-casework/compare").status_code == 404
    house.bench.take(house.bench.request("C-8", priority="whenever"))
    stopped = f"v{house.bench.row('version', external_id='C-8').id}"
    found = call(house, held, "GET", f"/items/{stopped}/candidates").json()
    assert found == {"seen": [], "hidden": 0}
    of = {"whose": "of", "referral": at.id(OPEN), **WHY}
    assert call(house, held, "POST", f"/items/{stopped}/decide", of).status_code == 409
    assert call(house, token(house, Role.VIEWER), "POST", f"/items/{stopped}/decide", of).status_code == 403
