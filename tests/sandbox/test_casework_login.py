"""WS-Security: text and digest open the door, and everything else finds it shut with the same words."""

from datetime import timedelta

import pytest

from sandbox.secrets import casework_login
from tests.sandbox.conftest import PASSWORD, Caller, body_of, security, stamp, user_token

READ = ("GetReferral", "<ReferralId>R1</ReferralId>")
MINUTE = timedelta(minutes=1)


def timestamp(created: str, expires: str = "") -> str:
    end = f"<u:Expires>{expires}</u:Expires>" if expires else ""
    return f"<u:Timestamp><u:Created>{created}</u:Created>{end}</u:Timestamp>"


@pytest.mark.parametrize("login", [
    lambda: security(user_token(PASSWORD)),
    lambda: security(user_token(PASSWORD, nonce=b"n" * 16, created=stamp())),
    lambda: security(user_token(PASSWORD, digest=True)),
    lambda: security(timestamp(stamp(), stamp(MINUTE)), user_token(PASSWORD, digest=True)),
    lambda: security(user_token(PASSWORD, digest=True, created=stamp(-4 * MINUTE))),
    lambda: security(user_token(PASSWORD, digest=True)).replace("<w:Security ", '<w:Security s:mustUnderstand="1" '),
])  # fmt: skip
def test_right_logins(both: Caller, login: object) -> None:
    both.login = login  # type: ignore[assignment]
    assert both.post(*READ).status_code == 200


@pytest.mark.parametrize("login", [
    lambda: "",
    lambda: security(),
    lambda: security("<w:UsernameToken><w:Username>dolen</w:Username></w:UsernameToken>"),
    lambda: security(user_token("wrong")),
    lambda: security(user_token(PASSWORD, user="someone")),
    lambda: security(user_token(casework_login("blaenau-gwent")["password"])),
    lambda: security(user_token("wrong", digest=True)),
    lambda: security(user_token(PASSWORD, digest=True).replace("</u:Created>", "1</u:Created>")),
    lambda: security(user_token(PASSWORD, digest=True, created=stamp(-6 * MINUTE))),
    lambda: security(user_token(PASSWORD, digest=True, created=stamp(3 * MINUTE))),
    lambda: security(user_token(PASSWORD, digest=True, created="yesterday")),
    lambda: security(user_token(PASSWORD).replace("PasswordText", "PasswordMagic")),
    lambda: security(user_token(PASSWORD).replace("PasswordText", "PasswordDigest")),
    lambda: security(timestamp(stamp(-10 * MINUTE), stamp(-5 * MINUTE)), user_token(PASSWORD)),
    lambda: security(timestamp(stamp(-10 * MINUTE)), user_token(PASSWORD)),
    lambda: security(timestamp(stamp(5 * MINUTE), stamp(9 * MINUTE)), user_token(PASSWORD)),
    lambda: security(timestamp("", ""), user_token(PASSWORD)),
])  # fmt: skip
def test_wrong_logins(both: Caller, login: object) -> None:
    both.login = login  # type: ignore[assignment]
    answer = both.post(*READ)
    assert answer.status_code == (500 if both.version == "1.1" else 400)
    text = body_of(answer).xpath("string()")
    assert "wsse:FailedAuthentication" in text
    assert "could not be authenticated or authorized" in text
    assert PASSWORD not in answer.text


def test_a_message_cannot_be_sent_again(both: Caller) -> None:
    header = security(user_token(PASSWORD, digest=True))
    both.login = lambda: header
    assert both.post(*READ).status_code == 200
    assert both.refused(*READ)[0] == "wsse:FailedAuthentication"


def test_a_login_that_expires_for_some_calls(both: Caller) -> None:
    both.running.fault("expired_token", times=2)
    assert [both.post(*READ).status_code == 200 for _ in range(3)] == [False, False, True]


def test_login_comes_before_the_schema(casework: Caller) -> None:
    casework.login = lambda: ""
    assert casework.refused("CreateReferral", "<Nonsense/>")[0] == "wsse:FailedAuthentication"
