"""One request as a page's code sees it: who asks, for which councils, what was typed, in which language; its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from console.web.doors import Door
from console.web.words import Speech
from pipelines.plant import Plant
from pipelines.rights import Officer, Right
from pipelines.sight import NoSuch

_LEAST_REASON, _MOST_REASON = 3, 500


class NoSuchThing(NoSuch):
    """There is no such thing, or not for this officer: the answer is the same."""


@dataclass(slots=True)
class Asked:
    """One request. The plant is the officer's: its councils are those of `councils`, and no query sees more."""

    request: Request
    plant: Plant
    officer: Officer
    door: Door
    councils: tuple[str, ...]  # for which the officer has the door's right, and which the site has
    t: Speech
    form: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    faults: dict[str, str] = field(default_factory=dict)  # field of the form -> key of what is wrong with it

    def path(self, name: str) -> str:
        """A part of the address."""
        return str(self.request.path_params[name])

    @property
    def here(self) -> str:
        """The address of this page, for coming back to it; of an action, that of the page it belongs to."""
        if self.door.method != "GET":
            return self.request.url.path.rpartition("/")[0] or "/"
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def query(self, name: str) -> str:
        """What the address says after the question mark: places in lists, never a person."""
        return self.request.query_params.get(name, "")

    def place(self, name: str) -> int:
        """A place in a list, as the address says it; 0 where it says none."""
        text = self.query(name)
        return int(text) if text.isdecimal() and len(text) < 16 else 0

    def typed(self, name: str) -> str:
        """What was typed into a field of the form."""
        return self.form.get(name, ("",))[0].strip()

    def all_typed(self, name: str) -> tuple[str, ...]:
        """Every value of a field that can be chosen several times."""
        return self.form.get(name, ())

    def reason(self) -> str:
        """The reason that was typed; notes a fault where there is none."""
        why = self.typed("why")
        if not _LEAST_REASON <= len(why) <= _MOST_REASON:
            self.faults["why"] = "common.why_missing"
        return why

    def may(self, right: Right, council: str) -> bool:
        """Whether the officer has another right than the door's."""
        return council in self.plant.whole.councils and self.officer.may(right, council)

    def must(self, council: str, right: Right | None = None) -> None:
        """Make sure that something of this council may be seen, or done. Raises NoSuchThing."""
        if not self.may(right or self.door.right, council):
            raise NoSuchThing

    def zone(self, council: str) -> str:
        """The time zone in which a council reads its times."""
        found = self.plant.councils.get(council)
        return found.zone if found else "UTC"

    def when(self, at: int | None, council: str = "") -> str:
        """A time as people of a council read it."""
        return self.t.when(at, self.zone(council or (self.councils[0] if self.councils else "")))

    def council_name(self, code: str) -> str:
        """A council's name in this language."""
        found = self.plant.councils.get(code)
        return found.name.get(self.t.language, code) if found else code

    def page(self, template: str, *, status: int = 200, again: bool = False, **values: Any) -> Response:
        """Answer with a page. `again`: the form changed nothing, so that the switch of language may send it again."""
        html = self.request.app.state.frame.render(self, template, again=again, **values)
        return HTMLResponse(html, status)

    def go(self, path: str) -> Response:
        """Answer with another page of ours."""
        return RedirectResponse(path, 303)
