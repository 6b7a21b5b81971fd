"""WS-Security: checks the UsernameToken (text or digest, nonce, age) and the Timestamp of a call.

Every reason for refusal reads the same to the caller, so that nobody can feel their way to a password. A nonce is
remembered for as long as its message would still be fresh, so a message caught on the way cannot be sent again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from lxml import etree

from sandbox.casework.envelope import WSSE, SoapFault
from sandbox.secrets import casework_login

WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_PROFILE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0"
TEXT, DIGEST = f"{_PROFILE}#PasswordText", f"{_PROFILE}#PasswordDigest"

OLDEST = timedelta(minutes=5)  # the age the WS-Security profile recommends to refuse
AHEAD = timedelta(minutes=1)  # how far a caller's clock may run before ours


class Door:
    """Lets calls in. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: set[tuple[str, bytes]] = set()
        self._order: deque[tuple[datetime, tuple[str, bytes]]] = deque()

    def check(self, tenant: str, header: etree._Element | None) -> None:
        """Raise SoapFault FailedAuthentication unless the header proves the tenant's login."""
        security = header.find(f"{{{WSSE}}}Security") if header is not None else None
        token = security.find(f"{{{WSSE}}}UsernameToken") if security is not None else None
        if security is None or token is None or not self._fresh(security) or not self._proves(tenant, token):
            raise SoapFault("FailedAuthentication", "The security token could not be authenticated or authorized.")

    def _fresh(self, security: etree._Element) -> bool:
        stamp = security.find(f"{{{WSU}}}Timestamp")
        if stamp is None:
            return True
        created, expires = _time(stamp.findtext(f"{{{WSU}}}Created")), stamp.findtext(f"{{{WSU}}}Expires")
        if created is None or created > self._clock() + AHEAD:
            return False
        if expires is None:
            return created > self._clock() - OLDEST
        end = _time(expires)
        return end is not None and end > self._clock()

    def _proves(self, tenant: str, token: etree._Element) -> bool:
        login = casework_login(tenant)
        given = token.find(f"{{{WSSE}}}Password")
        username = token.findtext(f"{{{WSSE}}}Username") or ""
        if given is None or not hmac.compare_digest(username.encode(), login["username"].encode()):
            return False
        kind, password = given.get("Type", TEXT), (given.text or "").encode()
        nonce, created = token.findtext(f"{{{WSSE}}}Nonce"), token.findtext(f"{{{WSU}}}Created")
        if kind == TEXT:
            right = hmac.compare_digest(password, login["password"].encode())
            return right and (nonce is None or self._once(tenant, nonce, created))
        if kind != DIGEST or nonce is None or created is None:
            return False
        raw = _raw(nonce)
        if raw is None:
            return False
        sum = hashlib.sha1(raw + created.encode() + login["password"].encode()).digest()  # noqa: S324 - the profile's own
        return hmac.compare_digest(password, base64.b64encode(sum)) and self._once(tenant, nonce, created)

    def _once(self, tenant: str, nonce: str, created: str | None) -> bool:
        now, made, raw = self._clock(), _time(created), _raw(nonce)
        if made is None or raw is None or not now - OLDEST < made < now + AHEAD:
            return False
        key = (tenant, raw)
        with self._lock:
            while self._order and self._order[0][0] < now - OLDEST - AHEAD:
                self._seen.discard(self._order.popleft()[1])
            if key in self._seen:
                return False
            self._seen.add(key)
            self._order.append((now, key))
        return True


def _time(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _raw(nonce: str) -> bytes | None:
    try:
        return base64.b64decode(nonce, validate=True)
    except (binascii.Error, ValueError):
        return None
