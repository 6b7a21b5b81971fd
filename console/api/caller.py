"""Who calls: a program with a token, or whoever is signed in to the pages; and what the address that they call needs.

Each address declares one right with `needs`. It stands in the OpenAPI description as `x-dolen-right`, the plant that
the address is handed was made for it, and an address without one answers nobody.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from console.api.problems import ANSWERS
from console.signin.asked import check_csrf, entrance, officer_of
from console.signin.tries import WRONG_TOKEN
from pipelines import tokens
from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.seeing import through
from pipelines.sight import WORDS

EXTRA = "x-dolen-right"
_SAFE = ("GET", "HEAD", "OPTIONS")
bearer = HTTPBearer(auto_error=False, description="A token of `dolen token add`.")


def needs(right: Right, **more: Any) -> dict[str, Any]:
    """What a decorator of an address is given: the right that it takes."""
    return {"openapi_extra": {EXTRA: right.value}, "responses": ANSWERS, **more}


def officer(
    request: Request, given: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Officer:
    """Who calls. Raises HTTPException: 401 for nobody, 403 for another site's form, 429 after too many wrong tokens."""
    door = entrance(request)
    address = request.client.host if request.client else ""
    if "authorization" in request.headers:
        found = tokens.officer_of(door.plant, given.credentials) if given is not None else None
        if found is None:  # a right one is never kept out by the wrong ones of a neighbour: nobody guesses 256 bits
            if wait := door.tries.wait(WRONG_TOKEN, address):
                words = "There were too many wrong tokens from your address."
                raise HTTPException(429, words, {"Retry-After": str(wait)})
            door.tries.failed(address, WRONG_TOKEN)
            raise HTTPException(401, "This token is not known, is too old, or was revoked.", _BEARER)
        return found
    signed_in = officer_of(request)
    if signed_in is None:
        raise HTTPException(401, "Call with a token, or sign in to the pages.", _BEARER)
    if request.method not in _SAFE:
        check_csrf(request, {})
    return signed_in


def seen(request: Request, who: Annotated[Officer, Depends(officer)]) -> Plant:
    """The plant as the caller sees it. Raises HTTPException 403 where they have the address's right nowhere."""
    right = right_of(request.scope["route"])
    if not who.councils(right):
        raise HTTPException(403, f"You may not do this: it takes {WORDS[right]}.")
    return through(entrance(request).plant, who)


def right_of(route: Any) -> Right:
    """The right that an address declares. Raises KeyError for one that declares none."""
    return Right((getattr(route, "openapi_extra", None) or {})[EXTRA])


def mine(plant: Plant, right: Right) -> Plant:
    """The same plant, with the councils alone for which the caller has a right: for what concerns a whole site."""
    assert plant.sight.officer is not None
    return through(plant, plant.sight.officer, right)


def name(plant: Plant) -> str:
    """Who calls, as the audit tells it."""
    assert plant.sight.officer is not None
    return plant.sight.officer.who


Seen = Annotated[Plant, Depends(seen)]
_BEARER = {"WWW-Authenticate": "Bearer"}
