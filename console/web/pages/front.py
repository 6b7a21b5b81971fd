"""Where is it? The front page: any reference, and one sentence about where it is. By form, never in an address."""

from __future__ import annotations

from starlette.responses import Response

from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import control, whereabouts
from pipelines.contacts import Mender, mender
from pipelines.rights import Right
from pipelines.whereabouts import Stand, Whereabouts

doors = Doors("front", menu=10)
_MOST_LETTERS = 100
#: Where somebody has to act, and who.
_KEPT = {Stand.ATTENTION, Stand.STOPPED, Stand.NOT_SURE}


@doors.get("/", Right.SEE)
def front(asked: Asked) -> Response:
    """The empty form."""
    return asked.page("front.html", found=None, sources=_sources(asked))


@doors.post("/where", Right.SEE)
def where(asked: Asked) -> Response:
    """Look, and say it in a sentence."""
    reference = asked.typed("reference")
    if not reference or len(reference) > _MOST_LETTERS:
        asked.faults["reference"] = "front.reference_missing"
        return asked.page("front.html", status=422, found=None, sources=_sources(asked), again=True)
    found = whereabouts.where_is(asked.plant, reference, asked.councils)
    return asked.page(
        "front.html",
        found=[(one, _mender(asked, one)) for one in found],
        sources=_sources(asked),
        again=True,
    )


@doors.post("/where/ask", Right.CONTROL)
def ask(asked: Asked) -> Response:
    """Have a source read now."""
    council, _, name = asked.typed("source").partition("/")
    asked.must(council)
    wired = control.one_connection(asked.plant, name, council)
    control.ask(asked.plant, [wired], who=asked.officer.who, why=str(asked.t("front.ask_why")))
    return asked.page("front.html", found=None, sources=_sources(asked), read_now=wired)


def _sources(asked: Asked) -> list[whereabouts.LastRead]:
    return whereabouts.last_read(asked.plant, asked.councils)


def _mender(asked: Asked, one: Whereabouts) -> Mender | None:
    return mender(asked.plant, one.council, one.target or one.source) if one.stand in _KEPT else None
