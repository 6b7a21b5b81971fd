"""The entrance of one site: its settings, its provider, its cookies, and how often a stranger may try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from config.access import Access
from config.site import Site
from console.signin.notices import Notice, plain
from console.signin.tries import Tries
from pipelines import roles, sessions
from pipelines.plant import Plant

if TYPE_CHECKING:
    from console.signin.openid import Provider

Page = Callable[[Request, Notice], Response]


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie of ours. With TLS its name says to the browser that nobody but this host may set it."""

    name: str
    secure: bool
    seconds: int | None = None  # None: until the browser is closed

    def set(self, response: Response, value: str) -> None:
        """Have the browser hold a value: never shown to scripts, never sent along by another site's form."""
        response.set_cookie(
            self.name, value, max_age=self.seconds, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def drop(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="lax")

    def of(self, request: Request) -> str:
        """What the browser sent, "" for nothing."""
        return request.cookies.get(self.name, "")


class Entrance:
    """Where staff come in. Made once; safe to share between threads.

    `page` shows a notice (signed out, refused) in the pages' own dress; without one it is plain. `beside`: the site's
    folder.
    """

    def __init__(
        self,
        plant: Plant,
        settings: Access,
        *,
        openid_secret: str | None = None,
        beside: Path = Path(),
        page: Page = plain,
        home: str = "/",
    ) -> None:
        self.plant = plant
        self.settings = settings
        self.page = page
        self.home = home
        self.secure = (settings.address or "").startswith("https://")
        self.limits = sessions.Limits(settings.sign_in.idle, settings.sign_in.longest)
        prefix = "__Host-" if self.secure else ""
        self.session = Cookie(f"{prefix}dolen-session", self.secure)
        self.begun = Cookie(f"{prefix}dolen-begun", self.secure, sessions.BEGUN_SECONDS)
        self.tries = Tries()
        self.behind = frozenset(settings.behind)
        self.provider: Provider | None = None
        if settings.sign_in.openid is not None:
            from console.signin.openid import Provider  # 10 MB that a site without a provider need not hold

            back = f"{settings.address or ''}/sign-in/back"
            self.provider = Provider(settings.sign_in.openid, openid_secret, back, clock=plant.clock, beside=beside)

    @property
    def host(self) -> str:
        """The one host that requests name, as they write it; "" where any name of this machine will do."""
        return urlsplit(self.settings.address or "").netloc.casefold()

    def link(self, address: str, who: str) -> str:
        """A link that signs in whoever started the pages: once, within ten minutes. Raises OSError."""
        return f"{address}/sign-in/link/{sessions.make_link(self.plant, roles.account(), who)}"


def entrance_of(
    site: Site, plant: Plant, *, page: Page = plain, environment: Mapping[str, str] | None = None
) -> Entrance:
    """The entrance that a site's settings describe. Raises SecretMissing."""
    openid = site.settings.access.sign_in.openid
    secret = site.secret(openid.secret, environment) if openid is not None and openid.secret is not None else None
    return Entrance(plant, site.settings.access, openid_secret=secret, beside=site.root, page=page)
