"""Settings, to be read: the site's files as they are, line by line. They are changed where they are kept."""

from __future__ import annotations

from starlette.responses import Response

from console import settings_files
from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines.rights import Right

doors = Doors("settings", menu=95)
_MOST_LINES = 400


@doors.get("/settings", Right.ADMINISTER)
def files(asked: Asked) -> Response:
    """The files of the site and of the officer's councils, and what is wrong with them."""
    found = settings_files.files(asked.plant, asked.councils)
    return asked.page("settings.html", files=found, findings=[str(one) for one in asked.plant.findings][:100])


@doors.get("/settings/{file}", Right.ADMINISTER)
def file(asked: Asked) -> Response:
    """One file. Secrets stand in none: a setting names where one is kept."""
    name = asked.path("file")
    path = settings_files.files(asked.plant, asked.councils).get(name)
    if path is None:
        raise NoSuchThing
    some, after = settings_files.lines(path, asked.place("from"), _MOST_LINES)
    more = "" if after is None else f"/settings/{name}?from={after}"
    return asked.page("settings_file.html", name=settings_files.shown(asked.plant, path), lines=some, more=more)
