"""A desk for the pages' tests: a bench with something of everything, served on loopback by the real server.

One desk serves a whole file of tests: what they read is laid out once, and a test that changes something makes its own
referral.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from datetime import timedelta
from html import unescape
from typing import Any

import requests
from sqlalchemy import insert

from config.settings import Console as Settings
from connectors.errors import Rejected
from console import signin
from console.web.server import Console
from pipelines import composition, grants, seeing, sessions
from pipelines.decision import Decision, Do
from pipelines.rights import Officer, Role
from pipelines.roles import Holding, Roles
from pipelines.sending import Result
from pipelines.sessions import Limits, Person
from pipelines.tables import alert, reconciliation
from tests.pipelines.pieces import Bench

COUNCILS = ("blaenau-gwent", "neath-port-talbot", "torfaen")
ANN = Person("Ann Officer", "name ann@example.org", names=("ann@example.org",))
COOKIE = "dolen-session"
LIMITS = Limits(timedelta(days=1), timedelta(days=1))
#: What a stranger may have typed into a record: script, markup, marks that turn the line, a formula, a null.
HOSTILE = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>\u202e=HYPERLINK(\"x\")\x00{{7*7}}"


class Desk:
    """A bench behind the console's server. Whoever asks holds the roles that the test last named."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._stop = threading.Event()
        self._told = threading.Event()
        site = composition.load(bench.folder)
        console = Console(bench.plant, site, Settings(port=0), lambda *_: self._told.set(), who=ANN.who)
        self.url = console.address
        self._thread = threading.Thread(target=console.run, args=(self._stop,), name="console")
        self._thread.start()
        assert self._told.wait(20)
        self.holds(everybody())
        self.secret = sessions.open_session(bench.plant, ANN, LIMITS, how="link")

    def holds(self, holdings: tuple[Holding, ...]) -> None:
        """From now on, the officer of these tests holds these roles."""
        self.bench.plant.roles = Roles(holdings)

    def browser(self, language: str = "en", *, signed_in: bool = True) -> Browser:
        """A browser without a picture, that keeps cookies and fills in forms."""
        return Browser(self.url, language, self.secret if signed_in else "")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


class Browser:
    """Asks for pages and sends their forms, as a person's browser does."""

    def __init__(self, url: str, language: str, secret: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Origin"] = url
        if secret:
            self.session.cookies.set(COOKIE, secret)
        if language != "en":
            self.session.cookies.set("dolen_language", language)
        self.page = ""

    def get(self, path: str, status: int = 200) -> str:
        """A page."""
        return self._kept(self.session.get(self.url + path, timeout=20), status)

    def post(self, path: str, status: int = 200, **fields: Any) -> str:
        """A form, with the token of the page that was read last."""
        token = re.search(rf'name="{signin.FIELD}" value="([^"]+)"', self.page)
        given: Mapping[str, Any] = {signin.FIELD: unescape(token.group(1)) if token else "", **fields}
        return self._kept(self.session.post(self.url + path, data=given, timeout=20), status)

    def _kept(self, answer: requests.Response, status: int) -> str:
        assert answer.status_code == status, f"{answer.status_code}: {said(answer.text)[:2000]}"
        self.page = answer.text
        return answer.text


def said(html: str) -> str:
    """What a page says, without its markup and on one line."""
    body = html.partition("<main")[2].partition(">")[2].partition("</main>")[0] or html
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def everybody(*councils: str) -> tuple[Holding, ...]:
    """Every role for these councils, or for all."""
    return tuple(Holding(role, frozenset(councils or COUNCILS), names=frozenset(ANN.names)) for role in Role)


def as_role(role: Role, council: str = "torfaen") -> tuple[Holding, ...]:
    """One role for one council."""
    return (Holding(role, frozenset({council}), names=frozenset(ANN.names)),)


def lane(bench: Bench, target: str = "casework") -> str:
    return str(bench.rows("delivery", connection=target)[-1].lane)


def refused(bench: Bench, id: str, words: str = "the date is missing", **changes: Any) -> str:
    """One delivery that casework refused. Returns its id as people are shown it."""
    bench.take(bench.request(id, **changes))
    job = bench.job(lane(bench))
    assert bench.write(Result(job, error="Rejected", words=words, decision=Decision(Do.ATTENTION)))
    return f"d{job.row.id}"


def lay_out(bench: Bench, *, hostile: bool = True) -> None:
    """Something of everything that a page shows: arrived, waiting, not sure, refused, an unmapped code, a stranger's
    record, a record that cannot be read."""
    bench.take(bench.request("C-1"))
    bench.arrived(lane(bench), "881", minute=5)
    opened(bench)
    bench.take(bench.request("C-2"))
    refused(bench, "C-3", priority="emergency")
    bench.take(*(bench.request(f"C-{n}", priority="tomorrow") for n in (4, 5)))
    bench.take(bench.request("C-6"))
    bench.no_answer(lane(bench), 60)
    said, name = "the date is missing", "Evans"
    if hostile:
        said, name = Rejected(f"refused: {HOSTILE}").reason, HOSTILE.replace("\x00", "")
    refused(bench, "C-7", words=said, customer__last_name=name)
    compared(bench)
    alerted(bench)


def compared(bench: Bench) -> None:
    """A comparison of two ends that found something."""
    now = bench.clock.now()
    line = {"source": "C-1", "target": "881", "referral": "", "fields": [HOSTILE], "words": "", "kind": "Request"}
    found = {"different": [line], "doubt": ""}
    with bench.writing() as connection:
        connection.execute(
            insert(reconciliation).values(
                council="torfaen", route="contact-to-casework", at=now, begun=now, done=now, agrees=False,
                counts={"compared": 2, "different": 1}, findings=found,
            )
        )  # fmt: skip


def alerted(bench: Bench) -> None:
    """Two alerts that nobody has answered: of one council's cause, and of the site as a whole."""
    now = bench.clock.now()
    one = {"since": now, "newest": now, "opened": now, "seen": now, "urgent": True, "count": 2, "told": 1}
    cause = bench.rows("cause")[-1].fingerprint
    with bench.writing() as connection:
        connection.execute(insert(alert).values(
            name="n1", key="k1", kind="attention", council="torfaen", connection="casework", cause=cause,
            words=HOSTILE.replace("\x00", ""), **one,
        ))  # fmt: skip
        connection.execute(insert(alert).values(name="n2", key="k2", kind="clock", **one))


def opened(bench: Bench) -> None:
    """A restricted referral, which another officer has opened in an emergency."""
    bench.take(bench.request("C-9", flags__restricted=True))
    bob = Officer("Bob Operator", {"torfaen": frozenset({Role.OPERATOR})}, "name bob@example.org")
    grants.take(seeing.through(bench.plant, bob), "C-9", why=f"a child is in danger {HOSTILE}")


def torn(bench: Bench) -> None:
    """Two requests that may belong to either of two cases, where the contact centre is matched by NHS numbers."""
    nhs = {"customer__nhs_number": "9990000026"}
    bench.take(*(bench.case(f"77{n}", minute=n, Subject__NHSNumber="9990000026") for n in (1, 2)))
    for n in (31, 32):
        assert bench.states(bench.request(f"C-{n}", minute=n, **nhs)) == ["needs attention"]
