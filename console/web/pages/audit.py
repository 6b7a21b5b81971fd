"""The audit: who did what and when, the newest first, and whether the chain holds. Reasons stay sealed."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import audit, lists
from pipelines.rights import Right

doors = Doors("audit", menu=90)
_A_PAGE = 50


@doors.get("/audit", Right.PROTECT)
def newest(asked: Asked) -> Response:
    """A page of it."""
    return _page(asked)


@doors.post("/audit/verify", Right.PROTECT, slow=True)
def verify(asked: Asked) -> Response:
    """Go through the whole chain."""
    wrong = audit.verify(asked.plant.ledger, asked.plant.vault)
    return _page(asked, said="audit.holds" if wrong is None else "audit.broken")


def _page(asked: Asked, *, said: str = "") -> Response:
    rows, more = lists.newest_of(
        lists.audited(asked.plant, before=asked.place("before") or None, limit=_A_PAGE + 1), _A_PAGE
    )
    return asked.page("audit.html", rows=rows, said=said,
                      more=f"/audit?before={rows[-1].seq}" if more else "")  # fmt: skip
