"""What staff really did, written down at the moment they did it: the one account that no program under test can touch.

Each request has one document, found by its token: where it began, and what every member of staff last wrote.
Life writes it in the same transaction as the deed itself, so that a kill between the two leaves neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from sandbox import people
from sandbox.store import Collection, Json, Store

SYSTEM, KIND = "life", "truth"


@dataclass(slots=True)
class Truth:
    """One request as staff know it."""

    tenant: str
    token: str
    seed: int
    number: int
    sort: str
    in_casework: bool  # began in the case system, not in the contact centre
    wish: Json  # the newest state of what the side that it began on has written, in the contact centre's shape
    in_health: bool = False  # began in the health service
    contact_id: str = ""  # where it began there
    health_id: str = ""  # where it began there
    case_id: str = ""  # once it is in the case system
    case: Json = field(default_factory=dict)  # what case staff last wrote: Status, Worker, OfficerNotes ...
    reached: list[list[str]] = field(default_factory=list)  # [status in the code of the case system, when]
    mobiles: list[list[str]] = field(default_factory=list)  # earlier numbers safe to text: [number, replaced at]
    textable_since: str = (
        ""  # when a correction first gave a number that is safe to text; "" = from the start, or never
    )
    unreadable: bool = False  # stands at its source in a form that its own interface does not allow
    typed: Json | None = None  # an officer typed it in by hand: number, at, and the wish as it was then

    @property
    def name(self) -> str:
        """What reports call it: ids alone."""
        return f"{self.tenant}/{self.contact_id or self.health_id or self.case_id}"


class Account:
    """All truths, by council."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, tenant: str) -> Collection:
        """The documents of one council."""
        return self._store.collection(tenant, SYSTEM, KIND)

    def keep(self, truth: Truth) -> None:
        """Write it down. Call it inside the transaction of the deed."""
        key = truth.case_id if truth.in_casework else truth.health_id or truth.contact_id
        body = {each.name: getattr(truth, each.name) for each in fields(truth)}  # asdict would copy it all first
        self.of(truth.tenant).put(truth.token, body, version=1, changed="", key=key)

    def get(self, tenant: str, token: str | None) -> Truth | None:
        """The request with that token."""
        held = self.of(tenant).get(token) if token else None
        return Truth(**held.body) if held else None

    def begun_as(self, tenant: str, id: str | None) -> Truth | None:
        """The request that began under that id, in either system."""
        found = self.of(tenant).by_key(id or "", limit=1)
        return Truth(**found[0].body) if found else None

    def recognise(self, tenant: str, reason: str | None, *references: str | None) -> Truth | None:
        """The request that a record is about: by the token in its reason; only without one, by a reference it bears."""
        token = people.token_in(reason)
        if token is not None:
            return self.get(tenant, token)
        return next(filter(None, (self.begun_as(tenant, reference) for reference in references)), None)

    def tenants(self) -> list[str]:
        """Councils that have any."""
        rows = self._store.execute(
            "SELECT DISTINCT tenant FROM document WHERE system = ? AND kind = ? ORDER BY tenant", (SYSTEM, KIND)
        )
        return [str(row[0]) for row in rows]

    def each(self) -> Iterator[Truth]:
        """Every request, one at a time."""
        for tenant in self.tenants():
            for held in self.of(tenant).each():
                yield Truth(**held.body)
