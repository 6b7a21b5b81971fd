"""Settings, to be read: the site's files as they are, line by line. They are changed where they are kept."""

from __future__ import annotations

from pathlib import Path

from starlette.responses import Response

from console.web.asked import Asked, NoSuchThing
from console.web.doors import Doors
from pipelines.rights import Right

doors = Doors("settings", menu=95)
_MOST_LINES = 400


@doors.get("/settings", Right.ADMINISTER)
def files(asked: Asked) -> Response:
    """The files of the site and of the officer's councils, and what is wrong with them."""
    return asked.page("settings.html", files=_files(asked), findings=[str(one) for one in asked.plant.findings][:100])


@doors.get("/settings/{file}", Right.ADMINISTER)
def file(asked: Asked) -> Response:
    """One file. Secrets stand in none: a setting names where one is kept."""
    path = _files(asked).get(asked.path("file"))
    if path is None:
        raise NoSuchThing
    begin = asked.place("from")
    lines = path.read_text(encoding="utf-8").splitlines()
    some = [(begin + number, line) for number, line in enumerate(lines[begin : begin + _MOST_LINES], 1)]
    more = f"/settings/{asked.path('file')}?from={begin + _MOST_LINES}" if len(lines) > begin + _MOST_LINES else ""
    return asked.page("settings_file.html", name=_shown(asked, path), lines=some, more=more)


def _files(asked: Asked) -> dict[str, Path]:
    config = asked.plant.root / "config"
    named = {"dolen": config / "dolen.yaml"}
    named |= {code: config / "councils" / f"{code}.yaml" for code in asked.councils}
    return {name: path for name, path in named.items() if path.is_file()}


def _shown(asked: Asked, path: Path) -> str:
    return path.relative_to(asked.plant.root).as_posix()
