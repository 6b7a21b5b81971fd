"""What a site's files are made into: profiles, code lists and compiled mappings, each read once.

The site's own files lie over the shipped ones (`config.layers`). Everything that is wrong becomes findings with file,
line and column, whichever room noticed it: mappings and connectors know paths into data, this module knows the lines.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Any

from config.documents import Document, read_yaml
from config.findings import Finding, Severity, SiteFaults, dotted
from config.layers import ENDINGS, Layers
from connectors.problems import Problem
from mappings import codes, fieldpaths
from mappings.compile import compile_mapping
from mappings.declaration import declared
from mappings.mapping import Mapping as FieldMapping
from mappings.mapping import MappingFaults


def shipped_folders() -> dict[str, Path]:
    """Where the shipped files of each kind lie, as `config.layers` wants to be told."""
    mappings, connectors = _folder("mappings"), _folder("connectors")
    return {
        "mappings": mappings / "shipped",
        "codes": mappings / "shipped" / "codes",
        "profiles": connectors / "profiles",
        "interfaces": connectors / "interfaces",
    }


@cache
def field_groups() -> Collection[str]:
    """The groups of fields that a connection may own."""
    return frozenset(path.split(".")[0].split("[")[0] for path in declared())


class Library:
    """The files of one site. Not for several threads at once."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self._documents: dict[Path, Document] = {}
        self._by_name: dict[str, Document] = {}
        self._codes: dict[str, codes.CodeList] = {}
        self._mappings: dict[tuple[str, str], FieldMapping] = {}

    def document(self, kind: str, name: str) -> Document:
        """A YAML file by kind and name. Raises SiteFaults, LookupError if there is none."""
        found = self.layers.find(kind, name)
        if found is None:
            raise LookupError(name)
        if found.path not in self._documents:
            document = read_yaml(found.path, name=self.called(kind, name))
            self._documents[found.path] = self._by_name[document.name] = document
        return self._documents[found.path]

    def called(self, kind: str, name: str) -> str:
        """What findings call a file: relative to the site, and whether it is a shipped one."""
        found = self.layers.find(kind, name)
        written = f"{kind}/{name.removeprefix(f'{kind}/')}{ENDINGS[kind]}"
        return f"{written} (shipped)" if found is not None and found.layer == "shipped" else written

    def code_list(self, name: str) -> codes.CodeList:
        """A code list by name. Raises SiteFaults, LookupError if there is none."""
        if name not in self._codes:
            body = self.layers.read("codes", name)
            try:
                self._codes[name] = codes.parse(body, name)
            except codes.CodeFaults as faults:
                file = self.called("codes", name)
                raise SiteFaults(
                    Finding(file, fault.line, 1, fault.column, fault.found, fault.expected, fault.remedy)
                    for fault in faults.faults
                ) from None
        return self._codes[name]

    def mapping(self, name: str, zone: str) -> FieldMapping:
        """A compiled mapping, shared by all who use it with the same zone. Raises SiteFaults."""
        if (name, zone) not in self._mappings:
            try:
                self._mappings[name, zone] = compile_mapping(name, self.load, self.code_list, zone)
            except MappingFaults as faults:
                raise SiteFaults(
                    self.locate(fault.file, fault.path, fault.found, fault.expected, fault.remedy)
                    for fault in faults.faults
                ) from None
        return self._mappings[name, zone]

    def line_of_row(self, file: str, ours: str, theirs: str) -> int:
        """The line of the row of a mapping file that has these paths, or that changes it; 0 where there is none."""
        document = self._by_name.get(file)
        rows = document.data.get("fields", []) if document is not None and isinstance(document.data, dict) else []
        for number, row in enumerate(rows):
            if isinstance(row, dict) and (_same(row.get("ours"), ours) or (not ours and row.get("theirs") == theirs)):
                return document.where(("fields", number))[0] if document is not None else 0
        return 0

    def locate(
        self, file: str, path: Iterable[str | int], found: str, expected: str, remedy: str, *, warn: bool = False
    ) -> Finding:
        """Make a finding at a path of a file by the name that findings call it."""
        severity = Severity.WARNING if warn else Severity.ERROR
        remedy = remedy[:1].lower() + remedy[1:].removesuffix(".")
        document = self._by_name.get(file)
        if document is None:
            return Finding(file, 0, 0, dotted(tuple(path)), found, expected, remedy, severity)
        return document.finding(path, found=found, expected=expected, remedy=remedy, severity=severity)

    def load(self, name: str) -> tuple[Any, str]:
        """A mapping file as plain data, and what findings call it. Raises SiteFaults, LookupError."""
        document = self.document("mappings", name)
        return document.data, document.name


def _same(written: Any, ours: str) -> bool:
    try:
        return bool(ours) and isinstance(written, str) and fieldpaths.normalise(written) == ours
    except fieldpaths.BadPath:
        return False


def findings_of(document: Document, problems: Iterable[Problem], at: tuple[str | int, ...] = ()) -> list[Finding]:
    """Give the problems that a connector found in part of a document (which begins at `at`) their lines."""
    found = []
    for problem in problems:
        expected, _, remedy = problem.expected.partition(": ")
        found.append(
            document.finding(
                (*at, *problem.path),
                found=f"something that {problem.found}"
                if problem.found.startswith(("is ", "cannot "))
                else problem.found,
                expected=clean_sentence(expected if remedy else "what the settings' reference says"),
                remedy=clean_sentence(remedy or expected),
            )
        )
    return found


def clean_sentence(text: str) -> str:
    """Take what could break a line out of a sentence."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _folder(room: str) -> Path:
    file = importlib.import_module(room).__file__
    assert file is not None
    return Path(file).parent
