"""What would let people's data, or the way to it, travel in clear between our own machines: ledger, keys and broker.

Addresses of systems are judged by the connectors' own settings, which take https alone. Here are the servers of the
site itself; in a live site a plain line to another machine is refused, by `dolen check` and again when anything starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from config.findings import Finding, Severity, SiteFaults
from config.secrets import SecretMissing
from pipelines.databases import in_clear

if TYPE_CHECKING:
    from config.alerts import Webhook
    from config.site import Site

_HERE = ("localhost", "127.0.0.1", "::1")
_PLAIN_BROKERS = frozenset({"amqp", "pyamqp", "redis", "sqs", "http", "mongodb", "zookeeper"})
_SAFE_BROKERS = frozenset({"amqps", "pyamqps", "rediss", "memory"})


def check(site: Site, environment: Mapping[str, str] | None = None) -> Iterator[Finding]:
    """Find plain lines to other machines: errors in stage live, warnings in test. What cannot be resolved is told as a
    missing secret elsewhere."""
    severity = Severity.ERROR if site.settings.stage == "live" else Severity.WARNING
    for setting, url in (("ledger", site.ledger_url), ("keys", site.keys_url)):
        try:
            found = in_clear(make_url(url(environment)))
        except (SecretMissing, ArgumentError):
            continue
        if found:
            yield site.document.finding(
                (setting, "store" if setting == "keys" else "url"),
                found=f"PostgreSQL on another machine with {found}",
                expected="a line that is encrypted to a server whose name was checked",
                remedy="write sslmode=verify-full, and sslrootcert=PATH for an authority of your own",
                severity=severity,
            )
    try:
        broker = site.broker_url(environment)
    except SecretMissing:
        return
    if (words := plain_broker(broker)) is not None:
        yield site.document.finding(
            ("broker", "url"),
            found=words,
            expected="amqps://, which is encrypted and of which the server's name is checked",
            remedy="write amqps:// and the broker's port for TLS, with ?ca_bundle=PATH for an authority of your own",
            severity=severity,
        )
    alerts = site.settings.alerts
    hooks: list[tuple[tuple[str | int, ...], Webhook]] = [
        (("alerts", "webhooks", at), one) for at, one in enumerate(alerts.webhooks)
    ]
    if alerts.duty is not None and alerts.duty.webhook is not None:
        hooks.append((("alerts", "duty", "webhook"), alerts.duty.webhook))
    for place, hook in hooks:
        if hook.url.startswith("http://") and (urlsplit(hook.url).hostname or "") not in _HERE:
            yield site.document.finding(
                (*place, "url"),
                found="http:// to another machine",
                expected="https://",
                remedy="write https://",
                severity=severity,
            )


def refuse(site: Site, environment: Mapping[str, str] | None = None) -> None:
    """Raise SiteFaults for what a live site may not do."""
    found = [one for one in check(site, environment) if one.severity is Severity.ERROR]
    if found:
        raise SiteFaults(found)


def plain_broker(url: str) -> str | None:
    """What is wrong with a broker's URL, None if nothing is. It never holds the URL itself, which may hold a login."""
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme in _SAFE_BROKERS or host in _HERE:
        return None
    known = parts.scheme if parts.scheme in _PLAIN_BROKERS else "another scheme than amqps"
    return f"a broker on another machine over {known}, in clear"
