"""A sandbox of its own for each test, over a real socket, and a caller that writes SOAP by hand."""

import base64
import hashlib
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import requests
from lxml import etree

from sandbox.secrets import casework_login
from sandbox.web import Server
from sandbox.world import World
from tests.sandbox.mover import Told

CW = "{urn:example:casework:2}"
SOAP = {
    "1.1": ("http://schemas.xmlsoap.org/soap/envelope/", "text/xml; charset=utf-8"),
    "1.2": ("http://www.w3.org/2003/05/soap-envelope", "application/soap+xml; charset=utf-8"),
}
OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
PASSWORD = casework_login("torfaen")["password"]


class Running:
    """A sandbox that is being served, and one session to call it with."""

    def __init__(self, world: World, server: Server) -> None:
        self.world, self.server, self.url = world, server, server.url
        self.http = requests.Session()

    def control(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        answer = self.http.request(method, f"{self.url}/control/{path}", json=body, timeout=10)
        assert answer.status_code == status, answer.text
        return answer.json()

    def fault(self, name: str, system: str = "casework", **settings: Any) -> None:
        self.control("POST", "faults", {"tenant": "torfaen", "system": system, "faults": {name: settings}})


class Caller:
    """Calls torfaen's case system with envelopes written by hand. Set `login` to send another WS-Security header."""

    def __init__(self, running: Running, version: str = "1.1") -> None:
        self.running, self.version = running, version
        self.url = f"{running.url}/torfaen/casework/soap"
        self.login: Callable[[], str] = lambda: security(user_token(PASSWORD))

    def post(self, operation: str, inner: str, **headers: str) -> requests.Response:
        namespace, content_type = SOAP[self.version]
        message = (
            f'<s:Envelope xmlns:s="{namespace}"><s:Header>{self.login()}</s:Header><s:Body>'
            f'<{operation} xmlns="urn:example:casework:2">{inner}</{operation}></s:Body></s:Envelope>'
        )
        headers = {"Content-Type": content_type, **headers}
        return self.running.http.post(self.url, data=message.encode(), headers=headers, timeout=10)

    def call(self, operation: str, inner: str) -> etree._Element:
        answer = self.post(operation, inner)
        assert answer.status_code == 200, answer.text
        return body_of(answer)

    def create(self, given: str = "", subject: str = "", tail: str = "", **changes: str) -> tuple[str, str]:
        made = self.call("CreateReferral", referral(given, subject, tail, **changes))
        return made.findtext(f"{CW}ReferralId") or "", made.findtext(f"{CW}Version") or ""

    def find(self, since: str = "2000-01-01T00:00:00", page: int = 1, size: int = 100) -> tuple[list[str], bool]:
        inner = f"<ChangedFrom>{since}</ChangedFrom><Page>{page}</Page><PageSize>{size}</PageSize>"
        found = self.call("FindReferrals", inner)
        return [each.text or "" for each in found.iter(f"{CW}ReferralId")], found.findtext(f"{CW}MorePages") == "true"

    def refused(self, operation: str, inner: str) -> tuple[str, str]:
        """The name of the typed fault (or the fault code), and its Field or ""."""
        answer = self.post(operation, inner)
        assert answer.status_code in (400, 500), answer.text
        fault = body_of(answer)
        detail = [each for each in fault.iter() if isinstance(each.tag, str) and each.tag.startswith(CW)]
        if not detail:
            codes = [each.text for each in fault.iter() if etree.QName(each).localname in ("faultcode", "Value")]
            return codes[-1] or "", ""
        return etree.QName(detail[0]).localname, detail[0].findtext(f"{CW}Field") or ""


def body_of(answer: requests.Response) -> etree._Element:
    envelope = etree.fromstring(answer.content)
    return envelope[-1][0]


def referral(given: str = "", subject: str = "", tail: str = "", **changes: str) -> str:
    """A valid Referral as XML; `given` stands first in it, `tail` last, and fields can be replaced by name."""
    fields = {"Received": "2026-03-02T09:30:00", "Kind": "REF", "Status": "NEW", "Priority": "P3", **changes}
    flat = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    return (
        f"<Referral>{given}{flat}<Subject><Forename>Siân</Forename><Surname>ap Rhŷs</Surname><DOB>0001-01-01</DOB>"
        f"<Gender>2</Gender>{subject}<PreferredLanguage>W</PreferredLanguage></Subject>"
        f"<Safeguarding>false</Safeguarding><Restricted>false</Restricted>{tail}</Referral>"
    )


def security(*content: str) -> str:
    return (
        f'<w:Security xmlns:w="{OASIS}-wssecurity-secext-1.0.xsd" xmlns:u="{OASIS}-wssecurity-utility-1.0.xsd">'
        f"{''.join(content)}</w:Security>"
    )


def user_token(
    password: str, *, nonce: bytes = b"", created: str = "", digest: bool = False, user: str = "dolen"
) -> str:
    kind = "PasswordText"
    if digest:
        nonce, created, kind = nonce or os.urandom(16), created or stamp(), "PasswordDigest"
        sum_ = hashlib.sha1(nonce + created.encode() + password.encode()).digest()
        password = base64.b64encode(sum_).decode()
    once = f"<w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce>" if nonce else ""
    made = f"<u:Created>{created}</u:Created>" if created else ""
    given = f'<w:Password Type="{OASIS}-username-token-profile-1.0#{kind}">{password}</w:Password>'
    return f"<w:UsernameToken><w:Username>{user}</w:Username>{given}{once}{made}</w:UsernameToken>"


def stamp(ahead: timedelta = timedelta()) -> str:
    return (datetime.now(UTC) + ahead).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    world = World(tmp_path / "sandbox")
    server = world.server()
    server.start()
    running = Running(world, server)
    yield running
    running.http.close()
    server.stop()
    world.close()


@pytest.fixture(params=["1.1", "1.2"])
def both(running: Running, request: pytest.FixtureRequest) -> Caller:
    """A caller in each SOAP version in turn."""
    return Caller(running, request.param)


@pytest.fixture
def casework(running: Running) -> Caller:
    return Caller(running)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "sandbox")
    yield made
    made.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a sandbox in which a whole story was told; tests spoil copies of it."""
    place = tmp_path_factory.mktemp("finished")
    world = World(place)
    story = Told(world)
    story.begin()
    story.finish()
    world.close()
    return place


@pytest.fixture
def told(finished: Path, tmp_path: Path) -> Iterator[Told]:
    copytree(finished, tmp_path / "copy")
    world = World(tmp_path / "copy")
    yield Told(world)
    world.close()
