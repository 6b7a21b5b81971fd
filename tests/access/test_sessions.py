"""Sessions: they end, they are nobody else's, and a form of another site changes nothing. And the doors around them."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from console.signin import Entrance
from console.signin.shield import MOST_BYTES, POLICY
from pipelines import roles, sessions
from tests.access.conftest import House
from tests.access.pages import Browser, free_socket, served, whole
from tests.pipelines.pieces import Bench

OP = "op@example.org"


def test_who_does_nothing_is_signed_out_and_so_is_who_never_stops(house: House) -> None:
    idle, busy = house.signed_in(OP), house.signed_in(OP)
    house.bench.clock.pass_by(29 * 60)
    assert busy.home()["who"] == OP
    house.bench.clock.pass_by(2 * 60)
    assert idle.home()["who"] is None
    for _ in range(20):
        house.bench.clock.pass_by(27 * 60)
        assert busy.home()["who"] == OP
    house.bench.clock.pass_by(28 * 60)
    assert busy.home()["who"] == OP
    house.bench.clock.pass_by(2 * 60)
    assert busy.home()["who"] is None


def test_a_session_that_somebody_planted_is_not_the_one_that_one_signs_in_to(house: House) -> None:
    attacker = house.signed_in("second@example.org")
    victim = house.browser()
    victim.cookies.update(attacker.cookies)  # fixation: the attacker's own session in the victim's browser
    house.provider.person = {"email": OP}
    victim.at("/sign-in")
    assert victim.home()["who"] == OP
    assert attacker.home()["who"] is None
    made_up = house.browser()
    made_up.cookies.set("dolen-session", "a" * 43)
    made_up.at("/sign-in")
    assert made_up.cookies.get("dolen-session", domain="127.0.0.1") not in ("", "a" * 43)


def test_signing_in_anew_makes_another_session_and_ends_the_old_one(house: House) -> None:
    browser = house.signed_in(OP)
    old = browser.cookies.copy()
    browser.at("/sign-in")
    assert browser.cookies.get("dolen-session") != old.get("dolen-session")
    again = house.browser()
    again.cookies.update(old)
    assert again.home()["who"] is None


def test_what_the_browser_holds_is_in_no_file_of_ours(house: House) -> None:
    held = house.signed_in(OP).cookies["dolen-session"]
    for file in house.bench.folder.rglob("*.db*"):
        assert held.encode() not in file.read_bytes()


def test_all_sessions_of_one_person_can_be_ended(house: House) -> None:
    one, other, somebody = house.signed_in(OP), house.signed_in(OP), house.signed_in("second@example.org")
    assert sessions.end_all(house.bench.plant, f"name {OP}") >= 2
    assert one.home()["who"] is other.home()["who"] is None
    assert somebody.home()["who"] == "second@example.org"


def test_a_role_that_is_taken_away_is_gone_at_once(house: House) -> None:
    browser, plant = house.signed_in(OP), house.bench.plant
    told = plant.roles
    try:
        plant.roles = roles.Roles((), told.file)
        assert browser.home()["roles"] == {}
    finally:
        plant.roles = told
    assert browser.home()["roles"] == {"torfaen": ["operator"]}


FORGED = {
    "another site": {"Origin": "https://example.org"},
    "a name like ours": {"Origin": "http://127.0.0.1.example.org"},
    "the same machine, another port": {"Origin": "http://127.0.0.1:1"},
    "a frame without an origin": {"Origin": "null"},
    "the browser says so": {"Sec-Fetch-Site": "cross-site"},
    "a sibling says so": {"Sec-Fetch-Site": "same-site"},
    "nothing is said": {"Origin": ""},
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_form_of_another_site_changes_nothing(house: House, forged: str) -> None:
    browser = house.signed_in(OP)
    before = browser.home()["done"]
    answer = browser.submit("/act", **{name.replace("-", "_"): value for name, value in FORGED[forged].items()})
    assert answer.status_code == 403
    assert browser.home()["done"] == before


def test_a_form_without_the_token_of_this_session_changes_nothing(house: House) -> None:
    browser, other = house.signed_in(OP), house.signed_in(OP)
    before = browser.home()["done"]
    for form in ({}, {"csrf": ""}, {"csrf": "0" * 64}, {"csrf": other.home()["csrf"]}):
        assert browser.submit("/act", form).status_code == 403
    assert house.browser().submit("/act", {"csrf": ""}).status_code == 403
    assert browser.submit("/act").status_code == 200
    assert browser.submit("/act", None, Origin="", Referer=browser.address + "/").status_code == 200
    assert browser.home()["done"] == before + 2
    assert browser.submit("/sign-out", {"csrf": "no"}).status_code == 403
    assert browser.home()["who"] == OP


def test_who_fails_too_often_has_to_wait_and_nobody_else(house: House) -> None:
    house.provider.person = {"email": OP}
    house.provider.claims = lambda claims: {**claims, "nonce": "another"}
    answers = [house.browser().at("/sign-in") for _ in range(12)]
    assert [one.status_code for one in answers] == [403] * 10 + [429] * 2
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 15 * 60
    house.provider.restore()
    assert house.browser().at("/sign-in").status_code == 429  # also with the right answer now
    neighbour = house.browser()
    neighbour.headers["X-Forwarded-For"] = "192.0.2.7"  # not believed: it does not come by a web server of ours
    assert neighbour.at("/sign-in").status_code == 429


def test_only_a_web_server_of_ours_is_believed_about_the_caller(house: House) -> None:
    told = {"X-Forwarded-For": "192.0.2.7, 10.9.8.7"}
    assert house.browser().at("/address", headers=told).json() == {"address": "127.0.0.1"}
    house.entrance.behind = frozenset({"127.0.0.1", "10.9.8.7"})
    try:
        assert house.browser().at("/address", headers=told).json() == {"address": "192.0.2.7"}
        spoofed = {"X-Forwarded-For": "198.51.100.1, 192.0.2.7"}  # the caller may write what it likes to the left
        assert house.browser().at("/address", headers=spoofed).json() == {"address": "192.0.2.7"}
        assert house.browser().at("/address").json() == {"address": "127.0.0.1"}
    finally:
        house.entrance.behind = frozenset({"10.9.8.7"})


def test_every_answer_protects_its_page(house: House) -> None:
    browser = house.signed_in(OP)
    for path in ("/", "/sign-in/link/no", "/nowhere", "/api/v1/me", "/api/v1/nowhere"):
        headers = browser.at(path, allow_redirects=False).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "unsafe" not in headers["Content-Security-Policy"]


def test_a_host_that_is_not_ours_is_refused(house: House) -> None:
    port = int(house.address.rpartition(":")[2])
    for host, status in (
        ("example.org", 421), (f"example.org:{port}", 421), ("127.0.0.1.example.org", 421), (f"localhost:{port}", 200),
        ("127.0.0.1", 200),
    ):  # fmt: skip
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        line.putrequest("GET", "/", skip_host=True)
        line.putheader("Host", host)
        line.endheaders()
        assert line.getresponse().status == status, host
        line.close()


def test_what_is_too_long_is_not_read(house: House) -> None:
    port = int(house.address.rpartition(":")[2])
    stated = house.browser().post(house.address + "/act", data=b"x" * (MOST_BYTES + 1), timeout=20)
    assert stated.status_code == 413
    with socket.create_connection(("127.0.0.1", port), timeout=20) as line:
        head = b"POST /act HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n"
        line.sendall(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n")
        piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        try:
            for _ in range(MOST_BYTES // 0x10000 + 2):
                line.sendall(piece)
        except OSError:  # it has answered and closed
            pass
        assert b" 413 " in line.recv(200)


@pytest.fixture
def linked(site_folder: Path) -> Iterator[tuple[Bench, Entrance, str]]:
    """Pages without a provider: whoever started them is shown a link."""
    bench = Bench(site_folder)
    from pipelines import composition

    entrance = Entrance(bench.plant, composition.load(site_folder).settings.access)
    with served(whole(entrance), free_socket()) as address:
        yield bench, entrance, address
    bench.plant.close()


def test_the_link_lets_in_once_and_soon_as_whoever_owns_the_files(linked: tuple[Bench, Entrance, str]) -> None:
    bench, entrance, address = linked
    link, first = entrance.link(address, "A. Swyddog"), Browser(address)
    assert "Open the link that was printed" in first.at("/sign-in").text
    assert first.at(link.removeprefix(address)).url == f"{address}/"
    said = first.home()
    assert said["who"] == "A. Swyddog"
    assert said["roles"]["torfaen"] == ["administrator", "operator"]  # and no case-reader
    second = Browser(address)
    assert second.at(link.removeprefix(address)).status_code == 403
    assert second.home()["who"] is None
    late = entrance.link(address, "A. Swyddog")
    bench.clock.pass_by(601)
    assert second.at(late.removeprefix(address)).status_code == 403
    older, newer = entrance.link(address, "A. Swyddog"), entrance.link(address, "A. Swyddog")
    assert second.at(older.removeprefix(address)).status_code == 403
    assert second.at(newer.removeprefix(address)).status_code == 200
    for file in bench.folder.rglob("*.db*"):
        assert link.rpartition("/")[2].encode() not in file.read_bytes()


def test_with_tls_no_other_host_may_set_our_cookies(linked: tuple[Bench, Entrance, str]) -> None:
    bench, entrance, _ = linked
    settings = entrance.settings.model_copy(update={"address": "https://dolen.example.org"})
    secure = Entrance(bench.plant, settings)
    with served(whole(secure), free_socket()) as address:
        browser = Browser(address)
        link = secure.link("", "A. Swyddog")
        answer = browser.at(link, headers={"Host": "dolen.example.org"}, allow_redirects=False)
        cookie = answer.headers["Set-Cookie"]
        assert cookie.startswith("__Host-dolen-session=")
        assert "; Secure" in cookie
        assert "Domain" not in cookie
        assert "; Path=/" in cookie
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert timedelta(minutes=30) == secure.limits.idle
