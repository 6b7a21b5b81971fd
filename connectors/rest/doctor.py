"""`dolen doctor` for a REST connection: route, clock, login, permission, a page, the interface, a dry write. Changes
nothing: what is tried to be written is a record of the system's own, by a call that keeps nothing of it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from connectors import dry_write
from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unauthorised, Unreachable
from connectors.http import Reply
from connectors.port import Finding, Page, Record, UnreadableItem
from connectors.settings import HttpSettings
from connectors.sight import certificate_finding, clock_finding, name_finding, own_certificate_finding


class Examined(Protocol):
    """What of a connector is looked at."""

    def log_in(self) -> None:
        """Fetch what logging in needs."""

    def look(self, kind: str) -> Reply | None:
        """Ask for the smallest first page of a kind; None where looking would remove something."""

    def removes(self, kind: str) -> bool:
        """Whether a read of changes takes something away from the system."""

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read a page of changes."""

    def dry_write(self, kind: str, record: Record) -> bool:
        """Have the system judge a record without keeping it; False where it has no such call."""

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record."""

    def offers(self, kind: str) -> frozenset[str]:
        """What can be done with a kind."""


def examine(connector: Examined, settings: HttpSettings, now: datetime) -> list[Finding]:
    """Look at the live connection, in the order in which things can go wrong, and stop where going on means nothing."""
    found = [name_finding(settings)]
    certificates = (own_certificate_finding(settings, now), certificate_finding(settings, now))
    found += [told for told in certificates if told is not None]
    if not all(finding.well for finding in found):
        return found
    try:
        connector.log_in()
    except ConnectorError as error:
        return [*found, _trouble("logging in", error)]
    clock_seen = False
    for kind in connector.kinds():
        if "changes" not in connector.offers(kind):
            continue
        try:
            reply = connector.look(kind)
        except ConnectorError as error:
            return [*found, _trouble("route", error)]
        if reply is not None and not clock_seen:
            found += [Finding("route", True, "the system answers"), clock_finding(reply, now)]
            clock_seen = True
        if connector.removes(kind):
            found.append(Finding(f"reading {kind}", True, "not tried: what is read there is removed by the reading"))
            continue
        try:
            page = connector.changes(kind, watermark="", limit=1)
        except ConnectorError as error:
            found.append(_trouble(f"reading {kind}", error))
            continue
        if not any(one.subject == "login" for one in found):
            found.append(Finding("login", True, "the system took our login"))
        found.append(Finding("permission", True, f"{kind} may be read"))
        found.append(Finding(f"reading {kind}", True, f"one page of {len(page.items)} was read with our login"))
        found.append(_interface(kind, page))
        found += dry_write.tried(kind, page, connector.dry_write, lambda error: _trouble("dry write", error))
    if not clock_seen:
        found.append(Finding("login", True, "logging in went well; no kind of record can be listed"))
    return found


def _trouble(subject: str, error: ConnectorError) -> Finding:
    remedy = "try again; if it stays, tell the supplier"
    if isinstance(error, Unauthorised) and "HTTP 403" in error.reason:
        subject, remedy = "permission", "ask the system's owner to give our login the right to do this"
    elif isinstance(error, Unauthorised):
        subject, remedy = "login", "compare login in the council's file with what the supplier gave, and ask for rights"
    elif isinstance(error, Unreachable):
        subject, remedy = "route", "compare url with the supplier's, then ask the network team for a way through"
    elif isinstance(error, Misconfigured | Rejected):
        remedy = "compare the profile and url with the supplier's interface"
    elif isinstance(error, Throttled):
        remedy = "wait, and lower limits.calls_a_second"
    return Finding(subject, False, error.reason, remedy)


def _interface(kind: str, page: Page) -> Finding:
    for item in page.items:
        if isinstance(item, UnreadableItem):
            return Finding(
                f"interface of {kind}", False, item.reason, "compare the pinned interface with the supplier's newest"
            )
    return Finding(f"interface of {kind}", True, "what was read is as the pinned interface says")
