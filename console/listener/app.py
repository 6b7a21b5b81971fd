"""One call, from its first byte to the answer: bounded in size, in time and in number before anything is done with it.

What is in it is the business of `pipelines.receiving`, which answers a success only once the bytes are durable. Reading
and keeping are apart, so that a caller who drips costs nobody a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.push.port import Answer, Pushed
from pipelines.logs import warn

Receive = Callable[[str, str, str, Pushed], Answer]

#: A connection is given up after each answer: a push comes seldom, and a held connection is one that can be dripped on.
_ALWAYS = {"Connection": "close", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_SOON = {"Retry-After": "5"}


class TooLong(Exception):
    """The body is longer than it may be."""


class Calls:
    """The application's end point for pushes."""

    def __init__(
        self,
        receive: Receive,
        known: Callable[[str, str, str], bool],
        *,
        most_bytes: int,
        within: float,
        at_once: int,
    ) -> None:
        self._receive = receive
        self._known = known
        self._most_bytes = most_bytes
        self._within = within
        self._at_once = at_once
        self._in_hand = 0
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="push")

    async def push(self, request: Request) -> Response:
        """Answer one push."""
        place = request.path_params
        names = (place["council"], place["connection"], place["kind"])
        if not self._known(*names):
            return _response(Answer(404))
        try:
            async with asyncio.timeout(self._within):
                body = await self._body(request)
        except TooLong:
            return _response(Answer(413))
        except TimeoutError:
            return _response(Answer(408))
        except ClientDisconnect:  # it broke off: nobody hears what we say, and nothing was kept
            return _response(Answer(400))
        if self._in_hand >= 4 * self._at_once:  # some wait for a thread; more than that had better come again
            return _response(Answer(503, headers=_SOON))
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
        call = Pushed(headers, body, request.client.host if request.client else "")
        self._in_hand += 1
        try:
            loop = asyncio.get_running_loop()
            return _response(await loop.run_in_executor(self._pool, self._receive, *names, call))
        except Exception as fault:  # of ours: it was not acknowledged, so it comes again
            warn("push_fault", council=names[0], connection=names[1], kind=names[2], error=type(fault).__name__)
            return _response(Answer(500))
        finally:
            self._in_hand -= 1

    def close(self) -> None:
        """Let what is in hand end."""
        self._pool.shutdown()

    async def _body(self, request: Request) -> bytes:
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self._most_bytes:
            raise TooLong
        read = bytearray()
        async for piece in request.stream():
            read += piece
            if len(read) > self._most_bytes:
                raise TooLong
        return bytes(read)


def application(calls: Calls) -> Starlette:
    """The application that a web server runs."""
    return Starlette(
        routes=[
            Route("/push/{council}/{connection}/{kind}", calls.push, methods=["POST"]),
            # FHIR: who is given an address for messages calls this operation below it.
            Route("/push/{council}/{connection}/{kind}/$process-message", calls.push, methods=["POST"]),
            Route("/up", _up, methods=["GET"]),
        ]
    )


async def _up(_request: Request) -> Response:
    return Response("up\n", media_type="text/plain", headers=_ALWAYS)


def _response(answer: Answer) -> Response:
    headers = {**_ALWAYS, **answer.headers}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    return Response(answer.body, answer.status, headers)
