"""What a page asks about its caller: who it is, and whether a form came from a page of ours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request

from console.signin.entrance import Entrance
from pipelines import sessions
from pipelines.rights import Officer
from pipelines.secrets_held import derived, same

FIELD = "csrf"
HEADER = "X-CSRF-Token"
SCOPE = "dolen.entrance"
_PURPOSE = "csrf"


class Forged(HTTPException):
    """A request that changes something did not come from a page of ours. Nothing was done."""

    def __init__(self) -> None:
        super().__init__(403, "The request did not come from an open page of ours: reload the page and try again.")


def entrance(request: HTTPConnection) -> Entrance:
    """The entrance that `shielded` put beside the request."""
    found = request.scope[SCOPE]
    assert isinstance(found, Entrance)
    return found


def officer_of(request: Request) -> Officer | None:
    """Who is signed in, with the roles they have now; None for nobody. It reads the ledger: call it from a thread."""
    door = entrance(request)
    return sessions.officer_of(door.plant, door.session.of(request), door.limits)


def csrf_token(request: Request) -> str:
    """What a form of this session carries in its field `csrf`; "" where nobody is signed in."""
    held = entrance(request).session.of(request)
    return derived(held, _PURPOSE) if held else ""


def check_csrf(request: Request, form: Mapping[str, Any]) -> None:
    """Refuse what did not come from a page of ours in this session. Raises Forged."""
    given = form.get(FIELD) or request.headers.get(HEADER, "")
    expected = csrf_token(request)
    if not expected or not isinstance(given, str) or not same(given, expected) or not same_origin(request):
        raise Forged


def same_origin(request: Request) -> bool:
    """Whether the browser says that the request comes from our own pages. One that says nothing is not believed."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return False
    told = request.headers.get("origin") or request.headers.get("referer") or ""
    try:
        parts = urlsplit(told)
    except ValueError:
        return False
    address = entrance(request).settings.address
    if address is not None:
        ours = urlsplit(address)
        return (parts.scheme, parts.netloc.casefold()) == (ours.scheme, ours.netloc.casefold())
    return parts.scheme == "http" and parts.netloc.casefold() == request.headers.get("host", "").casefold()
