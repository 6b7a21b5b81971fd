"""TLS everywhere, checked as an attacker would: nothing is said to a server that is not who it should be.

Systems over HTTP have theirs in tests/connectors/http/test_tls.py. Here are the broker, the ledger and the mail server,
each before a real node or listener, with certificates that are expired, of another name, of nobody's authority, and
with TLS 1.1. Found so: py-amqp alone takes a certificate of another name, and PostgreSQL's client speaks in clear
where it is not told otherwise.
"""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme
import uvicorn
from sqlalchemy import make_url, text

from config.access import Access, OpenId, SignIn, access_problems
from config.documents import read_yaml
from config.findings import SiteFaults
from connectors import announcing, registry
from connectors.errors import Misconfigured, Unreachable
from connectors.scanner import Scanner
from connectors.secure_email import EmailConnector
from console.signin.openid import Provider
from console.signin.proved import Away, NoAuthorities, NotTrusted
from pipelines import composition, wire_checks
from pipelines.clock import SystemClock
from pipelines.databases import in_clear, open_engine
from pipelines.ledger import LedgerFault
from pipelines.secrets_held import derived
from pipelines.wakeups import BrokerAway, Publisher, WakeUp
from tests.access import provider
from tests.doors.tls_front import BAD, context, front

pytest_plugins = ["tests.on_servers", "tests.authorities"]
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


pytestmark = pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")  # serving it is the point


def test_a_broker_whose_certificate_is_good(rabbitmq: str, authority: trustme.CA, bundle: Path) -> None:
    parts = urlsplit(rabbitmq)
    with front(parts.port, context(authority)) as (port, heard):
        address = f"amqps://{parts.username}:{parts.password}@localhost:{port}{parts.path}?ca_bundle={bundle}"
        publisher = Publisher(address)
        publisher.publish([WakeUp("torfaen", "casework")])
        publisher.close()
        assert any(b"casework" in said for said in heard)


@pytest.mark.parametrize("how", BAD)
def test_a_broker_that_is_not_who_it_should_be_hears_no_login(authority: trustme.CA, bundle: Path, how: str) -> None:
    with front(None, context(authority, how)) as (port, heard):
        with pytest.raises(BrokerAway):
            Publisher(f"amqps://dolen:a-secret@localhost:{port}/dolen?ca_bundle={bundle}")
        assert heard == []


def test_no_option_in_a_brokers_url_weakens_it(authority: trustme.CA, bundle: Path) -> None:
    weak = "ssl_cert_reqs=CERT_NONE&cert_reqs=none&ssl_check_hostname=false"
    with front(None, context(authority, "another name")) as (port, heard):
        with pytest.raises(BrokerAway):
            Publisher(f"amqps://dolen:a-secret@localhost:{port}/dolen?{weak}&ca_bundle={bundle}")
        assert heard == []


def ledger(url: str) -> Any:
    return open_engine(url, setting="ledger.url", fault=LedgerFault)


def test_a_ledger_whose_certificate_is_good(postgresql: str, authority: trustme.CA, bundle: Path) -> None:
    url = make_url(postgresql)
    with front(url.port, context(authority), postgresql=True) as (port, _):
        safe = url.set(host="localhost", port=port).update_query_dict(
            {"sslmode": "verify-full", "sslrootcert": str(bundle)}
        )
        engine = ledger(safe.render_as_string(hide_password=False))
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
        engine.dispose()


@pytest.mark.parametrize("how", BAD)
def test_a_ledger_that_is_not_who_it_should_be_hears_nothing(authority: trustme.CA, bundle: Path, how: str) -> None:
    with front(None, context(authority, how), postgresql=True) as (port, heard):
        engine = ledger(f"postgresql://dolen:x@localhost:{port}/dolen?sslmode=verify-full&sslrootcert={bundle}")
        with pytest.raises(Exception, match="OperationalError"):
            engine.connect()
        engine.dispose()
        assert heard == []


@pytest.mark.parametrize(
    ("url", "mode", "clear"),
    [
        ("postgresql://db.example.org/dolen", "verify-full", False),
        ("postgresql://db.example.org/dolen?sslmode=require", "require", True),
        ("postgresql://db.example.org/dolen?sslmode=disable", "disable", True),
        ("postgresql://db.example.org/dolen?sslmode=verify-ca&sslrootcert=/etc/ca.pem", "verify-ca", False),
        ("postgresql://127.0.0.1/dolen", None, False),
        ("postgresql:///dolen?host=/run/postgresql", None, False),
        ("postgresql://127.0.0.1/dolen?host=db.example.org&sslmode=prefer", "prefer", True),
    ],
)
def test_a_ledger_elsewhere_is_verified_unless_it_is_told_otherwise(url: str, mode: str | None, clear: bool) -> None:
    engine = ledger(url)
    assert engine.url.query.get("sslmode") == mode
    assert bool(in_clear(make_url(url))) is clear


def mail(port: int, bundle: Path, security: str) -> EmailConnector:
    told = {
        "host": "localhost", "port": port, "security": security, "from": "dolen@example.org",
        "to": ["office@example.org"],
        "ca_bundle": str(bundle), "timeout_seconds": 3,
        "login": {"username": "dolen", "password": "env:MAIL"},
    }  # fmt: skip
    profile = read_yaml(ROOT / "connectors/profiles/secure-email.yaml").data
    made = registry.open_connector(
        profile, told, interfaces=lambda _: b"", clock=lambda: NOW, secret=lambda _: "a-secret"
    )
    assert isinstance(made, EmailConnector)
    return made


@pytest.mark.parametrize("how", BAD)
def test_a_mail_server_that_is_not_who_it_should_be_hears_nothing(
    authority: trustme.CA, bundle: Path, how: str
) -> None:
    with front(None, context(authority, how)) as (port, heard):
        found = mail(port, bundle, "tls").doctor()
        assert [one.well for one in found] == [False]
        assert heard == []


@pytest.mark.parametrize("how", BAD)
def test_who_takes_alerts_and_is_not_who_it_should_be_is_told_nothing(
    authority: trustme.CA, bundle: Path, how: str
) -> None:
    with front(None, context(authority, how)) as (port, heard):
        server = {"host": "localhost", "port": port, "security": "tls", "from": "dolen@example.org",
                  "login": {"username": "dolen", "password": "env:MAIL"}, "ca_bundle": str(bundle)}  # fmt: skip
        sender = announcing.mailer(server, ["duty@example.org"], clock=lambda: NOW, secret=lambda _: "a-secret")
        with pytest.raises(Unreachable):
            sender.announce("three wait", "three wait for casework", id="n1")
        with pytest.raises(Unreachable):
            way = {"ca_bundle": str(bundle), "private_network": True}
            announcing.post(f"https://localhost:{port}/room", b'{"alerts": []}', secret="a-secret", way=way)
        assert heard == []


@pytest.fixture(scope="module")
def honest() -> Iterator[tuple[provider.Provider, int]]:
    """A provider that speaks in clear behind a front, and its port."""
    with provider.serving(lambda: int(SystemClock().instant().timestamp())) as made:
        yield made, urlsplit(made.url).port or 0


HELD = "what the browser holds"


def signing_in(issuer: str, bundle: Path, secret: str = "a-secret") -> Provider:
    settings = OpenId(
        issuer=issuer, client=provider.CLIENT, secret="env:OPENID", name="email", ca_bundle=bundle.name
    )
    back = "https://dolen.example.org/sign-in/back"
    return Provider(settings, secret, back, clock=SystemClock(), beside=bundle.parent)


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority that vouches for nobody here."""
    file = tmp_path_factory.mktemp("strange") / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(file))
    return file


def test_a_provider_behind_the_councils_own_authority_signs_staff_in(
    honest: tuple[provider.Provider, int],
    authority: trustme.CA,
    bundle: Path,
    strange: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All the way: its page, its place for tokens, its keys. What the environment names beside it does not count."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(strange))
    there, behind = honest
    with front(behind, context(authority)) as (port, _):
        there.url = f"https://localhost:{port}"
        made = signing_in(there.url, bundle, provider.SECRET)
        parts = urlsplit(made.away(HELD))
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        back = urlsplit(there.authorise(asked))
        there.person = {"email": "a.evans@example.org"}
        told = {name: values[0] for name, values in parse_qs(back.query).items()}
        assert made.back(HELD, told).name == "a.evans@example.org"
    there.restore()


def test_a_provider_whom_another_authority_vouches_for_is_not_trusted_and_that_is_said(
    honest: tuple[provider.Provider, int],
    authority: trustme.CA,
    bundle: Path,
    strange: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))  # the right one, and not the one that the settings name
    there, behind = honest
    with front(behind, context(authority)) as (port, heard):
        there.url = f"https://localhost:{port}"
        with pytest.raises(NotTrusted, match=r"certificate is not accepted.*ca_bundle.*nothing was sent"):
            signing_in(there.url, strange).away(HELD)
        strangers = signing_in(there.url, bundle)
        strangers.away(HELD)
        told = {"state": derived(HELD, "state"), "code": "c", "iss": there.url}
        strangers._trusted = str(strange)  # its page is known by now: only its place for tokens is asked
        heard.clear()
        with pytest.raises(NotTrusted):
            strangers.back(HELD, told)
        assert heard == []
    there.restore()


@pytest.mark.parametrize("what", ["not there", "no certificates"])
def test_a_file_of_authorities_that_cannot_be_read_asks_nobody_and_check_says_so(
    what: str, authority: trustme.CA, tmp_path: Path
) -> None:
    file = tmp_path / "ca.pem"
    if what == "no certificates":
        file.write_text("not a certificate\n", encoding="utf-8")
    with front(None, context(authority)) as (port, heard):
        with pytest.raises(NoAuthorities if what == "not there" else Away, match="ca_bundle"):
            signing_in(f"https://localhost:{port}", file).away(HELD)
        assert heard == []
    openid = OpenId(issuer="https://idp.example.org", client="dolen", ca_bundle="ca.pem")
    access = Access(address="https://dolen.example.org", sign_in=SignIn(openid=openid))
    (problem,) = access_problems(access, "test", [], beside=tmp_path)
    assert problem.path == ("access", "sign_in", "openid", "ca_bundle")
    authority.cert_pem.write_to_path(str(file))
    assert list(access_problems(access, "test", [], beside=tmp_path)) == []


@pytest.mark.parametrize("how", BAD)
def test_a_provider_that_is_not_who_it_should_be_signs_nobody_in_and_hears_no_secret(
    honest: tuple[provider.Provider, int],
    authority: trustme.CA,
    bundle: Path,
    how: str,
) -> None:
    there, behind = honest
    with front(None, context(authority, how)) as (port, heard), front(behind, context(authority)) as (good, _):
        with pytest.raises(Away):
            signing_in(f"https://localhost:{port}", bundle).away(HELD)
        there.url = f"https://localhost:{good}"  # its page is honest, and names a place for tokens that is not
        there.metadata = lambda told: {**told, "token_endpoint": f"https://localhost:{port}/token"}
        with pytest.raises(Away):
            told = {"state": derived(HELD, "state"), "code": "c", "iss": there.url}
            signing_in(there.url, bundle).back(HELD, told)
        there.restore()
        assert heard == []


# --- What a site may not say ------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Any]:
    def site(*changes: tuple[str, str], stage: str = "live") -> Any:
        folder = Path(shutil.copytree(ROOT / "config/example", tmp_path / "site", dirs_exist_ok=True))
        file = folder / "config/dolen.yaml"
        text = (ROOT / "config/example/config/dolen.yaml").read_text(encoding="utf-8")
        for old, new in (("stage: test", f"stage: {stage}"), ('residents_only_to: ["+447700900*"]\n', ""), *changes):
            assert old in text
            text = text.replace(old, new)
        file.write_text(text, encoding="utf-8")
        return composition.load(folder)

    return site


BROKER, LEDGER = '"memory://"', '"sqlite:///ledger.db"'


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        (BROKER, '"amqp://broker.example.org/dolen"', "broker.url"),
        (BROKER, '"redis://broker.example.org/0"', "broker.url"),
        (BROKER, '"amqps://broker.example.org/dolen"', ""),
        (BROKER, '"amqp://127.0.0.1/dolen"', ""),
        (BROKER, "env:BROKER", "broker.url"),
        (LEDGER, '"postgresql://db.example.org/dolen?sslmode=require"', "ledger.url"),
        (LEDGER, '"postgresql://db.example.org/dolen"', ""),
    ],
)
def test_a_live_site_speaks_to_no_other_machine_in_clear(site: Any, old: str, new: str, key: str) -> None:
    made = site((old, new))
    environment = {"BROKER": "amqp://dolen:a-secret@broker.example.org/dolen"}
    found = list(wire_checks.check(made, environment))
    assert [one.key for one in found] == ([key] if key else [])
    assert "a-secret" not in str(found)
    if key:
        with pytest.raises(SiteFaults, match="encrypted"):
            composition.build(made, environment=environment)
    assert all(
        one.severity.value == "warning" for one in wire_checks.check(site((old, new), stage="test"), environment)
    )


def test_a_scanner_on_another_machine_is_refused() -> None:
    with pytest.raises(Misconfigured, match="must not travel in clear"):
        Scanner("tcp://scanner.example.org:3310")


def test_our_own_listener_takes_no_old_tls(authority: trustme.CA, tmp_path: Path) -> None:
    """The listener hands certificate and key to uvicorn, and this is the context that uvicorn makes of them."""
    mine, key = tmp_path / "mine.pem", tmp_path / "key.pem"
    issued = authority.issue_cert("localhost")
    mine.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    served = uvicorn.Config(lambda: None, ssl_certfile=str(mine), ssl_keyfile=str(key), log_config=None)
    served.load()
    assert served.ssl is not None
    assert served.ssl.minimum_version >= ssl.TLSVersion.TLSv1_2
