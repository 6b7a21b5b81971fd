"""Who else is held to the one suite: the platforms (Dataverse, Salesforce), the FHIR server and Open311."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.port import Connector
from connectors.registry import open_connector
from sandbox import secrets
from sandbox.world import World
from tests.connectors.conftest import ROOT, Council
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.fhir.conftest import RECORD
from tests.connectors.platforms.conftest import ROOTS, TOKENS
from tests.connectors.platforms.test_dataverse import NEW as ROW
from tests.connectors.platforms.test_salesforce import NEW as OBJECT
from tests.connectors.standing import CALM_SECONDS, MOST_BYTES, SECONDS, Standing

Shipped = Callable[[str], Any]

_LINK = "a walk starts from the link that the last one ended with, not from a moment"
_THERE = "a create is sent with If-None-Match: *, so that 412 says that the key is there: a duplicate, looked up by it"
_NO_LISTS = "the profile names no list of codes: docs/systems say which of them the system has and we do not ask for"


def _opener(
    profile: Any, connect: dict[str, Any], right: str, wrong: str, *, most_bytes: int = MOST_BYTES
) -> Callable[..., Connector]:
    """Opens a connection of a shipped profile."""

    def opened(**how: bool) -> Connector:
        limits = {"timeout_seconds": SECONDS if how.get("hurried") else CALM_SECONDS, "max_reply_bytes": most_bytes}
        return open_connector(
            profile, {**connect, **limits}, interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
            clock=lambda: datetime.now(UTC), secret=lambda _: wrong if how.get("wrong") else right,
        )  # fmt: skip

    return opened


def _platform(name: str, council: Council, proxy: FaultProxy, shipped: Shipped) -> tuple[Callable[..., Connector], str]:
    """How one of the platforms is opened, and its secret."""
    url, told = proxy.through(council.system(name)), council.secrets[name]
    login = {"token_url": url + TOKENS[name], "client_id": told["client_id"], "client_secret": "env:X"}
    connect = {"url": url + ROOTS[name], "login": {"oauth2": login}}
    return _opener(shipped(name), connect, told["client_secret"], "not-the-secret"), told["client_secret"]


@contextmanager
def dataverse(council: Council, shipped: Shipped) -> Iterator[Standing]:
    """Dynamics 365's platform: OData, OAuth2, an alternate key, tier A."""
    with FaultProxy(council.url, strikes=lambda _method, path: not path.endswith("/token")) as proxy:
        opened, secret = _platform("dataverse", council, proxy, shipped)
        yield Standing(
            "dataverse", "Referral", opened, lambda text: {**copy.deepcopy(ROW), "dolen_reason": text}, proxy,
            (secret,), moving=frozenset({"dolen_referralid", "dolen_key", "modifiedon", "@odata.etag"}),
            overlap=False,
            exempt={"equal stamps at the boundary": _LINK, "create: status 412": _THERE},
        )  # fmt: skip


@contextmanager
def salesforce(_council: Council, shipped: Shipped) -> Iterator[Standing]:
    """Salesforce: REST, OAuth2, an external id, tier A.

    It lists what changed by whole minutes and compares versions by whole seconds. So it stands in a sandbox of its own,
    whose time goes by: two seconds with each write, and a minute before a walk of what was written.
    """
    with tempfile.TemporaryDirectory() as place:
        world = World(Path(place), tenants=["torfaen"])
        world.clock.set(datetime.now(UTC) - timedelta(days=1))  # so that it never gets ahead of ours
        server = world.server()
        server.start()
        council = Council("torfaen", server.url, secrets.everything(["torfaen"])["torfaen"])
        written = [False]

        def strikes(method: str, path: str) -> bool:
            if method == "PATCH":
                world.clock.set(world.clock() + timedelta(seconds=2))
                written[0] = True
            elif written[0] and path.rstrip("/").endswith(ROOTS["salesforce"]):  # where a walk asks what time it is
                world.clock.set(world.clock() + timedelta(minutes=1))
                written[0] = False
            return not path.endswith("/token")

        try:
            with FaultProxy(council.url, strikes=strikes) as proxy:
                opened, secret = _platform("salesforce", council, proxy, shipped)
                yield Standing(
                    "salesforce", "Referral", opened, lambda text: {**copy.deepcopy(OBJECT), "Reason__c": text}, proxy,
                    (secret,),
                    moving=frozenset({"Id", "Dolen_Key__c", "SystemModstamp", "LastModifiedDate", "attributes"}),
                    exempt={"lists of codes": _NO_LISTS},
                )  # fmt: skip
        finally:
            server.stop()
            world.close()


@contextmanager
def health(council: Council, shipped: Shipped) -> Iterator[Standing]:
    """A FHIR R4 server: three resources of one referral, each created on condition, tier A."""
    key = council.secrets["health"]["api_key"]
    with FaultProxy(council.url, strikes=lambda _method, _path: True) as proxy:
        login = {"api_key": {"header": "apikey", "key": "env:X"}}
        connect = {"url": proxy.through(council.system("health")) + "/fhir", "login": login}
        profile = shipped("health")

        def record(text: str) -> dict[str, Any]:
            made = copy.deepcopy(RECORD)
            made["Task"]["reasonCode"]["text"] = text
            return made

        # A string of FHIR may have 1,048,576 characters (R4, datatypes.html#string), and the record must be read again.
        opened = _opener(profile, connect, key, "not-the-key", most_bytes=2 * MOST_BYTES)
        yield Standing(
            "health", "Referral", _unhurried(opened), record, proxy, (key,),
            exempt={"lists of codes": _NO_LISTS},
        )  # fmt: skip


def _unhurried(opened: Callable[..., Connector]) -> Callable[..., Connector]:
    """Opens a FHIR connector that does not wait before it tries a read again: only the clock is pretended."""

    def at_once(**how: bool) -> Connector:
        connector: Any = opened(**how)
        connector._asking._sleep = lambda _: None
        made: Connector = connector
        return made

    return at_once
