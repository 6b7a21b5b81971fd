"""Who is this? A record that may be somebody else's, or of one of several referrals: say the same, choose, say new, or
join two referrals."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import counted, deciding, joining, showing
from pipelines.candidates import Candidates, candidates
from pipelines.looking import NotPossible
from pipelines.rights import Right
from pipelines.showing import Shown

doors = Doors("whose", menu=50)
_A_PAGE = 25


@doors.get("/whose", Right.SEE)
def every(asked: Asked) -> Response:
    """The records about which a person must decide."""
    groups = [one for one in counted.causes(asked.plant, asked.councils) if one.error in deciding.DECIDED]
    some = [(one, *counted.cases(asked.plant, one, limit=_A_PAGE)) for one in groups[:_A_PAGE]]
    return asked.page("whoses.html", groups=some)


@doors.get("/whose/{id}", Right.SEE)
def one(asked: Asked) -> Response:
    """One record."""
    return _page(asked, _shown(asked))


@doors.post("/whose/{id}/decide", Right.SEND)
def decide(asked: Asked) -> Response:
    """Say whose it is."""
    shown, why = _shown(asked), asked.reason()
    said, _, chosen = asked.typed("whose").partition("-")
    if said not in ("same", "new", "of") or (said == "of") != bool(chosen):
        asked.faults["whose"] = "whose.missing"
    if asked.faults:
        return _page(asked, shown, status=422)
    who = asked.officer.who
    if said == "of":
        words = deciding.choose(asked.plant, shown.id, chosen, who=who, why=why)
    else:
        words = (deciding.same if said == "same" else deciding.new)(asked.plant, shown.id, who=who, why=why)
    return _page(asked, _shown(asked), words=words)


@doors.post("/whose/{id}/join", Right.SEND)
def join(asked: Asked) -> Response:
    """Two referrals are one request: the second goes into the first."""
    shown, why = _shown(asked), asked.reason()
    stays, goes = asked.typed("stays"), asked.typed("goes")
    if not stays or not goes:
        asked.faults["stays"] = "whose.two_missing"
    if asked.faults:
        return _page(asked, shown, status=422)
    words = joining.join(asked.plant, stays, goes, who=asked.officer.who, why=why)
    return _page(asked, _shown(asked), words=words)


def _shown(asked: Asked) -> Shown:
    id = asked.path("id")
    try:
        if not id.startswith("v"):
            raise NoSuchThing
        found = showing.show(asked.plant, id)
    except NotPossible:
        raise NoSuchThing from None
    asked.must(found.council)
    return found


def _page(asked: Asked, one: Shown, *, status: int = 200, **values: Any) -> Response:
    open = one.state == "needs attention" and one.error in deciding.DECIDED
    several = open and one.error != deciding.ANOTHER_PERSON
    found = candidates(asked.plant, one.id) if several else Candidates()
    return asked.page("whose.html", status=status, one=one, open=open, found=found, **{"words": "", **values})
