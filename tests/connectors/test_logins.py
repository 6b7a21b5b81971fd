"""Logins: what is sent, when a token is renewed, that one thread renews it for all, and that secrets stay secret."""

from __future__ import annotations

import base64
import gc
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.deadline import Deadline
from connectors.errors import ConnectorError, Misconfigured, Throttled, Unauthorised, Unreachable
from connectors.http import HttpSession, Moved
from connectors.logins import login_addresses, open_login, send_logged_in
from connectors.renewing import Renewing, Ticket, _anew
from connectors.settings import HttpSettings

SECRET = "cyfrinach+fawr/â:€"
TOKEN = {"access_token": "tocyn-1", "token_type": "Bearer", "expires_in": 3600}


class Ticking:
    """A clock that moves when it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def logged_in() -> Iterator[Callable[..., Any]]:
    """Opens a session and its login: `logged_in(url, login)` gives (get, login, session)."""
    made: list[HttpSession] = []

    def start(url: str, login: Any, monotonic: Any = None, **more: Any) -> Any:
        told = {"url": url, "login": login, "timeout_seconds": 5, "limits": {"at_once": 16}, **more}
        settings = HttpSettings.model_validate(told, context={"secret": lambda _: SECRET})
        session = HttpSession(settings, also=login_addresses(settings))
        made.append(session)
        held = open_login(settings, session, **({"monotonic": monotonic} if monotonic else {}))
        return lambda: send_logged_in(session, held, "GET", url + "/x", deadline=session.deadline()), held, session

    yield start
    for session in made:
        session.close()


def oauth2(url: str, **more: Any) -> dict[str, Any]:
    return {"oauth2": {"token_url": url + "/token", "client_id": "dolen: 1", "client_secret": "env:S", **more}}


@pytest.fixture
def tokens(small: Any, answer: Any) -> Callable[..., Any]:
    """A server that gives tokens 1, 2, 3 and takes only those in `good` (None: all)."""

    def start(**token: Any) -> Any:
        count = iter(range(1, 1000))

        def give(call: Any) -> Any:
            if call.path == "/token":
                if server.pause.wait(0.15 if server.slow else 0):
                    pass
                if server.refusal is not None:
                    return server.refusal
                told = {**TOKEN, "access_token": f"tocyn-{next(count)}", **token}
                return answer(200, json.dumps({k: v for k, v in told.items() if v is not ...}).encode())
            given = call.headers.get("authorization", "").removeprefix("Bearer ")
            well = server.good is None or given in server.good
            return answer(200 if well else 401, b"{}")

        server = small(give)
        server.pause, server.slow, server.refusal, server.good = threading.Event(), False, None, None
        server.asked = lambda: sum(call.path == "/token" for call in server.calls)
        return server

    return start


def test_basic_is_sent_in_utf8(small: Any, answer: Any, logged_in: Any) -> None:
    server = small(lambda _: answer())
    get, login, _ = logged_in(server.url, {"basic": {"username": "siân", "password": "env:S"}})
    assert get().status == 200
    told = server.calls[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(told).decode() == f"siân:{SECRET}"
    assert repr(login) == "Fixed(Authorization)"


def test_basic_with_a_colon_in_the_name_is_named(logged_in: Any) -> None:
    with pytest.raises(Misconfigured, match="colon"):
        logged_in("http://localhost:1", {"basic": {"username": "a:b", "password": "env:S"}})


def test_a_fixed_login_is_not_sent_twice(small: Any, answer: Any, logged_in: Any) -> None:
    server = small(lambda _: answer(401))
    assert logged_in(server.url, {"basic": {"username": "a", "password": "env:S"}})[0]().status == 401
    assert len(server.calls) == 1


def test_a_key_that_no_header_can_carry_is_named_and_not_shown(logged_in: Any) -> None:
    with pytest.raises(Misconfigured, match="api_key") as caught:
        logged_in("http://localhost:1", {"api_key": {"header": "X-Api-Key", "key": "env:S"}})
    assert "cyfrinach" not in str(caught.value)


def test_no_login_sends_none(small: Any, answer: Any, logged_in: Any) -> None:
    server = small(lambda _: answer())
    logged_in(server.url, None)[0]()
    assert "authorization" not in server.calls[0].headers


def test_a_token_is_asked_for_as_the_standard_says(tokens: Any, logged_in: Any) -> None:
    server = tokens()
    get, _, _ = logged_in(server.url, oauth2(server.url, scope="darllen ysgrifennu"))
    assert get().status == get().status == 200
    asked, first, second = server.calls
    assert asked.body == b"grant_type=client_credentials&scope=darllen+ysgrifennu"
    pair = base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")).decode()
    assert pair == "dolen%3A+1:cyfrinach%2Bfawr%2F%C3%A2%3A%E2%82%AC"
    assert first.headers["authorization"] == second.headers["authorization"] == "Bearer tocyn-1"


@pytest.mark.parametrize(
    ("life", "good_for"), [(3600, 3569), (10, 8.9), ("60", 53.9), (..., 269), (0, 269), ("soon", 269), (True, 269)]
)
def test_a_token_is_renewed_shortly_before_its_end(tokens: Any, logged_in: Any, life: Any, good_for: float) -> None:
    clock = Ticking()
    server = tokens(expires_in=life)
    _, login, session = logged_in(server.url, oauth2(server.url), clock)
    login.headers(session.deadline())
    clock.now += good_for
    assert login.headers(session.deadline())["Authorization"] == "Bearer tocyn-1"
    clock.now += 2
    assert login.headers(session.deadline())["Authorization"] == "Bearer tocyn-2"


def test_a_refused_token_is_renewed_once(tokens: Any, logged_in: Any) -> None:
    server = tokens()
    server.good = {"tocyn-2"}
    get, _, _ = logged_in(server.url, oauth2(server.url))
    assert get().status == 200
    assert server.asked() == 2
    server.good = set()
    assert get().status == 401
    assert server.asked() == 3


def many(get: Callable[[], Any], threads: int = 12) -> list[Any]:
    outcomes: list[Any] = []

    def once() -> None:
        try:
            outcomes.append(get().status)
        except ConnectorError as error:
            outcomes.append(error)

    running = [threading.Thread(target=once) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return outcomes


def test_one_thread_renews_for_all(tokens: Any, logged_in: Any) -> None:
    server = tokens()
    server.slow = True
    get, _, _ = logged_in(server.url, oauth2(server.url))
    assert many(get) == [200] * 12
    assert server.asked() == 1
    server.good = {"tocyn-2"}
    assert many(get) == [200] * 12
    assert server.asked() == 2


def test_a_refusal_too_is_shared_by_all_that_wait(tokens: Any, logged_in: Any, answer: Any) -> None:
    server = tokens()
    server.slow, server.refusal = True, answer(401, b'{"error": "invalid_client"}')
    outcomes = many(logged_in(server.url, oauth2(server.url))[0])
    assert all(isinstance(each, Unauthorised) and each.code == "invalid_client" for each in outcomes)
    assert server.asked() <= 2, "a wrong secret is not tried once a thread"


@pytest.mark.parametrize(
    ("status", "body", "error", "asked"),
    [
        (400, b'{"error": "invalid_scope"}', Unauthorised, 1),
        (401, b"", Unauthorised, 1),
        (403, b"<html>", Unauthorised, 1),
        (404, b"", Misconfigured, 1),
        (429, b"{}", Throttled, 1),
        (500, b"", Unreachable, 3),
        (200, b"", Unreachable, 3),
        (200, b"<html>", Unreachable, 3),
        (200, b'["tocyn"]', Unreachable, 3),
        (200, b'{"access_token": null}', Unreachable, 3),
        (200, b'{"access_token": "a b"}', Unreachable, 3),
        (200, b'{"access_token": "a\\nX-B: c"}', Unreachable, 3),
        (200, b'{"access_token": "a", "token_type": "mac"}', Misconfigured, 1),
    ],
)
def test_what_an_answer_to_logging_in_means(
    tokens: Any, logged_in: Any, answer: Any, status: int, body: bytes, error: Any, asked: int
) -> None:
    server = tokens()
    server.refusal = answer(status, body)
    with pytest.raises(error) as caught:
        logged_in(server.url, oauth2(server.url))[0]()
    assert type(caught.value) is error
    assert server.asked() == asked
    assert len(server.calls) == asked, "nothing was sent to the system itself"


def test_an_error_of_a_login_server_is_not_quoted(tokens: Any, logged_in: Any, answer: Any) -> None:
    server = tokens()
    server.refusal = answer(400, json.dumps({"error": SECRET, "error_description": SECRET}).encode())
    with pytest.raises(Unauthorised) as caught:
        logged_in(server.url, oauth2(server.url))[0]()
    assert SECRET not in str(caught.value) + repr(caught.value) + caught.value.code


def test_a_login_server_that_redirects_gets_no_secret_elsewhere(small: Any, answer: Any, logged_in: Any) -> None:
    canary = small(lambda _: answer(200, json.dumps(TOKEN).encode()))
    server = small(lambda _: answer(307, b"", {"Location": canary.url + "/token"}))
    with pytest.raises((Misconfigured, Unreachable)):
        logged_in(server.url, oauth2(server.url))[0]()
    assert canary.calls == []


def test_secrets_and_tokens_are_in_no_repr_and_no_log(
    tokens: Any, logged_in: Any, answer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server = tokens()
    with caplog.at_level(logging.DEBUG):
        get, login, session = logged_in(server.url, oauth2(server.url))
        get()
        shown = [repr(login), repr(session), repr(vars(login)), str(login)]
        server.refusal = answer(401, b'{"error": "invalid_client"}')
        server.good = set()
        with pytest.raises(Unauthorised) as caught:
            get()
    shown += [repr(caught.value), repr(caught.value.__context__), caplog.text]
    for secret in (SECRET, "cyfrinach%2B", "tocyn-1", "ZG9sZW4"):
        assert not any(secret in each for each in shown), secret


def test_a_login_that_fails_for_days_fills_no_memory() -> None:
    """Seen red: each failure held the one before, with all that their frames held."""

    def fetch(_deadline: Deadline) -> Ticket:
        raise Unreachable("signing in did not go well")

    login = Renewing(fetch, name="token", sleep=lambda _: None)
    for _ in range(100):
        with pytest.raises(Unreachable):
            login.headers(Deadline.of(5))
    gc.collect()
    assert sum(isinstance(one, Unreachable) for one in gc.get_objects()) < 10
    assert vars(_anew(Moved("moved", {}, to_sign_in=True))) == vars(Moved("moved", {}, to_sign_in=True))
