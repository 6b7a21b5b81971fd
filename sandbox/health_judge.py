"""What is wrong with a request in the health service: lost, doubled by somebody, stale, wiped, or none of its business.

A request that began there must still say what its nurse wrote, and where the case stands now. One that began elsewhere
must not be there at all.
"""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.health_words import as_resources, case_words, case_words_in
from sandbox.store import Json, Store
from sandbox.truth import Truth

_OF_THE_COUNCIL = ("status", "statusReason", "businessStatus", "lastModified")
_OF_THE_SERVER = ("resourceType", "id", "meta")


def objections(store: Store, truth: Truth, ids: list[str]) -> Iterator[tuple[str, str]]:
    """Faults by name, each with words that hold ids and names of fields alone. `ids`: of the Tasks about it."""
    if not truth.in_health:
        yield from (("misdirected", f"{id} in health, though it did not begin there") for id in ids)
        return
    tasks = store.collection(truth.tenant, "health")
    held = tasks.get(truth.health_id)
    if held is None:
        yield "lost", "no Task in health"
        return
    if truth.case_id:
        wanted, found = case_words(truth.case), case_words_in(held.body)
        other = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
        if other:
            yield "stale", f"health's {', '.join(other)}"
    wrote = as_resources(truth.wish)
    request = store.collection(truth.tenant, "health", "ServiceRequest").get(_led(held.body, "focus"))
    patient = store.collection(truth.tenant, "health", "Patient").get(_led(held.body, "for"))
    there: dict[str, Json | None] = {
        "Task": held.body,
        "ServiceRequest": request.body if request else None,
        "Patient": patient.body if patient else None,
    }
    for type, resource in there.items():
        if resource is None:
            yield "lost", f"no {type} in health"
            continue
        changed = sorted(
            name for name, value in wrote[type].items()
            if name not in (*_OF_THE_SERVER, *_OF_THE_COUNCIL) and resource.get(name) != value
        )  # fmt: skip
        added = sorted(resource.keys() - wrote[type].keys() - {*_OF_THE_SERVER, *_OF_THE_COUNCIL, "focus", "for",
                                                               "subject", "identifier"})  # fmt: skip
        if changed or added:
            yield "wiped", f"health's own {type}: {', '.join([*changed, *added])}"


def _led(task: Json, element: str) -> str:
    return str((task.get(element) or {}).get("reference", "")).partition("/")[2]
