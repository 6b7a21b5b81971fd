"""Doors: each page and each action of the console, with the right that it takes. No door is without one.

A page's file makes one `Doors` and declares its doors on it; `pages.ALL` lists them, the application opens them, and
a test walks through all of them as every role.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

from pipelines.rights import Right

if TYPE_CHECKING:
    from console.web.asked import Asked

View = Callable[["Asked"], Response]


@dataclass(frozen=True, slots=True)
class Door:
    """One address that can be asked for."""

    method: str  # GET, POST
    path: str  # with {names} for ids; never a name or number of a person
    right: Right
    view: View
    page: str  # the page that it belongs to
    slow: bool  # it asks a system: it waits in a line of its own, and holds up no other page

    @property
    def name(self) -> str:
        """How tests and logs call it."""
        return f"{self.method} {self.path}"


class Doors:
    """The doors of one page. `menu`: its place in the menu, where it has one."""

    def __init__(self, page: str, menu: int | None = None) -> None:
        self.page = page
        self.menu = menu
        self._doors: list[Door] = []

    def __iter__(self) -> Iterator[Door]:
        return iter(self._doors)

    @property
    def first(self) -> Door:
        """The page itself, to which the menu leads."""
        return self._doors[0]

    def get(self, path: str, right: Right, *, slow: bool = False) -> Callable[[View], View]:
        """Declare a page."""
        return self._declare("GET", path, right, slow)

    def post(self, path: str, right: Right, *, slow: bool = False) -> Callable[[View], View]:
        """Declare what a form does. Whatever names a person or a reason is sent this way, and never in an address."""
        return self._declare("POST", path, right, slow)

    def _declare(self, method: str, path: str, right: Right, slow: bool) -> Callable[[View], View]:
        def declared(view: View) -> View:
            self._doors.append(Door(method, path, right, view, self.page, slow))
            return view

        return declared
