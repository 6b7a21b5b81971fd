"""An application behind the entrance, served over a real socket: what the web pages are, made as small as can be."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from console import api, signin
from console.signin import Entrance


def whole(entrance: Entrance) -> ASGIApp:
    """A page that says who is looking, one that changes something, and the doors."""
    done: list[str] = []

    def home(request: Request) -> Response:
        officer = signin.officer_of(request)
        roles = {code: sorted(held) for code, held in officer.roles.items()} if officer else {}
        said = {"who": officer.who if officer else None, "csrf": signin.csrf_token(request), "roles": roles}
        return JSONResponse(said | {"done": len(done)})

    async def act(request: Request) -> Response:
        async with request.form() as form:
            signin.check_csrf(request, form)
        officer = await run_in_threadpool(signin.officer_of, request)
        if officer is None:
            return Response(status_code=401)
        done.append(officer.who)
        return JSONResponse({"done": len(done)})

    def address(request: Request) -> Response:
        return JSONResponse({"address": request.client.host if request.client else ""})

    app = Starlette(
        routes=[
            *signin.routes(), Route("/", home), Route("/act", act, methods=["POST"]), Route("/address", address),
        ]
    )  # fmt: skip
    return signin.shielded(api.beside(app), entrance)


def free_socket() -> socket.socket:
    """A socket bound to a free port of this machine."""
    return socket.create_server(("127.0.0.1", 0), backlog=64)


@contextmanager
def served(app: ASGIApp, bound: socket.socket) -> Iterator[str]:
    """Serve an application for as long as the block lasts; gives its address."""
    server = uvicorn.Server(
        uvicorn.Config(
            app, http="h11", ws="none", loop="asyncio", lifespan="off", log_config=None, proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
    )  # fmt: skip
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


class Browser(requests.Session):
    """A browser: it keeps cookies, and says of each form from which page it comes."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address
        self.token: str | None = None

    def at(self, path: str, **more: Any) -> requests.Response:
        """Open a page."""
        return self.get(self.address + path, timeout=20, **more)

    def home(self) -> dict[str, Any]:
        """What the first page says of us."""
        said: dict[str, Any] = self.at("/").json()
        return said

    def api(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Call the interface as a page of ours does: with the session, and its token in a header."""
        if self.token is None:
            self.token = self.home()["csrf"]
        headers = {"Origin": self.address, "X-CSRF-Token": self.token}
        return self.request(method, f"{self.address}/api/v1{path}", json=body, headers=headers, timeout=20)

    def submit(self, path: str, form: dict[str, str] | None = None, **headers: str) -> requests.Response:
        """Send a form from our own page, with its token; `headers` change what the browser would say."""
        told = {"Origin": self.address} | {name.replace("_", "-"): value for name, value in headers.items()}
        data = {"csrf": self.home()["csrf"]} if form is None else form
        return self.post(self.address + path, data=data, headers=told, timeout=20, allow_redirects=False)
