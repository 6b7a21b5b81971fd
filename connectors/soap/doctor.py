"""What `dolen doctor` says about a SOAP connection. Nothing is changed: one page of one record is read, and the system
is asked whether it would take that record, where the profile names an operation that keeps nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors import dry_write
from connectors.errors import ConnectorError, Misconfigured, Rejected, Throttled, Unauthorised, Unreachable
from connectors.http import Reply
from connectors.known import KnownIdsFeed
from connectors.port import Finding, Page, UnreadableItem
from connectors.sight import certificate_finding, clock_finding, name_finding, own_certificate_finding

if TYPE_CHECKING:
    from connectors.soap.connector import SoapConnector


def look(connector: SoapConnector) -> list[Finding]:
    """Look at name, TLS, clock, login, permission, interface, one page and one dry write."""
    told = ", ".join(connector.interface.files)
    found = [Finding("interface", True, f"{told}: {len(connector.interface.operations)} operations")]
    found.append(name_finding(connector.settings))
    now = connector.clock()
    if (ours := own_certificate_finding(connector.settings, now)) is not None:
        found.append(ours)
    if all(finding.well for finding in found) and (tls := certificate_finding(connector.settings, now)) is not None:
        found.append(tls)
    if all(finding.well for finding in found):
        found += _pages(connector)
    return found


def _pages(connector: SoapConnector) -> list[Finding]:
    found: list[Finding] = []
    for kind, told in connector.profile.records.items():
        if told.changes is None:
            continue
        feed = told.changes
        if isinstance(feed, KnownIdsFeed):
            found += _known(connector, kind)
            continue
        content = connector.first_ask(feed)
        try:
            reply = connector.probe(kind, feed.operation, content)
            page = connector.changes(kind, watermark="", limit=1)
        except ConnectorError as problem:
            found.append(_trouble(kind, problem))
        else:
            found += _well(connector, kind, reply, len(page.items))
            found += _dry_write(connector, kind, page)
    return found


def _known(connector: SoapConnector, kind: str) -> list[Finding]:
    """Of a kind that is not listed, the first record that is known is read."""
    try:
        page = connector.changes(kind, watermark="", limit=1)
    except ConnectorError as problem:
        return [_trouble(kind, problem)]
    if not page.items:
        return [Finding("page", True, f"{kind}: no record is linked yet, so none was read")]
    if isinstance(page.items[0], UnreadableItem):
        return [Finding("page", False, page.items[0].reason, "compare the profile's fetch with the interface")]
    return [
        Finding("login", True, "the system took our login"),
        Finding("page", True, f"{kind}: a record that is linked was read again"),
        *_dry_write(connector, kind, page),
    ]


def _dry_write(connector: SoapConnector, kind: str, page: Page) -> list[Finding]:
    return dry_write.tried(kind, page, connector.dry_write, lambda error: _trouble(kind, error))


def _well(connector: SoapConnector, kind: str, reply: Reply, count: int) -> list[Finding]:
    return [
        clock_finding(reply, connector.clock()),
        Finding("login", True, "the system took our login"),
        Finding("permission", True, f"{kind} may be read"),
        Finding(
            "page", True, f"{kind}: a page was read ({count} record asked for and shown)" if count else f"{kind}: empty"
        ),
    ]


def _trouble(kind: str, problem: ConnectorError) -> Finding:
    if isinstance(problem, Unreachable):
        return Finding("route", False, problem.reason, "ask the network team whether this machine may call the system")
    if isinstance(problem, Unauthorised):
        return Finding("login", False, problem.reason, "check user name and password with the system's owner")
    if isinstance(problem, Rejected):
        return Finding(
            "permission", False, problem.reason, f"ask the system's owner whether this login may read {kind}"
        )
    if isinstance(problem, Throttled):
        return Finding("page", False, problem.reason, "try again later, or agree on more calls with the supplier")
    if isinstance(problem, Misconfigured):
        return Finding("interface", False, problem.reason, "correct the profile or the connection's url")
    return Finding("page", False, problem.reason, "ask the supplier; the answer is not what the interface promises")
