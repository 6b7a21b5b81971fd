"""Who acts on a page. Whoever builds the application says how an officer is known; unless told, it knows nobody."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request

from pipelines.rights import Officer

Who = Callable[[Request], Officer]


class NobodySignedIn(Exception):
    """It is not known who asks."""


def nobody(_request: Request) -> Officer:
    """What is asked where no way to sign in was set up. Raises NobodySignedIn."""
    raise NobodySignedIn


def officer(request: Request) -> Officer:
    """The officer who asks. Raises NobodySignedIn."""
    who: Who = request.app.state.who
    return who(request)
