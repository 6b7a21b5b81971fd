"""What the tests of access share: a site with roles, a provider, and pages behind the entrance, all over real sockets.

They are made once a module; each test signs in with a browser of its own. Only the clock is moved by hand.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from console.signin import Entrance
from console.signin.entrance import entrance_of
from pipelines import composition
from pipelines.clock import to_instant
from tests.access.pages import Browser, free_socket, served, whole
from tests.access.provider import CLIENT, SECRET, Provider, serving
from tests.found import as_asked
from tests.pipelines.pieces import ENVIRONMENT, Bench
from tests.pipelines.pieces import bench as bench
from tests.pipelines.pieces import site_folder as site_folder

ROOT = Path(__file__).parents[2]
#: Two councils, every role, by group and by name.
ROLES = """
access:
  address: {address}
  behind: [10.9.8.7]
  roles:
    - {{role: viewer, councils: [torfaen], groups: [look]}}
    - {{role: operator, councils: [torfaen], groups: [operate], names: [op@example.org, second@example.org]}}
    - {{role: operator, councils: [blaenau-gwent], groups: [operate-bg], names: [bg@example.org]}}
    - {{role: case-reader, councils: [torfaen], groups: [read], names: [reader@example.org]}}
    - {{role: code-list-owner, councils: [torfaen], groups: [codes]}}
    - {{role: data-protection, councils: [torfaen], groups: [protect], names: [dp@example.org, dp2@example.org]}}
    - {{role: administrator, councils: [torfaen], groups: [run], names: [admin@example.org]}}
    - {{role: viewer, councils: [all], names: [everywhere@example.org]}}
  sign_in:
    idle: PT30M
    longest: PT10H
    openid: {{issuer: "{issuer}", client: {client}, secret: "env:OPENID", name: email}}
"""


@dataclass
class House:
    """The site, its provider, and its pages."""

    bench: Bench
    provider: Provider
    entrance: Entrance
    address: str

    def browser(self) -> Browser:
        """A browser that has never been here."""
        return Browser(self.address)

    def signed_in(self, name: str, *groups: str) -> Browser:
        """A browser in which somebody signed in."""
        browser = self.browser()
        self.provider.person = {"email": name, "groups": list(groups)}
        assert browser.at("/sign-in").status_code == 200
        assert browser.home()["who"] == name
        return browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example site, copied."""
    folder = tmp_path_factory.mktemp("access") / "site"
    shutil.copytree(ROOT / "config" / "example", folder)
    with as_asked(folder):
        yield folder


@pytest.fixture(scope="module")
def house(site: Path) -> Iterator[House]:
    """Everything, running."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    clock: list[Callable[[], int]] = [lambda: 0]
    bound = free_socket()
    address = f"http://127.0.0.1:{bound.getsockname()[1]}"
    with serving(lambda: clock[0]()) as provider:
        file = site / "config" / "dolen.yaml"
        roles = ROLES.format(address=address, issuer=provider.url, client=CLIENT)
        file.write_text(file.read_text(encoding="utf-8") + roles, encoding="utf-8")
        bench = Bench(site)
        clock[0] = lambda: int(to_instant(bench.clock.at).timestamp())
        entrance = entrance_of(composition.load(site), bench.plant, environment={**ENVIRONMENT, "OPENID": SECRET})
        with served(whole(entrance), bound) as told:
            yield House(bench, provider, entrance, told)
        bench.plant.close()
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def _honest(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "house" in request.fixturenames:
        found: House = request.getfixturevalue("house")
        found.provider.restore()
        found.entrance.tries.__init__()  # type: ignore[misc]
