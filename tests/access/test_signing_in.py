"""Signing in at a provider and out again: each role, and everything that a forger could bend on the way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from pipelines.rights import Role
from tests.access.conftest import House
from tests.access.provider import CLIENT, Provider

GROUPS = {
    Role.VIEWER: "look", Role.OPERATOR: "operate", Role.CASE_READER: "read", Role.CODE_LIST_OWNER: "codes",
    Role.DATA_PROTECTION: "protect", Role.ADMINISTRATOR: "run",
}  # fmt: skip


@pytest.mark.parametrize("role", Role)
def test_each_role_signs_in_and_out(house: House, role: Role) -> None:
    browser = house.signed_in(f"{role}@example.org", GROUPS[role], "a group that nobody here knows")
    assert browser.home()["roles"] == {"torfaen": [role.value]}
    held = browser.cookies.copy()
    out = browser.submit("/sign-out")
    assert out.status_code == 200
    assert "Rydych wedi allgofnodi" in out.text
    assert f"{house.provider.url}/out?client_id={CLIENT}" in out.text.replace("&amp;", "&")
    assert browser.home()["who"] is None
    browser.cookies.update(held)  # what the browser held is worth nothing
    assert browser.home()["who"] is None


def test_a_name_has_roles_too_and_capitals_do_not_matter(house: House) -> None:
    assert house.signed_in("OP@example.org").home()["roles"] == {"torfaen": ["operator"]}
    everywhere = house.signed_in("everywhere@example.org").home()["roles"]
    assert set(everywhere) == set(house.bench.plant.councils)


def test_only_what_a_role_looks_at_is_kept_of_what_the_provider_tells(house: House) -> None:
    house.signed_in("somebody@example.org", "look", "union-members")
    row = house.bench.rows("session")[-1]
    kept = [one for one in house.bench.rows("session") if one.who == "somebody@example.org"][-1]
    assert row is not None
    assert kept.groups == ["look"]
    assert kept.names == []


def test_somebody_without_a_role_comes_no_further(house: House) -> None:
    house.provider.person = {"email": "stranger@example.org"}
    browser = house.browser()
    refused = browser.at("/sign-in")
    assert refused.status_code == 403
    assert "you hold no role here" in refused.text
    assert not browser.cookies


def test_the_cookie_is_shown_to_no_script_and_to_no_other_site(house: House) -> None:
    browser = house.browser()
    house.provider.person = {"email": "op@example.org"}
    answer = browser.at("/sign-in")
    told = [one.headers.get("Set-Cookie", "") for one in answer.history]
    session = next(one for line in told for one in line.split(", ") if one.startswith("dolen-session="))
    assert "HttpOnly" in session
    assert "samesite=lax" in session.lower()


def test_after_signing_in_one_is_where_one_wanted_to_be(house: House) -> None:
    house.provider.person = {"email": "op@example.org"}
    assert house.browser().at("/sign-in?next=/address?of=me").url == f"{house.address}/address?of=me"
    for elsewhere in ("https://example.org/", "//example.org", "/\\example.org", "javascript:alert(1)", "/a%0d%0aX: y"):
        assert house.browser().at(f"/sign-in?next={elsewhere}").url == f"{house.address}/"


def _with(**changed: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda claims: {
        name: value for name, value in {**claims, **changed}.items() if value is not None
    }


FORGED: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "somebody-else"},
    "no audience": {"aud": None},
    "several audiences, not given to us": {"aud": [CLIENT, "other"]},
    "given to somebody else": {"azp": "other"},
    "another issuer": {"iss": "https://idp.example.org"},
    "no issuer": {"iss": None},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": None},
    "issued tomorrow": {"iat": 4_000_000_000},
    "not valid yet": {"nbf": 4_000_000_000},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "nobody": {"sub": None},
    "no name": {"email": None},
    "a name that is none": {"email": {"a": 1}},
    "a name that breaks a line": {"email": "op@example.org\nadmin"},
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_token_with_forged_claims_signs_nobody_in(house: House, forged: str) -> None:
    house.provider.person = {"email": "op@example.org"}
    house.provider.claims = _with(**FORGED[forged])
    browser = house.browser()
    answer = browser.at("/sign-in")
    assert answer.status_code == 403, answer.text
    assert browser.home()["who"] is None


def _part(told: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


def _unsigned(provider: Provider) -> Callable[[dict[str, Any]], str]:
    return lambda claims: f"{_part({'alg': 'none', 'kid': 'one'})}.{_part(claims)}."


def _confused(provider: Provider) -> Callable[[dict[str, Any]], str]:
    """Signed with the provider's public key as if it were a secret that both share."""
    secret = provider.key.as_pem(private=False)

    def sign(claims: dict[str, Any]) -> str:
        told = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
        mark = hmac.new(secret, told.encode(), hashlib.sha256).digest()
        return f"{told}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"

    return sign


def _other_key(provider: Provider) -> Callable[[dict[str, Any]], str]:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    return lambda claims: str(jwt.encode({"alg": "RS256", "kid": "one"}, claims, key))


def _key_inside(provider: Provider) -> Callable[[dict[str, Any]], str]:
    """Signed with a key that the token itself brings along."""
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "jwk": key.as_dict(private=False), "jku": "https://example.org/keys"}
    return lambda claims: str(jwt.encode(header, claims, key))


def _other_algorithm(provider: Provider) -> Callable[[dict[str, Any]], str]:
    """Signed with a key of the provider, in a way that the settings do not list."""
    provider.keys = [provider.key, provider.other]
    return lambda claims: str(jwt.encode({"alg": "ES256", "kid": "other"}, claims, provider.other))


def _changed(provider: Provider) -> Callable[[dict[str, Any]], str]:
    def sign(claims: dict[str, Any]) -> str:
        head, _, mark = provider.signed(claims).split(".")
        return f"{head}.{_part({**claims, 'email': 'admin@example.org'})}.{mark}"

    return sign


@pytest.mark.parametrize(
    "bend", [_unsigned, _confused, _other_key, _key_inside, _other_algorithm, _changed], ids=lambda bend: bend.__name__
)
def test_a_token_with_a_forged_signature_signs_nobody_in(
    house: House, bend: Callable[[Provider], Callable[[dict[str, Any]], str]]
) -> None:
    house.provider.person = {"email": "op@example.org"}
    house.provider.sign = bend(house.provider)
    browser = house.browser()
    assert browser.at("/sign-in").status_code == 403
    assert browser.home()["who"] is None


def _away(house: House, browser: Any) -> str:
    """Begin to sign in, and stay at the provider: the address that it would send the browser back to."""
    house.provider.person = {"email": "op@example.org"}
    there = browser.at("/sign-in", allow_redirects=False).headers["Location"]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(there).query).items()}
    return house.provider.authorise(asked).removeprefix(house.address)


def test_what_comes_back_counts_once_and_in_its_own_browser(house: House) -> None:
    victim, thief = house.browser(), house.browser()
    back = _away(house, victim)
    assert thief.at(back).status_code == 403  # a reply that somebody else caught
    _away(house, thief)
    assert thief.at(back).status_code == 403  # also where they began to sign in themselves: another state
    held, codes = victim.cookies.copy(), dict(house.provider.codes)
    assert victim.at(back).status_code == 200
    assert victim.home()["who"] == "op@example.org"
    house.provider.codes.update(codes)  # also where the provider would take the code once more
    again = house.browser()
    again.cookies.update(held)
    assert again.at(back).status_code == 403


def test_a_reply_that_is_late_or_bent_is_refused(house: House) -> None:
    browser = house.browser()
    back = _away(house, browser)
    house.bench.clock.pass_by(601)
    assert browser.at(back).status_code == 403
    for told in (
        {"code": "x"}, {"state": "x", "code": "x"}, {"error": "access_denied"}, {"iss": "https://idp.example.org"},
    ):  # fmt: skip
        house.provider.back = lambda asked, told=told: {**asked, **told} if "code" not in told else told  # type: ignore[misc]
        assert house.browser().at("/sign-in").status_code == 403


def test_a_provider_that_is_away_or_another_is_said_so(house: House) -> None:
    for bent in ({"issuer": "https://idp.example.org"}, {"authorization_endpoint": "http://example.org/a"}):
        house.entrance.provider._told = {}  # type: ignore[union-attr]
        house.provider.metadata = lambda told, bent=bent: {**told, **bent}  # type: ignore[misc]
        answer = house.browser().at("/sign-in")
        assert answer.status_code == 503
    house.provider.restore()
    house.provider.down = True
    assert "does not answer" in house.browser().at("/sign-in").text
    house.provider.restore()
    assert house.signed_in("op@example.org")


def test_a_new_key_of_the_provider_is_found_and_looked_for_seldom(house: House) -> None:
    house.signed_in("op@example.org")
    old = house.provider.key
    try:
        house.bench.clock.pass_by(31)
        house.provider.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        house.provider.keys = [house.provider.key]
        house.signed_in("op@example.org")
        house.provider.asked.clear()
        house.provider.sign = _other_key(house.provider)
        for _ in range(3):
            assert house.browser().at("/sign-in").status_code == 403
        assert house.provider.asked.count("/keys") <= 1
    finally:
        house.provider.key = old
        house.bench.clock.pass_by(31)
