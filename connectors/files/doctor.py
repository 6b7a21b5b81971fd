"""`dolen doctor` for a folder: is it there, what lies in it, is anything old, and can the first record be read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase

from connectors.errors import ConnectorError
from connectors.files.folder import Dropped, Folder
from connectors.files.profile import Drop
from connectors.port import Finding, Page, UnreadableItem

_FUTURE = 60.0  # seconds: a file that changed later than now tells of a clock that is wrong


def examine(folder: Folder, drops: Mapping[str, Drop], now: float, first: Callable[[str], Page]) -> list[Finding]:
    """Look, in the order in which things can go wrong, and stop where going on means nothing."""
    try:
        files = folder.listing()
    except ConnectorError as trouble:
        remedy = "compare folder, url, login and host_key with what the supplier gave"
        return [Finding("folder", False, trouble.reason, remedy)]
    found = [Finding("folder", True, f"it can be listed; {len(files)} files lie in it"), _clock(files, now)]
    for kind, drop in drops.items():
        mine = [file for file in files if fnmatchcase(file.name, drop.names)]
        if not mine:
            remedy = "wait for the next extract, or compare names with what the supplier writes"
            found.append(Finding(f"files of {kind}", False, f"none is called {drop.names}", remedy))
            continue
        hours = (now - max(file.changed for file in mine)) / 3600
        found.append(Finding(f"files of {kind}", True, f"{len(mine)}, the newest {max(hours, 0):.0f} hours old"))
        try:
            page = first(kind)
        except ConnectorError as trouble:
            found.append(Finding(f"reading {kind}", False, trouble.reason, "show the file to the supplier"))
            continue
        found.append(_read(kind, page))
    return found


def _clock(files: list[Dropped], now: float) -> Finding:
    if any(file.changed > now + _FUTURE for file in files):
        remedy = "set the clocks of both machines by a time server: a file must rest before it is read"
        return Finding("clock", False, "a file is of a time that has not come yet", remedy)
    return Finding("clock", True, "no file is of a time that has not come yet")


def _read(kind: str, page: Page) -> Finding:
    if not page.items:
        return Finding(f"reading {kind}", True, "no file is whole yet, or all are empty")
    bad = next((item for item in page.items if isinstance(item, UnreadableItem)), None)
    if bad is not None:
        return Finding(f"reading {kind}", False, bad.reason, "compare the profile with the supplier's description")
    return Finding(f"reading {kind}", True, "the first record can be read")
