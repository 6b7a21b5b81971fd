"""Where is it? The front page: any reference, and one sentence about where it is. By form, never in an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.responses import Response

from console import where_words
from console.web.asked import Asked
from console.web.doors import Doors
from pipelines import by_hour, control, where
from pipelines.clock import to_time
from pipelines.rights import Right
from pipelines.where import Known, Place, Stands, Whereabouts

doors = Doors("front", menu=10)
_MOST_LETTERS = 100
_WRONG = (Stands.ATTENTION, Stands.NOT_READ)
_WELL = (Stands.ARRIVED, Stands.BY_HAND)


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence, and what belongs to it."""

    sentence: str
    place: Place
    who: str  # who can mend it

    @property
    def look(self) -> str:
        """How it is to be seen: well, wrong, or neither."""
        return "wrong" if self.place.stands in _WRONG else "well" if self.place.stands in _WELL else ""


@doors.get("/", Right.SEE)
def front(asked: Asked) -> Response:
    """The empty form."""
    return _page(asked)


@doors.post("/where", Right.SEE)
def look(asked: Asked) -> Response:
    """Look, and say it in a sentence."""
    reference = asked.typed("reference")
    if not 0 < len(reference) <= _MOST_LETTERS:
        asked.faults["reference"] = "front.reference_missing"
        return _page(asked, status=422)
    return _page(asked, found=where.where(asked.plant, reference))


@doors.post("/where/when", Right.SEE)
def when(asked: Asked) -> Response:
    """Look by source, day, hour and team, where nobody knows a reference."""
    council, _, name = asked.typed("source").partition("/")
    begins = _hour(asked, council)
    if not council or begins is None:
        asked.faults["day"] = "front.hour_missing"
        return _page(asked, status=422)
    asked.must(council)
    wired = control.one_connection(asked.plant, name, council)
    ids, more = by_hour.shown_in(asked.plant, council, wired.name, begins, asked.typed("team"))
    return _page(asked, found=where.of_referrals(asked.plant, ids), more=more, hourly=True)


def _hour(asked: Asked, council: str) -> int | None:
    """The hour that was typed, in the council's zone."""
    try:
        moment = datetime.fromisoformat(asked.typed("day")).replace(hour=int(asked.typed("hour")))
    except ValueError:
        return None
    return to_time(moment.replace(minute=0, second=0, tzinfo=ZoneInfo(asked.zone(council))))


@doors.post("/where/ask", Right.CONTROL)
def ask(asked: Asked) -> Response:
    """Have a source read now."""
    council, _, name = asked.typed("source").partition("/")
    asked.must(council)
    wired = control.one_connection(asked.plant, name, council)
    control.ask(asked.plant, [wired], who=asked.officer.who, why=str(asked.t("front.ask_why")))
    return _page(asked, read_now=wired.name)


def _page(
    asked: Asked,
    *,
    status: int = 200,
    found: Sequence[Whereabouts] | None = None,
    read_now: str = "",
    more: bool = False,
    hourly: bool = False,
) -> Response:
    carried = [one for one in found or () if one.known is not Known.NEVER_SHOWN]
    return asked.page(
        "front.html",
        status=status,
        again=asked.door.path != "/where/ask",
        looked=found is not None,
        found=[(one, _said(asked, one)) for one in carried],
        sources=where.sources(asked.plant),
        read_now=read_now,
        more=more,
        hourly=hourly,
    )


def _said(asked: Asked, one: Whereabouts) -> list[Said]:
    now, zone, language = asked.plant.clock.now(), asked.zone(one.council), asked.t.language
    return [
        Said(
            where_words.sentence(place, now=now, zone=zone, language=language),
            place,
            where_words.whom(place.mender, language) if place.mender is not None else "",
        )
        for place in one.places
    ]
