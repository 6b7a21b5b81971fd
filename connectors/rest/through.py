"""What a kind's feed and its documents ask their system through: one connector's session, login, readers and errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from connectors.deadline import Deadline
from connectors.http import Reply
from connectors.port import Item, UnreadableItem
from connectors.rest.replies import code_in

if TYPE_CHECKING:
    from connectors.rest.connector import RestConnector

Headers = Mapping[str, str]
ASKED = {"Accept": "application/json"}


class Through:
    """One kind of one connector. See `connectors.rest.feeds.asking.Asking` and `connectors.rest.documents.Speaks`."""

    def __init__(self, connector: RestConnector, kind: str) -> None:
        self._connector = connector
        self.kind = kind
        self.known = connector._known
        self.addresses = connector._addresses
        self.spool = connector._spool
        self.now = connector._clock
        self.tells_gone = connector._record(kind).fault.code is not None

    def deadline(self) -> Deadline:
        """Start the clock of one call."""
        return self._connector._session.deadline()

    def get(
        self,
        url: str,
        params: Mapping[str, str],
        deadline: Deadline,
        *,
        headers: Headers | None = None,
        most_bytes: int | None = None,
    ) -> Reply:
        """Read an address, tried again while that may help."""
        return self._connector._get(url, params, deadline, headers=headers, most_bytes=most_bytes)

    def code(self, reply: Reply) -> str:
        """Return the system's own error code in a reply, "" if it names none."""
        return code_in(reply, self._connector._record(self.kind))

    def send(
        self,
        method: str,
        url: str,
        params: Mapping[str, str],
        deadline: Deadline,
        *,
        headers: Headers | None = None,
        **more: Any,
    ) -> Reply:
        """Send one request once, logged in; `more` is that of `HttpSession.send`."""
        return self._connector._send(method, url, deadline, headers=headers or ASKED, params=params, **more)

    def expect(self, reply: Reply, doing: str, *, one: bool = False) -> None:
        """Raise the named error for a reply that is no success."""
        self._connector._expect(reply, self._connector._record(self.kind), doing=doing, one=one)

    def listed(self, reply: Reply, doing: str) -> Any:
        """Return what a list's reply holds. Raises as `expect`, and PageUnreadable."""
        self.expect(reply, doing)
        return self._connector._page(reply, doing)

    def item(self, found: Any) -> Item | UnreadableItem:
        """Check one record of a list."""
        return self._connector._readers[self.kind].item(found)

    def moment(self, told: Any) -> datetime | None:
        """Read a stamp by the profile's clock; None for what is none."""
        return self._connector._readers[self.kind].moment(told)

    def address_of(self, id: str) -> str:
        """Where one record is read by its id."""
        fetch = self._connector._record(self.kind).fetch
        if fetch is None:
            raise self._connector._not_offered(self.kind, "fetch")
        return self.addresses.below(fetch.path, id=id)

    def fetch(self, id: str, deadline: Deadline, *, path: str = "") -> Item | None:
        """Read one record by its id, None if it is not there. Raises PageUnreadable if it cannot be read."""
        return self._connector._fetched(self.kind, id, deadline, path)
