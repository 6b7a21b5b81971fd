"""Visits: how each door of the console is knocked at, from a bench that `desk.lay_out` has laid out.

Every door has one; the walks fail for a door that has none, so that a new page joins them by being listed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.pipelines.pieces import Bench

Given = Callable[[Bench], Mapping[str, Any]]


@dataclass(frozen=True)
class Visit:
    """One way through a door. `path` fills the names in the door's path; `form` is what is typed, for a POST."""

    door: str  # "GET /group/{fingerprint}"
    path: Callable[[Bench], str] | None = None
    form: Given = field(default=lambda _bench: {})
    on: str = "/"  # the page that has the form
    changes: bool = False  # it does something: the walks for eyes leave it out
    council: str = "torfaen"  # whose it is; "": of whatever councils the officer has

    @property
    def method(self) -> str:
        return self.door.partition(" ")[0]

    def address(self, bench: Bench) -> str:
        """Where it knocks."""
        return self.path(bench) if self.path else self.door.partition(" ")[2]


VISITS: tuple[Visit, ...] = (
    Visit("GET /", council=""),
    Visit("POST /where", form=lambda _bench: {"reference": "C-3"}, council=""),
    Visit("POST /where/ask", form=lambda _bench: {"source": "torfaen/contact"}, changes=True),
)
