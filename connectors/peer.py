"""When the certificate of a system ends, as it shows it: one handshake and nothing more. For a warning in good time."""

from __future__ import annotations

import socket
import ssl
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from connectors.reach import judge
from connectors.tls import tls_context

SECONDS = 5.0


def certificate_ends(url: str, *, ca_bundle: Path | None = None, private: bool = False) -> datetime | None:
    """When the certificate behind an https address ends, in UTC; None where it cannot be told.

    A certificate that has ended already cannot be told from one that is not trusted: the first call says which.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return None
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        address = found[0][4]
        judge(parts.hostname, str(address[0]), private=private)
        with (
            closing(socket.create_connection((str(address[0]), int(address[1])), timeout=SECONDS)) as line,
            tls_context(ca_bundle).wrap_socket(line, server_hostname=parts.hostname) as secured,
        ):
            shown = secured.getpeercert()
    except (OSError, ValueError, IndexError):  # no name, no route, no trust: what uses the connection says so
        return None
    ends = shown.get("notAfter") if shown else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
