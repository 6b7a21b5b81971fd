"""The addresses of signing in and out: away to the provider and back, the link that works once, and out."""

from __future__ import annotations

import base64
import binascii

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from console.signin.asked import Forged, check_csrf, entrance
from console.signin.entrance import Entrance
from console.signin.notices import AGAIN, PROVIDER_TOO, notice
from console.signin.proved import Away, Proved, Refused
from pipelines import sessions
from pipelines.grants import identity_of
from pipelines.logs import log, warn
from pipelines.sight import NotPossible

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
_LONGEST_PATH = 500


def routes() -> list[BaseRoute]:
    """The addresses, for an application that `shielded` wraps."""
    return [
        Route(SIGN_IN, _sign_in, methods=["GET"]),
        Route("/sign-in/back", _back, methods=["GET"]),
        Route("/sign-in/link/{secret}", _link, methods=["GET"]),
        Route(SIGN_OUT, _out, methods=["POST"]),
    ]


def _sign_in(request: Request) -> Response:
    door = entrance(request)
    if wait := door.tries.begins(_address(request)):
        return door.page(request, notice("too often", after=wait))
    if door.provider is None:
        return door.page(request, notice("link only"))
    secret = sessions.begin(door.plant)
    try:
        response = RedirectResponse(door.provider.away(secret), 303)
    except Away as fault:
        warn("sign_in_away", error=type(fault).__name__)
        return door.page(request, notice("away", link=SIGN_IN, go=AGAIN))
    door.begun.set(response, f"{secret}.{_packed(request.query_params.get('next', ''))}")
    return response


def _back(request: Request) -> Response:
    door = entrance(request)
    if door.provider is None:
        return door.page(request, notice("link only"))
    if wait := door.tries.begins(_address(request)):
        return door.page(request, notice("too often", after=wait))
    secret, _, packed = door.begun.of(request).partition(".")
    if not secret or not sessions.come_back(door.plant, secret):
        return _refuse(request, door, Refused("not begun here, or back before"))
    try:
        person = _person(door, door.provider.back(secret, dict(request.query_params)))
    except Refused as fault:
        return _refuse(request, door, fault)
    except Away as fault:
        warn("sign_in_away", error=type(fault).__name__)
        return door.page(request, notice("away", link=SIGN_IN, go=AGAIN))
    return _let_in(request, door, person, how="provider", to=_unpacked(packed))


def _link(request: Request) -> Response:
    door = entrance(request)
    if wait := door.tries.begins(_address(request)):
        return door.page(request, notice("too often", after=wait))
    person = sessions.use_link(door.plant, request.path_params["secret"]) if door.provider is None else None
    if person is None:
        door.tries.failed(_address(request))
        return door.page(request, notice("used"))
    return _let_in(request, door, person, how="link", to="")


async def _out(request: Request) -> Response:
    door = entrance(request)
    async with request.form(max_files=0, max_fields=20) as form:
        try:
            check_csrf(request, form)
        except Forged:
            return door.page(request, notice("forged", link=door.home, go=("Dolen", "Dolen")))
    return await run_in_threadpool(_signed_out, request, door)


def _signed_out(request: Request, door: Entrance) -> Response:
    sessions.end_session(door.plant, door.session.of(request))
    link, go = SIGN_IN, AGAIN
    if door.provider is not None and (away := door.provider.out(f"{door.settings.address}{SIGN_IN}")):
        link, go = away, PROVIDER_TOO
    response = door.page(request, notice("signed out", link=link, go=go))
    door.session.drop(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _let_in(request: Request, door: Entrance, person: sessions.Person, *, how: str, to: str) -> Response:
    opened = sessions.open_session(
        door.plant, person, door.limits, instead_of=door.session.of(request), how=how
    )
    officer = sessions.officer_of(door.plant, opened, door.limits)
    if officer is None or not officer.roles:
        sessions.end_session(door.plant, opened)
        response = door.page(request, notice("no roles"))
        door.session.drop(response)
    else:
        log("signed_in")
        response = RedirectResponse(to or door.home, 303)
        door.session.set(response, opened)
    door.begun.drop(response)
    return response


def _person(door: Entrance, proved: Proved) -> sessions.Person:
    names, groups = sessions.names_worth_keeping(door.plant, [proved.name], proved.groups)
    try:
        identity = identity_of(f"name {proved.name}")
    except NotPossible:
        raise Refused("no name") from None
    return sessions.Person(proved.name, identity, tuple(names), tuple(groups))


def _refuse(request: Request, door: Entrance, fault: Refused) -> Response:
    door.tries.failed(_address(request))
    warn("sign_in_refused", outcome=fault.what)
    response = door.page(request, notice("refused", link=SIGN_IN, go=AGAIN))
    door.begun.drop(response)
    return response


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _packed(path: str) -> str:
    return base64.urlsafe_b64encode(path.encode()).decode() if _is_ours(path) else ""


def _unpacked(packed: str) -> str:
    try:
        path = base64.urlsafe_b64decode(packed.encode()).decode()
    except (binascii.Error, ValueError):
        return ""
    return path if _is_ours(path) else ""


def _is_ours(path: str) -> bool:
    """Whether a path leads to a page of ours: browsers take `//host` and a backslash for other hosts."""
    plain = path.isascii() and path.isprintable() and "\\" not in path and len(path) <= _LONGEST_PATH
    return plain and path.startswith("/") and not path.startswith("//")
