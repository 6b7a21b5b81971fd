"""More products for the one suite: the pretend peers of closed products, and what is not spoken to over HTTP."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from connectors.port import Connector
from connectors.registry import open_connector
from pipelines.keystore import KeyStore
from pipelines.spool import FolderSpool
from sandbox.abavus import Abavus
from sandbox.exchange import Response, System
from sandbox.faults import Faults
from sandbox.mesh import Mesh
from sandbox.tally import Tally
from sandbox.web import Server
from tests.connectors.conftest import Council
from tests.connectors.fault_proxy import FaultProxy
from tests.connectors.jadu.test_jadu import CASE as JADU_CASE
from tests.connectors.mesh.conftest import OURS, PROFILE, THEIRS, referral
from tests.connectors.sql.conftest import TABLE, profile
from tests.connectors.standing import CALM_SECONDS, MARK, MOST_BYTES, SECONDS, Standing
from tests.connectors.test_abavus import record as request
from tests.connectors.verint.conftest import CASE as VERINT_CASE

ABAVUS_KEY = "gwenynen-123-y-gymuned"
ROOT = Path(__file__).parents[2] / "connectors"
NO_KEYS = dict.fromkeys(
    ("create twice", "create twice at once"),
    "our key is kept, and not checked to be the only one: what is not sure is looked up first",
)
NO_VERSION = {"an update out of order": "it has no version: whoever writes last wins, and nobody can be told"}
NO_CODES = {"lists of codes": "the system tells no codes, and the profile names no list of them"}


def opener(
    profile: Any, connect: dict[str, Any], right: dict[str, str], wrong: dict[str, str], **more: Any
) -> Callable[..., Connector]:
    """Opens a connection of a profile; the secrets stand by the names that its login gives them, and `more` is what
    else `open_connector` takes."""

    def opened(**how: bool) -> Connector:
        limits = {"timeout_seconds": SECONDS if how.get("hurried") else CALM_SECONDS, "max_reply_bytes": MOST_BYTES}
        words = wrong if how.get("wrong") else right
        return open_connector(
            profile, {**connect, **limits}, interfaces=lambda name: (ROOT / name).read_bytes(),
            secret=lambda name: words[name.removeprefix("env:")], **{"clock": lambda: datetime.now(UTC), **more},
        )  # fmt: skip

    return opened


@contextmanager
def verint(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The CRM: SOAP, one search for each week without pages, no version, tier B."""
    secret = {"password": council.secrets["verint"]["password"]}
    profile = copy.deepcopy(shipped("verint"))
    # Its walk begins years ago, and weeks of nothing are empty pages: tests/connectors/verint walks through those.
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    profile["records"]["Case"]["changes"].update(beginning=yesterday, window="P90D")
    with FaultProxy(council.url, strikes=lambda _method, _path: True) as proxy:
        login = {"basic": {"username": "dolen", "password": "env:password"}}
        connect = {"url": proxy.through(council.system("verint") + "/soap"), "login": login}
        yield Standing(
            "verint", "Case", opener(profile, connect, secret, {"password": "not-the-password"}),
            lambda text: {**copy.deepcopy(VERINT_CASE), "description": text}, proxy, tuple(secret.values()),
            moving=frozenset({"caseReference", "lastModified", "externalReference", "closed"}), versioned=False,
            exempt={**NO_KEYS, **NO_VERSION},
        )  # fmt: skip


@contextmanager
def jadu(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The CXM: REST, a sign-in and an API key, the newest first, no version, tier B."""
    secrets = {name: council.secrets["jadu"][name] for name in ("password", "api_key")}
    with FaultProxy(council.url, strikes=lambda _method, path: not path.endswith("/sign-in")) as proxy:
        url = proxy.through(council.system("jadu") + "/api")
        login = {
            "sign_in_url": f"{url}/sign-in", "username": "dolen", "password": "env:password", "token": "token",
            "header": "X-Auth-Token", "prefix": "", "good_for_seconds": 1800,
            "api_key": {"header": "X-Api-Key", "key": "env:api_key"},
        }  # fmt: skip
        yield Standing(
            "jadu", "Case",
            opener(shipped("jadu"), {"url": url, "login": {"token": login}}, secrets,
                    {**secrets, "password": "not-the-password"}),
            lambda text: {**copy.deepcopy(JADU_CASE), "details": text}, proxy, tuple(secrets.values()),
            moving=frozenset({"reference", "updated_at", "external_reference"}), versioned=False,
            exempt={**NO_KEYS, **NO_VERSION, **NO_CODES},
        )  # fmt: skip


@contextmanager
def abavus(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The form system's creates: REST, two steps, tier C. Its queue gives each event once, so nothing in the suite may
    read it: `test_read_once.py` holds it to the same faults."""
    system = Abavus(ABAVUS_KEY)
    with tempfile.TemporaryDirectory() as place, served({"abavus": system}) as url:
        keys = KeyStore(f"sqlite:///{place}/keys.db", bytes(range(32)))
        told = copy.deepcopy(shipped("abavus"))
        del told["records"]["ServiceRequest"]["changes"]
        with FaultProxy(url, strikes=lambda _method, _path: True) as proxy:
            login = {"api_key": {"header": "iPublicKey", "key": "env:key"}}
            connect = {"url": proxy.through(f"{url}/{council.name}/abavus"), "login": login}
            yield Standing(
                "abavus", "ServiceRequest",
                opener(told, connect, {"key": ABAVUS_KEY}, {"key": "wrong"},
                        spool=FolderSpool(Path(place) / "spool", keys, council.name, "mcs", alone=True)),
                request, proxy, (ABAVUS_KEY,), overlap=False, versioned=False,
                held=lambda: len(system.office(council.name).requests),
                exempt={
                    **NO_CODES,
                    **dict.fromkeys(NO_KEYS, "it knows our key behind its second step and cannot be searched by it"),
                    "a wrong login": "only its queue could be read, which must not be: held in test_abavus.py",
                },
            )  # fmt: skip
        keys.close()


@contextmanager
def mesh(_council: Council, _shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """A mailbox's sending: messages under our reference, tier B. It is neither read back nor changed, and what waits
    for us is acknowledged as it is read: `test_read_once.py` holds that to the same faults."""
    secrets = {"password": "gwenynen-y-blwch", "shared": "gwenynen-i-bawb"}
    system = Mesh(secrets["shared"], {OURS: secrets["password"], THEIRS: "arall"}, lambda: datetime.now(UTC))
    told = copy.deepcopy(PROFILE)
    for what in ("changes", "update"):
        del told["records"]["Referral"][what]
    with served({OURS: system}) as url, FaultProxy(url, strikes=lambda _method, _path: True) as proxy:
        login = {"mesh": {"mailbox": OURS, "password": "env:password", "shared_key": "env:shared"}}
        yield Standing(
            "mesh", "Referral",
            opener(told, {"url": proxy.through(url), "login": login, "to": THEIRS}, secrets,
                    {**secrets, "password": "not-the-password"}),
            lambda name: referral("r1", name), proxy, tuple(secrets.values()), overlap=False, versioned=False,
            exempt={**NO_CODES, **NO_KEYS},
        )  # fmt: skip


@contextmanager
def served(systems: dict[str, System]) -> Iterator[str]:
    """The address of a web server with pretend systems that are not in the sandbox of all."""
    server = Server(systems, lambda _: Response(404), Faults(), Tally(), lambda: datetime.now(UTC))
    server.start()
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def sql(_council: Council, _shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """An extract in a database, here a file: nothing travels over HTTP, and nothing is written."""
    with tempfile.TemporaryDirectory() as place:
        owner = create_engine(f"sqlite:///{place}/extract.db")
        stamps = count()

        def put(id: int | str, surname: str) -> None:
            # Always three of one stamp, so that pages end within them.
            stamp = datetime(2026, 3, 1, 9, tzinfo=UTC) + timedelta(seconds=next(stamps) // 3)
            with owner.begin() as session:
                session.execute(
                    text("INSERT OR REPLACE INTO referrals VALUES (:id, :surname, :changed)"),
                    {"id": int(id), "surname": surname, "changed": f"{stamp:%Y-%m-%d %H:%M:%S}"},
                )

        def fill(number: int) -> None:
            with owner.begin() as session:
                there = session.execute(text("SELECT count(*) FROM referrals")).scalar_one()
            for id in range(there + 1, there + number + 1):
                put(id, MARK)

        with owner.begin() as session:
            session.execute(text(TABLE.format(moment="TEXT")))
        yield Standing(
            "sql", "Referral", opener(profile(), {"url": f"sqlite:///{place}/extract.db"}, {}, {}),
            lambda surname: {"surname": surname}, None, fill=fill, change=put, versioned=False,
            exempt={
                **NO_CODES,
                "a wrong login": "a file of this machine has no login; a server's is held in tests/connectors/sql",
            },
        )  # fmt: skip
        owner.dispose()
