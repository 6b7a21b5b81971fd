"""Who is held to the one suite. One more product is one more function here: see `PEERS`."""

from __future__ import annotations

import copy
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.conform.reading import READING
from connectors.conform.trial import Check
from connectors.conform.writing import WRITING
from connectors.port import Connector
from connectors.registry import open_connector
from tests.connectors import conformance, mail_faults, peers_messages, peers_people, peers_platforms, post_office
from tests.connectors.conftest import Council
from tests.connectors.fault_proxy import AFTER, BEFORE, REFUSALS, Fault, FaultProxy
from tests.connectors.peers_others import abavus, jadu, mesh, sql, verint
from tests.connectors.peers_people import MailStanding
from tests.connectors.soap.conftest import NEW
from tests.connectors.standing import CALM_SECONDS, MARK, MOST_BYTES, SECONDS, WORDS, Standing
from tests.connectors.test_notify import TEXT
from tests.connectors.test_rest_contact import WRITTEN

WRONG_KEY = "wrong-" + "-".join(["11111111-2222-3333-4444-555555555555"] * 2)


def _opener(profile: Any, connect: dict[str, Any], right: str, wrong: str) -> Callable[..., Connector]:
    """Opens a connection of a shipped profile: what most products need."""
    root = Path(__file__).parents[2] / "connectors"

    def opened(**how: bool) -> Connector:
        limits = {"timeout_seconds": SECONDS if how.get("hurried") else CALM_SECONDS, "max_reply_bytes": MOST_BYTES}
        return open_connector(
            profile, {**connect, **limits}, interfaces=lambda name: (root / name).read_bytes(),
            clock=lambda: datetime.now(UTC), secret=lambda _: wrong if how.get("wrong") else right,
        )  # fmt: skip

    return opened


@contextmanager
def casework(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The case system: SOAP, WS-Security, tier B."""
    password = council.secrets["casework"]["password"]
    with FaultProxy(council.url, strikes=lambda _method, _path: True) as proxy:
        url = proxy.through(council.system("casework") + "/soap")
        login = {"ws_security": {"username": "dolen", "password": "env:X"}}
        yield Standing(
            "casework", "Referral",
            _opener(shipped("casework"), {"url": url, "login": login}, password, "not-the-password"),
            lambda text: {**copy.deepcopy(NEW), "Reason": text}, proxy, (password,),
            moving=frozenset({"ReferralId", "Version", "LastChanged", "ClientReference"}),
            exempt=TIER_B,
        )  # fmt: skip


@contextmanager
def contact(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """The contact centre: REST, OAuth2, tier A."""
    told = council.secrets["contact"]
    with FaultProxy(council.url, strikes=lambda _method, path: not path.endswith("/token")) as proxy:
        address = proxy.through(council.system("contact"))
        login = {"token_url": f"{address}/token", "client_id": told["client_id"], "client_secret": "env:X"}
        yield Standing(
            "contact", "Request",
            _opener(shipped("contact"), {"url": f"{address}/api", "login": {"oauth2": login}}, told["client_secret"],
                    "not-the-secret"),
            lambda text: {**copy.deepcopy(WRITTEN), "reason": {"code": None, "text": text}}, proxy,
            (told["client_secret"],),
            moving=frozenset({"id", "version", "changed_at", "external_reference"}),
            exempt=NO_CODES,
        )  # fmt: skip


@contextmanager
def notify(council: Council, shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """GOV.UK Notify through its own client: texts, tier B, nothing to walk through and nothing to change."""
    key = council.secrets["notify"]["api_key"]
    with FaultProxy(council.url, strikes=lambda _method, _path: True) as proxy:
        connect = {"url": proxy.through(council.system("notify")), "login": {"notify": {"api_key": "env:X"}}}
        yield Standing(
            "notify", "Text", _opener(shipped("notify"), connect, key, WRONG_KEY),
            lambda text: {**copy.deepcopy(TEXT), "personalisation": {"reference": text, "phone": "01632 960100"}},
            proxy, (key, key[-36:]),
            overlap=False, versioned=False,
            exempt={**TIER_B, **NO_CODES, **NOT_SHOWN},
        )  # fmt: skip


@contextmanager
def files(council: Council, _shipped: Callable[[str], Any]) -> Iterator[Standing]:
    """Extracts in CSV in a folder: nothing travels over HTTP, and nothing is written."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        drop = {"feed": "file-drop", "names": "referrals_*.csv", "format": "csv", "quiet_seconds": 0, "of": 3}
        record = {"item": {"id": "id", "modified": "changed"}, "required": ["surname"], "changes": drop}
        profile = {"system": "extract", "protocol": "files", "clock": "Europe/London", "records": {"Referral": record}}

        def put(*rows: tuple[str, str]) -> None:
            number = len(list(folder.iterdir()))
            lines = [f"{id},{text},2026-03-01T09:{number:02d}:00\n" for id, text in rows]
            written = folder / f"half-written_{number}"
            written.write_text("id,surname,changed\n" + "".join(lines), encoding="utf-8")
            written.rename(folder / f"referrals_{number:03d}.csv")

        def opened(**_: bool) -> Connector:
            return open_connector(
                profile, {"folder": str(folder)}, interfaces=NO_FILES.__getitem__,
                clock=lambda: datetime.now(UTC), secret=lambda _: "",
            )  # fmt: skip

        def fill(number: int) -> None:
            put(*((f"R{council.name}-{n}", MARK) for n in range(len(list(folder.iterdir())) * 100, number + 100)))

        yield Standing(
            "files", "Referral", opened, lambda text: {"surname": text}, None, fill=fill,
            change=lambda id, text: put((id, text)), overlap=False, versioned=False,
            exempt={
                **NO_CODES,
                "equal stamps at the boundary": "a walk starts from the files that were read, not from a moment",
                "a wrong login": "a folder of this machine has no login; SFTP's is held in tests/connectors/files",
            },
        )  # fmt: skip


_NOT_UNIQUE = "our key is kept, and not checked to be the only one: what is not sure is looked up first"
TIER_B = dict.fromkeys(("create twice", "create twice at once"), _NOT_UNIQUE)
NO_CODES = {"lists of codes": "the system tells no codes, and the profile names no list of them"}
_MADE_OF = "Notify shows the message that it made, and not the values that it was made from"
NOT_SHOWN = dict.fromkeys(("nothing is lost in a create", "a text that is too long"), _MADE_OF)
NO_FILES: dict[str, bytes] = {}

@dataclass(frozen=True)
class Peer:
    """One product: what gives its Standing, what its profile offers, and whether it is spoken to by HTTP or by mail."""

    stands: Callable[[Council, Callable[[str], Any]], AbstractContextManager[Standing]]
    offers: str
    http: bool = True
    mail: bool = False


PEERS = {
    "casework": Peer(casework, "changes fetch create update find"),
    "contact": Peer(contact, "changes fetch create update find"),
    "verint": Peer(verint, "changes fetch create update find"),
    "jadu": Peer(jadu, "changes fetch create update find"),
    "abavus": Peer(abavus, "create"),
    "mesh": Peer(mesh, "create find"),
    "sql": Peer(sql, "changes fetch", http=False),
    "notify": Peer(notify, "fetch create find"),
    "files": Peer(files, "changes", http=False),
    "dataverse": Peer(peers_platforms.dataverse, "changes fetch create update find"),
    "salesforce": Peer(peers_platforms.salesforce, "changes fetch create update find"),
    "open311": Peer(peers_platforms.open311, "changes fetch create update"),
    "health": Peer(peers_platforms.health, "changes fetch create update find"),
    "bars": Peer(peers_messages.bars, "create update"),
    "open-referral-uk": Peer(peers_messages.directory, "fetch"),
    "web-form": Peer(peers_messages.web_form, "", http=False),
    "by-hand": Peer(peers_people.by_hand, "create update", http=False),
    "secure-email": Peer(peers_people.secure_email, "create update", http=False, mail=True),
    "plain-email": Peer(peers_people.plain_email, "create words", http=False, mail=True),
}


def over_http(*offered: str) -> pytest.MarkDecorator:
    """Ask everybody who is spoken to over HTTP and offers one of these."""
    names = [name for name, peer in PEERS.items() if peer.http and set(offered) & set(peer.offers.split())]
    return pytest.mark.parametrize("standing", names, indirect=True, scope="module")


def by_mail() -> pytest.MarkDecorator:
    """Ask everybody who speaks to a mail server."""
    return pytest.mark.parametrize(
        "standing", [name for name, peer in PEERS.items() if peer.mail], indirect=True, scope="module"
    )


PEERS_LOG = "mail.log"  # of the mail server, which runs in this process and is no part of ours
MAIL_FAULTS = post_office.faults()
FAULTS = {**REFUSALS, **BEFORE, **AFTER}


@pytest.fixture(scope="module", params=PEERS)
def standing(
    request: pytest.FixtureRequest, sandbox: tuple[str, dict[str, Any]], _councils: Iterator[str], shipped: Any
) -> Iterator[Standing]:
    """One product with its peer behind the proxy."""
    url, secrets = sandbox
    name = next(_councils)
    with PEERS[request.param].stands(Council(name, url, secrets[name]), shipped) as one:
        assert one.connector.offers(one.kind) == set(PEERS[request.param].offers.split())
        yield one
        one.close()


@pytest.fixture(autouse=True)
def quiet(standing: Standing, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """No log line, of ours or of a library, holds a name or a secret."""
    caplog.set_level(logging.DEBUG)
    yield
    standing.calm()
    # What was said during the test itself: at this point `caplog.text` holds nothing of it any more.
    ours = [one for one in caplog.get_records("call") if not one.name.startswith(PEERS_LOG)]
    said = "\n".join(f"{one.getMessage()} {one.exc_info or ''}" for one in ours)
    for word in (*WORDS, *standing.secrets):
        assert word not in said


@pytest.mark.parametrize("check", [*READING, *WRITING], ids=lambda check: check.name)
def test_the_contract(standing: Standing, check: Check) -> None:
    """What a profile does not offer is not asked."""
    conformance.hold(standing, check)


@over_http("changes", "fetch", "find")
@pytest.mark.parametrize("name", FAULTS)
def test_reading(standing: Standing, name: str) -> None:
    conformance.read_under(standing, name, FAULTS[name])


@over_http("create")
@pytest.mark.parametrize("name", FAULTS)
def test_creating(standing: Standing, name: str) -> None:
    conformance.create_under(standing, name, FAULTS[name], may_be_done=name in AFTER)


@over_http("update")
@pytest.mark.parametrize("name", FAULTS)
def test_updating(standing: Standing, name: str) -> None:
    conformance.update_under(standing, name, FAULTS[name], may_be_done=name in AFTER)


PAGES = {"a page twice": Fault(repeats=True)} | {
    name: FAULTS[name]
    for name in ("status 401", "status 429", "status 503", "html before", "truncated", "cut short", "reset after")
}


@over_http("changes")
@pytest.mark.parametrize("name", PAGES)
def test_walking(standing: Standing, name: str) -> None:
    conformance.walk_under(standing, name, PAGES[name])


@pytest.mark.parametrize("standing", ["open-referral-uk"], indirect=True, scope="module")
@pytest.mark.parametrize("name", PAGES)
def test_listing(standing: Standing, name: str) -> None:
    conformance.list_under(standing, name, PAGES[name])


@pytest.mark.parametrize(
    "standing", [name for name, peer in PEERS.items() if "changes" in peer.offers], indirect=True, scope="module"
)
def test_changing_while_paging(standing: Standing) -> None:
    with standing.keeping("changed while paging"):
        conformance.changed_while_paging(standing)


@by_mail()
@pytest.mark.parametrize("name", MAIL_FAULTS)
def test_mailing(standing: MailStanding, name: str) -> None:
    mail_faults.send_under(standing, name, MAIL_FAULTS[name])


@by_mail()
def test_mailing_under_a_wrong_login(standing: MailStanding) -> None:
    mail_faults.refused_login(standing)


@pytest.mark.parametrize("standing", ["by-hand", "secure-email"], indirect=True, scope="module")
def test_handing_to_people(standing: Standing) -> None:
    conformance.handed_over(standing)


def test_every_exemption_has_a_reason_and_a_check(standing: Standing) -> None:
    faults = {**FAULTS, **PAGES}
    known = {check.name for check in (*READING, *WRITING)} | {"changed while paging"}
    known |= {f"mail: {name}" for name in MAIL_FAULTS}
    verbs = ("changes", "fetch", "find", "entries", "walk", "list", "create", "update")
    known |= {f"{verb}: {name}" for verb in verbs for name in faults}
    assert set(standing.exempt) <= known
    assert all(len(reason) > 20 for reason in standing.exempt.values())
