"""OpenID Connect: the code flow with PKCE, by discovery, with everything pinned that a stranger could bend.

The browser holds one secret while it is away; state, nonce and the code's verifier are derived from it, so that a reply
fits the browser that asked and no other, and nothing is kept but that it was begun. An id token counts only with a
signature of the settings' own algorithms by a key of the provider, for our client, from the pinned issuer, in time, and
with our nonce. The access token is thrown away: nothing is asked in anybody's name.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from config.access import OpenId
from console.signin.proved import Away, NoAuthorities, NotTrusted, Proved, Refused
from pipelines.clock import Clock
from pipelines.secrets_held import derived, same

TIMEOUT_SECONDS = 10
#: What a provider tells about itself is asked again after so long; its keys also when one is named that is not there.
_KEPT_SECONDS = 3600
_KEYS_AGAIN_SECONDS = 30
_LEEWAY_SECONDS = 60
_MOST_BYTES = 1_000_000
_HERE = ("127.0.0.1", "::1", "localhost")


class Provider:
    """One provider, as the settings name it. Safe to share between threads.

    `beside`: the folder that a relative `ca_bundle` starts from, the site's.
    """

    def __init__(
        self, settings: OpenId, secret: str | None, back: str, *, clock: Clock, beside: Path = Path()
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._back = back
        self._clock = clock
        #: Said with each call: a session's own word counts less than REQUESTS_CA_BUNDLE. None: the usual authorities.
        self._trusted = str(beside / settings.ca_bundle) if settings.ca_bundle is not None else None
        self._lock = threading.Lock()
        self._told: dict[str, Any] = {}
        self._told_at = 0.0
        self._keys: KeySet | None = None
        self._keys_at = 0.0

    def away(self, secret: str) -> str:
        """Where the browser goes to sign in. `secret`: what it holds until it comes back. Raises Away."""
        with self._client() as client:
            address, _state = client.create_authorization_url(
                self._endpoint("authorization_endpoint"),
                state=derived(secret, "state"),
                nonce=derived(secret, "nonce"),
                code_verifier=derived(secret, "verifier"),
                response_mode="query",
            )
        return str(address)

    def back(self, secret: str, told: Mapping[str, str]) -> Proved:
        """Who came back. `told`: the questions of the address that they came back to. Raises Refused, Away."""
        if not same(told.get("state", ""), derived(secret, "state")):
            raise Refused("state")
        if told.get("iss", self._settings.issuer) != self._settings.issuer:  # RFC 9207: a mix-up of two providers
            raise Refused("issuer of the reply")
        if "error" in told or not told.get("code"):
            raise Refused("no code")
        return self._proved(self._id_token(secret, told["code"]), derived(secret, "nonce"))

    def out(self, after: str) -> str:
        """Where somebody signs out at the provider too, "" where it has no such place or does not answer."""
        try:
            address = str(self._metadata().get("end_session_endpoint") or "")
            self._must_be_safe(address)
        except Away:
            return ""
        asked = urlencode({"client_id": self._settings.client, "post_logout_redirect_uri": after})
        return f"{address}{'&' if urlsplit(address).query else '?'}{asked}"

    def _id_token(self, secret: str, code: str) -> str:
        try:
            with _named("the provider's place for tokens does not answer"), self._client() as client:
                tokens = client.fetch_token(
                    self._endpoint("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=derived(secret, "verifier"),
                    timeout=TIMEOUT_SECONDS,
                    allow_redirects=False,
                    verify=self._trusted,
                )
        except AuthlibBaseError:
            raise Refused("code") from None
        found = tokens.get("id_token") if isinstance(tokens, dict) else None
        if not isinstance(found, str):
            raise Refused("no token")
        return found

    def _proved(self, token: str, nonce: str) -> Proved:
        settings = self._settings
        try:
            claims = self._decoded(token).claims
            now = int(self._clock.instant().timestamp())
            jwt.JWTClaimsRegistry(
                now=now,
                leeway=_LEEWAY_SECONDS,
                iss={"essential": True, "value": settings.issuer},
                aud={"essential": True, "value": settings.client},
                exp={"essential": True},
                iat={"essential": True},
                sub={"essential": True},
                nonce={"essential": True},
            ).validate(claims)
        except (JoseError, ValueError, TypeError) as fault:
            raise Refused(f"token: {type(fault).__name__}") from None
        audience = claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and claims.get("azp") != settings.client:
            raise Refused("several audiences")
        if claims.get("azp", settings.client) != settings.client:
            raise Refused("authorised party")
        if not same(str(claims["nonce"]), nonce):
            raise Refused("nonce")
        name, groups = claims.get(settings.name), claims.get(settings.groups, [])
        if not isinstance(name, str) or not name.strip() or len(name) > 200 or not name.isprintable():
            raise Refused("no name")
        listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
        return Proved(name.strip(), tuple(one for one in listed if isinstance(one, str)))

    def _decoded(self, token: str) -> jwt.Token:
        algorithms = list(self._settings.algorithms)
        try:
            return jwt.decode(token, self._key_set(), algorithms=algorithms)
        except (JoseError, ValueError, TypeError):
            # It may be signed with a key that the provider has had for less than an hour: look once more, not often.
            return jwt.decode(token, self._key_set(anew=True), algorithms=algorithms)

    def _key_set(self, *, anew: bool = False) -> KeySet:
        with self._lock:
            old, now = self._keys, self._clock.now() / 1e6
            kept = _KEYS_AGAIN_SECONDS if anew else _KEPT_SECONDS
            if old is not None and now - self._keys_at < kept:
                return old
        told = self._ask(self._endpoint("jwks_uri")).get("keys")
        listed = [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []
        # A secret in a public list of keys is none, and an encryption key signs nothing.
        usable = [one for one in listed if one.get("kty") in ("RSA", "EC") and one.get("use", "sig") == "sig"]
        try:
            keys = KeySet.import_key_set({"keys": usable})
        except (JoseError, ValueError, TypeError):
            raise Away("the provider's keys cannot be read") from None
        with self._lock:
            self._keys, self._keys_at = keys, now
        return keys

    def _metadata(self) -> dict[str, Any]:
        with self._lock:
            now = self._clock.now() / 1e6
            if self._told and now - self._told_at < _KEPT_SECONDS:
                return self._told
        told = self._ask(self._settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if told.get("issuer") != self._settings.issuer:
            raise Away("the provider's page is about another issuer")
        with self._lock:
            self._told, self._told_at = told, now
        return told

    def _endpoint(self, name: str) -> str:
        address = str(self._metadata().get(name) or "")
        try:
            self._must_be_safe(address)
        except Away:
            self._told = {}  # ask again: it may have been mended
            raise
        return address

    @staticmethod
    def _must_be_safe(address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _HERE):
            raise Away("the provider names an address without TLS, or none")

    def _ask(self, address: str) -> dict[str, Any]:
        with (
            _named("the provider does not answer"),
            requests.get(
                address, timeout=TIMEOUT_SECONDS, allow_redirects=False, stream=True, verify=self._trusted
            ) as answer,
        ):
            body = answer.raw.read(_MOST_BYTES + 1, decode_content=True)
            if answer.status_code != 200 or len(body) > _MOST_BYTES:
                raise Away("the provider does not answer as one does")
            answer._content = body
            told = answer.json()
        if not isinstance(told, dict):
            raise Away("the provider does not answer as one does")
        return told

    def _client(self) -> OAuth2Session:
        scopes = list(dict.fromkeys(["openid", *self._settings.scopes]))
        return OAuth2Session(
            self._settings.client,
            self._secret,
            scope=" ".join(scopes),
            redirect_uri=self._back,
            code_challenge_method="S256",
            token_endpoint_auth_method=self._method(),
        )

    def _method(self) -> str:
        if self._secret is None:
            return "none"
        offered = self._metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"


@contextmanager
def _named(words: str) -> Iterator[None]:
    """Give what goes wrong on the way there a name, and words without an address. Raises Away."""
    try:
        yield
    except requests.exceptions.SSLError:
        raise NotTrusted from None
    except (requests.RequestException, urllib3.exceptions.HTTPError):  # the first are OSErrors too, of no file
        raise Away(words) from None
    except OSError:  # raised before anybody is called: by the file of authorities
        raise NoAuthorities from None
    except ValueError:
        raise Away(words) from None
