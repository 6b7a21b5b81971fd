"""What a site's files are made into: profiles, code lists and compiled mappings, each read once.

The site's own files lie over the shipped ones (`config.layers`). Everything that is wrong becomes findings with file,
line and column, whichever room noticed it: mappings and connectors know paths into data, this module knows the lines.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date
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
from mappings.overlay import Load, Resolved, resolve
from mappings.rows import UNKNOWN_CONVERTER, Codes
from pipelines import own_converters


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


#: Rows of a site that lie over a shipped code list NAME stand in codes/NAME.rows.csv.
ROWS = ".rows"


class Library:
    """The files of one site. Not for several threads at once."""

    def __init__(self, layers: Layers) -> None:
        self.layers = layers
        self._documents: dict[Path, Document] = {}
        self._by_name: dict[str, Document] = {}
        self._codes: dict[str, codes.CodeList] = {}
        self._mappings: dict[tuple[str, str, date | None], FieldMapping] = {}
        self._own: own_converters.Own | None = None

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
        """A code list by name, the site's own rows laid over it. Raises SiteFaults, LookupError if there is none."""
        if name not in self._codes:
            body = self.layers.read("codes", name)
            base = _parsed(self.called("codes", name), lambda: codes.parse(body, name))
            if (own := self.layers.find("codes", name + ROWS)) is not None:
                rows = own.path.read_bytes()
                called = self.called("codes", name + ROWS)
                base = _parsed(called, lambda: codes.lay_over(base, rows, name + ROWS))
            self._codes[name] = base
        return self._codes[name]

    def pretend(self, code_list: codes.CodeList) -> None:
        """Take a code list as if the files said so: to see whether what uses it can be compiled."""
        self._codes[code_list.name] = code_list

    def code_lists(self) -> tuple[str, ...]:
        """The names of all code lists; rows that lie over one are part of it."""
        return tuple(name for name in self.layers.names("codes") if not name.endswith(ROWS))

    def mapping(self, name: str, zone: str, day: date | None = None) -> FieldMapping:
        """A compiled mapping with its code lists as they stand on a day (None: every row counts), shared by all who use
        it with the same zone. Raises SiteFaults."""
        if (name, zone, day) not in self._mappings:
            made = self._compiled(name, self.load, lambda one: self.code_list(one).on(day), zone)
            self._mappings[name, zone, day] = made
        return self._mappings[name, zone, day]

    def own_converters(self) -> own_converters.Own:
        """The converters that the site adds, and what is wrong with them."""
        if self._own is None:
            self._own = own_converters.load(self.layers)
        return self._own

    def _findings(self, faults: MappingFaults) -> list[Finding]:
        """The faults with their lines. A converter that a broken module was to give is told where it is broken."""
        broken = self.own_converters().findings
        kept = [fault for fault in faults.faults if not (broken and fault.expected == UNKNOWN_CONVERTER)]
        found = [self.locate(fault.file, fault.path, fault.found, fault.expected, fault.remedy) for fault in kept]
        return found + (list(broken) if len(kept) < len(faults.faults) else [])

    def candidate(self, file: Path, name: str, zone: str) -> FieldMapping:
        """The mapping of that name with a file in its place that is not live: the mapping's own (.yaml), or one of its
        code lists (.csv). Nothing else of the site changes. Raises SiteFaults."""
        if file.suffix == ".csv":
            try:
                proposed = _parsed(file.name, lambda: codes.parse(file.read_bytes(), file.stem))
            except OSError:
                raise SiteFaults([_unreadable(file.name)]) from None
            return self._compiled(
                name, self.load, lambda other: proposed if other == file.stem else self.code_list(other), zone
            )
        document = read_yaml(file, name=file.name)
        self._by_name[document.name] = document
        extends = isinstance(document.data, dict) and document.data.get("extends") == name
        called = f"{name} ({file.stem})" if extends else name  # a file may be laid over the very one that is live

        def load(wanted: str) -> tuple[Any, str]:
            return (document.data, document.name) if wanted == called else self.load(wanted)

        return self._compiled(called, load, self.code_list, zone)

    def _compiled(self, name: str, load: Load, lists: Codes, zone: str) -> FieldMapping:
        try:
            return compile_mapping(name, load, lists, zone, self.own_converters().converters)
        except MappingFaults as faults:
            raise SiteFaults(self._findings(faults)) from None

    def resolved(self, name: str) -> Resolved:
        """The rows of a mapping as they stand after all overlays, each with its place. Raises SiteFaults."""
        return resolve(name, self.load)

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


def has_lookups(profile: Mapping[str, Any]) -> bool:
    """Whether a profile says how the system is asked for its codes."""
    records = profile.get("records")
    sections = records.values() if isinstance(records, dict) else ()
    return any(isinstance(section, dict) and section.get("lookups") for section in sections)


def _parsed(called: str, parse: Callable[[], codes.CodeList]) -> codes.CodeList:
    """A code list, read. Raises SiteFaults, calling it what findings call it."""
    try:
        return parse()
    except codes.CodeFaults as faults:
        raise SiteFaults(
            Finding(called, fault.line, 1, fault.column, fault.found, fault.expected, fault.remedy)
            for fault in faults.faults
        ) from None


def _unreadable(name: str) -> Finding:
    return Finding(name, 0, 0, "", "a file that cannot be read", "a file", "look at its permissions")
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
