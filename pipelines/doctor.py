"""`dolen doctor`: every live connection looked at, one after the other, without changing anything, and who mends what.

What keeps a connection from being looked at at all - a missing secret, a setting that cannot work, a host that does not
answer - is a finding like any other: one connection out of order hides none of the rest.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.errors import ConnectorError, Misconfigured
from connectors.port import Finding
from pipelines import template_checks
from pipelines.plant import Plant, Wired


def examine(plant: Plant, council: str | None = None, connection: str | None = None) -> list[tuple[str, str, Finding]]:
    """Look at connections: of one council or all, of one name or all. Each finding comes with council and connection.

    Raises LookupError, with a sentence, if no connection is meant.
    """
    meant = [
        wired
        for code, one in sorted(plant.councils.items())
        for wired in one.wired.values()
        if council in (None, code) and connection in (None, wired.name)
    ]
    if not meant:
        known = ", ".join(sorted({wired.name for one in plant.councils.values() for wired in one.wired.values()}))
        raise LookupError(f"no such connection; the connections are {known or 'none'}")
    return [(wired.council, wired.name, finding) for wired in meant for finding in _looked_at(plant, wired)]


#: What is looked at in a system that is called over the network, in the order in which things go wrong.
LINES = ("name", "route", "TLS", "clock", "login", "permission", "interface", "page", "dry write")
_ALIKE = {"reading": "page", "our certificate": "TLS", "capabilities": "interface", "protocol": "interface"}
_NETWORK, _OURS = "the network team", "whoever looks after Dolen here"
_MENDS = {"name": _NETWORK, "route": _NETWORK, "our certificate": _OURS, "clock": _OURS, "settings": _OURS,
          "machine": _OURS, "interface": _OURS, "capabilities": "supplier", "page": "supplier",
          "dry write": "supplier", template_checks.SUBJECT: "whoever writes the texts"}  # fmt: skip


def line_of(finding: Finding) -> str:
    """Which of `LINES` a finding is, or its own subject where it is none."""
    subject = finding.subject
    first = subject.partition(" ")[0]
    return _ALIKE.get(subject) or _ALIKE.get(first) or (first if first in LINES else subject)


def who_mends(wired: Wired, finding: Finding) -> str:
    """Who has to mend what is not well, "" where it is: with name and telephone where the council's file has them."""
    if finding.well:
        return ""
    who = _MENDS.get(finding.subject) or _MENDS.get(line_of(finding), "owner")
    if who == "supplier":
        return f"the supplier, {wired.settings['supplier']}" if wired.settings.get("supplier") else "the supplier"
    if who != "owner":
        return who
    owner = wired.settings.get("owner") or {}
    told = ", ".join(str(owner[key]) for key in ("name", "phone") if owner.get(key))
    return f"the system's owner, {told}" if told else "the system's owner"


def _looked_at(plant: Plant, wired: Wired) -> list[Finding]:
    found = _asked(wired)
    if all(one.well for one in found):
        found += template_checks.compared(plant, wired)
    # A system without a name in the network (a folder, a person) has lines of its own.
    return [*found, *_not_looked_at(found)] if any(one.subject == "name" for one in found) else found


def _not_looked_at(found: list[Finding]) -> Iterator[Finding]:
    """The lines that nothing was said of, so that nobody takes silence for a good sign."""
    ill = next((one.subject for one in found if not one.well), "")
    why = f"{ill} must be mended first" if ill else "this system gives no occasion for it"
    other = {"TLS": "there is no TLS to look at", "dry write": "the profile names no call that keeps nothing"}
    for line in LINES:
        if line not in {line_of(one) for one in found}:
            yield Finding(line, True, f"not looked at: {why if ill else other.get(line, why)}")


def _asked(wired: Wired) -> list[Finding]:
    try:
        return wired.connector.doctor()
    except Misconfigured as fault:
        remedy = "correct the connection's settings or its profile, then run `dolen check`"
        return [Finding("settings", False, fault.reason, remedy)]
    except ConnectorError as fault:
        return [Finding("route", False, fault.reason, "look at the system, the network and the connection's url")]
    except OSError as fault:  # a certificate file that cannot be read, no sockets left
        return [
            Finding("machine", False, f"this machine refused ({type(fault).__name__})", "look at its files and limits")
        ]
