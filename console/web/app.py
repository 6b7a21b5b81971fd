"""The application: every door of every page opened behind one check of who asks, what for, and in which language.

Who is signed in is `console.signin`'s business; what an officer may see goes with the plant that a page is handed.
Whatever a page reads is read in a thread of a small pool, so that the pages never hold up what moves; more requests
than the pool can take in turn are asked to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from console import api, signin
from console.gauges import app as gauges
from console.web import forms, pages
from console.web.asked import Asked, NoSuchThing
from console.web.doors import Door, Doors
from console.web.forms import Form
from console.web.frame import ASSETS, Frame
from console.web.words import LANGUAGES, Language, Speech, language_of
from pipelines import seeing
from pipelines.logs import warn
from pipelines.plant import Plant
from pipelines.sight import NoSuch, NotAllowed, NotPossible

COOKIE = "dolen_language"
AT_ONCE, SLOW_AT_ONCE = 6, 2
_YEAR = 31_536_000


class NobodySignedIn(Exception):
    """It is not known who asks."""


class Busy(Exception):
    """More wait already than can be answered in time."""


class Line:
    """A few threads, and a bound on how many requests wait for one of them."""

    def __init__(self, at_once: int) -> None:
        self._at_once, self._in_hand = at_once, 0
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="page")

    async def run(self, view: Callable[[], Response]) -> Response:
        """Do it in a thread. Raises Busy."""
        if self._in_hand >= 5 * self._at_once:
            raise Busy
        self._in_hand += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, view)
        finally:
            self._in_hand -= 1

    def close(self) -> None:
        """Let what is in hand end."""
        self._pool.shutdown()


class Assets(StaticFiles):
    """Shipped files. One that is asked for by what is in it may be kept for ever."""

    async def get_response(self, path: str, scope: Any) -> Response:
        """The file, with how long it may be kept."""
        response = await super().get_response(path, scope)
        if response.status_code == 200 and b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
        return response


def application(plant: Plant, *, language: Language = "en", opened: Sequence[Doors] = pages.ALL) -> FastAPI:
    """The pages of a site, to be served within `signin.shielded`."""
    app = FastAPI(title="Dolen", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.frame = Frame(opened, language)
    app.state.lines = {False: Line(AT_ONCE), True: Line(SLOW_AT_ONCE)}
    for one in opened:
        for door in one:
            methods = ["GET", "HEAD"] if door.method == "GET" else [door.method]
            app.router.add_route(door.path, _behind(door, plant), methods=methods, include_in_schema=False)
    app.router.add_route("/language/{language}", _switch, methods=["GET"], include_in_schema=False)
    app.router.routes.extend(signin.routes())
    app.router.routes.extend(gauges.routes(plant))
    app.mount("/api/v1", api.application())
    app.mount("/assets", Assets(directory=ASSETS))
    app.add_exception_handler(HTTPException, _not_there)
    return app


def _behind(door: Door, plant: Plant) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form: Form = {}
        speech = _speech(request)
        try:
            if door.method == "POST":
                form = await forms.read(request)
                signin.check_csrf(request, {name: values[0] for name, values in form.items()})
                speech = _speech(request, form.get("_language", ("",))[0])
            line: Line = request.app.state.lines[door.slow]
            response = await line.run(lambda: _view(door, plant, request, form, speech))
        except Exception as fault:
            return _told(request, speech, door, fault)
        if "_language" in form:
            _keep(request, response, speech.language)
        return response

    return answer


def _view(door: Door, plant: Plant, request: Request, form: Form, speech: Speech) -> Response:
    officer = signin.officer_of(request)
    if officer is None:
        raise NobodySignedIn
    seen = seeing.through_or_refuse(plant, officer, door.right)
    return door.view(Asked(request, seen, officer, door, tuple(sorted(seen.councils)), speech, form))


def _told(request: Request, speech: Speech, door: Door, fault: Exception) -> Response:
    """What went otherwise, as a page in plain words."""
    match fault:
        case Busy():
            return _message(request, speech, "busy", 503)
        case NobodySignedIn():
            return _message(request, speech, "nobody", 401, link=f"/sign-in?next={quote(request.url.path)}")
        case NotAllowed():
            return _message(request, speech, "not_allowed", 403, str(fault))
        case NoSuchThing() | NoSuch():
            return _message(request, speech, "not_found", 404)
        case signin.Forged():
            return _message(request, speech, "forged", 403)
        case forms.BadForm():
            return _message(request, speech, "bad_form", fault.status)
        case ClientDisconnect():
            return Response(status_code=400)
        case NotPossible():
            return _message(request, speech, "not_possible", 409, str(fault))
        case HTTPException():
            return _message(request, speech, "bad_form", fault.status_code)
    warn("page_fault", error=type(fault).__name__, place=door.page)  # its own words may hold somebody's data
    return _message(request, speech, "fault", 500)


def _speech(request: Request, asked: str = "") -> Speech:
    kept = language_of(request.cookies.get(COOKIE), request.app.state.frame.language)
    return Speech(language_of(asked, kept))


def _message(
    request: Request, speech: Speech, name: str, status: int, words: str = "", *, link: str = "/"
) -> Response:
    response = HTMLResponse(request.app.state.frame.message(request, speech, name, words, link=link), status)
    if status == 503:
        response.headers["Retry-After"] = "2"
    return response


def notice(request: Request, said: signin.Notice) -> Response:
    """What signing in and out has to say, in the pages' own dress."""
    speech = _speech(request)
    words, go = (said.cy, said.go_cy) if speech.language == "cy" else (said.en, said.go_en)
    html = request.app.state.frame.notice(request, speech, words, said.link, go)
    return HTMLResponse(html, said.status, {"Retry-After": str(said.after)} if said.after else {})


async def _not_there(request: Request, fault: Exception) -> Response:
    """What no door leads to, or not in this way."""
    status = getattr(fault, "status_code", 404)
    return _message(request, _speech(request), "not_found" if status in (404, 405) else "bad_form", status)


async def _switch(request: Request) -> Response:
    """Keep a language, and go back to where the officer was: to a page of ours and nowhere else."""
    language, to = request.path_params["language"], request.query_params.get("to", "/")
    if language not in LANGUAGES:
        return _message(request, _speech(request), "not_found", 404)
    ours = to.startswith("/") and not to.startswith("//") and to.isprintable() and "\\" not in to
    response = RedirectResponse(to if ours else "/", 303)
    _keep(request, response, language)
    return response


def _keep(request: Request, response: Response, language: str) -> None:
    response.set_cookie(COOKIE, language, max_age=_YEAR, httponly=True, samesite="lax", path="/",
                        secure=request.url.scheme == "https")  # fmt: skip
