"""The application of the interface, at `/api/v1` beside the pages and behind `console.signin.shielded`."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from console.api import (
    access,
    alerts,
    codes,
    connections,
    control,
    desk,
    files,
    listed,
    looking,
    looks,
    outcomes,
    people,
    sessions,
    tasks,
    whereabouts,
)
from console.api.problems import answers_for

TITLE = "Dolen"
ABOUT = (
    "Carries referrals between councils' case systems. Programs call with `Authorization: Bearer TOKEN` "
    "(`dolen token add`); pages call with the session of whoever is signed in. Errors are problem+json (RFC 9457) in "
    "plain words. Systems that push records to Dolen use another door: docs/pushes.md."
)


AT = "/api/v1"


def beside(pages: ASGIApp) -> ASGIApp:
    """Put the interface beside the pages: what begins with `/api/v1` is its own, also what no router would match."""
    app = application()

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and (path == AT or path.startswith(f"{AT}/")):
            await app({**scope, "root_path": scope.get("root_path", "") + AT, "app_root_path": ""}, receive, send)
        else:
            await pages(scope, receive, send)

    return either


def application() -> FastAPI:
    """Make the application. It finds its plant at the entrance that `shielded` puts beside each request."""
    # Its own pages of documentation would load scripts from elsewhere; the description itself is here.
    app = FastAPI(
        title=TITLE,
        description=ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
        servers=[{"url": AT}],
        root_path_in_servers=False,
    )
    parts = (looking, whereabouts, looks, desk, tasks, connections, control, alerts, listed, outcomes, codes, files,
             people, sessions, access)  # fmt: skip
    for part in parts:
        app.include_router(part.router)
    answers_for(app)
    return app
