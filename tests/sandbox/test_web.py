"""The server keeps connections, routes by tenant and system, and refuses what it cannot read."""

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.sandbox.conftest import Running


def test_one_connection_serves_many_calls(running: Running) -> None:
    host = running.url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    for _ in range(3):
        connection.request("GET", "/control/state")
        answer = connection.getresponse()
        assert (answer.status, answer.version) == (200, 11)
        answer.read()
        assert connection.sock is not None
    connection.close()


@pytest.mark.parametrize("path", ["/", "/torfaen", "/torfaen/nosuch/x", "/Torfaen/casework/soap", "/../casework/soap"])
def test_what_leads_nowhere_is_404(running: Running, path: str) -> None:
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=5)
    connection.request("GET", path)
    assert connection.getresponse().status == 404
    connection.close()


@pytest.mark.parametrize(("headers", "status"), [
    ({"Transfer-Encoding": "chunked"}, 411), ({"Content-Length": "-1"}, 400), ({"Content-Length": "99999999999"}, 413),
])  # fmt: skip
def test_bodies_it_will_not_read(running: Running, headers: dict[str, str], status: int) -> None:
    connection = http.client.HTTPConnection(running.url.removeprefix("http://"), timeout=5)
    connection.putrequest("POST", "/control/faults")
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, answer.getheader("Connection")) == (status, "close")
    connection.close()


def test_callers_that_go_away_disturb_nobody(running: Running, capfd: pytest.CaptureFixture[str]) -> None:
    host, port = running.server.server_address[:2]
    for words in (b"", b"POST /torfaen/casework/soap HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf", b"\x16\x03\x01\x02"):
        with socket.create_connection((str(host), int(port)), timeout=5) as caller:
            caller.sendall(words)
    assert running.http.get(f"{running.url}/control/state", timeout=5).ok
    assert capfd.readouterr().err == ""


def test_many_at_once(running: Running) -> None:
    def ask(_: int) -> int:
        return requests.get(f"{running.url}/control/state", timeout=10).status_code

    with ThreadPoolExecutor(32) as pool:
        assert set(pool.map(ask, range(200))) == {200}


def test_head_has_no_body_and_a_date(running: Running) -> None:
    answer = running.http.head(f"{running.url}/torfaen/casework/soap?wsdl", timeout=5)
    assert answer.content == b""
    assert answer.headers["Date"].endswith("GMT")
