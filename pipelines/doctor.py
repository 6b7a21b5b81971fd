"""`dolen doctor`: every live connection looked at, one after the other, without changing anything.

What keeps a connection from being looked at at all - a missing secret, a setting that cannot work, a host that does not
answer - is a finding like any other: one connection out of order hides none of the rest.
"""

from __future__ import annotations

from connectors.errors import ConnectorError, Misconfigured
from connectors.port import Finding
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
    return [(wired.council, wired.name, finding) for wired in meant for finding in _looked_at(wired)]


def _looked_at(wired: Wired) -> list[Finding]:
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
