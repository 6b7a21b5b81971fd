"""The line to a syslog collector: what counts as read over TLS, and what does not, before a real collector."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from connectors.errors import Misconfigured, Unknown, Unreachable
from connectors.syslog import SecureCollector, frame, send_in_clear
from tests.doors.tls_front import BAD, context, front
from tests.siem import Collector, collecting, secure

pytest_plugins = ("tests.authorities",)
LINES = [f'{{"seq":{number},"who":"Siân"}}' for number in range(1, 6)]
pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")  # serving it is the point


@pytest.fixture
def siem(authority: trustme.CA) -> Iterator[Collector]:
    with collecting(secure(authority)) as collector:
        yield collector


def to(collector: Collector, bundle: Path) -> SecureCollector:
    return SecureCollector("localhost", collector.port, ca_bundle=bundle)


def test_each_line_is_framed_by_its_octets_and_arrives(siem: Collector, bundle: Path) -> None:
    to(siem, bundle).take(LINES)
    siem.done.acquire()
    assert siem.heard == [f"<109>1 - - dolen - audit - {line}" for line in LINES]
    assert siem.raw == b"".join(frame(line) for line in LINES)
    assert frame("â").startswith(b"29 <109>1 ")  # octets, not letters
    to(siem, bundle).take([])  # nothing to say is said well


@pytest.mark.parametrize("way", ["cut", "no goodbye", "leaves at once", "leaves at the end"])
def test_what_was_not_said_goodbye_to_was_not_taken(siem: Collector, bundle: Path, way: str) -> None:
    """A cut connection may have been written to with success: the bytes lay in this machine's memory."""
    siem.ways = [way]
    with pytest.raises(Unknown, match="collector at localhost"):
        to(siem, bundle).take(LINES)
    to(siem, bundle).take(LINES)
    siem.done.acquire()
    siem.done.acquire()
    assert siem.heard[-5:] == [f"<109>1 - - dolen - audit - {line}" for line in LINES]


def test_a_goodbye_that_came_before_ours_says_nothing_of_what_was_read(siem: Collector, bundle: Path) -> None:
    def lines() -> Iterator[str]:
        yield LINES[0]
        assert siem.left.wait(10)
        yield from LINES[1:]

    siem.ways = ["leaves and drains"]
    with pytest.raises(Unknown, match="left before it had everything"):
        to(siem, bundle).take(lines())


def test_who_says_nothing_is_not_waited_for_for_ever(
    siem: Collector, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.syslog.SECONDS", 0.3)
    siem.ways = ["falls silent"]
    with pytest.raises(Unknown):
        to(siem, bundle).take(LINES)


@pytest.mark.parametrize("how", BAD)
def test_a_collector_that_is_not_who_it_should_be_hears_nothing(
    authority: trustme.CA, bundle: Path, how: str
) -> None:
    with front(None, context(authority, how)) as (port, heard):
        with pytest.raises(Unreachable, match="nothing was sent"):
            SecureCollector("localhost", port, ca_bundle=bundle).take(LINES)
        assert heard == []


def test_a_collector_that_asks_for_our_certificate(authority: trustme.CA, bundle: Path, tmp_path: Path) -> None:
    mine, key = tmp_path / "mine.pem", tmp_path / "key.pem"
    own = authority.issue_cert("dolen.example.org")
    mine.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(str(key))
    with collecting(secure(authority, asks=True)) as siem:
        with pytest.raises((Unknown, Unreachable)):
            to(siem, bundle).take(LINES)
        SecureCollector("localhost", siem.port, ca_bundle=bundle, certificate=mine, key=key).take(LINES)
        siem.done.acquire()
        siem.done.acquire()
        assert len(siem.heard) == 5


def test_files_that_cannot_be_used_and_a_collector_that_is_away(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="CA bundle"):
        SecureCollector("localhost", 6514, ca_bundle=tmp_path / "gone.pem")
    with pytest.raises(Misconfigured, match="two files"):
        SecureCollector("localhost", 6514, certificate=bundle)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot be reached"):
        SecureCollector("localhost", port, ca_bundle=bundle).take(LINES)


def test_in_clear_for_a_collector_on_this_machine() -> None:
    with collecting(None) as siem:
        assert send_in_clear(LINES, "127.0.0.1", siem.port) == 5
        siem.done.acquire()
        assert siem.heard == [f"<109>1 - - dolen - audit - {line}" for line in LINES]
