"""Role by right by council over the interface's table of addresses: one added without a right fails here."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from fastapi import FastAPI
from fastapi.routing import APIRoute

from console import signin
from console.api import application
from console.api.caller import Seen, right_of
from pipelines.rights import BRINGS, Right, Role
from tests.access.conftest import House
from tests.access.pages import Browser, free_socket, served
from tests.access.test_signing_in import GROUPS

#: Something of the right form for each part of an address; nothing of it is there.
PARTS = {
    "id": "d999999", "cause": "no-such-cause", "council": "torfaen", "connection": "no-such", "route": "no-such",
    "code_list": "no-such", "file": "no-such", "system": "no-such", "record": "no-such",
}  # fmt: skip
REFERRAL = "0198c0de-0000-7000-8000-000000000000"


def addresses() -> list[APIRoute]:
    """Every address, also of parts that were included."""
    found: list[APIRoute] = []

    def walk(routes: Any) -> None:
        for one in routes:
            if isinstance(one, APIRoute):
                found.append(one)
            elif (inner := getattr(one, "original_router", None)) is not None:
                walk(inner.routes)

    walk(application().routes)
    return found


ROUTES = addresses()


def path_of(route: APIRoute) -> str:
    """The address with something in each of its parts."""
    letter = re.match(r"/(four-eyes|grants|tokens|conflicts|alerts|tasks|sessions|comparisons)/", route.path)
    ids = {"four-eyes": "q999", "grants": "g999", "tokens": "t999", "conflicts": "c999",
           "alerts": "a999", "tasks": "t999", "sessions": "s999", "comparisons": "r999"}  # fmt: skip
    parts = PARTS | ({"id": ids[letter[1]]} if letter else {})
    parts |= {"id": REFERRAL} if route.path.startswith("/referrals/") else {}
    return route.path.format(**parts)


def call(browser: Browser, route: APIRoute) -> requests.Response:
    (method,) = route.methods - {"HEAD"}
    return browser.api(method, path_of(route), None if method == "GET" else {})


def test_every_address_declares_its_right_and_asks_for_it() -> None:
    described = application().openapi()
    told = {(path, verb) for path, verbs in described["paths"].items() for verb in verbs}
    assert told == {(route.path, (route.methods - {"HEAD"}).pop().lower()) for route in ROUTES}
    assert len(ROUTES) > 30
    for route in ROUTES:
        assert right_of(route) in Right, route.path
        parameters = route.dependant.dependencies
        assert any(one.call is not None and one.call.__name__ == "seen" for one in parameters), route.path


def test_an_address_without_a_right_answers_nobody(house: House) -> None:
    app = application()

    @app.get("/forgotten")
    def forgotten(plant: Seen) -> str:
        return "everything"

    app.root_path = "/api/v1"
    with served(signin.shielded(app, house.entrance), free_socket()) as address:
        browser = Browser(address)
        browser.cookies.update(house.signed_in("admin@example.org").cookies)
        answer = browser.at("/api/v1/forgotten")
    assert answer.status_code == 500
    assert "everything" not in answer.text
    assert isinstance(app, FastAPI)


@pytest.mark.parametrize("role", Role)
def test_a_role_reaches_what_it_brings_and_nothing_else(house: House, role: Role) -> None:
    browser = house.signed_in(f"{role}@example.org", GROUPS[role])
    wrong = {}
    for route in ROUTES:
        answer = call(browser, route)
        allowed = right_of(route) in BRINGS[role]
        expected = answer.status_code not in (401, 403, 500) if allowed else answer.status_code == 403
        if not expected:
            wrong[route.path] = (answer.status_code, answer.text)
        assert answer.headers["Content-Type"].startswith(
            "application/json" if answer.status_code < 400 else "application/problem+json"
        ), route.path
    assert wrong == {}


def test_nobody_reaches_anything(house: House) -> None:
    for route in ROUTES:
        answer = call(house.browser(), route)
        assert answer.status_code == 401, route.path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_right_for_one_council_is_none_for_another(house: House) -> None:
    """Operator of Blaenau Gwent, and everything that Torfaen has."""
    stranger = house.signed_in("bg@example.org")
    for route in ROUTES:
        if "{council}" in route.path:
            answer = call(stranger, route)
            assert answer.status_code in (403, 404, 422), (route.path, answer.status_code)
    paused = stranger.api("POST", "/connections/torfaen/contact/pause", {"why": "x"})
    assert paused.status_code == 404, paused.text
    assert house.bench.rows("pause") == []
