"""What the bench asks Dolen, as anybody would: by its own commands, in a process of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from console.bench.site import Bench

_TRIES, _BETWEEN = 40, 0.5  # the database may have just been killed


class NoAnswer(RuntimeError):
    """A command of Dolen's does not answer. The message holds what it said."""


def dolen(bench: Bench, *words: str) -> dict[str, Any]:
    """Ask something that is answered as JSON. Raises NoAnswer."""
    said = ""
    for _ in range(_TRIES):
        asked = _run(bench, *words, "--json")
        said = asked.stdout + asked.stderr
        if asked.stdout.startswith("{"):
            return dict(json.loads(asked.stdout))
        time.sleep(_BETWEEN)
    raise NoAnswer(f"`dolen {' '.join(words)}` does not answer:\n{said}")


def story(bench: Bench, number: str) -> str:
    """The story of one request, as Dolen tells it to people."""
    told = _run(bench, "trace", number)
    return told.stdout + told.stderr


def conflicted(bench: Bench, number: str) -> bool:
    """Whether Dolen says that a mobile of this request lost against another."""
    stories = _run(bench, "trace", number, "--json").stdout
    try:
        told = json.loads(stories)
    except ValueError:
        return False
    return isinstance(told, list) and any(
        line["what"] == "conflict" and line["words"].startswith("person.telecom")
        for one in told
        for line in one["lines"]
    )


def _run(bench: Bench, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "console", *words, "--site", str(bench.site)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603 - our own
