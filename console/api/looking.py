"""Looking: who I am, how things stand, what needs attention, one item, one referral's story."""

from __future__ import annotations

import dataclasses

from fastapi import APIRouter

from console.api import forms, shapes
from console.api.caller import Seen, needs
from console.desk_view import story_plain
from console.show import iso
from console.site import zone_of
from pipelines import attention, counted, left_out, looking, overview, processes, proofs, prover, showing, story
from pipelines.plant import Plant
from pipelines.rights import BRINGS, Right
from pipelines.sight import NoSuch

router = APIRouter(tags=["looking"])
_WORKED_OUT = ("remedy", "since", "left_out")


@router.get("/me", **needs(Right.SEE))
def me(plant: Seen) -> shapes.Me:
    """Who calls, and what they may do."""
    officer = plant.sight.officer
    assert officer is not None
    councils = []
    for code, council in sorted(plant.councils.items()):
        roles = sorted(officer.roles[code])
        brought = sorted({right.value for role in roles for right in BRINGS[role]})
        councils.append(
            shapes.CouncilShape(
                code=code, cy=council.name["cy"], en=council.name["en"], roles=[one.value for one in roles],
                rights=brought,
            )
        )  # fmt: skip
    return shapes.Me(who=officer.who, identity=officer.key, councils=councils)


@router.get("/status", **needs(Right.SEE))
def status(plant: Seen) -> shapes.Status:
    """Counts by state, and whether the sums agree."""
    seen = overview.look(plant)
    return shapes.Status(
        stage=plant.stage, running=processes.is_running(plant), referrals=seen.referrals, versions=seen.versions,
        deliveries=seen.deliveries, open=seen.open, attention=seen.attention, late=seen.late,
        sums_agree=seen.sums_agree,
    )  # fmt: skip


@router.get("/connections", **needs(Right.SEE))
def connections(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.Connection]:
    """Each connection: paused or not, when it was last read, what waits."""
    links = overview.links(plant)
    rows = []
    for link in links:
        zone = zone_of(plant, link.council)
        times = {name: iso(getattr(link, name), zone) for name in ("paused_until", "last_read", "oldest")}
        rows.append(shapes.Connection(**dataclasses.asdict(link) | times))
    return shapes.page(rows, [f"{link.council}/{link.connection}" for link in links], after=after, limit=limit)


@router.get("/attention", **needs(Right.SEE))
def causes(
    plant: Seen, council: forms.OfCouncil = "", after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.Cause]:
    """What needs attention, by cause, the most urgent and oldest first."""
    found = counted.causes(plant, _named(plant, council) or sorted(plant.councils))
    rows = [
        shapes.Cause(
            **{name: getattr(one, name) for name in shapes.Cause.model_fields if name not in _WORKED_OUT},
            remedy=attention.remedy(one.step, one.error, one.code_list, one.connection, one.field),
            since=_at(plant, one.council, one.since), left_out=0,
        )
        for one in found
    ]  # fmt: skip
    return shapes.page(rows, [one.fingerprint for one in found], after=after, limit=limit)


@router.get("/left-out", **needs(Right.SEE))
def lacking(
    plant: Seen, council: forms.OfCouncil = "", after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.Cause]:
    """What records went on without, by cause."""
    groups = left_out.left_out(plant, _named(plant, council))
    rows = [
        shapes.Cause(
            **{name: getattr(one, name) for name in shapes.Cause.model_fields if name != "since"},
            since=_at(plant, one.council, one.since),
        )
        for one in groups
    ]
    return shapes.page(rows, [one.fingerprint for one in groups], after=after, limit=limit)


@router.get("/attention/{cause}", **needs(Right.SEE))
def group(
    plant: Seen, cause: forms.Fingerprint, after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.Waiting]:
    """What waits because of one cause, the oldest first."""
    found = counted.causes(plant, sorted(plant.councils), fingerprint=cause)
    if not found:
        raise NoSuch("nothing needs attention because of that cause")
    some, more = counted.cases(plant, found[0], after=after, limit=limit)
    return shapes.Page(items=[shapes.Waiting(id=one.id) for one in some], next=more or None)


@router.get("/conflicts", **needs(Right.SEE))
def conflicts(
    plant: Seen, council: forms.OfCouncil = "", after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.ConflictShape]:
    """Conflicts that a person must look at and nobody has."""
    found = attention.open_conflicts(plant, _named(plant, council))
    rows = [
        shapes.ConflictShape(
            id=f"c{one.id}", council=one.council, referral=one.referral_id, field=one.field, winner=one.winner,
            loser=one.loser, why=one.why, since=_at(plant, one.council, one.at),
        )
        for one in found
    ]  # fmt: skip
    return shapes.page(rows, [row.id for row in rows], after=after, limit=limit)


@router.get("/items/{id}", **needs(Right.SEE))
def item(plant: Seen, id: forms.ItemId) -> shapes.Shown:
    """One delivery or version: its state, why, what was tried, what can be done."""
    found = showing.show(plant, id)
    told = dataclasses.asdict(found)
    tries = [{**one, "at": _at(plant, found.council, one["at"])} for one in told["tries"]]
    due = iso(found.due, zone_of(plant, found.council))
    return shapes.Shown(**told | {"at": _at(plant, found.council, found.at), "due": due, "tries": tries})


@router.post("/find", **needs(Right.SEE))
def find(plant: Seen, form: forms.Find) -> shapes.Found:
    """Find referrals by any reference, and tell their stories. By POST: a number may be a person's."""
    found = looking.find_referral(plant, form.reference)
    stories = [_story(plant, row.id) for row in found]
    read = [
        shapes.LastRead(**{**one, "completed": iso(one["completed"], zone_of(plant, one["council"]))})
        for one in (story.last_read(plant) if not stories else [])
    ]
    return shapes.Found(referrals=stories, last_read=read)


@router.get("/referrals/{id}", **needs(Right.SEE))
def referral(plant: Seen, id: forms.OurId) -> shapes.StoryShape:
    """The whole story of one referral: every version, delivery, try, proof and person."""
    if not looking.find_referral(plant, id):
        raise NoSuch("there is no referral of that id")
    return _story(plant, id)


@router.get("/reconcile", **needs(Right.SEE))
def compared(plant: Seen, after: forms.After = "", limit: forms.Limit = 50) -> shapes.Page[shapes.Proof]:
    """The newest comparison of each route."""
    with plant.ledger.reading() as connection:
        found = proofs.of_routes(connection, plant)
    rows = [
        shapes.Proof(**dataclasses.asdict(one) | {"at": iso(one.at, zone_of(plant, one.council))}) for one in found
    ]
    return shapes.page(rows, [f"{one.council}/{one.route}" for one in found], after=after, limit=limit)


@router.get("/reconcile/{council}/{route}", **needs(Right.SEE))
def differing(
    plant: Seen, council: forms.CouncilCode, route: forms.RouteName, after: forms.After = "", limit: forms.Limit = 50
) -> shapes.Page[shapes.ProofLine]:
    """What differed when one route was last compared: numbers and field names."""
    lines = prover.last_lines(plant, council, route)
    told = ("source", "target", "referral", "fields", "words")
    rows = [shapes.ProofLine(kind=kind, **{name: line[name] for name in told}) for kind, line in lines]
    return shapes.page(rows, [str(number) for number in range(len(rows))], after=after, limit=limit)


def _story(plant: Plant, id: str) -> shapes.StoryShape:
    return shapes.StoryShape(**story_plain(plant, story.tell(plant, id)))


def _named(plant: Plant, council: str) -> list[str]:
    if council and council not in plant.councils:
        raise NoSuch("there is no council of that code that you may see")
    return [council] if council else []


def _at(plant: Plant, council: str, at: int) -> str:
    return iso(at, zone_of(plant, council)) or ""
