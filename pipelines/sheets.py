"""A delivery as a page for people: what an officer types into a system that no machine may enter.

It shows a whole person, so it is asked for with a reason, and the audit keeps who asked and why.
"""

from __future__ import annotations

from connectors import paper
from pipelines import audit, revisions
from pipelines import facts as fact_store
from pipelines.looking import NotPossible, council_of, delivery_of, record_at
from pipelines.plant import Plant
from pipelines.vault import PayloadGone
from pipelines.writing import draft_create


def sheet(plant: Plant, id: str, *, language: paper.Language, who: str, why: str) -> str:
    """The page of a delivery, as its target would be told today, in HTML. Raises NotPossible."""
    row = delivery_of(plant, id)
    council = council_of(plant, row.council)
    wired, route = council.wired.get(row.connection), council.route(row.route)
    if wired is None or route is None:
        raise NotPossible(f"the site no longer has the route {row.route}")
    kind = wired.kinds.get(row.kind)
    if route.text or kind is None:
        raise NotPossible(f"{id} is a text to a resident, or a document: there is nothing to type in")
    with plant.ledger.reading() as connection:
        found = revisions.get(connection, row.council, row.referral_id)
        assert found is not None, "a delivery names a referral of its own council"
        try:
            payload = row.facts if row.carries == "event" and row.facts else found.facts
            facts = fact_store.plain(fact_store.load(connection, plant.vault, row.council, payload))
        except PayloadGone:
            raise NotPossible("what was kept of this referral has expired or was erased") from None
        held = record_at(connection, row)
    if missed := route.misses(facts):
        raise NotPossible(f"{id} would not be sent: the route's condition {missed} does not hold")
    draft = draft_create(kind.mapping, facts)
    if draft.stopped or draft.record is None:
        raise NotPossible(f"{id} cannot be written: {draft.stopped[0] if draft.stopped else 'there is nothing in it'}")
    labels = getattr(wired.connector, "labels", None)
    told = labels(kind.name) if callable(labels) else {}
    with plant.ledger.writing(making_room=True) as connection:
        audit.write(
            connection,
            plant.vault,
            council=row.council,
            who=who,
            action="page",
            subject=id,
            why=why,
            now=plant.clock.now(),
        )
    return paper.page(draft.record, told, key=row.key, number=held.external_id if held else "", language=language)
