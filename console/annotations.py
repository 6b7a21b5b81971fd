"""Findings as the lines by which a pipeline marks a file: GitHub's workflow commands and Azure's logging commands.

Both read their own signs inside a value, so each is escaped as that product says. A shipped file is not in the
repository that is looked at; it is named in the message alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from config.findings import Finding

_GITHUB = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_GITHUB_KEYS = {**_GITHUB, ":": "%3A", ",": "%2C"}
_AZURE = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
_AZURE_KEYS = {**_AZURE, "]": "%5D", ";": "%3B"}


def github(finding: Finding, site: Path) -> str:
    """One finding as a workflow command: `::error file=...,line=...,col=...::words`."""
    file = _file(finding, site)
    keys = {"file": file, "line": _number(finding.line), "col": _number(finding.column if finding.line else 0)}
    told = ",".join(f"{key}={_escaped(value, _GITHUB_KEYS)}" for key, value in keys.items() if value and file)
    return f"::{finding.severity.value}{' ' if told else ''}{told}::{_escaped(_words(finding, file), _GITHUB)}"


def azure(finding: Finding, site: Path) -> str:
    """One finding as a logging command: `##vso[task.logissue type=error;sourcepath=...]words`."""
    file = _file(finding, site)
    keys = {
        "sourcepath": file,
        "linenumber": _number(finding.line),
        "columnnumber": _number(finding.column if finding.line else 0),
    }
    told = "".join(f";{key}={_escaped(value, _AZURE_KEYS)}" for key, value in keys.items() if value and file)
    words = _escaped(_words(finding, file), _AZURE)
    return f"##vso[task.logissue type={finding.severity.value}{told}]{words}"


def _file(finding: Finding, site: Path) -> str:
    """The file as the repository knows it: below the site's folder as it was given; "" for one that is not there."""
    if finding.file.endswith(" (shipped)"):
        return ""
    given = PurePosixPath(site.as_posix()) / finding.file
    return given.as_posix()


def _number(value: int) -> str:
    return str(value) if value else ""


def _words(finding: Finding, file: str) -> str:
    words = f"found {finding.found}, expected {finding.expected}; {finding.remedy}"
    words = f"{finding.key}: {words}" if finding.key else words
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    return words if file else f"{place} {words}"


def _escaped(text: str, signs: Mapping[str, str]) -> str:
    return "".join(signs.get(sign, sign) for sign in text)
