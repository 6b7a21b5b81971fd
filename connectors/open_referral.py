"""Directories of services to refer on to, by Open Referral UK 3.0 (an application profile of HSDS 3.0).

A directory is read and never written, and holds no referral. Everything is listed, page by page, and nobody's words are
ever sent there: what an officer looks for could tell of a person. Source of paths, fields and their forms: the
project's public OpenAPI file and schemas (OpenReferralUK/uk-profile, version 3.0).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import Field

from connectors.again import safely_again
from connectors.deadline import Deadline
from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.http import Reply, retry_after
from connectors.json_body import UnreadableBody, read
from connectors.logins import open_login, send_logged_in, session_of
from connectors.neutral import interface
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier, UnreadableItem
from connectors.profile import Name
from connectors.quiet import silence_libraries
from connectors.references import Closed
from connectors.rest.addresses import Addresses
from connectors.settings import RestSettings
from connectors.sight import certificate_finding, clock_finding, name_finding

KIND = "Service"
MOST_PAGES = 2_000
STATUSES = ("active", "inactive", "defunct", "temporarily closed")
_TEXTS = ("description", "url", "email", "fees", "alert", "last_modified", "assured_date")
_AGES = ("minimum_age", "maximum_age")


class DirectoryRecord(Closed):
    """The services of a directory."""

    of: int = Field(default=100, ge=1, le=1_000, description="Services asked for in a page.", examples=[100])

    @property
    def offers(self) -> frozenset[str]:
        """A service can be looked up."""
        return frozenset({"fetch"})


class DirectoryProfile(Closed):
    """A directory of services."""

    system: Name = Field(description="The system's name.", examples=["open-referral-uk"])
    protocol: Literal["open-referral"] = Field(description="Kind of interface.", examples=["open-referral"])
    records: dict[Literal["Service"], DirectoryRecord] = Field(
        min_length=1, description="Its one section.", examples=[{"Service": {"of": 100}}]
    )


class DirectorySettings(RestSettings):
    """A connection to a directory of services. Most ask for no login."""


@dataclass(frozen=True, slots=True)
class About:
    """What a directory says of itself."""

    version: str
    profile: str


class DirectoryConnector:
    """One directory of services. Safe to use from several threads at once."""

    def __init__(
        self,
        profile: DirectoryProfile,
        settings: DirectorySettings,
        _interfaces: Callable[[str], bytes] | None = None,
        *,
        clock: Callable[[], datetime],
        agree: Agree | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Sit ready; nothing is sent. Raises Misconfigured."""
        silence_libraries()
        self._profile = profile
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._addresses = Addresses(settings.url)
        self._session = session_of(settings, agree=agree)
        self._login = open_login(settings, self._session)

    def __repr__(self) -> str:
        return f"DirectoryConnector({self._profile.system})"

    def about(self) -> About:
        """What the directory says of itself. Raises any of `connectors.errors`."""
        told = self._get("/", "reading what the directory is", {})
        return About(_line(told.get("version")), _line(told.get("profile")))

    def entries(self) -> Iterator[Item | UnreadableItem]:
        """Every service that the directory lists, once each. Raises any of `connectors.errors`.

        A service that is not as the standard says is an UnreadableItem, and the others go on.
        """
        seen: set[str] = set()
        for number in range(1, MOST_PAGES + 1):
            told = self._get("/services", "listing services", self._page(number))
            listed = told.get("contents")
            if not isinstance(listed, list):
                raise PageUnreadable("listing services: at contents: expected a list")
            news = 0
            for one in listed:
                item = item_of(one)
                known = item.id or sha256(item.raw).hexdigest()  # what has no id is known by all that it says
                if known not in seen:
                    seen.add(known)
                    news += 1
                    yield item
            # Looked at before the end is believed: a gateway's copy of another page would leave out the rest unseen.
            if listed and not news:
                raise PageUnreadable("listing services: a page shows only what was shown before")
            if told.get("page_number", number) not in (number, None):
                raise PageUnreadable("listing services: another page came than the one that was asked for")
            total = told.get("total_pages")
            if told.get("last_page") is True or not listed or (isinstance(total, int) and number >= total):
                return
        raise PageUnreadable(f"listing services: it goes on after {MOST_PAGES} pages")

    def kinds(self) -> tuple[str, ...]:
        """Services alone."""
        return (KIND,)

    def offers(self, kind: str) -> frozenset[str]:
        """One service can be read; a directory has no referrals."""
        return frozenset({"fetch"}) if kind == KIND else frozenset()

    def tier(self, kind: str) -> Tier:  # noqa: ARG002 - the port's parameters; nothing is called
        """Nothing is written."""
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:  # noqa: ARG002 - the port's parameters; nothing is called
        """Nothing is written."""
        return False

    def fetch(self, kind: str, id: str) -> Item | None:
        """Read one service with all that belongs to it; None if it is not there. Raises any of `connectors.errors`,
        and Rejected before anything is sent for an id that is no UUID."""
        if kind != KIND:
            raise self._not_offered(kind, "fetch")
        try:
            found = item_of(self._get(self._addresses_of(id), "reading a service", {}))
        except NotThere:
            return None
        if isinstance(found, UnreadableItem):
            raise PageUnreadable(f"reading a {found.reason}", reply=found.raw)
        return found

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item | UnreadableItem:  # noqa: ARG002 - the port's parameters
        """Read a service's own bytes again."""
        try:
            return item_of(read(raw, "application/json"))
        except UnreadableBody as trouble:
            return UnreadableItem(raw, trouble.reason, id)

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "changes")

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "changes")

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: nothing of ours is there."""
        raise NotImplementedError(f"{self._profile.system} is a directory: nothing of ours is in it")

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, "create")

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters; nothing is called
        """None: services are kept as a copy with its age, and not as a code list."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, f"look-up of {path}")

    def doctor(self) -> list[Finding]:
        """Look at the live directory: name, TLS, clock, login, what it says it is, one page."""
        found = [name_finding(self._settings)]
        certificate = certificate_finding(self._settings, self._clock())
        found += [certificate] if certificate else []
        if not all(finding.well for finding in found):
            return found
        try:
            about = self.about()
            reply = self._reply("/services", self._page(1), self._session.deadline())
            first = next(iter(self.entries()), None)
        except ConnectorError as trouble:
            remedy = "compare url and login with what the directory's owner gave"
            return [*found, Finding("route", False, trouble.reason, remedy)]
        found += [Finding("route", True, "the directory answers"), clock_finding(reply, self._clock())]
        known = about.version.startswith("3.")
        words = f"it says that it is HSDS {about.version or '(no version)'}"
        found.append(
            Finding(
                "interface", known, words, "" if known else "ask its owner for a feed of version 3, and its address"
            )
        )
        if isinstance(first, UnreadableItem):
            found.append(Finding("page", False, first.reason, "show it to the directory's owner"))
        else:
            found.append(Finding("page", True, "a service was read" if first else "it lists no service"))
        return found

    def close(self) -> None:
        """Let go of connections. Idempotent."""
        self._session.close()

    # --- Asking -------------------------------------------------------------------------------------------------------

    def _page(self, number: int) -> dict[str, str]:
        return {"page": str(number), "per_page": str(self._profile.records["Service"].of)}

    def _addresses_of(self, id: str) -> str:
        try:
            return f"/services/{UUID(id)}"
        except ValueError:
            raise Rejected("a directory's services have UUIDs; nothing was sent", field="id") from None

    def _get(self, path: str, doing: str, params: dict[str, str]) -> dict[str, Any]:
        deadline = self._session.deadline()
        reply = safely_again(lambda: self._asked(path, params, deadline, doing), deadline, sleep=self._sleep)
        try:
            told = read(reply.body, reply.headers.get("Content-Type", ""))
        except UnreadableBody as trouble:
            kind = Unknown if trouble.foreign else PageUnreadable
            raise kind(f"{doing}: {trouble.reason}", reply=reply.body) from None
        if not isinstance(told, dict):
            raise PageUnreadable(f"{doing}: at the top: expected object", reply=reply.body)
        return told

    def _asked(self, path: str, params: dict[str, str], deadline: Deadline, doing: str) -> Reply:
        reply = self._reply(path, params, deadline)
        if reply.status < 300:
            return reply
        words = f"{doing}: the directory answers {reply.status}"
        if reply.status == 404:
            raise NotThere(words)
        if reply.status in (401, 403):
            raise Unauthorised(words)
        if reply.status == 429:
            raise Throttled(words, after=retry_after(reply))
        raise (Rejected if reply.status < 500 else Unknown)(words, reply=reply.body)

    def _reply(self, path: str, params: dict[str, str], deadline: Deadline) -> Reply:
        address = self._addresses.below(path)
        asked = {"Accept": "application/json"}
        return send_logged_in(
            self._session, self._login, "GET", address, deadline=deadline, headers=asked, params=params
        )

    def _not_offered(self, kind: str, what: str) -> Misconfigured:
        return Misconfigured(f"{self._profile.system} is a directory of services: it offers no {what} for {kind}")


def item_of(found: Any) -> Item | UnreadableItem:
    """Check one service by the standard: id (UUID), name and status are required; ages are numbers; texts are texts."""
    raw = b""
    try:
        raw = orjson.dumps(found)
    except TypeError:
        return UnreadableItem(raw, "service is not sound JSON")
    if not isinstance(found, dict):
        return UnreadableItem(raw, "service at the top: expected object")
    id = found.get("id")
    reason = ""
    try:
        id = str(UUID(id)) if isinstance(id, str) else ""
    except ValueError:
        id = ""
    organisation = found.get("organization")
    if not id:
        reason = "service at id: expected a UUID"
    elif not isinstance(found.get("name"), str) or not found["name"].strip():
        reason = "service at name: expected text"
    elif found.get("status") not in STATUSES:
        reason = f"service at status: expected one of {', '.join(STATUSES)}"
    elif wrong := next((key for key in _TEXTS if not isinstance(found.get(key), str | None)), ""):
        reason = f"service at {wrong}: expected text"
    elif wrong := next((key for key in _AGES if not (found.get(key) is None or _is_number(found[key]))), ""):
        reason = f"service at {wrong}: expected a number"
    elif not isinstance(organisation, dict | None):
        reason = "service at organization: expected object"
    if reason:
        return UnreadableItem(raw, reason, id)
    return Item(id=id, record=found, raw=raw, modified=_moment(found.get("last_modified")))


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else None


def _line(value: Any) -> str:
    return re.sub(r"[^\x21-\x7e]", "", value)[:200] if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def interfaces_of(profile: DirectoryProfile, _interfaces: Callable[[str], bytes]) -> list[dict[str, Any]]:
    """Nothing is mapped from a directory, so nothing is said of its records."""
    return [interface(profile.system, KIND, "", read=None, create=None, update=None, ours=())]
