"""From format 1 to 2: a table of who is told by a text, alerts to several addresses, limits of alerts in one place."""

from __future__ import annotations

from collections.abc import Iterator

from config.documents import Document
from config.findings import KeyPath
from config.upgrades.steps import ByHand, Change, Kind, Renamed


def step(kind: Kind, document: Document) -> Iterator[Change]:
    """List what format 2 says otherwise. An entry that format 1 did not allow is left for `dolen check` to tell."""
    data = document.data if isinstance(document.data, dict) else {}
    if kind is Kind.SITE and isinstance(data.get("alerts"), dict):
        yield from _alerts(data["alerts"])
    if kind is Kind.COUNCIL and isinstance(data.get("routes"), list):
        for position, route in enumerate(data["routes"]):
            if isinstance(route, dict) and route.get("recipient") in ("person", "referrer"):
                rows = [{"who": route["recipient"]}]
                yield _unless_there(route, ("routes", position, "recipient"), "recipients", rows)


def _alerts(alerts: dict[str, object]) -> Iterator[Change]:
    if isinstance(alerts.get("webhook"), str):
        yield _unless_there(alerts, ("alerts", "webhook"), "webhooks", [{"url": alerts["webhook"]}])
    if isinstance(alerts.get("attention_after"), str):
        limits = {"attention_after": alerts["attention_after"]}
        yield _unless_there(alerts, ("alerts", "attention_after"), "when", limits)
    if "mail_server" in alerts:
        yield ByHand(
            ("alerts", "mail_server"),
            "`mail` with `host`, `port` and `from`",
            "write `mail: {host: mail.example.org, port: 587, from: dolen@example.org}` with your server in its place: "
            "the address that alerts come from is yours to say",
        )


def _unless_there(section: dict[str, object], path: KeyPath, key: str, value: object) -> Change:
    if key not in section:
        return Renamed(path, key, value)
    return ByHand(path, f"`{key}` alone", f"put what it says under `{key}`, which stands beside it, and take it out")
