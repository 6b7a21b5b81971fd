"""The converters that a site adds in Python: `converters/NAME.py`, each with a table `CONVERTERS`, loaded and tried.

This is the one place where Dolen runs code of a site, and it runs with Dolen's own rights: whoever may write to that
folder may do whatever Dolen may. Only files in the folder itself are loaded, never one that a link leads out to. What
is wrong with a module is one finding with its line; a value that a converter cannot take is refused like any other.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from types import ModuleType
from typing import Any

from config.findings import Finding, clean, shown
from config.layers import Layers
from mappings import converters
from mappings.converters.port import (
    Convert,
    Converter,
    Declared,
    Example,
    Factory,
    OwnConverter,
    Request,
    WrongType,
)
from mappings.meta import Json, Kind

FOLDER = "converters"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_LARGEST = 256 * 1024  # bytes; a converter has some tens of lines
_ZONE = "Europe/London"  # in which examples are tried
_JSON = (str, int, float, bool, list, dict)


@dataclass(frozen=True, slots=True)
class Own:
    """What a site adds: the converters that can be used, and what is wrong with the others."""

    converters: Mapping[str, OwnConverter]
    findings: tuple[Finding, ...] = ()


class _Wrong(Exception):
    """A module cannot be used. `finding` says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


@dataclass(frozen=True, slots=True)
class _Module:
    """One module of the site, read and run."""

    file: str
    source: bytes
    table: Mapping[Any, Any]
    lines: Mapping[str, int]  # of the texts in it: where a name of the table stands

    def line(self, name: str) -> int:
        return self.lines.get(name, 1)


def load(layers: Layers) -> Own:
    """Load all modules of a site and try each converter on its own examples."""
    found: dict[str, OwnConverter] = {}
    findings: list[Finding] = []
    for name in layers.names(FOLDER):
        try:
            module = _module(layers, name)
        except _Wrong as wrong:
            findings.append(wrong.finding)
            continue
        for key, declared in module.table.items():
            wrong_here = _wrong_name(module, key, declared, found) or _broken_law(module, key, declared)
            if wrong_here is not None:
                findings.append(wrong_here)
                continue
            found[key] = _own(declared, module.source)
    return Own(found, tuple(findings))


def _own(declared: Declared, source: bytes) -> OwnConverter:
    return OwnConverter(replace(declared, factory=_guarded(declared.factory)), sha256(source).hexdigest(), source)


def _module(layers: Layers, name: str) -> _Module:
    """Read and run one module. Raises _Wrong."""
    file = f"{FOLDER}/{name}.py"
    place = layers.find(FOLDER, name)
    if place is None:
        raise _Wrong(_finding(file, 0, "a link that leads out of the folder", "a file in it", "copy the file here"))
    try:
        source = place.path.read_bytes()
    except OSError as error:
        words = f"a file that cannot be read ({error.strerror or type(error).__name__})"
        raise _Wrong(_finding(file, 0, words, "a readable file", "correct its permissions")) from None
    if len(source) > _LARGEST:
        raise _Wrong(_finding(file, 0, "a module of more than 256 kB", "a converter", "move tables into code lists"))
    return _run(file, source)


def _run(file: str, source: bytes) -> _Module:
    """Run the text of a module. Raises _Wrong."""
    made = ModuleType(f"site_converters_{sha256(source).hexdigest()}")
    sys.modules[made.__name__] = made  # dataclasses look their module up
    try:
        tree = ast.parse(source, file)
        code = compile(tree, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else 0
        said = clean(error.msg if isinstance(error, SyntaxError) else str(error))
        raise _Wrong(_finding(file, line or 0, f"text that is not Python ({said})", "a module in Python",
                              "correct the line")) from None  # fmt: skip
    try:
        exec(code, made.__dict__)  # noqa: S102 - a site's own code, see above
    except (Exception, SystemExit) as error:
        words = f"a module that cannot be imported ({_said(error)})"
        raise _Wrong(_finding(file, _line_in(error, file), words, "a module that imports", "correct it")) from None
    table = made.__dict__.get("CONVERTERS")
    if not isinstance(table, dict) or not table:
        remedy = 'write CONVERTERS = {"name": Declared(factory, examples=(Example(theirs, ours),))}'
        raise _Wrong(_finding(file, 1, "no table CONVERTERS", "a table of names to Declared", remedy))
    lines = {node.value: node.lineno for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    return _Module(file, source, table, lines)


def _wrong_name(module: _Module, key: Any, declared: Any, found: Mapping[str, OwnConverter]) -> Finding | None:
    if not isinstance(key, str) or not _NAME.fullmatch(key):
        expected = "small letters and digits, with dashes between words"
        return _finding(module.file, module.line(str(key)), f"the name {shown(str(key))}", expected, "rename it")
    if key in converters.NAMES or key in converters.SEVERAL_NAMES or key in found:
        other = "another module of this site" if key in found else "Dolen itself"
        return _finding(module.file, module.line(key), f"the name {shown(key)}, which {other} has", "a new name",
                        "rename it here and in the mappings")  # fmt: skip
    if not isinstance(declared, Declared):
        return _finding(module.file, module.line(key), f"{shown(key)} as something else", "a Declared",
                        "write Declared(factory, examples=(Example(theirs, ours),))")  # fmt: skip
    if not declared.examples:
        return _finding(module.file, module.line(key), f"{shown(key)} without an example", "one Example at least",
                        "add examples=(Example(theirs, ours),)")  # fmt: skip
    return None


def _broken_law(module: _Module, key: str, declared: Declared) -> Finding | None:
    """Try a converter on its own examples."""
    for example in declared.examples:
        try:
            words = _against(declared, key, example)
        except (Exception, SystemExit) as error:
            words = f"{shown(key)}, which raises {type(error).__name__} on its own example"
            line = _line_in(error, module.file) or module.line(key)
            return _finding(module.file, line, words, "a converter that takes it", "correct the converter")
        if words:
            law = "read(theirs) == ours and read(write(ours)) == ours"
            return _finding(module.file, module.line(key), f"{shown(key)}, {words}", law, "correct it or its example")
    return None


def _against(declared: Declared, key: str, example: Example) -> str:
    """What an example shows to be untrue, "" if nothing."""
    made = declared.factory(Request(key, example.options, _ZONE))
    if not isinstance(made, Converter) or not all(isinstance(kind, Kind) for kind in made.kinds) or not made.law:
        return "whose factory gives no Converter with a law and kinds"
    if made.read(example.theirs) != example.ours:
        return "which reads an example as something else"
    back = made.write(example.ours)
    if made.read(back) != example.ours:
        return "which does not read what it has written"
    if made.exact and back != example.theirs:
        return "which calls itself exact and writes an example differently"
    return ""


def _guarded(factory: Factory) -> Factory:
    """The factory, its functions held to the port: JSON comes out, and nothing but WrongType is raised."""

    def guarded(request: Request) -> Converter:
        made = factory(request)
        note = made.note
        return replace(
            made,
            read=_held(made.read, f"a value that the converter {request.name} reads"),
            write=_held(made.write, f"a value that the converter {request.name} writes"),
            note=None if note is None else _quiet(note),
        )

    return guarded


def _held(convert: Convert, expected: str) -> Convert:
    def held(value: Json) -> Json:
        try:
            made = convert(value)
        except WrongType:
            raise
        except Exception:  # a site's code may raise anything; the record is what cannot be carried
            raise WrongType(expected) from None
        if made is not None and not isinstance(made, _JSON):
            raise WrongType(expected)
        return made

    return held


def _quiet(note: Callable[[Json], str | None]) -> Callable[[Json], str | None]:
    def quiet(value: Json) -> str | None:
        try:
            return note(value)
        except Exception:  # a remark is never worth a record
            return None

    return quiet


def _line_in(error: BaseException, file: str) -> int:
    """The last line of that file that led to the error, 0 if none did."""
    return next((line for line in reversed(list(_lines(error, file)))), 0)


def _lines(error: BaseException, file: str) -> Iterator[int]:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            yield trace.tb_lineno
        trace = trace.tb_next


def _said(error: BaseException) -> str:
    return clean(f"{type(error).__name__}: {error}")


def _finding(file: str, line: int, found: str, expected: str, remedy: str) -> Finding:
    return Finding(file, line, 1 if line else 0, "", found, expected, remedy)
