"""The application of the interface, to be mounted at `/api/v1` behind `console.signin.shielded`."""

from __future__ import annotations

from fastapi import FastAPI

from console.api import access, codes, control, desk, looking, people
from console.api.problems import answers_for

TITLE = "Dolen"
ABOUT = (
    "Carries referrals between councils' case systems. Programs call with `Authorization: Bearer TOKEN` "
    "(`dolen token add`); pages call with the session of whoever is signed in. Errors are problem+json (RFC 9457) in "
    "plain words. Systems that push records to Dolen use another door: docs/pushes.md."
)


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
        servers=[{"url": "/api/v1"}],
        root_path_in_servers=False,
    )
    for part in (looking, desk, control, codes, people, access):
        app.include_router(part.router)
    answers_for(app)
    return app
