"""Whom alerts go to and from when on: the site's settings of alerts, by council, ready to be asked.

Secrets and addresses stay references until something is sent, so that a missing one stops one way and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from config.alerts import Alerts, Contacts, Limits, Webhook
from config.holidays import dates
from config.site import Site

Language = Literal["cy", "en", "both"]
SITE = ""  # the council of what concerns the site as a whole


@dataclass(frozen=True, slots=True)
class Way:
    """One way to somebody: an email to some addresses, or a call of one address."""

    name: str  # as a notice names it: torfaen/mail, site/duty-webhook
    duty: bool
    to: tuple[str, ...] = ()
    webhook: Webhook | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of what concerns one council, or the site."""

    council: str
    name: Mapping[str, str]  # cy, en; empty for the site
    zone: str
    ways: tuple[Way, ...]
    language: Language
    quiet: tuple[Mapping[str, Any], ...]
    holidays: frozenset[date]
    duty: str = ""  # the name and telephone of who is on duty, for the text


@dataclass(frozen=True, slots=True)
class AlertRules:
    """Everything that the watch wants to know of the site's files."""

    alerts: Alerts = field(repr=False)
    told: Mapping[str, Told]  # by council; SITE for the site
    data: Path  # the folder that Dolen writes in
    plain: Callable[[str], str] = field(repr=False)  # what a reference stands for
    ends: Mapping[tuple[str, str], date] = field(default_factory=dict)  # (council, connection) -> its login ends
    certificates: Mapping[tuple[str, str], Path] = field(default_factory=dict)  # of our own, by what shows them
    peers: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict, repr=False)  # their `connect`
    shown: dict[tuple[str, str], int] = field(default_factory=dict)  # when their certificates end, as they show them
    key_files: tuple[Path, ...] = ()  # the main key and the key store, where they are files

    @property
    def limits(self) -> Limits:
        """From when on something is worth an alert."""
        return self.alerts.when

    def of(self, council: str) -> Told:
        """Who is told of what concerns a council; the site's people if it has none of its own."""
        return self.told.get(council) or self.told[SITE]

    def way(self, name: str) -> Way | None:
        """A way by its name, None if the site's files do not have it any more."""
        return next((way for told in self.told.values() for way in told.ways if way.name == name), None)


def rules_of(site: Site, environment: Mapping[str, str] | None = None) -> AlertRules:
    """Read them from a site. Nothing is looked up and nothing is sent."""
    alerts = site.settings.alerts
    told = {SITE: _told(SITE, {}, "Europe/London", alerts, alerts, frozenset())}
    ends: dict[tuple[str, str], date] = {}
    certificates: dict[tuple[str, str], Path] = {}
    peers: dict[tuple[str, str], Mapping[str, Any]] = {}
    for code, files in site.councils.items():
        settings = files.settings
        identity, own = settings.council, settings.alerts
        name = {"cy": identity.name.cy, "en": identity.name.en}
        closed_on = frozenset(dates(settings.bank_holidays))
        told[code] = _told(code, name, identity.time_zone, own or alerts, alerts, closed_on)
        for one, connection in settings.connections.items():
            if connection.login_ends is not None:
                ends[code, one] = date.fromisoformat(connection.login_ends)
            if isinstance(connection.connect.get("url"), str) and not connection.connect.get("proxy"):
                peers[code, one] = connection.connect
            shown = connection.connect.get("client_certificate")
            if isinstance(shown, str) and not shown.startswith(("env:", "file:")):
                certificates[code, one] = site.root / shown
    listener = site.settings.listener
    if listener is not None and listener.certificate:
        certificates[SITE, "listener"] = site.root / listener.certificate
    if not told[SITE].ways:  # nobody of the site's own: then what concerns the site concerns each council
        everybody = tuple(way for one in told.values() for way in one.ways)
        told[SITE] = Told(SITE, {}, "Europe/London", everybody, alerts.language or "both", (), frozenset())
    return AlertRules(
        alerts, told, site.data_folder, lambda value: site.plain(value, environment), ends, certificates, peers,
        key_files=_key_files(site),
    )  # fmt: skip


def _key_files(site: Site) -> tuple[Path, ...]:
    keys, found = site.settings.keys, []
    if keys.main.startswith("file:"):
        found.append(site.root / keys.main.removeprefix("file:"))
    if keys.store.startswith("sqlite:///"):
        found.append(site.data_folder / keys.store.removeprefix("sqlite:///"))
    return tuple(found)


def _told(
    council: str, name: Mapping[str, str], zone: str, who: Contacts, site: Alerts, holidays: frozenset[date]
) -> Told:
    whose = "site" if who is site else council
    ways = [Way(f"{whose}/mail", duty=False, to=tuple(who.to))] if who.to and site.mail else []
    ways += [
        Way(f"{whose}/webhook-{number}", duty=False, webhook=webhook) for number, webhook in enumerate(who.webhooks, 1)
    ]
    duty, on = who.duty or site.duty, ""
    if duty is not None:
        from_site = "site" if duty is site.duty else whose
        on = ", ".join(part for part in (duty.name, duty.phone) if part)
        if duty.email and site.mail:
            ways.append(Way(f"{from_site}/duty-mail", duty=True, to=(duty.email,)))
        if duty.webhook:
            ways.append(Way(f"{from_site}/duty-webhook", duty=True, webhook=duty.webhook))
    quiet = tuple(window.model_dump() for window in who.quiet)
    return Told(council, name, zone, tuple(ways), who.language or site.language or "both", quiet, holidays, on)
