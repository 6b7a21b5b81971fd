"""Who else is held to the one suite: the platforms (Dataverse, Salesforce), the FHIR server and Open311."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from connectors.port import Connector
from connectors.registry import open_connector
from sandbox import secrets
from sandbox.open311 import JURISDICTION, STATUSES
from sandbox.world import World
from tests.connectors.conftest import ROOT, Council
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.fhir.conftest import RECORD
from tests.connectors.open311.test_open311 import SENT
from tests.connectors.platforms.conftest import ROOTS, TOKENS
from tests.connectors.platforms.test_dataverse import NEW as ROW
from tests.connectors.platforms.test_salesforce import NEW as OBJECT
from tests.connectors.standing import CALM_SECONDS, MOST_BYTES, SECONDS, Standing
from tests.rig.open311 import endpoint

Shipped = Callable[[str], Any]

_LINK = "a walk starts from the link that the last one ended with, not from a moment"
_THERE = "a create is sent with If-None-Match: *, so that 412 says that the key is there: a duplicate, looked up by it"
_NO_KEY = "the standard neither keeps a key of ours nor searches by one: what is not sure waits for a person"
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


@contextmanager
def open311(_council: Council, shipped: Shipped) -> Iterator[Standing]:
    """GeoReport v2 with the updates extension, in XML: no key of ours, no versions, and the status alone is changed."""
    with endpoint() as there, FaultProxy(there.url, strikes=lambda _method, _path: True) as proxy:
        profile = shipped("open311")
        began = datetime.now(UTC) - timedelta(minutes=5)  # so that a walk is soon over
        profile["records"]["Request"]["changes"] |= {"beginning": began.isoformat(timespec="seconds"), "window": "PT6H"}
        connect = {"url": proxy.through(there.url), "api_key": "env:X", "jurisdiction_id": JURISDICTION}
        told: dict[str, str] = {"another": STATUSES[-1]}  # the status that goes with a text
        moments = count(1)

        def fill(number: int) -> None:
            for _ in range(number):
                stamp = (began + timedelta(seconds=10 * next(moments))).strftime("%Y-%m-%dT%H:%M:%SZ")
                there.make(requested_datetime=stamp, updated_datetime=stamp)

        def record(text: str) -> dict[str, Any]:
            """Every text has another status than the one before and the one that is held: only then is it sent."""
            if text not in told:
                held = {one["status"] for one in there.held if one["service_request_id"] == standing.kept.get("id")}
                taken = {*held, "open", told["another"], list(told.values())[-1]}
                told[text] = next(status for status in STATUSES if status not in taken)
            return {**copy.deepcopy(SENT), "description": text, "status": told[text], "status_notes": text}

        standing = Standing(
            "open311", "Request", _opener(profile, connect, there.key, "not-the-key", most_bytes=2 * MOST_BYTES),
            record, proxy, (there.key,), fill=fill,
            change=lambda id, text: there.control("change", id=id, description=text),
            moving=frozenset({"updated_datetime"}), versioned=False,
            exempt={
                **dict.fromkeys(("create twice", "create twice at once"), _NO_KEY),
                "nothing is lost in a create": "a create takes no status there, and a request does not show who asked",
                "an update out of order": "Open311 has no versions: whoever writes last wins, and nobody is told",
                "a wrong login": "the standard asks for a key with what is sent alone: everybody may read",
            },
        )  # fmt: skip
        yield standing


def _unhurried(opened: Callable[..., Connector]) -> Callable[..., Connector]:
    """Opens a FHIR connector that does not wait before it tries a read again: only the clock is pretended."""

    def at_once(**how: bool) -> Connector:
        connector: Any = opened(**how)
        connector._asking._sleep = lambda _: None
        made: Connector = connector
        return made

    return at_once
