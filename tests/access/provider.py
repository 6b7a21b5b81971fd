"""A sign-in provider for tests: OpenID Connect over a real socket, with a page that signs in whoever it is told.

It does what a provider does (discovery, keys, codes that work once and for the one verifier, a secret) and can be bent:
`claims` and `sign` make a token that no honest provider would send.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

CLIENT, SECRET = "dolen", "a secret: of ours"


class Provider:
    """The provider's state. `now` tells its time, seconds since 1970."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.key = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
        self.other = ECKey.generate_key("P-256", {"kid": "other", "use": "sig"})
        self.person: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []  # paths, for tests of how often something is asked
        self.url = ""
        self.restore()

    def restore(self) -> None:
        """Be honest again."""
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda claims: claims
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.metadata: Callable[[dict[str, Any]], dict[str, Any]] = lambda told: told
        self.back: Callable[[dict[str, str]], dict[str, str]] = lambda told: told
        self.keys: list[Any] = [self.key]
        self.down = False

    def signed(self, claims: dict[str, Any]) -> str:
        """A token as it should be."""
        return str(jwt.encode({"alg": "RS256", "kid": "one"}, claims, self.key))

    def told(self) -> dict[str, Any]:
        """The discovery page."""
        return self.metadata(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "end_session_endpoint": f"{self.url}/out",
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    def authorise(self, asked: dict[str, str]) -> str:
        """Sign the person in; the address that the browser is sent back to."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        told = self.back({"code": code, "state": asked["state"], "iss": self.url})
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def token(self, asked: dict[str, str], login: str) -> dict[str, Any] | None:
        """Change a code for tokens; None where it is not to be had."""
        begun = self.codes.pop(asked.get("code", ""), None)
        user, _, password = base64.b64decode(login.removeprefix("Basic ") or b"").decode().partition(":")
        if begun is None or (unquote(user), unquote(password)) != (CLIENT, SECRET):
            return None
        digest = hashlib.sha256(asked["code_verifier"].encode()).digest()
        if base64.urlsafe_b64encode(digest).decode().rstrip("=") != begun["code_challenge"]:
            return None
        if asked["redirect_uri"] != begun["redirect_uri"]:
            return None
        claims = self.claims(
            {
                "iss": self.url, "aud": CLIENT, "sub": "s-1", "iat": self.now(), "exp": self.now() + 300,
                "nonce": begun["nonce"], **self.person,
            }
        )  # fmt: skip
        return {"access_token": "unused", "token_type": "Bearer", "id_token": self.sign(claims)}


@contextmanager
def serving(now: Callable[[], int]) -> Iterator[Provider]:
    """Serve one for as long as the block lasts."""
    provider = Provider(now)

    class Calls(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            if provider.down:
                self.answer(503, {})
            elif parts.path.endswith("/.well-known/openid-configuration"):
                self.answer(200, provider.told())
            elif parts.path == "/keys":
                self.answer(200, {"keys": [one.as_dict(private=False) for one in provider.keys]})
            elif parts.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
                self.send_response(302)
                self.send_header("Location", provider.authorise(asked))
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.answer(200, {})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            found = provider.token(asked, self.headers.get("Authorization", ""))
            self.answer(200, found) if found else self.answer(400, {"error": "invalid_grant"})

        def answer(self, status: int, told: dict[str, Any]) -> None:
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Calls)
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
