"""One delivery or version: its state, why, what was tried; look, send again, settle, close."""

from __future__ import annotations

from typing import Any

from starlette.responses import HTMLResponse, Response

from console.looked import look_at
from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import desk, menders, sheets, showing, would_text
from pipelines.choosing import CURRENT, ORIGINAL, Chooser
from pipelines.deciding import ANOTHER_PERSON
from pipelines.looking import NotPossible
from pipelines.rights import Right
from pipelines.showing import Shown

doors = Doors("case")
_OF_A_SHEET = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_FOUND = ("arrived", "by-hand", "not-arrived")


@doors.get("/case/{id}", Right.SEE)
def case(asked: Asked) -> Response:
    """What is known of it."""
    return _page(asked, _shown(asked))


@doors.post("/case/{id}/look", Right.SEE, slow=True)
def look(asked: Asked) -> Response:
    """What sending it now would do."""
    one = _shown(asked)
    chosen = ORIGINAL if asked.typed("mapping") == ORIGINAL and asked.may(Right.MAPPINGS, one.council) else CURRENT
    return _page(asked, one, looked=look_at(asked.plant, one.id, chosen), again=True,
                 texted=would_text.would_be_texted(asked.plant, [one.id]))  # fmt: skip


@doors.post("/case/{id}/send", Right.SEND)
def send(asked: Asked) -> Response:
    """Send it again."""
    one = _shown(asked)
    why = asked.reason()
    if asked.faults:
        return _page(asked, one, status=422)
    chosen = asked.typed("mapping") or CURRENT
    if chosen != CURRENT:
        asked.must(one.council, Right.MAPPINGS)
        chosen = ORIGINAL
    done = desk.replay(
        asked.plant, [one.id], who=asked.officer.who, why=why, chooser=Chooser(asked.plant, chosen)
    )  # fmt: skip
    if done.not_done:
        raise NotPossible(done.not_done[0][1])
    return _page(asked, _shown(asked), said="case.sent")


@doors.post("/case/{id}/settle", Right.SEND)
def settle(asked: Asked) -> Response:
    """Say what was found in the target."""
    one = _shown(asked)
    how, number, why = asked.typed("how"), asked.typed("number"), asked.reason()
    if how not in _FOUND:
        asked.faults["how"] = "case.how_missing"
    elif how != "not-arrived" and not 0 < len(number) <= 100:
        asked.faults["number"] = "case.number_missing"
    if asked.faults:
        return _page(asked, one, status=422)
    desk.settle(asked.plant, one.id, how=how, number=number, who=asked.officer.who, why=why)
    return _page(asked, _shown(asked), said="case.settled")


@doors.post("/case/{id}/close", Right.SEND)
def close(asked: Asked) -> Response:
    """Close it without sending."""
    one = _shown(asked)
    why = asked.reason()
    if asked.faults:
        return _page(asked, one, status=422)
    desk.close(asked.plant, one.id, who=asked.officer.who, why=why)
    return _page(asked, _shown(asked), said="case.closed")


@doors.post("/case/{id}/sheet", Right.UNMASK)
def sheet(asked: Asked) -> Response:
    """The page that somebody types it in from. It shows a person, and carries its own style."""
    one = _shown(asked)
    why = asked.reason()
    if asked.faults:
        return _page(asked, one, status=422)
    html = sheets.sheet(asked.plant, one.id, language=asked.t.language, who=asked.officer.who, why=why)
    return HTMLResponse(html, headers={"Content-Security-Policy": _OF_A_SHEET})


def _shown(asked: Asked) -> Shown:
    id = asked.path("id")
    if id[:1] not in ("d", "v"):
        raise NoSuchThing
    try:
        one = showing.show(asked.plant, id)
    except NotPossible:
        raise NoSuchThing from None
    asked.must(one.council)
    return one


def _page(asked: Asked, one: Shown, *, status: int = 200, **values: Any) -> Response:
    return asked.page(
        "case.html",
        status=status,
        one=one,
        mend=menders.of_cause(
            asked.plant.councils[one.council],
            one.connection,
            step=one.step,
            field=one.field,
            code_list=one.code_list,
        ),
        open=one.state in ("waiting", "not sure", "needs attention"),
        whose=one.error == ANOTHER_PERSON,
        original=asked.may(Right.MAPPINGS, one.council),
        **{"looked": None, "texted": None, "said": "", **values},
    )
