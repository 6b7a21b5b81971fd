"""The application: every door of every page opened behind one check of who asks, what for, and in which language.

Whatever a page reads is read in a thread of a small pool, so that the pages never hold up what moves; more requests
than the pool can take in turn are asked to come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from console.web import forms, pages, who
from console.web.asked import Asked, NoSuchThing, NotAllowed
from console.web.doors import Door, Doors
from console.web.forms import CookieTokens
from console.web.frame import ASSETS, Frame
from console.web.headers import Headers
from console.web.who import NobodySignedIn, Who
from console.web.words import LANGUAGES, Language, Speech, language_of
from pipelines.logs import warn
from pipelines.looking import NotPossible
from pipelines.plant import Plant

COOKIE = "dolen_language"
AT_ONCE, SLOW_AT_ONCE = 6, 2
_YEAR = 31_536_000


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


def application(
    plant: Plant, *, who: Who = who.nobody, language: Language = "en", opened: Sequence[Doors] = pages.ALL
) -> FastAPI:
    """The pages of a site. `who` says which officer a request comes from; left out, nobody is let in."""
    app = FastAPI(title="Dolen", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.who = who
    app.state.tokens = CookieTokens()
    app.state.frame = Frame(opened, language)
    app.state.lines = {False: Line(AT_ONCE), True: Line(SLOW_AT_ONCE)}
    for one in opened:
        for door in one:
            methods = ["GET", "HEAD"] if door.method == "GET" else [door.method]
            app.router.add_route(door.path, _behind(door, plant), methods=methods, include_in_schema=False)
    app.router.add_route("/language/{language}", _switch, methods=["GET"], include_in_schema=False)
    app.mount("/assets", StaticFiles(directory=ASSETS))
    app.add_exception_handler(HTTPException, _not_there)
    app.add_middleware(Headers)
    return app


def _behind(door: Door, plant: Plant) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        state = request.app.state
        form: dict[str, tuple[str, ...]] = {}
        speech = _speech(request)
        try:
            if door.method == "POST":
                form = dict(await forms.read(request))
                forms.check(request, form)
                speech = _speech(request, form.get("_language", ("",))[0])
            line: Line = state.lines[door.slow]
            response = await line.run(lambda: _view(door, plant, request, form, speech))
        except Busy:
            return _message(request, speech, "busy", 503)
        except NobodySignedIn:
            return _message(request, speech, "nobody", 401)
        except NotAllowed:
            return _message(request, speech, "not_allowed", 403)
        except NoSuchThing:
            return _message(request, speech, "not_found", 404)
        except forms.Forged:
            return _message(request, speech, "forged", 403)
        except forms.BadForm as fault:
            return _message(request, speech, "bad_form", fault.status)
        except ClientDisconnect:
            return Response(status_code=400)
        except NotPossible as fault:
            return _message(request, speech, "not_possible", 409, str(fault))
        except Exception as fault:  # of ours: its own words may hold somebody's data
            warn("page_fault", error=type(fault).__name__, place=door.page)
            return _message(request, speech, "fault", 500)
        state.tokens.remember(request, response)
        if "_language" in form:
            _keep(request, response, speech.language)
        return response

    return answer


def _view(
    door: Door, plant: Plant, request: Request, form: dict[str, tuple[str, ...]], speech: Speech
) -> Response:
    officer = who.officer(request)
    councils = tuple(code for code in officer.councils(door.right) if code in plant.councils)
    if not councils:
        raise NotAllowed
    return door.view(Asked(request, plant, officer, door, councils, speech, form))


def _speech(request: Request, asked: str = "") -> Speech:
    kept = language_of(request.cookies.get(COOKIE), request.app.state.frame.language)
    return Speech(language_of(asked, kept))


def _message(request: Request, speech: Speech, name: str, status: int, words: str = "") -> Response:
    response = HTMLResponse(request.app.state.frame.message(request, speech, name, words), status)
    if status == 503:
        response.headers["Retry-After"] = "2"
    request.app.state.tokens.remember(request, response)
    return response


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
