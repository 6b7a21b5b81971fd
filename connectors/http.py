"""One requests.Session made safe: the only door through which this room sends anything over HTTP.

A call has a deadline that covers everything from the name look-up to the last byte; a reply is read in pieces up to
a cap, also when it was packed; no redirect is followed; only the addresses of the connection's own settings are
called; neither proxies nor logins are taken from the environment. What went wrong becomes a named error in one
place, `named_errors`, and whether a request left the machine is known from the socket and not guessed from the
kind of exception.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import quote, urlencode, urlsplit

import requests
import urllib3
from urllib3.util import Url, parse_url

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Unknown, Unreachable
from connectors.pace import Agree, Pace
from connectors.settings import HttpSettings
from connectors.sockets import Call, DeadlineAdapter, Ourselves, current_call, tls_context

PIECE = 65_536  # bytes read at once: a reply can pass its cap by no more than this
MOVED = frozenset({301, 302, 303, 307, 308})


class TransportTrouble(Exception):
    """Stands in a traceback for the library's own error, by the name of its class alone."""


class Moved(Unknown):
    """The answer is a redirect, which is never followed. `to_sign_in`: it leads to the page where people sign in, so
    the call was not done; `headers` are the answer's."""

    def __init__(self, reason: str, headers: Mapping[str, str], *, to_sign_in: bool) -> None:
        super().__init__(reason)
        self.headers = headers
        self.to_sign_in = to_sign_in


class ReplyTooLarge(Unknown):
    """The reply is longer than `max_reply_bytes`. It was not read to its end, so nobody knows what it says."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: any status but a redirect. The body is complete and unpacked."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # looked up without regard to case
    body: bytes = field(repr=False)
    seconds: float  # from the first byte sent to the last byte read

    @property
    def media_type(self) -> str:
        """Content type in lower case, without parameters; "" if none was given."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    @property
    def date(self) -> datetime | None:
        """What the system's own clock showed when it answered, to the second, in UTC; None if it does not say."""
        return _date(self.headers.get("Date", ""))


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request, ready to be sent."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)


class HttpSession:
    """Sends requests to one connection's system. Safe to use from several threads at once."""

    def __init__(
        self,
        settings: HttpSettings,
        *,
        also: Iterable[str] = (),
        sign_in_page: str = "",
        agree: Agree | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Allow the host of `settings.url` and those of `also` (a token address); every other is refused. `agree`
        reserves turns where other processes call the same system."""
        self._settings = settings
        self._monotonic = monotonic
        self._allowed = frozenset(origin(url) for url in (settings.url, *also))
        self._pace = Pace(
            calls_a_second=settings.limits.calls_a_second,
            at_once=settings.limits.at_once,
            agree=agree,
            monotonic=monotonic,
            sleep=sleep,
        )
        self._session = requests.Session()
        self._session.trust_env = False  # settled once: no proxy, .netrc or CA from whoever started the process
        self._session.headers.clear()
        self._session.cookies.set_policy(
            DefaultCookiePolicy(allowed_domains=[])
        )  # one thread's cookie is not another's
        self._sign_in_page = sign_in_page
        proxy = _proxy(settings)
        self._proxies = {"http": proxy, "https": proxy} if proxy else {}
        self._adapter = adapter = DeadlineAdapter(
            tls_context(settings.ca_bundle, ourselves(settings)), places=settings.limits.at_once
        )
        for scheme in list(self._session.adapters):
            del self._session.adapters[scheme]
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def deadline(self) -> Deadline:
        """Start the clock of one call; hand the result to every `send` that belongs to it."""
        return Deadline.of(self._settings.timeout_seconds, self._monotonic)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        body: bytes | None = None,
        deadline: Deadline | None = None,
        most_bytes: int | None = None,
    ) -> Reply:
        """Send one request and read the whole reply, whatever its status; `most_bytes` goes before max_reply_bytes.

        Raises Unreachable (nothing was sent), Throttled (our own limits), Unknown (sent, no complete answer),
        ReplyTooLarge, and Misconfigured for an address that is not allowed or has moved for good.
        """
        deadline = deadline or self.deadline()
        given = {"User-Agent": "dolen", "Accept-Encoding": "gzip", **(headers or {})}
        address = _parsed(url if not params else f"{url}{'&' if '?' in url else '?'}{urlencode(params)}")
        place = _origin(address)
        if place not in self._allowed:
            raise Misconfigured(
                f"the address {place} is not one of this connection's ({', '.join(sorted(self._allowed))}); "
                "nothing was sent. If it is right, write it as the connection's url"
            )
        with self._pace.turn(deadline):
            call = Call(deadline)
            with named_errors(call, place):
                ask = _Ask(method, address, given, body)
                return self._exchange(ask, call, place, most_bytes or self._settings.max_reply_bytes)

    def close(self) -> None:
        """Let go of open sockets. Idempotent."""
        self._session.close()

    def _exchange(self, ask: _Ask, call: Call, place: str, most_bytes: int) -> Reply:
        token = current_call.set(call)
        started = self._monotonic()
        try:
            raw = self._through_proxy(ask, call) if self._proxies else self._straight(ask, call)
            try:
                if raw.status in MOVED:
                    raise _moved(raw.status, place, raw.headers, self._sign_in_page)
                body = _read(raw, place, most_bytes)
            finally:
                raw.close()  # also where there was no body to read: the socket was not given back yet
            return Reply(raw.status, raw.headers, body, self._monotonic() - started)
        finally:
            current_call.reset(token)

    def _straight(self, ask: _Ask, call: Call) -> urllib3.BaseHTTPResponse:
        """Ask over the adapter's own pool. What a requests.Session does for each request, finding proxies, logins and
        cookies, was settled once for this connection, and costs more than all the rest of a call."""
        pool = self._adapter.poolmanager.connection_from_host(ask.url.host, ask.url.port, ask.url.scheme)
        raw: urllib3.BaseHTTPResponse = pool.urlopen(
            ask.method,
            ask.url.request_uri,
            body=ask.body,
            headers=ask.headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=call.deadline.left_or_raise(),
            preload_content=False,
            decode_content=False,
        )
        return raw

    def _through_proxy(self, ask: _Ask, call: Call) -> urllib3.BaseHTTPResponse:
        request = requests.Request(ask.method, ask.url.url, headers=ask.headers, data=ask.body).prepare()
        response = self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=call.deadline.left_or_raise(),
            proxies=self._proxies,
            verify=True,
        )
        return response.raw


@contextmanager
def named_errors(call: Call, place: str) -> Iterator[None]:
    """Turn whatever the transport raises into Unreachable (nothing was sent) or Unknown (sent, no whole answer)."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError) as problem:
        if not call.sent:
            why = call.trouble or "no connection"
            raise Unreachable(f"{place} could not be reached: {why}; nothing was sent") from _bare(problem)
        if call.deadline.left() <= 0:
            why = f"no complete answer within {call.deadline.seconds:g} seconds"
        else:
            why = f"the connection broke before the answer was complete ({type(problem).__name__})"
        raise Unknown(f"{place}: {why}") from _bare(problem)


def _read(raw: urllib3.BaseHTTPResponse, place: str, most_bytes: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for piece in raw.stream(PIECE, decode_content=True):
        size += len(piece)
        if size > most_bytes:
            raise ReplyTooLarge(f"the reply of {place} is longer than max_reply_bytes ({most_bytes}); it was not read")
        pieces.append(piece)
    raw.release_conn()
    return b"".join(pieces)


def _bare(problem: Exception) -> Exception:
    """Keep the kind of a transport error and drop its text: it may hold an address with a person or a token."""
    return TransportTrouble(type(problem).__name__)


def _moved(status: int, place: str, headers: Mapping[str, str], sign_in_page: str) -> Misconfigured | Unknown:
    words = f"{place} answered with a redirect ({status}), which is never followed; is it a login page, or is url old?"
    # 307 and 308 ask for the same request elsewhere, so nothing was done. After the others it may have been.
    if status in (307, 308):
        return Misconfigured(words)
    leads = path_of(headers.get("Location", ""))
    return Moved(words, headers, to_sign_in=bool(sign_in_page) and leads == sign_in_page)


def path_of(address: str) -> str:
    """The path of an address that an answer names, "" where it is none."""
    try:
        return urlsplit(address).path
    except ValueError:  # http://[ and the like
        return ""


def ourselves(settings: HttpSettings) -> Ourselves | None:
    """Our own certificate, if the connection has one."""
    if settings.client_certificate is None or settings.client_key is None:
        return None
    told = settings.client_key_passphrase
    return Ourselves(settings.client_certificate, settings.client_key, told.get_secret_value() if told else None)


def _proxy(settings: HttpSettings) -> str:
    """The proxy's address with its login, which requests takes out again; "" for none. Never shown anywhere."""
    login = settings.proxy_login
    if settings.proxy is None or login is None:
        return settings.proxy or ""
    parts = urlsplit(settings.proxy)
    who = f"{quote(login.username, safe='')}:{quote(login.password.get_secret_value(), safe='')}"
    return parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}").geturl()


def origin(url: str) -> str:
    """Return scheme, host and port of an address, as urllib3 will read it when it connects."""
    return _origin(_parsed(url))


def _parsed(url: str) -> Url:
    try:
        return parse_url(url)
    except urllib3.exceptions.LocationParseError as problem:
        raise Misconfigured("an address cannot be read") from _bare(problem)


def _origin(parts: Url) -> str:
    scheme = (parts.scheme or "").lower()
    if scheme not in ("http", "https") or not parts.host or parts.auth:
        raise Misconfigured("an address must begin with http:// or https://, name a host and hold no user name")
    port = parts.port or (443 if scheme == "https" else 80)
    return f"{scheme}://{parts.host.lower()}:{port}"


def retry_after(reply: Reply) -> float | None:
    """Return the seconds that Retry-After asks for, or None; a date in it is read against the reply's own Date."""
    text = reply.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if text.isascii() and text.isdecimal():  # the superscript two is a digit too
        return float(text[:9])
    until, now = _date(text), reply.date
    return None if until is None or now is None else max((until - now).total_seconds(), 0.0)


def _date(text: str) -> datetime | None:
    """Read an HTTP date; one without zone is in UTC, as the standard says. None for a year to which nothing can be
    added, or from which nothing can be taken."""
    try:
        found = email.utils.parsedate_to_datetime(text)
        found = (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if 1 < found.year < 9999 else None
