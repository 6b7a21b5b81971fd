"""`dolen check` of alerts: nobody is named whom no alert can reach, and in live somebody is told at once."""

from __future__ import annotations

from collections.abc import Iterator

from config.alerts import nobody_on_duty, unreachable
from config.findings import Finding
from config.site import Site


def check(site: Site) -> Iterator[Finding]:
    """Findings, with the lines of the files that they are about."""
    alerts = site.settings.alerts
    yield from site.document.locate(unreachable(alerts, alerts.mail))
    own = {code: files.settings.alerts for code, files in site.councils.items()}
    for code, contacts in own.items():
        if contacts is not None:
            yield from site.councils[code].document.locate(unreachable(contacts, alerts.mail))
    if site.settings.stage == "live":
        yield from site.document.locate(nobody_on_duty(alerts, own))
