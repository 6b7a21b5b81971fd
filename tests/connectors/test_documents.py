"""Documents over REST, and the scanner: what is cut off, too large, slow or silent is never taken for whole or well."""

from __future__ import annotations

import io
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from connectors.deadline import Deadline
from connectors.documents import Document, fit_name
from connectors.errors import Misconfigured, Rejected, Unauthorised, Unknown, Unreachable
from connectors.fhir import documents as fhir
from connectors.http import ReplyTooLarge
from connectors.registry import check_profile, open_connector
from connectors.scanner import Scanner
from connectors.streamed import encoded_size
from tests.rig import documents as rig
from tests.rig.site import OPENAPI, PROFILE, TIERS

MOST = 64 * 1024 * 1024


class Archive(BaseHTTPRequestHandler):
    """Lends documents of a given length, and counts what it is handed."""

    protocol_version = "HTTP/1.1"
    length, cut, status, logins = 1000, 0, 200, 0
    handed: list[tuple[dict[str, str], int]]

    def do_GET(self) -> None:
        self.send_response_only(self.status)
        self.send_header("Content-Type", "application/pdf")
        self.send_header("Content-Length", str(self.length))
        self.end_headers()
        left = self.length - self.cut
        with suppress(OSError):
            while left > 0:
                left -= self.wfile.write(b"x" * min(left, 65536))
        if self.cut:
            self.close_connection = True

    def do_POST(self) -> None:
        size = left = int(self.headers["Content-Length"])
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
        type(self).handed.append((dict(self.headers), size))
        type(self).logins += 1
        status = 401 if self.headers.get("X-Api-Key") and type(self).logins == 1 else 201
        body = b'{"id": "D1"}'
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive() -> Iterator[tuple[str, Any]]:
    kind = type("Some", (Archive,), {"handed": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()


@pytest.fixture
def connect(clock: Callable[[], Any]) -> Iterator[Callable[..., Any]]:
    from ruamel.yaml import YAML

    opened: list[Any] = []

    def connect(url: str, tier: str = "A", **more: Any) -> Any:
        profile = YAML(typ="safe").load(PROFILE.format(**TIERS[tier]))
        profile["records"]["Case"]["documents"] = YAML(typ="safe").load(rig.DOCUMENTS[tier])
        told = {"url": url, "timeout_seconds": 10, **more}
        opened.append(
            open_connector(profile, told, interfaces=lambda _: OPENAPI.encode(), clock=clock, secret=lambda _: "k")
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def document(body: bytes, name: str = "asesiad.pdf") -> Document:
    return Document(name, "application/pdf", len(body), lambda: io.BytesIO(body))


def test_a_document_that_ends_before_its_end_is_not_whole(archive: Any, connect: Any) -> None:
    url, kind = archive
    kind.cut = 1
    with pytest.raises(Unknown):
        connect(url).lend("Case", "1", "a", lambda _: None, most_bytes=MOST)


@pytest.mark.parametrize("status", [204, 206])
def test_an_answer_that_brings_no_document_is_none(archive: Any, connect: Any, status: int) -> None:
    url, kind = archive
    kind.status, kind.length = status, 0
    with pytest.raises(Unknown):
        connect(url).lend("Case", "1", "a", lambda _: None, most_bytes=MOST)


def test_too_large_is_cut_short_and_memory_stays_flat(archive: Any, connect: Any) -> None:
    url, kind = archive
    kind.length = 40_000_000
    source, sizes = connect(url), []
    tracemalloc.start()
    lent = source.lend("Case", "1", "a", lambda piece: sizes.append(len(piece)), most_bytes=MOST)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (lent.size, sum(sizes), lent.mime) == (40_000_000, 40_000_000, "application/pdf")
    assert most < 4_000_000
    got: list[int] = []
    with pytest.raises(ReplyTooLarge):
        source.lend("Case", "1", "a", lambda piece: got.append(len(piece)), most_bytes=1_000_000)
    assert sum(got) <= 1_000_000


@pytest.mark.parametrize("tier", ["A", "B"])
def test_what_is_sent_is_streamed_with_its_length(archive: Any, connect: Any, tier: str) -> None:
    url, kind = archive
    receipt = connect(url, tier).add("Case", "1", document(b"y" * 3_000_000), key="k-1")
    (headers, size), receipt_id = kind.handed[0], receipt.id
    assert (receipt_id, headers["X-Key"]) == ("D1", "k-1")
    assert int(headers["Content-Length"]) == size >= 3_000_000
    assert "Transfer-Encoding" not in headers


def test_a_login_that_is_renewed_sends_the_whole_document_again(archive: Any, connect: Any) -> None:
    url, kind = archive
    login = {"api_key": {"header": "X-Api-Key", "key": "env:K"}}
    with pytest.raises(Unauthorised):  # a fixed key has no other, so it is refused; the file was read once
        connect(url, "B", login=login).add("Case", "1", document(b"y" * 1000), key="k-1")
    assert [size for _, size in kind.handed] == [1000]


@pytest.mark.parametrize("ref", ["..", ".", "", "a\nb", "x" * 3000])
def test_a_reference_that_no_path_can_carry_is_refused(archive: Any, connect: Any, ref: str) -> None:
    with pytest.raises(Rejected):
        connect(archive[0]).lend("Case", "1", ref, lambda _: None, most_bytes=MOST)


@pytest.mark.parametrize(
    ("name", "fit"),
    [
        ("asesiad Ŵynne.pdf", "asesiad Ŵynne.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Temp\\a.pdf", "a.pdf"),
        ('a"b;c\r\nd.pdf', "a b c d.pdf"),
        ("fdp.exe\u202e.pdf", "fdp.exe .pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        ("x" * 400 + ".pdf", "x" * 146 + ".pdf"),
    ],
)
def test_a_name_that_leads_nowhere(name: str, fit: str) -> None:
    assert fit_name(name, "application/pdf") == fit


# --- the scanner ------------------------------------------------------------------------------------------------------


def within(seconds: float) -> Deadline:
    return Deadline.of(seconds)


def test_the_scanner_sees_every_byte_and_its_word_is_taken() -> None:
    other = rig.Scanner({b"EICAR": "Win.Test.EICAR_HDB-1"})
    scanner, body = Scanner(other.address), b"z" * 200_000
    assert scanner.look(io.BytesIO(body), within(5)) == ""
    assert other.seen == [body]
    assert scanner.look(io.BytesIO(b"EICAR"), within(5)) == "Win.Test.EICAR_HDB-1"
    assert scanner.alive(within(5))
    other.close()
    with pytest.raises(Unreachable):
        scanner.look(io.BytesIO(b"a"), within(1))
    assert not scanner.alive(within(1))


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (b"stream: OK, perhaps\0", Unreachable),
        (b"\0", Unreachable),
        (b"UNKNOWN COMMAND\0", Unreachable),
        (b"INSTREAM size limit exceeded. ERROR\0", Misconfigured),
    ],
)
def test_any_other_word_is_never_well(says: bytes, error: type[Exception]) -> None:
    other = rig.Scanner(says=says)
    with pytest.raises(error):
        Scanner(other.address).look(io.BytesIO(b"a"), within(5))
    other.close()


def test_a_name_that_is_none_is_not_passed_on() -> None:
    other = rig.Scanner(says=b"stream: <script>07700900123</script> FOUND\0")
    assert Scanner(other.address).look(io.BytesIO(b"a"), within(5)) == "unnamed"
    other.close()


def test_a_scanner_that_says_nothing_is_left_in_time(tmp_path: Path) -> None:
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(str(tmp_path / "clamd.ctl"))
    silent.listen()
    with pytest.raises(Unreachable):
        Scanner(f"unix:{tmp_path}/clamd.ctl").look(io.BytesIO(b"a"), within(0.3))
    silent.close()


@pytest.mark.parametrize("address", ["", "127.0.0.1:3310", "tcp://x", "http://x:1", "unix:", "tcp://x:99999999"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(Misconfigured, match="tcp://HOST:PORT"):
        Scanner(address)


@pytest.mark.parametrize("system", ["casework", "health"])
def test_a_large_one_goes_to_soap_and_to_fhir_in_pieces(
    archive: Any, shipped: Any, interfaces: Any, clock: Callable[[], Any], system: str
) -> None:
    url, kind = archive
    size = 40_000_000
    large = Document("a.pdf", "application/pdf", size, lambda: Zeros(size))
    told = {"url": url, "timeout_seconds": 10}
    made: Any = open_connector(shipped(system), told, interfaces=interfaces, clock=clock, secret=str)
    section = check_profile(shipped(system)).records["Referral"]  # type: ignore[attr-defined]  # of REST or SOAP
    tracemalloc.start()
    with pytest.raises(Unknown):  # what this server says is an answer of neither
        if system == "casework":
            made.add("Referral", "R1", large, key="k")
        else:
            record = {"ServiceRequest": {"id": "s"}, "Patient": {"id": "p"}}
            fhir.add(
                section.documents, section.identifier, made._asking, record, large, key="k", deadline=Deadline.of(10)
            )
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    made.close()
    sent = kind.handed[0][1]
    assert encoded_size(size) < sent < encoded_size(size) + 5_000
    assert most < 8_000_000


class Zeros:
    """A file of so many zeros that is nowhere whole."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1, /) -> bytes:
        piece = min(self.left, size)
        self.left -= piece
        return bytes(piece)
