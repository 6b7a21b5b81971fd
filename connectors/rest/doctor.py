"""`dolen doctor` for a REST connection: route, login, clock, permission, a page, the interface. Changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unauthorised, Unreachable
from connectors.http import Reply
from connectors.port import Finding, Page, UnreadableItem
from connectors.rest.replies import their_time

MOST_SKEW = 60.0  # seconds; beyond it tokens expire early and stamps mislead


class Examined(Protocol):
    """What of a connector is looked at."""

    def log_in(self) -> None:
        """Fetch what logging in needs."""

    def look(self, kind: str) -> Reply:
        """Ask for the smallest first page of a kind."""

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:
        """Read a page of changes."""

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record."""

    def offers(self, kind: str) -> frozenset[str]:
        """What can be done with a kind."""


def examine(connector: Examined, now: datetime) -> list[Finding]:
    """Look at the live connection, in the order in which things can go wrong, and stop where going on means nothing."""
    found: list[Finding] = []
    try:
        connector.log_in()
    except ConnectorError as error:
        return [_trouble("logging in", error)]
    for kind in connector.kinds():
        if "changes" not in connector.offers(kind):
            continue
        try:
            reply = connector.look(kind)
        except ConnectorError as error:
            return [*found, _trouble("route", error)]
        if not found:
            found = [Finding("route", True, "the system answers"), _clock(reply, now)]
        try:
            page = connector.changes(kind, watermark="", limit=1)
        except ConnectorError as error:
            found.append(_trouble(f"reading {kind}", error))
            continue
        found.append(Finding(f"reading {kind}", True, f"one page of {len(page.items)} was read with our login"))
        found.append(_interface(kind, page))
    return found or [Finding("login", True, "logging in went well; no kind of record can be listed")]


def _trouble(subject: str, error: ConnectorError) -> Finding:
    remedy = "try again; if it stays, tell the supplier"
    if isinstance(error, Unauthorised):
        subject, remedy = "login", "compare login in the council's file with what the supplier gave, and ask for rights"
    elif isinstance(error, Unreachable):
        subject, remedy = "route", "compare url with the supplier's, then ask the network team for a way through"
    elif isinstance(error, Misconfigured | Rejected):
        remedy = "compare the profile and url with the supplier's interface"
    elif isinstance(error, Throttled):
        remedy = "wait, and lower limits.calls_a_second"
    return Finding(subject, False, error.reason, remedy)


def _clock(reply: Reply, now: datetime) -> Finding:
    theirs = their_time(reply)
    if theirs is None:
        return Finding("clock", True, "the system does not tell its time")
    skew = (theirs - now.astimezone(UTC)).total_seconds()
    if abs(skew) <= MOST_SKEW:
        return Finding("clock", True, f"its clock and ours differ by {abs(skew):.0f} seconds")
    words = f"its clock is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} ours"
    return Finding("clock", False, words, "set this machine's clock by NTP; if it is right, tell the supplier")


def _interface(kind: str, page: Page) -> Finding:
    for item in page.items:
        if isinstance(item, UnreadableItem):
            return Finding(
                f"interface of {kind}", False, item.reason, "compare the pinned interface with the supplier's newest"
            )
    return Finding(f"interface of {kind}", True, "what was read is as the pinned interface says")
