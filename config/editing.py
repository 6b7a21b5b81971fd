"""Changing values of a site's file: what the console changes is written here, so that the files stay the truth.

Only the value's own letters are replaced; comments, order and spacing of all other lines stay as their author left
them. The result is read back before it takes the file's place, and it takes it whole or not at all.
"""

from __future__ import annotations

import os
import re
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from config.documents import Document, parse_yaml
from config.findings import Finding, KeyPath, SiteFaults, dotted
from config.nodes import Place, plain

Value = str | int | float | bool | None
Words = list[str]


class CannotChange(Exception):
    """The file was not changed. The message says why and what to do; it shows no value."""


def set_value(
    path: Path,
    key_path: KeyPath,
    value: Value,
    *,
    author: str,
    reason: str,
    on: date,
    check: Callable[[Document], tuple[Finding, ...]] | None = None,
) -> bool:
    """Give one setting another value, or add it to a section that is there, with a comment saying who, when and why.

    `check` looks at the result before it is written; any finding stops the change (SiteFaults). Returns False if the
    value was so already. Raises SiteFaults for a file that is not sound, CannotChange when it cannot be done safely.
    """
    return set_values(path, {key_path: value}, author=author, reason=reason, on=on, check=check)


def set_values(
    path: Path,
    values: Mapping[KeyPath, Value | Words],
    *,
    author: str,
    reason: str,
    on: date,
    check: Callable[[Document], tuple[Finding, ...]] | None = None,
) -> bool:
    """Give several settings other values in one step: the file has all of them afterwards or none. As `set_value`.

    A list of words may take the place of a list, whose own comments go with it.
    """
    changed = False

    def change(raw: bytes) -> bytes:
        nonlocal changed
        # Work on plain line ends; a file written on Windows gets its own back.
        windows = b"\r\n" in raw
        before = parse_yaml(raw.replace(b"\r\n", b"\n"), path)
        for key_path, value in values.items():
            wanted = _with(before.data, key_path, value)
            if wanted == before.data and _same_kind(before.data, key_path, value):
                continue
            text = _edited(before, key_path, value, _comment(author, reason, on))
            after = parse_yaml(text.encode(), path)
            if after.data != wanted:
                raise CannotChange(
                    f"{dotted(key_path)} in {path.name} cannot be changed safely here: edit the file by hand"
                )
            before, changed = after, True
        if not changed:
            return raw
        findings = check(before) if check else ()
        if findings:
            raise SiteFaults(findings)
        mark = BOM_UTF8 if raw.startswith(BOM_UTF8) else b""
        return mark + (before.text.replace("\n", "\r\n") if windows else before.text).encode()

    rewrite(path, change)
    return changed


def entries_replaced(
    raw: bytes, path: Path, entries: Mapping[KeyPath, tuple[str, Any]], *, author: str, reason: str, on: date
) -> bytes:
    """Return a file's bytes with entries under another key and value: `{path: (key, value)}`, each in its old place.

    For what was one value; a section or list that takes its place is written in one line. Nothing is written to disk;
    `path` says whose bytes they are. Raises SiteFaults for bytes that are not sound, CannotChange as `set_value`.
    """
    before = parse_yaml(raw.replace(b"\r\n", b"\n"), path)
    for key_path, (key, value) in entries.items():
        place, wanted = before.places[key_path], deepcopy(before.data)
        inside = wanted
        for step in key_path[:-1]:
            inside = inside[step]
        if isinstance(inside.pop(key_path[-1]), dict | list) or key in inside or place.style in ("|", ">"):
            raise CannotChange(f"{dotted(key_path)} in {path.name} is not one value on one line: edit it by hand")
        inside[key] = value
        begin = _offset(before.text, place.line, place.column)
        text = f"{before.text[:begin]}{key}: {_in_one_line(value)}{before.text[place.end :]}"
        before = parse_yaml(_line_above(text, place.line, _comment(author, reason, on)).encode(), path)
        if before.data != wanted:
            raise CannotChange(f"{dotted(key_path)} in {path.name} cannot be changed safely here: edit it by hand")
    mark = BOM_UTF8 if raw.startswith(BOM_UTF8) else b""
    return mark + (before.text.replace("\n", "\r\n") if b"\r\n" in raw else before.text).encode()


def rewrite(path: Path, change: Callable[[bytes], bytes], *, start: bytes | None = None) -> None:
    """Replace a file by what `change` makes of its bytes, whole or not at all.

    With `start` a file that is not there begins with those bytes: the shipped code list that a site begins to
    change. Raises CannotChange if somebody else changed the file meanwhile or the disk refuses.
    """
    try:
        existed = path.is_file()
        before = path.read_bytes() if existed or start is None else start
        after = change(before)
        if existed and after == before:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, after, unchanged=before if existed else None)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise CannotChange(f"{path.name} could not be written ({why}): it is as it was before") from error


def _replace(path: Path, content: bytes, *, unchanged: bytes | None) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if unchanged is None:
            fresh.chmod(0o644)
        else:
            fresh.chmod(path.stat().st_mode & 0o777)
        _still(path, unchanged)
        fresh.replace(path)
    except BaseException:
        with suppress(FileNotFoundError):
            fresh.unlink()
        raise
    _settle_folder(path.parent)


def _still(path: Path, content: bytes | None) -> None:
    """Take the last look before the step: an editor may have saved the file since it was read."""
    if (path.read_bytes() if path.is_file() else None) != content:
        raise CannotChange(f"somebody else changed {path.name} at the same time: look at it and try again")


def _settle_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut. Windows has no such call, and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _comment(author: str, reason: str, on: date) -> str:
    """Write the line that says who changed it; a line break in a reason must not become a setting."""
    who, why = (re.sub(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", said).strip() for said in (author, reason))
    who, why = (re.sub(r"[^\x20-\x7e\xa0-\u02ff\u0370-\ud7ff\u2010-\u2027]", "?", said)[:200] for said in (who, why))
    if not who or not why:
        raise CannotChange("a change needs an author and a reason: give both")
    return f"# {on.isoformat()} {who}: {why}"


def _with(data: Any, key_path: KeyPath, value: Value | Words) -> Any:
    """Return the data as it should be read afterwards."""
    if not key_path:
        raise CannotChange("a whole file cannot be replaced here: edit it by hand")
    wanted = deepcopy(data)
    inside = wanted
    for step in key_path[:-1]:
        try:
            inside = inside[step]
        except (KeyError, IndexError, TypeError):
            raise CannotChange(f"{dotted(key_path)} is in a section that is not there: add it by hand") from None
    last = key_path[-1]
    if isinstance(inside, dict) and isinstance(last, str):
        there = inside.get(last)
        if isinstance(there, dict) or isinstance(there, list) != (isinstance(value, list) and last in inside):
            raise CannotChange(f"{dotted(key_path)} is a section or a list, not one value: edit the file by hand")
        inside[last] = value
    elif isinstance(inside, list) and isinstance(last, int) and 0 <= last < len(inside):
        if isinstance(inside[last], dict | list):
            raise CannotChange(f"{dotted(key_path)} is a section or a list, not one value: edit the file by hand")
        inside[last] = value
    else:
        raise CannotChange(f"{dotted(key_path)} is not there and cannot be added: edit the file by hand")
    return wanted


def _same_kind(data: Any, key_path: KeyPath, value: Value | Words) -> bool:
    """True and 1 are equal to Python and not to a reader."""
    for step in key_path[:-1]:
        data = data[step]
    last = key_path[-1]
    there = last in data if isinstance(data, dict) else True
    return there and type(data[last]) is type(value)


def _edited(document: Document, key_path: KeyPath, value: Value | Words, comment: str) -> str:
    place = document.places.get(key_path)
    if place is None:
        return _added(document, key_path, value, comment)
    text = document.text
    start, end = place.start, place.end
    if start == end:  # `key:` with nothing behind it: the parser's mark is at whatever comes next
        key = _offset(text, place.line, place.column)
        start = end = text.find(":", key) + 1
        text = f"{text[:start]} {_written(value)}{text[end:]}"
    else:
        tail = "\n" if text[start:end].endswith("\n") else ""  # a block text ends with its line
        if isinstance(value, list):  # a list written in lines may reach over what is behind it
            tail = text[start:end][len(text[start:end].rstrip()) :]
        text = text[:start] + _written(value) + tail + text[end:]
    return _line_above(text, place.line, comment)


def _added(document: Document, key_path: KeyPath, value: Value | Words, comment: str) -> str:
    """Write a new key before the first key of its section."""
    section = document.places.get(key_path[:-1]) or Place(1, 1, 0, 0, "block")
    key = str(key_path[-1])
    text = document.text
    entry = f"{key}: {_written(value)}"
    if section.style == "flow":
        start = section.start + 1
        inside = text[start : section.end - 1].strip()
        text = text[:start] + entry + (", " if inside else "") + text[start:]
        return _line_above(text, text.count("\n", 0, start) + 1, comment)
    start = section.start
    indent = " " * (start - (text.rfind("\n", 0, start) + 1))
    return text[:start] + f"{comment}\n{indent}{entry}\n{indent}" + text[start:]


def _offset(text: str, line: int, column: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.index("\n", start) + 1
    return start + column - 1


def _line_above(text: str, line: int, comment: str) -> str:
    lines = text.split("\n")
    there = lines[line - 1]
    indent = there[: len(there) - len(there.lstrip(" "))]
    lines.insert(line - 1, indent + comment)
    return "\n".join(lines)


_SIMPLE = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*")


def _written(value: Value | Words) -> str:
    """Write a value as YAML: words that need no quotes without, all other texts in double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str) and _SIMPLE.fullmatch(value) and plain(value) == value:
        return value
    return orjson.dumps(value).decode()


def _in_one_line(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_in_one_line(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(_in_one_line, value))}]"
    return _written(value)
