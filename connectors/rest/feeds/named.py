"""Reading a record that a list has only named."""

from __future__ import annotations

from connectors.deadline import Deadline
from connectors.errors import PageUnreadable, Rejected
from connectors.port import Item, UnreadableItem
from connectors.rest.feeds.asking import Asking


def named(
    asking: Asking, id: str, deadline: Deadline, *, at: str, path: str = "", same: bool = True, bytes_only: bool = False
) -> Item | UnreadableItem | None:
    """Read one record by the id that stood `at` a path of the list; None for one that the system says is gone.

    `path`: it is read there and not through the profile's `fetch`. `same`: its own id must be the one in the list.
    `bytes_only`: what could not be read has bytes only if they are the record's own, and not those of a refusal.

    Raises Unreachable, Unknown and Throttled, which are no fault of this record.
    """
    kind = asking.kind
    try:
        found = asking.fetch(id, deadline, path=path)
    except (PageUnreadable, Rejected) as trouble:
        theirs = b"" if bytes_only and isinstance(trouble, Rejected) else trouble.reply
        return UnreadableItem(theirs, trouble.reason, id)
    if found is not None:
        if found.id == id or not same:
            return found
        return UnreadableItem(found.raw, f"{kind} at {at}: another record came back than was asked", id)
    if asking.tells_gone:
        return None
    # A web server's own 404 must not pass for a deleted record: were the path wrong, all would be lost unseen.
    return UnreadableItem(b"", f"{kind} is listed as changed and is not there (404): was it deleted?", id)
