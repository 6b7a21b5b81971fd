"""Who may come in: HTTP Basic, or a WS-Security UsernameToken as text or digest. Both are reported of Verint."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from lxml import etree

from sandbox.secrets import verint_login

_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
WSSE, WSU = f"{_WSS}wssecurity-secext-1.0.xsd", f"{_WSS}wssecurity-utility-1.0.xsd"
_DIGEST = f"{_WSS}username-token-profile-1.0#PasswordDigest"


def may_enter(tenant: str, authorization: str, header: etree._Element | None) -> bool:
    """Whether a call proves the tenant's login, in either way."""
    login = verint_login(tenant)
    if authorization:
        return _basic(authorization, f"{login['username']}:{login['password']}")
    token = header.find(f"{{{WSSE}}}Security/{{{WSSE}}}UsernameToken") if header is not None else None
    if token is None or token.findtext(f"{{{WSSE}}}Username") != login["username"]:
        return False
    given = token.find(f"{{{WSSE}}}Password")
    if given is None:
        return False
    right = login["password"]
    if given.get("Type") == _DIGEST:
        try:
            nonce = base64.b64decode(token.findtext(f"{{{WSSE}}}Nonce") or "", validate=True)
        except binascii.Error:
            return False
        made = (token.findtext(f"{{{WSU}}}Created") or "").encode()
        digest = hashlib.sha1(nonce + made + right.encode()).digest()  # noqa: S324 - the profile's own
        right = base64.b64encode(digest).decode()
    return hmac.compare_digest((given.text or "").encode(), right.encode())


def _basic(authorization: str, right: str) -> bool:
    kind, _, pair = authorization.partition(" ")
    try:
        told = base64.b64decode(pair, validate=True)
    except binascii.Error:
        return False
    return kind.lower() == "basic" and hmac.compare_digest(told, right.encode())
