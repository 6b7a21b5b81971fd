"""One cause: its cases, how to mend it, what would be sent, and sending again one, some or all."""

from __future__ import annotations

import time

from starlette.responses import Response

from console.looked import Looked, look_at
from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines import counted, desk, tasks, would_text
from pipelines.counted import Counted, mender_of
from pipelines.looking import NotPossible
from pipelines.rights import Right

doors = Doors("group")
_A_PAGE = 25
#: So many are done while the officer waits; more are a task.
_AT_ONCE = 10
#: So many are looked at in one preview, and no new look is begun after so many seconds.
_LOOKS, _LOOK_SECONDS = 5, 8.0


@doors.get("/attention/{cause}", Right.SEE)
def group(asked: Asked) -> Response:
    """The cause and a page of its cases."""
    return _page(asked, _cause(asked))


@doors.post("/attention/{cause}/preview", Right.SEE, slow=True)
def preview(asked: Asked) -> Response:
    """What would be sent, for those that were chosen or the first of all; and who would be texted."""
    one = _cause(asked)
    ids = _chosen(asked, one)
    begun, looks = time.monotonic(), list[Looked]()
    for id in ids[:_LOOKS]:
        if time.monotonic() - begun > _LOOK_SECONDS:
            break
        looks.append(look_at(asked.plant, id))
    texted = would_text.would_be_texted(asked.plant, ids)
    number = one.count if asked.typed("which") == "all" else len(ids)
    return asked.page("preview.html", one=one, looks=looks, texted=texted, number=number, again=True)


@doors.post("/attention/{cause}/send", Right.SEND)
def send(asked: Asked) -> Response:
    """Send again what was chosen: a few at once, many as a task."""
    return _do(asked, tasks.SEND_AGAIN)


@doors.post("/attention/{cause}/close", Right.SEND)
def close(asked: Asked) -> Response:
    """Close what was chosen without sending."""
    return _do(asked, tasks.CLOSE)


def _do(asked: Asked, action: str) -> Response:
    one = _cause(asked)
    asked.must(one.council)
    why, whole = asked.reason(), asked.typed("which") == "all"
    ids = [] if whole else _chosen(asked, one)
    number = one.count if whole else len(ids)
    if number == 0:
        asked.faults["which"] = "group.none_chosen"
    elif number > _AT_ONCE and asked.typed("confirm") != str(number):
        asked.faults["confirm"] = "group.confirm_missing"
    if asked.faults:
        return _page(asked, one, status=422, number=number)
    who = asked.officer.who
    if whole or number > _AT_ONCE:
        if whole:
            id = tasks.for_cause(asked.plant, one.fingerprint, [one.council], action=action, who=who, why=why)
        else:
            id = tasks.for_ids(asked.plant, ids, action=action, who=who, why=why)
        return asked.go(f"/task/{id}")
    done = _closed(asked, ids, why) if action == tasks.CLOSE else desk.replay(asked.plant, ids, who=who, why=why)
    return asked.page("done.html", done=done, action=action, back=f"/attention/{one.fingerprint}", one=one)


def _closed(asked: Asked, ids: list[str], why: str) -> desk.Done:
    done = desk.Done()
    for id in ids:
        try:
            desk.close(asked.plant, id, who=asked.officer.who, why=why)
            done.done.append(id)
        except NotPossible as fault:
            done.not_done.append((id, str(fault)))
    return done


def _cause(asked: Asked) -> Counted:
    found = counted.causes(asked.plant, asked.councils, fingerprint=asked.path("cause"))
    if not found:
        raise NoSuchThing
    return found[0]


def _chosen(asked: Asked, one: Counted) -> list[str]:
    """The ids that were ticked; for all of the cause, the first page of them, which stands for the rest."""
    if asked.typed("which") == "all":
        return [case.id for case in counted.cases(asked.plant, one, limit=would_text.MOST_LOOKED_AT)[0]]
    ticked = asked.all_typed("id")[: tasks.MOST_NAMED]
    return tasks.in_order([id for id in ticked if id[:1] in ("v", "d") and counted.has(asked.plant, one, id)])


def _page(asked: Asked, one: Counted, *, status: int = 200, number: int = 0) -> Response:
    cases, more = counted.cases(asked.plant, one, after=asked.query("after"), limit=_A_PAGE)
    return asked.page(
        "group.html",
        status=status,
        one=one,
        cases=cases,
        more=f"/attention/{one.fingerprint}?after={more}" if more else "",
        mend=mender_of(asked.plant, one),
        task=tasks.open_for(asked.plant, one.id),
        number=number,
        at_once=_AT_ONCE,
        ticked=asked.all_typed("id"),
    )
