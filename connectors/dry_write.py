"""What `dolen doctor` finds by a dry write: whether a system would take a record, by a call that keeps nothing of it.

The record is one that the system has just shown. How it is asked is each family's business.
"""

from __future__ import annotations

from collections.abc import Callable

from connectors.errors import ConnectorError, Rejected, Unauthorised
from connectors.port import Finding, Item, Page, Record

SUBJECT = "dry write"


def tried(
    kind: str, page: Page, ask: Callable[[str, Record], bool], trouble: Callable[[ConnectorError], Finding]
) -> list[Finding]:
    """One finding, or none where the page shows no record or the system has no such call (`ask` returns False).

    `trouble` says what to do about an error that is neither a refusal of the record nor of our login.
    """
    shown = next((item for item in page.items if isinstance(item, Item)), None)
    if shown is None:
        return []
    try:
        asked = ask(kind, shown.record)
    except Rejected as error:
        remedy = "ask the supplier why it refuses a record of its own; compare the pinned interface with the newest one"
        return [Finding(SUBJECT, False, error.reason, remedy)]
    except Unauthorised as error:
        return [Finding(SUBJECT, False, error.reason, "ask the system's owner to let our login write")]
    except ConnectorError as error:
        found = trouble(error)
        return [Finding(SUBJECT, False, found.words, found.remedy)]
    return [Finding(SUBJECT, True, f"{kind} would be taken; nothing was kept")] if asked else []
