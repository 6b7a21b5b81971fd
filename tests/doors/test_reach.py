"""SSRF: where a call may lead, judged on the address that is connected to. What is refused hears not one byte.

The names are looked up in a table of this test's, in place of DNS, which is what an attacker holds; everything else is
a real socket. Meant to catch the check taken out.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest

from connectors import errors
from connectors.http import HttpSession
from connectors.reach import OutOfReach, judge, where
from connectors.settings import HttpSettings

NOBODY = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "100.100.100.200", "168.63.129.16",
    "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "no address",
]  # fmt: skip
PRIVATE = ["10.1.2.3", "172.16.0.9", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "::ffff:10.1.2.3", "64:ff9b::a01:203"]
HERE = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]


PUBLIC = ["8.8.8.8", "2a00:23c0::1"]
KINDS = [(NOBODY, "nowhere"), (PRIVATE, "private"), (HERE, "here"), (PUBLIC, "public")]


@pytest.mark.parametrize(("texts", "kind"), KINDS)
def test_what_kind_an_address_is(texts: list[str], kind: str) -> None:
    assert {text: where(text) for text in texts} == dict.fromkeys(texts, kind)


def allowed(host: str, address: str, private: bool) -> bool:
    try:
        judge(host, address, private=private)
    except OutOfReach:
        return False
    return True


@pytest.mark.parametrize(
    ("host", "address", "private", "well"),
    [
        ("casework.example.org", "8.8.8.8", False, True),
        ("casework.example.org", "10.1.2.3", False, False),
        ("casework.example.org", "10.1.2.3", True, True),
        ("casework.example.org", "127.0.0.1", True, False),  # a name of somebody's is never this machine
        ("casework.example.org", "169.254.169.254", True, False),
        ("169.254.169.254", "169.254.169.254", True, False),
        ("10.1.2.3", "10.1.2.3", False, True),  # configured as such
        ("[fd12:3456::1]", "fd12:3456::1", False, True),
        ("localhost", "127.0.0.1", False, True),
        ("127.0.0.1", "127.0.0.1", False, True),
        ("localhost", "10.1.2.3", False, False),
        ("8.8.8.8", "10.1.2.3", False, False),
    ],
)
def test_which_address_a_name_may_lead_to(host: str, address: str, private: bool, well: bool) -> None:
    assert allowed(host, address, private) is well


@pytest.fixture
def canary() -> Iterator[tuple[int, list[bytes]]]:
    """A port on this machine, and every byte that it heard."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def listen() -> None:
        with suppress(OSError):
            while True:
                one, _ = listener.accept()
                heard.append(b"connected")
                one.close()

    Thread(target=listen, daemon=True).start()
    yield int(listener.getsockname()[1]), heard
    listener.close()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """DNS as an attacker keeps it: each look-up of a name takes the next of its answers."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def names(**answers: list[list[str]]) -> list[str]:
        def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
            listed = answers.get(str(host).partition(".")[0])
            if listed is None:
                return real(host, port, *args, **more)
            asked.append(str(host))
            found = listed.pop(0) if len(listed) > 1 else listed[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        return asked

    return names


def session(url: str, **more: Any) -> HttpSession:
    told = {"url": url, "timeout_seconds": 3.0, **more}
    return HttpSession(HttpSettings.model_validate(told, context={"secret": str}))


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("answer", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"]])
def test_a_name_that_leads_to_this_machine_is_not_called(
    canary: Any, names: Any, answer: list[str], private: bool
) -> None:
    """Also where it is one of several addresses: the next try would have taken it."""
    port, heard = canary
    names(evil=[answer])
    door = session(f"https://evil.example.org:{port}", private_network=private)
    with pytest.raises(errors.Unreachable, match=r"leads to this machine itself; nothing was sent"):
        door.send("GET", f"https://evil.example.org:{port}/")
    assert heard == []


def test_a_name_that_is_led_elsewhere_meanwhile_is_judged_again(canary: Any, names: Any) -> None:
    """DNS rebinding: the first look-up is good, the second leads here. Each connection is judged by its own."""
    port, heard = canary
    asked = names(evil=[["192.0.2.1"], ["127.0.0.1"]])
    door = session(f"https://evil.example.org:{port}", timeout_seconds=0.3, private_network=True)
    for _ in range(2):
        with pytest.raises(errors.Unreachable):
            door.send("GET", f"https://evil.example.org:{port}/")
    assert len(asked) == 2  # one look-up a connection, and no other between judging and connecting
    assert heard == []


def test_a_name_that_leads_into_a_private_network_says_what_to_write(names: Any) -> None:
    names(casework=[["10.1.2.3"]])
    with pytest.raises(errors.Unreachable, match=r"private_network: true; nothing was sent"):
        session("https://casework.example.org").send("GET", "https://casework.example.org/")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest", "https://user@casework.example.org/", "https://casework.example.org@evil.test/",
        "http://[::ffff:127.0.0.1]/", "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://0/", "file:///etc/passwd",
        "gopher://127.0.0.1/", "https:///path", "//evil.test/", "http://localhost.evil.test/", "https://evil.test:port/",
    ],
)  # fmt: skip
def test_addresses_that_no_connection_may_have(url: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        session(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.test/", "https://casework.example.org:8443/", "http://casework.example.org/",
        "https://casework.example.org@evil.test/", "https://casework.example.org.evil.test/", "https://2130706433/",
        "https://evil.test#@casework.example.org/",
        "https://[::ffff:7f00:1]/", "https://casework.example.org%2eevil.test/",
    ],
)  # fmt: skip
def test_only_the_connections_own_origin_is_called(url: str) -> None:
    door = session("https://casework.example.org")
    with pytest.raises((errors.Misconfigured, errors.Rejected)):
        door.send("GET", url)


@pytest.mark.parametrize("sign", ["\r\nX-Evil: 1", "\n", "\r", "\0", "\u010d", "\ud800"])
def test_no_header_carries_a_line_of_its_own(canary: Any, sign: str) -> None:
    port, _ = canary
    door = session(f"http://127.0.0.1:{port}")
    with pytest.raises((errors.Rejected, errors.Unreachable, errors.Unknown)) as told:
        door.send("GET", f"http://127.0.0.1:{port}/", headers={"If-Match": f"v1{sign}"})
    assert "v1" not in str(told.value)
