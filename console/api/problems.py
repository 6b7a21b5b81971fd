"""What went wrong, as problem+json (RFC 9457): a status, a title, and a sentence that says what to do. Never a value.

A sentence of ours may name an id that the caller sent; of what was sent wrongly only the place and the kind are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path

from config.editing import CannotChange
from config.findings import SiteFaults
from console.guard import sentence
from mappings.codes_csv import CodeFaults
from pipelines.logs import warn
from pipelines.sight import NoSuch, NotAllowed, NotPossible

MEDIA = "application/problem+json"


class Wrong(BaseModel):
    """One part of a request that cannot be used."""

    where: str = Field(description="The place in the request.", examples=["body.why"])
    what: str = Field(description="What is wrong with it, without the value.", examples=["string too short"])


class Problem(BaseModel):
    """What went wrong."""

    type: str = Field(default="about:blank", description="The title says it all.")
    title: str = Field(description="The status in words.", examples=["Conflict"])
    status: int = Field(description="The status.", examples=[409])
    detail: str = Field(description="A sentence for a person.", examples=["d12 is waiting: there is nothing to close."])
    wrong: list[Wrong] | None = Field(default=None, description="Each part of the request that cannot be used.")


_MEANT = {
    400: "The request cannot be read.",
    401: "Nobody is known by this token or session.",
    403: "The caller may not do this.",
    404: "There is nothing of that name that the caller may see.",
    409: "It cannot be done as things are.",
    413: "The request is too long.",
    422: "A part of the request cannot be used.",
    429: "Too many tries.",
    500: "A fault of Dolen itself.",
    503: "A part that is needed does not answer.",
}
#: For the description: what every address may answer besides what it is for.
ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for status, words in _MEANT.items()
}


def problem(status: int, detail: str, *, wrong: list[Wrong] | None = None, headers: Mapping[str, str] = {}) -> Response:
    """Answer with a problem."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=_ended(detail), wrong=wrong)
    return JSONResponse(told.model_dump(exclude_none=True), status, dict(headers), MEDIA)


def answers_for(app: FastAPI) -> None:
    """Have an application answer every fault as a problem, and describe it."""

    def allowed(path: str) -> list[str]:
        told = app.openapi()["paths"].items()
        return sorted({verb.upper() for at, verbs in told if compile_path(at)[0].match(path) for verb in verbs})

    def http(request: Request, fault: Any) -> Response:
        headers = dict(fault.headers or {})
        if fault.status_code == 405:  # of two methods at one address the router tells the first alone
            path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
            headers["Allow"] = ", ".join(allowed(path))
        return problem(fault.status_code, str(fault.detail), headers=headers)

    def unusable(_request: Request, fault: Any) -> Response:
        wrong = [Wrong(where=_place(one["loc"]), what=str(one["type"]).replace("_", " ")) for one in fault.errors()]
        return problem(422, "A part of the request cannot be used", wrong=wrong)

    def impossible(_request: Request, fault: Any) -> Response:
        kinds = {NotAllowed: 403, NoSuch: 404}
        return problem(next((status for kind, status in kinds.items() if isinstance(fault, kind)), 409), str(fault))

    def faulty(_request: Request, fault: Any) -> Response:
        return problem(409, sentence(fault) or "The site's files are faulty: see dolen check")

    def ours(_request: Request, fault: Exception) -> Response:
        warn("api_fault", error=type(fault).__name__)
        return problem(500, sentence(fault) or "This is a fault of Dolen itself")

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, unusable)
    app.add_exception_handler(NotPossible, impossible)
    for kind in (CannotChange, CodeFaults, SiteFaults):
        app.add_exception_handler(kind, faulty)
    app.add_exception_handler(Exception, ours)
    _describe(app)


def _describe(app: FastAPI) -> None:
    """Put the form of a problem into the description, where every address points at it."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        told = plain()
        schemas = told.setdefault("components", {}).setdefault("schemas", {})
        for name, model in (("Problem", Problem), ("Wrong", Wrong)):
            form = model.model_json_schema(ref_template="#/components/schemas/{model}")
            form.pop("$defs", None)
            schemas.setdefault(name, form)
        return told

    app.openapi = described  # type: ignore[method-assign]  # the way FastAPI itself documents


def _place(steps: Any) -> str:
    """Where in a request: names of ours and numbers; a key that somebody made up is not repeated."""
    return ".".join(str(step) if isinstance(step, int) or str(step).isidentifier() else "?" for step in steps)[:200]


def _ended(words: str) -> str:
    text = words[:1].upper() + words[1:]
    return text if text.endswith((".", "!", "?")) else text + "."
