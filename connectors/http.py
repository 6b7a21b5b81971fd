"""The connections of one requests.Session, made safe: the only door through which this room sends anything over HTTP.

A call has a deadline that covers everything from the name look-up to the last byte; a reply is read in pieces up to
a cap, also when it was packed; no redirect is followed; only the addresses of the connection's own settings are
called; neither proxies nor logins are taken from the environment. What went wrong becomes a named error in one
place, `named_errors`, and whether a request left the machine is known from the socket and not guessed from the
kind of exception.
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Protocol
from urllib.parse import quote, urlencode, urlsplit

import requests
import urllib3
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.util import Url, parse_url

from connectors.deadline import Deadline
from connectors.errors import Misconfigured, Rejected, Unknown, Unreachable
from connectors.pace import Agree, Pace
from connectors.settings import HttpSettings
from connectors.sockets import Call, DeadlineAdapter, borrowed, current_call
from connectors.tls import Ourselves, tls_context

PIECE = 65_536  # bytes read at once: a reply can pass its cap by no more than this
_HEAD = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]+)?(?=/|$)")
#: What may stand behind an origin and means the same to everybody: no dots that climb, nothing encoded.
_PLAIN = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_~.-]*)+(?:\?[A-Za-z0-9_~.&=-]+)?")
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


class Readable(Protocol):
    """A file, as far as a request needs it."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes, none at the end."""


#: What a request carries: bytes, or a file that is read while it is sent.
Body = bytes | Readable


@dataclass(frozen=True, slots=True)
class _Ask:
    """One request, ready to be sent."""

    method: str
    url: Url
    headers: Mapping[str, str] = field(repr=False)
    body: Body | None = field(repr=False)
    into: Callable[[bytes], None] | None = field(default=None, repr=False)
    piecemeal: bool = False


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
        head = _HEAD.match(settings.url)
        self._root = head[0] if head else settings.url  # what stands before every path
        self._parts = _parsed(self._root)
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
        self._lines: dict[str, HTTPConnectionPool] = {}  # by origin
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
        body: Body | None = None,
        deadline: Deadline | None = None,
        most_bytes: int | None = None,
        into: Callable[[bytes], None] | None = None,
        piecemeal: bool = False,
    ) -> Reply:
        """Send one request and read the whole reply, whatever its status; `most_bytes` goes before max_reply_bytes.
        `piecemeal`: take in each piece as it comes, so that an Unknown has in `reply` what came before the break, and
        a ReplyTooLarge the part that was not too long.

        A body that is a file is read from where it stands, and its length must be among the headers. With `into` the
        content of a 200 goes there piece by piece, and the reply's own body is empty.

        Raises Unreachable (nothing was sent), Throttled (our own limits), Unknown (sent, no complete answer),
        ReplyTooLarge, and Misconfigured for an address that is not allowed or has moved for good.
        """
        deadline = deadline or self.deadline()
        given = {"User-Agent": "dolen", "Accept-Encoding": "gzip", **(headers or {})}
        address = self._address(url if not params else f"{url}{'&' if '?' in url else '?'}{urlencode(params)}")
        place = _origin(address)
        if place not in self._allowed:
            raise Misconfigured(
                f"the address {place} is not one of this connection's ({', '.join(sorted(self._allowed))}); "
                "nothing was sent. If it is right, write it as the connection's url"
            )
        with self._pace.turn(deadline):
            # A proxy is the council's own, and what lies behind it is its business.
            call = Call(deadline, private=self._settings.private_network or bool(self._proxies))
            with named_errors(call, place):
                ask = _Ask(method, address, given, body, into, piecemeal)
                return self._exchange(ask, call, place, most_bytes or self._settings.max_reply_bytes)

    def _address(self, url: str) -> Url:
        """Read an address; quickly, where it is our own with nothing behind it that could be read in two ways."""
        rest = url.removeprefix(self._root)
        if len(rest) < len(url) and _PLAIN.fullmatch(rest):
            path, _, query = rest.partition("?")
            return self._parts._replace(path=path, query=query or None)
        return _parsed(url)

    def close(self) -> None:
        """Let go of open sockets. Idempotent."""
        self._lines.clear()
        self._session.close()

    def _exchange(self, ask: _Ask, call: Call, place: str, most_bytes: int) -> Reply:
        token = current_call.set(call)
        started = self._monotonic()
        try:
            if self._proxies:
                status, headers, body = self._through_proxy(ask, call, place, most_bytes)
            else:
                status, headers, body = self._straight(ask, call, place, most_bytes)
            return Reply(status, headers, body, self._monotonic() - started)
        finally:
            current_call.reset(token)

    def _straight(self, ask: _Ask, call: Call, place: str, most_bytes: int) -> tuple[int, Mapping[str, str], bytes]:
        """Ask over one of the adapter's own connections. What a requests.Session does for each request, finding
        proxies, logins and cookies, was settled once, and costs more than all the rest of a call."""
        lines = self._lines.get(place)
        if lines is None:
            lines = self._lines[place] = self._adapter.lines_to(ask.url)
        with borrowed(lines) as line:
            answer = line.ask(ask.method, ask.url.request_uri, ask.body, ask.headers)
            headers = urllib3.HTTPHeaderDict(answer.getheaders())
            if answer.status in MOVED:
                raise _moved(answer.status, place, headers, self._sign_in_page)
            at_once = ask.into is None and not ask.piecemeal
            if at_once and answer.length is not None and "Content-Encoding" not in headers:
                if answer.length > most_bytes:
                    raise _too_large(place, most_bytes)
                return answer.status, headers, answer.read()
            raw = urllib3.HTTPResponse(
                answer,
                headers,
                answer.status,
                preload_content=False,
                decode_content=False,
                original_response=answer,
                request_method=ask.method,
            )
            return answer.status, headers, _body(raw, ask, call, place, most_bytes)

    def _through_proxy(
        self, ask: _Ask, call: Call, place: str, most_bytes: int
    ) -> tuple[int, Mapping[str, str], bytes]:
        request = requests.Request(ask.method, ask.url.url, headers=ask.headers, data=ask.body).prepare()
        response = self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=call.deadline.left_or_raise(),
            proxies=self._proxies,
            verify=True,
        )
        raw: urllib3.BaseHTTPResponse = response.raw
        try:
            if raw.status in MOVED:
                raise _moved(raw.status, place, raw.headers, self._sign_in_page)
            return raw.status, raw.headers, _body(raw, ask, call, place, most_bytes)
        finally:
            raw.close()  # also where there was no body to read: the socket was not given back yet


@contextmanager
def named_errors(call: Call, place: str) -> Iterator[None]:
    """Turn whatever the transport raises into Unreachable (nothing was sent) or Unknown (sent, no whole answer)."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, OSError, ValueError) as problem:
        if not call.sent and not isinstance(problem, OSError | urllib3.exceptions.HTTPError | HTTPException):
            raise Rejected(f"{place}: a header or the address holds a sign that none may; nothing was sent") from None
        if not call.sent:
            words = f"{place} could not be reached: {call.trouble or 'no connection'}; nothing was sent"
            raise Unreachable(words) from _bare(problem)
        why = f"the connection broke before the answer was complete ({type(problem).__name__})"
        if call.deadline.left() <= 0:
            why = f"no complete answer within {call.deadline.seconds:g} seconds"
        raise Unknown(f"{place}: {why}", reply=call.came.getvalue()) from _bare(problem)


def _body(raw: urllib3.BaseHTTPResponse, ask: _Ask, call: Call, place: str, most_bytes: int) -> bytes:
    """Read a body, into where it is wanted; what is returned is empty if that is elsewhere."""
    keep = ask.into if ask.into is not None and raw.status == 200 else call.came.write
    try:
        _read(raw, place, most_bytes, _pieces(raw) if ask.piecemeal else None, keep)
    except ReplyTooLarge as large:
        raise ReplyTooLarge(large.reason, reply=call.came.getvalue() if ask.piecemeal else b"") from None
    return call.came.getvalue()


def _pieces(raw: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """A body's pieces as the network brings them: `stream` would wait for more and lose what it has by then."""
    while piece := raw.read1(PIECE, decode_content=True):
        yield piece


def _read(
    raw: urllib3.BaseHTTPResponse,
    place: str,
    most_bytes: int,
    came: Iterator[bytes] | None,
    keep: Callable[[bytes], object],
) -> None:
    """Read a body to its end, and `keep` each piece as it comes."""
    size = 0
    for piece in came or raw.stream(PIECE, decode_content=True):
        size += len(piece)
        if size > most_bytes:
            raise _too_large(place, most_bytes)
        keep(piece)
    raw.release_conn()


def _too_large(place: str, most_bytes: int) -> ReplyTooLarge:
    return ReplyTooLarge(f"the reply of {place} is longer than max_reply_bytes ({most_bytes}); it was not read")


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
