"""Logins that begin with a call of their own, and tokens that we sign: what is sent, renewed, refused, never shown."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from connectors.errors import ConnectorError, Misconfigured, Throttled, Unauthorised, Unknown, Unreachable
from connectors.http import HttpSession
from connectors.logins import login_addresses, open_login, send_logged_in, sign_in_page
from connectors.settings import HttpSettings
from tests.connectors.conftest import Answer, Call

SECRET = "cyfrinach fawr iawn, hirach na deuddeg ar hugain"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = RSA.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = RSA.public_key()
SECRETS = {"env:S": SECRET, "env:K": "allwedd", "file:key": PEM, "file:none": "-----BEGIN NOTHING-----\nx\n"}


@pytest.fixture
def door() -> Iterator[Callable[..., Any]]:
    """Opens a session with its login: gives (send, login)."""
    made: list[HttpSession] = []

    def start(url: str, login: Any, monotonic: Callable[[], float] = time.monotonic, **more: Any) -> Any:
        told = {"url": url, "login": login, "timeout_seconds": 5, **more}
        settings = HttpSettings.model_validate(told, context={"secret": SECRETS.__getitem__})
        session = HttpSession(settings, also=login_addresses(settings), sign_in_page=sign_in_page(settings))
        made.append(session)
        held = open_login(settings, session, monotonic=monotonic)

        def send(method: str = "GET") -> Any:
            return send_logged_in(session, held, method, f"{url}/x", deadline=session.deadline())

        return send, held

    yield start
    for session in made:
        session.close()


class Ticking:
    """A clock that moves when it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def given(call: Call) -> Answer:
    return Answer(200, b"{}")


def token(url: str, **more: Any) -> dict[str, Any]:
    return {"token": {"sign_in_url": f"{url}/sign-in", "username": "dolen", "password": "env:S", **more}}


def session(url: str, **more: Any) -> dict[str, Any]:
    told = {"sign_in_url": f"{url}/logon", "username": "dolen", "password": "env:S", "cookie": "SID", **more}
    return {"session": told}


class Cases:
    """A system that gives tokens 1, 2, 3 or cookies, and takes those that are good."""

    def __init__(self) -> None:
        self.given = 0
        self.good: set[str] | None = None
        self.refusal: Answer | None = None
        self.over = Answer(401)

    def __call__(self, call: Call) -> Answer:
        if call.path == "/sign-in":
            self.given += 1
            return self.refusal or Answer(200, json.dumps({"data": {"token": f"tocyn-{self.given}"}}).encode())
        if call.path == "/logon":
            self.given += 1
            headers = {"Set-Cookie": f"theme=a; Expires=Wed, 25 Nov 2026 10:00:00 GMT, SID=c{self.given}; Path=/"}
            return self.refusal or Answer(302, b"", {**headers, "Location": "/home"})
        told = call.headers.get("x-token", "") + call.headers.get("cookie", "") + call.headers.get("authorization", "")
        return Answer(200, b"{}") if self.good is None or told in self.good else self.over


def test_a_token_is_signed_in_for_once_and_renewed_when_its_time_is_over(small: Any, door: Any) -> None:
    clock, server = Ticking(), small(Cases())
    told = token(server.url, token="data/token", header="X-Token", prefix="", good_for_seconds=100,
                 username_field="user", body="form", api_key={"header": "X-Api-Key", "key": "env:K"})  # fmt: skip
    send, _ = door(server.url, told, clock)
    for _ in range(3):
        assert send().status == 200
    first, *others = server.calls
    assert (first.method, first.path, parse_qs(first.body.decode())) == (
        "POST", "/sign-in", {"user": ["dolen"], "password": [SECRET]},
    )  # fmt: skip
    assert first.headers["x-api-key"] == "allwedd"
    assert [(call.headers["x-token"], call.headers["x-api-key"]) for call in others] == [("tocyn-1", "allwedd")] * 3
    clock.now += 91  # nine tenths of its life and a little more
    send()
    assert server.calls[-1].headers["x-token"] == "tocyn-2"


def test_a_token_that_is_refused_is_renewed_once_and_the_call_repeated(small: Any, door: Any) -> None:
    cases = Cases()
    server = small(cases)
    send, _ = door(server.url, token(server.url, token="data/token"))
    cases.good = {"Bearer tocyn-2"}
    assert send("POST").status == 200
    assert [call.path for call in server.calls] == ["/sign-in", "/x", "/sign-in", "/x"]
    cases.good = set()
    assert send().status == 401
    assert [call.path for call in server.calls].count("/x") == 4


@pytest.mark.parametrize(
    ("refusal", "error", "words"),
    [
        (Answer(401), Unauthorised, "refused"),
        (Answer(200, b'{"message": "no such user"}'), Unauthorised, "no token at data/token"),
        (Answer(200, b"<html>"), Unreachable, "gave no token"),
        (Answer(429, b"", {"Retry-After": "7"}), Throttled, "slow down"),
        (Answer(404), Misconfigured, "sign_in_url"),
        (Answer(503), Unreachable, "nothing was sent"),
    ],
)
def test_a_sign_in_that_fails_says_why_and_nothing_else_was_sent(
    small: Any, door: Any, refusal: Answer, error: type[ConnectorError], words: str
) -> None:
    cases = Cases()
    cases.refusal = refusal
    server = small(cases)
    with pytest.raises(error, match=words) as fault:
        door(server.url, token(server.url, token="data/token"))[0]("POST")
    assert "/x" not in [call.path for call in server.calls]
    assert SECRET not in repr(fault.value) + str(fault.value)


def test_the_cookie_of_a_session_goes_with_every_call(small: Any, door: Any) -> None:
    cases = Cases()
    server = small(cases)
    send, login = door(server.url, session(server.url))
    assert [send().status, send().status] == [200, 200]
    assert [call.headers.get("cookie") for call in server.calls] == [None, "SID=c1", "SID=c1"]
    assert "c1" not in repr(login)
    cases.good = {"SID=c2"}
    assert send().status == 200  # 401, signed in again, repeated


def test_a_redirect_to_the_sign_in_page_was_not_done_and_any_other_is_not_sure(small: Any, door: Any) -> None:
    cases = Cases()
    server = small(cases)
    send, _ = door(server.url, session(server.url, sign_in_page="/login"))
    cases.good, cases.over = {"SID=c2"}, Answer(302, b"", {"Location": f"{server.url}/login?next=/x"})
    assert send("POST").status == 200
    assert [call.path for call in server.calls] == ["/logon", "/x", "/logon", "/x"]
    cases.good = set()
    with pytest.raises(Unauthorised, match="sign-in page again"):
        send("POST")
    cases.over = Answer(302, b"", {"Location": "/elsewhere"})
    with pytest.raises(Unknown, match="redirect"):
        send("POST")


def test_a_sign_in_without_a_cookie_is_refused(small: Any, door: Any) -> None:
    cases = Cases()
    cases.refusal = Answer(200, b"{}", {"Set-Cookie": "other=1"})
    server = small(cases)
    with pytest.raises(Unauthorised, match="no cookie SID"):
        door(server.url, session(server.url))[0]()


def test_a_token_of_ours_is_signed_for_each_call(small: Any, door: Any) -> None:
    server = small(given)
    told = {"issuer": "dolen", "audience": "https://cases.example.org", "subject": "torfaen"}
    send, login = door(server.url, {"signed": {**told, "key": {"private_key": "file:key", "key_id": "k1"}}})
    send(), send()
    tokens = [call.headers["authorization"].removeprefix("Bearer ") for call in server.calls]
    read = [jwt.decode(one, PUBLIC, algorithms=["RS256"], audience="https://cases.example.org") for one in tokens]
    assert {(one["iss"], one["sub"]) for one in read} == {("dolen", "torfaen")}
    assert len({one["jti"] for one in read}) == 2
    assert jwt.get_unverified_header(tokens[0])["kid"] == "k1"
    assert "key" not in repr(login)
    send, _ = door(server.url, {"signed": {"issuer": "dolen", "secret": "env:S"}})
    send()
    jwt.decode(server.calls[-1].headers["authorization"].removeprefix("Bearer "), SECRET, algorithms=["HS256"])


def test_what_we_sign_for_a_user_is_the_grant_itself(small: Any, door: Any) -> None:
    """Salesforce's JWT bearer flow (RFC 7523, 2.1): no client secret, and `sub` is the user for whom we act."""

    def system(call: Call) -> Answer:
        return Answer(200, b'{"access_token": "t", "token_type": "Bearer"}' if call.path == "/token" else b"{}")

    server = small(system)
    told = {
        "token_url": f"{server.url}/token",
        "client_id": "app-1",
        "assertion": {"private_key": "file:key"},
        "act_as": "dolen@example.org",
        "audience": "https://login.example.org",
    }
    send, login = door(server.url, {"oauth2": told})
    assert send().status == 200
    form = parse_qs(server.calls[0].body.decode())
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert set(form) == {"grant_type", "assertion"}
    assert "authorization" not in server.calls[0].headers
    claims = jwt.decode(form["assertion"][0], PUBLIC, algorithms=["RS256"], audience="https://login.example.org")
    assert (claims["iss"], claims["sub"]) == ("app-1", "dolen@example.org")
    assert claims["exp"] - claims["iat"] <= 300
    assert "key" not in repr(login)


@pytest.mark.parametrize("more", [{"act_as": "dolen@example.org"}, {"audience": "https://login.example.org"}])
def test_acting_for_a_user_needs_an_assertion(door: Any, more: dict[str, str]) -> None:
    told = {"token_url": "http://127.0.0.1:1/token", "client_id": "app-1", "client_secret": "env:S", **more}
    with pytest.raises(ValueError, match="go with assertion"):
        door("http://127.0.0.1:1", {"oauth2": told})


def test_an_assertion_takes_the_place_of_a_secret(small: Any, door: Any) -> None:
    def system(call: Call) -> Answer:
        return Answer(200, b'{"access_token": "t", "expires_in": "599"}' if call.path == "/token" else b"{}")

    server = small(system)
    key = {"private_key": "file:key", "key_id": "k1", "algorithm": "RS512"}
    told = {"oauth2": {"token_url": f"{server.url}/token", "client_id": "dolen-1", "assertion": key}}
    send, _ = door(server.url, told)
    assert send().status == 200
    form = parse_qs(server.calls[0].body.decode())
    claims = jwt.decode(form["client_assertion"][0], PUBLIC, algorithms=["RS512"], audience=f"{server.url}/token")
    assert (claims["iss"], claims["sub"]) == ("dolen-1", "dolen-1")
    assert claims["exp"] - claims["iat"] <= 300
    assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize(
    "login",
    [
        {"signed": {"issuer": "dolen", "key": {"private_key": "file:none"}}},
        {"signed": {"issuer": "dolen", "key": {"private_key": "file:key", "algorithm": "ES256"}}},
        {"oauth2": {"token_url": "http://localhost:1/t", "client_id": "x", "assertion": {"private_key": "file:none"}}},
    ],
)
def test_a_key_that_cannot_sign_is_named_at_start_and_not_shown(door: Any, login: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured, match="private_key cannot sign") as fault:
        door("http://localhost:1", login)
    assert "BEGIN" not in str(fault.value)


@pytest.mark.parametrize(
    ("login", "words"),
    [
        ({"signed": {"issuer": "d"}}, "either secret or key"),
        ({"signed": {"issuer": "d", "secret": "env:K"}}, "32 bytes or more"),
        ({"oauth2": {"token_url": "http://localhost/t", "client_id": "x"}}, "either client_secret or assertion"),
    ],
)
def test_settings_that_cannot_work(door: Any, login: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        door("http://localhost:1", login)


def test_an_elliptic_key_signs_too(small: Any, door: Any) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    SECRETS["file:ec"] = pem
    server = small(given)
    send, _ = door(server.url, {"signed": {"issuer": "d", "key": {"private_key": "file:ec", "algorithm": "ES256"}}})
    send()
    told = server.calls[0].headers["authorization"].removeprefix("Bearer ")
    assert jwt.decode(told, private.public_key(), algorithms=["ES256"])["iss"] == "d"
