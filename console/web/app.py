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

from console.gauges import app as gauges
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
AT_ONCE = 6
_YEAR = 31_536_000


def application(
    plant: Plant, *, who: Who = who.nobody, language: Language = "en", opened: Sequence[Doors] = pages.ALL
) -> FastAPI:
    """The pages of a site. `who` says which officer a request comes from; left out, nobody is let in."""
    app = FastAPI(title="Dolen", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.who = who
    app.state.tokens = CookieTokens()
    app.state.frame = Frame(opened, language)
    app.state.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="page")
    app.state.in_hand = 0
    for one in opened:
        for door in one:
            methods = ["GET", "HEAD"] if door.method == "GET" else [door.method]
            app.router.add_route(door.path, _behind(door, plant), methods=methods, include_in_schema=False)
    app.router.add_route("/language/{language}", _switch, methods=["GET"], include_in_schema=False)
    app.router.routes.extend(gauges.routes(plant))
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
            if state.in_hand >= 4 * AT_ONCE:
                return _message(request, speech, "busy", 503)
            state.in_hand += 1
            try:
                loop = asyncio.get_running_loop()
                response: Response = await loop.run_in_executor(state.pool, _view, door, plant, request, form, speech)
            finally:
                state.in_hand -= 1
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
