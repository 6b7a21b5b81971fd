"""Is anything known against what Dolen stands on? Asked of a stored feed, else of pip-audit where that is installed.

The answer has three values and not two: nothing known, something known, and *not audited*. A tool that reached no feed
passes over every package and says that all is well (pip-audit 2.10 does, with exit code 0), so each package that was
not looked up is counted, and one is enough for "not audited".
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from console.supply.advisories import Advisory, BadFeed, stored
from console.supply.packages import OURSELVES, Package

#: An older feed does not know what was found since: it counts as none.
OLDEST_FEED = timedelta(days=30)
_WAIT_SECONDS = 900  # for pip-audit as a whole; it asks for each package


@dataclass(frozen=True, slots=True)
class Audited:
    """What was looked at and what is known. `unaudited`: why nobody knows more, "" where everything was looked at."""

    packages: int
    known: tuple[Advisory, ...] = ()
    unaudited: str = ""
    source: str = ""


def by_feed(packages: Sequence[Package], path: Path, now: datetime) -> Audited:
    """Compare with a stored feed."""
    try:
        feed = stored(path)
    except BadFeed as bad:
        return Audited(len(packages), unaudited=str(bad))
    except OSError as trouble:
        return Audited(len(packages), unaudited=f"{path.name} cannot be read ({trouble.strerror or 'error'})")
    known = tuple(sorted(one for package in packages for one in feed.about(package)))
    if feed.newest is None:
        return Audited(len(packages), unaudited=f"{path.name} holds no advisory about a Python package")
    source = f"{feed.records} advisories of {path.name}, the newest of {feed.newest:%Y-%m-%d}"
    unaudited = ""
    if feed.unreadable:
        unaudited = f"{feed.unreadable} of what {path.name} holds could not be read"
    elif now - feed.newest > OLDEST_FEED:
        since = f"its newest advisory is of {feed.newest:%Y-%m-%d}"
        unaudited = f"{path.name} is older than {OLDEST_FEED.days} days: {since}"
    return Audited(len(packages), known, unaudited, source)


def by_pip_audit(packages: Sequence[Package], lock: Path | None, service: str = "") -> Audited:
    """Let pip-audit ask its feed about the installed packages, or those of a lock. `service`: an OSV of one's own."""
    if find_spec("pip_audit") is None:
        return Audited(len(packages), unaudited="pip-audit is not installed here, and no stored feed was named")
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off", "--timeout", "5"]
    command += ["--requirement", str(lock), "--disable-pip", "--no-deps"] if lock is not None else ["--local"]
    command += ["--vulnerability-service", "osv", "--osv-url", service] if service else []
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WAIT_SECONDS, check=False)  # noqa: S603 - our own words
        told = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return Audited(len(packages), unaudited=f"no feed answered within {_WAIT_SECONDS} seconds")
    except (ValueError, OSError):
        return Audited(len(packages), unaudited="no advisory feed could be reached")
    return _told(packages, told)


def _told(packages: Sequence[Package], told: Any) -> Audited:
    """Read pip-audit's answer. What it passed over, and what it does not even name, was not looked up."""
    looked_up: set[str] = set()
    known: list[Advisory] = []
    listed = told.get("dependencies") if isinstance(told, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if not isinstance(one, dict) or "skip_reason" in one or not isinstance(one.get("vulns"), list):
            continue
        package = Package(canonicalize_name(str(one.get("name"))), str(one.get("version")))
        looked_up.add(package.name)
        known += [
            Advisory(package, str(found.get("id")), tuple(str(mended) for mended in found.get("fix_versions", ())))
            for found in one["vulns"]
            if isinstance(found, dict)
        ]
    missing = {package.name for package in packages} - looked_up - {OURSELVES}
    unaudited = ""
    if missing:
        unaudited = f"no advisory feed answered for {len(missing)} of {len(packages)} packages"
    return Audited(len(packages), tuple(sorted(known)), unaudited, "pip-audit's feed")
