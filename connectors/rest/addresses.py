"""Addresses below one connection's url: made from a profile's paths, and checked where the system names them itself.

A link in a reply is only a wish. It is followed if scheme, host, port and path are still the connection's own; an id is
percent-encoded whole, so that no record can lead a call to another path.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from connectors.errors import Misconfigured, Rejected
from connectors.http import origin, path_of

_REL_NEXT = re.compile(r'<([^<>]*)>[^<]*?;\s*rel="?(?:[^";,]* )?next(?: [^";,]*)?"?(?=\s*(?:[;,]|$))', re.IGNORECASE)
LONGEST = 8_000  # characters; longer addresses are refused by most web servers


class Addresses:
    """The addresses that one connection calls."""

    def __init__(self, url: str) -> None:
        """Raises Misconfigured if nothing can be put below `url`."""
        if urlsplit(url).query:
            raise Misconfigured("url holds a question mark: write only the address that all paths begin with")
        self._root = url.rstrip("/")
        self._origin = origin(url)
        self._path = urlsplit(self._root).path

    def below(self, path: str, **places: str) -> str:
        """Fill a profile's path and put it below the url. Raises Rejected for an id or key that no path can carry."""
        for name, value in places.items():
            # Between quotes a quote is doubled (OData 4.0, URL conventions, 5.1.1.6.1): it would end the text else.
            quoted = "'{" + name + "}'" in path
            # Dots alone would climb to another path; encoding does not help, as it is taken back on the way.
            if not value or value in (".", "..") or not value.isprintable() or len(value) > LONGEST // 4:
                raise Rejected(f"{name} cannot stand in an address; nothing was sent")
            told = value.replace("'", "''") if quoted else value
            path = path.replace("{" + name + "}", quote(told, safe=""))
        return self._root + path

    def linked(self, called: str, link: str, *, size: tuple[str, int] | None = None) -> str:
        """Return the address that a reply to `called` names as the next page, asking for `size` records if given.

        Raises Misconfigured when it leaves the connection's url.
        """
        try:
            address = urljoin(called, link.strip())
            inside = origin(address) == self._origin and "\\" not in link
            path = urlsplit(address).path
        except (ValueError, Misconfigured):
            inside, path, address = False, "", ""
        steps = unquote(path).split("/")
        if not inside or not (path == self._path or path.startswith(self._path + "/")) or {".", ".."} & set(steps):
            raise Misconfigured(
                f"the reply names a next page that does not lie below {self._origin}{self._path}; it was not called. "
                "If it is right, write the address that both begin with as the connection's url"
            )
        if len(address) > LONGEST:
            raise Misconfigured(f"the reply names a next page with an address longer than {LONGEST} characters")
        return _sized(address, *size) if size else address

    def id_in(self, location: str, path: str) -> str:
        """Read the id out of a Location header, by the path that a record is fetched by; "" if it does not fit."""
        before, _, after = (self._path + path).partition("{id}")
        found = path_of(location)
        if not (found.startswith(before) and found.endswith(after) and len(found) > len(before) + len(after)):
            return ""
        middle = found[len(before) : len(found) - len(after)]
        return "" if "/" in middle else unquote(middle)


def next_in(header: str) -> str:
    """Return the address of rel=next in a Link header (RFC 8288), "" if there is none."""
    found = _REL_NEXT.search(header)
    return found[1] if found else ""


def _sized(address: str, name: str, size: int) -> str:
    parts = urlsplit(address)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != name]
    return urlunsplit(parts._replace(query=urlencode([*query, (name, str(size))])))
