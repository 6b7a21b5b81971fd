"""A pretend MESH over TLS that asks for a certificate of ours, and whose every call is held to the public contract."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from connectors.registry import open_connector
from sandbox.exchange import Exchange, Request, Response
from sandbox.faults import Faults
from sandbox.mesh import TENANT, Mesh
from sandbox.tally import Tally
from sandbox.web import Server

ROOT = Path(__file__).parents[3]
OURS, THEIRS = "X26OT001", "X26OT002"
SHARED, PASSWORD = "gwenynen-rannu", "gwenynen-blwch"
WORKFLOW = "ASC_REFERRAL"
AT = "2026-03-02T09:00:00Z"
PROFILE: dict[str, Any] = {
    "system": "mesh",
    "protocol": "mesh",
    "clock": "Europe/London",
    "records": {
        "Referral": {
            "item": {"id": "id", "modified": "at"},
            "required": ["id", "name"],
            "changes": {"feed": "mailbox", "workflows": [WORKFLOW], "format": "json"},
            "create": {"workflow": "ASC_ANSWER", "format": "json", "content_type": "application/json"},
            "update": {"as": "another-message"},
            "find": {"by": "local-id"},
        }
    },
}


def referral(id: str, name: str = "Siân") -> dict[str, Any]:
    """A record as the profile knows it."""
    return {"id": id, "name": name, "at": AT}


@dataclass
class Held:
    """The exchange, with every call and answer looked up in the contract. `wrong` says what is not as it says."""

    mesh: Mesh
    contract: dict[str, Any]
    wrong: list[str] = field(default_factory=list)
    seen: set[tuple[str, str, int]] = field(default_factory=set)
    calls: list[Request] = field(default_factory=list)
    name: str = "mesh"

    def answer(self, request: Request, exchange: Exchange) -> Response:
        self.calls.append(request)
        response = self.mesh.answer(request, exchange)
        self._judge(request, response)
        return response

    def failure(self, request: Request, status: int) -> Response:
        return self.mesh.failure(request, status)

    def staff_put(self, tenant: str, id: str, record: Any) -> Any:
        return self.mesh.staff_put(tenant, id, record)

    def _judge(self, request: Request, response: Response) -> None:
        path = f"/messageexchange/{request.system}{request.path}"
        known = [one for one in self.contract["paths"] if re.fullmatch(re.sub(r"\{[^}]*\}", "[^/]+", one), path)]
        known.sort(key=lambda one: one.count("{"))
        here = f"{request.method} {path}"
        told = self.contract["paths"][known[0]].get(request.method.lower()) if known else None
        if told is None:
            self.wrong.append(f"{here}: the contract has no such call")
            return
        for parameter in told.get("parameters", ()):
            given = {"header": request.headers, "query": request.query}.get(parameter["in"])
            if given is None:
                continue
            value = given.get(parameter["name"].lower() if parameter["in"] == "header" else parameter["name"])
            if value is None and parameter.get("required"):
                self.wrong.append(f"{here}: {parameter['name']} is missing")
            if value is not None and len(value) > parameter.get("schema", {}).get("maxLength", 10**9):
                self.wrong.append(f"{here}: {parameter['name']} is too long")
        answers = told["responses"]
        if str(response.status) not in answers and response.status not in (404, 429) and response.status < 500:
            self.wrong.append(f"{here}: the contract has no answer {response.status}")
        schema = answers.get(str(response.status), {}).get("content", {}).get(response.content_type, {}).get("schema")
        if schema and response.content_type.endswith("json"):
            for error in Draft202012Validator(schema).iter_errors(json.loads(response.body)):
                self.wrong.append(f"{here}: {error.message}")
        self.seen.add((request.method, known[0], response.status))


@pytest.fixture(scope="session")
def contract() -> Any:
    file = ROOT / "sandbox" / "interfaces" / "mesh.openapi.yaml"
    return YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def now() -> dict[str, datetime]:
    """What the exchange's clock shows, where a test sets it."""
    return {}


@pytest.fixture
def mesh(now: dict[str, datetime]) -> Mesh:
    return Mesh(SHARED, {OURS: PASSWORD, THEIRS: "arall"}, lambda: now.get("now", datetime.now(UTC)))


@pytest.fixture
def held(mesh: Mesh, contract: Any) -> Iterator[Held]:
    made = Held(mesh, contract)
    yield made
    assert made.wrong == []


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def strike(faults: Faults) -> Callable[..., None]:
    return lambda **what: faults.set(TENANT, OURS, what)


@pytest.fixture
def url(held: Held, faults: Faults, authority: trustme.CA) -> Iterator[str]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    tls.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(tls)
    systems = {OURS: held, THEIRS: held}
    server = Server(systems, lambda _: Response(404), faults, Tally(), lambda: datetime.now(UTC), tls=tls)
    server.start()
    yield server.url.replace("127.0.0.1", "localhost")
    server.stop()


@pytest.fixture
def papers(authority: trustme.CA, tmp_path: Path) -> dict[str, str]:
    """The settings of mutual TLS."""
    bundle, mine, key = tmp_path / "ca.pem", tmp_path / "mine.pem", tmp_path / "mine-key.pem"
    authority.cert_pem.write_to_path(str(bundle))
    own = authority.issue_cert("dolen.example.org")
    mine.write_bytes(b"".join(blob.bytes() for blob in own.cert_chain_pems))
    own.private_key_pem.write_to_path(str(key))
    return {"ca_bundle": str(bundle), "client_certificate": str(mine), "client_key": str(key)}


@pytest.fixture
def open_one(url: str, papers: dict[str, str], clock: Any) -> Iterator[Callable[..., Any]]:
    """Opens a connector, as each new process does; `changes` and `create` go before the profile's."""
    made: list[Any] = []

    def start(*, changes: Any = None, create: Any = None, password: str = PASSWORD, **settings: Any) -> Any:
        profile = json.loads(json.dumps(PROFILE))
        record = profile["records"]["Referral"]
        record["changes"].update(changes or {})
        record["create"].update(create or {})
        login = {"mesh": {"mailbox": OURS, "password": "env:PASSWORD", "shared_key": "env:SHARED"}}
        connector: Any = open_connector(
            profile,
            {"url": url, "login": login, "to": THEIRS, "timeout_seconds": 3, **papers, **settings},
            interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
            clock=clock,
            secret=lambda reference: {"env:PASSWORD": password, "env:SHARED": SHARED}[reference],
        )
        connector._sleep = lambda _: None
        made.append(connector)
        return connector

    yield start
    for connector in made:
        connector.close()
