"""TLS is always checked: the council's own authority, and what is refused before anything is sent."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from connectors import errors
from connectors.settings import HttpSettings
from connectors.sight import own_certificate_finding

Talk = Callable[[socket.socket], None]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(raw: Any) -> Callable[[ssl.SSLContext], str]:
    """Serves one answer over TLS, and returns the address."""

    def secure(context: ssl.SSLContext) -> str:
        def talk(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as wrapped:
                while wrapped.recv(1000):
                    wrapped.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        return f"https://localhost:{raw(talk)}"

    return secure


def server_context(authority: trustme.CA, name: str = "localhost", **how: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, **how).configure_cert(context)
    return context


def test_a_council_s_own_authority(authority: trustme.CA, secure: Any, session: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    url = secure(server_context(authority))
    door = session(url, ca_bundle=bundle)
    assert [door.send("GET", url).body for _ in range(2)] == [b"ok", b"ok"]
    with pytest.raises(errors.Unreachable, match=r"its certificate is not accepted .*; nothing was sent"):
        session(url).send("GET", url)


def test_an_authority_that_is_installed_meanwhile_is_trusted_and_one_that_is_taken_out_is_not(
    authority: trustme.CA, secure: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What this machine trusts is read once for all connections, and again when it was changed."""
    installed = tmp_path / "installed.pem"
    monkeypatch.setenv("SSL_CERT_FILE", str(installed))
    url = secure(server_context(authority))
    trustme.CA().cert_pem.write_to_path(str(installed))
    with pytest.raises(errors.Unreachable, match="its certificate is not accepted"):
        session(url).send("GET", url)
    authority.cert_pem.write_to_path(str(installed))
    assert session(url).send("GET", url).body == b"ok"
    trustme.CA().cert_pem.write_to_path(str(installed))
    with pytest.raises(errors.Unreachable, match="its certificate is not accepted"):
        session(url).send("GET", url)


@pytest.mark.parametrize("how", ["expired", "another host", "another authority", "TLS 1.1"])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")  # serving it is the point
def test_tls_that_is_refused(how: str, authority: trustme.CA, secure: Any, session: Any, tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    if how == "expired":
        past = datetime(2020, 1, 1, tzinfo=UTC)
        context = server_context(authority, not_before=past, not_after=past + timedelta(days=1))
    elif how == "another host":
        context = server_context(authority, "casework.example.org")
    elif how == "another authority":
        context = server_context(trustme.CA())
    else:
        context = server_context(authority)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    url = secure(context)
    with pytest.raises(errors.Unreachable, match="nothing was sent"):
        session(url, ca_bundle=bundle).send("POST", url, body=b"a person")


def asking_context(authority: trustme.CA) -> ssl.SSLContext:
    """A server that speaks to nobody who shows no certificate of its authority."""
    context = server_context(authority)
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    return context


def test_mutual_tls(authority: trustme.CA, secure: Any, session: Any, tmp_path: Path) -> None:
    bundle, mine, key = tmp_path / "ca.pem", tmp_path / "mine.pem", tmp_path / "mine-key.pem"
    authority.cert_pem.write_to_path(str(bundle))
    own = authority.issue_cert("dolen.example.org")
    mine.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(str(key))
    url = secure(asking_context(authority))
    door = session(url, ca_bundle=bundle, client_certificate=mine, client_key=key)
    assert door.send("GET", url).body == b"ok"
    with pytest.raises((errors.Unreachable, errors.Unknown)):
        session(url, ca_bundle=bundle).send("GET", url)
    other = tmp_path / "other-key.pem"
    authority.issue_cert("other.example.org").private_key_pem.write_to_path(str(other))
    with pytest.raises(errors.Misconfigured, match="are they a pair"):
        session(url, ca_bundle=bundle, client_certificate=mine, client_key=other)


def test_a_certificate_goes_with_its_key(session: Any, tmp_path: Path) -> None:
    mine = tmp_path / "mine.pem"
    mine.touch()
    with pytest.raises(ValueError, match="go together"):
        session("https://localhost", client_certificate=mine)


def test_a_proxy_that_asks_who_we_are(raw: Any, session: Any) -> None:
    heard: list[bytes] = []

    def proxy(connection: socket.socket) -> None:
        heard.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    port = raw(proxy)
    login = {"username": "dolen", "password": "env:p@ss"}
    door = session("http://localhost:1", proxy=f"http://127.0.0.1:{port}", proxy_login=login)
    assert door.send("GET", "http://localhost:1/x").body == b"ok"
    assert b"Proxy-Authorization: Basic ZG9sZW46ZW52OnBAc3M=" in heard[0]
    with pytest.raises(ValueError, match="goes with proxy"):
        session("http://localhost:1", proxy_login=login)


def test_the_doctor_tells_when_our_own_certificate_ends(authority: trustme.CA, tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    own = authority.issue_cert("dolen.example.org", not_before=now, not_after=now + timedelta(days=40))
    mine, key = tmp_path / "mine.pem", tmp_path / "mine-key.pem"
    mine.write_bytes(own.cert_chain_pems[0].bytes())
    own.private_key_pem.write_to_path(str(key))
    told = HttpSettings(url="https://casework.example.org", client_certificate=mine, client_key=key)
    assert own_certificate_finding(HttpSettings(url="https://casework.example.org"), now) is None
    for later, well in ((timedelta(0), True), (timedelta(days=11), False), (timedelta(days=99), False)):
        found = own_certificate_finding(told, now + later)
        assert found is not None
        assert (found.subject, found.well) == ("our certificate", well)
        assert f"{now + timedelta(days=40):%Y-%m-%d}" in found.words
        assert bool(found.remedy) is not well
    mine.write_text("no certificate", encoding="utf-8")
    broken = own_certificate_finding(told, now)
    assert broken is not None
    assert not broken.well
