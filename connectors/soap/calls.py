"""One message sent, logged in and answered: headers around the body, the login, and its renewal when it is refused.

A login that can be renewed is renewed once and the message sent again: whoever refuses a login did nothing, so this is
safe for writes too. Systems refuse in three ways: HTTP 401, a fault, and a redirect to where people sign in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree
from zeep.wsdl.utils import get_or_create_header

from connectors import xml
from connectors.deadline import Deadline
from connectors.documents import Document
from connectors.errors import Unauthorised
from connectors.http import HttpSession, Moved, Reply
from connectors.logins import Headers, HttpLogin, open_login
from connectors.port import Record
from connectors.profile import Errors
from connectors.settings import SoapSettings
from connectors.soap.addressing import address, message_id
from connectors.soap.interface import Interface
from connectors.soap.login import signer
from connectors.soap.profile import SoapProfile
from connectors.soap.reply import answer_of
from connectors.soap.sign_in import TOKEN, signing_in
from connectors.streamed import in_place_of


class Calls:
    """Makes calls to one connection's system. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: SoapProfile,
        settings: SoapSettings,
        interface: Interface,
        session: HttpSession,
        *,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Nothing is sent. Raises Misconfigured for a login that the profile does not describe."""
        profile.take(settings.login)
        self._profile = profile
        self._settings = settings
        self._interface = interface
        self._session = session
        self._sign = signer(settings.login, clock)
        self._login: HttpLogin = open_login(settings, session)
        told = settings.login.soap_sign_in if settings.login is not None else None
        if told is not None and profile.sign_in is not None:
            self._login = signing_in(
                profile.sign_in,
                told,
                self._ask_in,
                zone=ZoneInfo(profile.clock),
                namespaces=interface.namespaces,
                clock=clock,
                monotonic=monotonic,
                sleep=sleep,
            )
        self._sign_in_url = (told.sign_in_url if told is not None else None) or settings.url

    def call(
        self,
        operation: str,
        content: Mapping[str, Any],
        deadline: Deadline,
        *,
        errors: Errors,
        filed: tuple[str, Document] | None = None,
    ) -> tuple[etree._Element, Reply]:
        """Send one message and return the answer's own element, and the reply. Raises `connectors.errors`.

        `filed`: a mark that stands in the content, and the document whose Base64 goes there in pieces.
        """
        first = self._login.headers(deadline)
        try:
            return self._once(operation, content, first, deadline, errors, filed)
        except Moved as moved:
            if not moved.to_sign_in:
                raise
            refused = Unauthorised("the system leads to its sign-in page")
        except Unauthorised as problem:
            if problem.code == "403":  # it knows us, and this is not allowed: another token says the same
                raise
            refused = problem
        other = self._login.renewed(first, deadline)
        if other is None:
            raise refused
        try:
            return self._once(operation, content, other, deadline, errors, filed)
        except Moved as moved:
            if not moved.to_sign_in:
                raise
            raise Unauthorised("the system leads to its sign-in page again, right after we signed in") from None

    def _once(
        self,
        operation: str,
        content: Mapping[str, Any],
        who: Headers,
        deadline: Deadline,
        errors: Errors,
        filed: tuple[str, Document] | None,
    ) -> tuple[etree._Element, Reply]:
        token = who.get(TOKEN)
        http = {} if token is not None else who
        return self._send(self._settings.url, operation, content, deadline, errors, http=http, token=token, filed=filed)

    def _ask_in(self, content: Record, deadline: Deadline) -> tuple[etree._Element, Reply]:
        told = self._profile.sign_in
        assert told is not None  # only then is this called
        return self._send(self._sign_in_url, told.operation, content, deadline, told, http={}, token=None)

    def _send(
        self,
        url: str,
        operation: str,
        content: Mapping[str, Any],
        deadline: Deadline,
        errors: Errors,
        *,
        http: Headers,
        token: str | None,
        filed: tuple[str, Document] | None = None,
    ) -> tuple[etree._Element, Reply]:
        number = message_id() if self._profile.addressing is not None else ""

        def complete(envelope: Any) -> Any:
            if self._profile.addressing is not None:
                to = self._settings.addressed_to or url
                action = self._interface.action(operation)
                address(envelope, self._profile.addressing, to=to, action=action, number=number)
            if token is not None:
                get_or_create_header(envelope).append(self._carrier(token))  # type: ignore[no-untyped-call]
            return self._sign(envelope)

        request = self._interface.request(operation, content, complete)
        headers, body = {**request.headers, **http}, request.body
        if filed is None:
            reply = self._session.send("POST", url, headers=headers, body=body, deadline=deadline)
        else:
            size, made = in_place_of(filed[0], body, filed[1])
            headers["Content-Length"] = str(size)
            reply = self._session.send("POST", url, headers=headers, body=made(), deadline=deadline)
        answer = answer_of(
            reply,
            expected=self._interface.answer(operation),
            errors=errors,
            what=f"{self._profile.system} {operation}",
            max_bytes=self._settings.max_reply_bytes,
            number=number,
        )
        return answer, reply

    def _carrier(self, token: str) -> etree._Element:
        told = self._profile.sign_in
        assert told is not None
        assert told.header is not None  # only then is there a token
        if told.header.token is None:
            return self._interface.header(told.header.element, token)
        content: Record = {}
        for path, text in told.header.send.items():
            xml.put(content, path, text)
        xml.put(content, told.header.token, token)
        return self._interface.header(told.header.element, content)
