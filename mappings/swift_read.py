"""Reading, the swift way: the rows of a group as one function in which what is plain is done on the spot.

Plain is a group that is a dict, a text where text is wanted, a code that the list has, a value that its converter
takes. Whatever is not is given to the exact closure of that very row or group (`read.py`), so that there is one place
that decides about odd values. A new kind of row needs nothing here: without a template its closure is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mappings.converters import WrongType
from mappings.rows import ABSENT, ReadyRow
from mappings.source import DEEPEST, Source

if TYPE_CHECKING:
    from mappings.read import Group, Take

UNREADABLE = (WrongType, ValueError, TypeError, OverflowError)  # what a converter may raise over a record's value


def swift(group: Group) -> Take:
    """Make the function that reads a group, exactly as `group.take` would."""
    return source_of(group).made()


def source_of(group: Group) -> Source:
    """Write the function down."""
    source = Source("value", "facts", "notes")
    source.line(1, "if type(value) is not dict:")
    source.line(2, "return {exact}(value, facts, notes)", exact=source.hold(group.take))
    _inside(source, group, "value", 1)
    return source


def _inside(source: Source, group: Group, name: str, depth: int) -> None:
    """What is done with a group that is a dict."""
    get = source.local("g")
    source.line(depth, "{get} = {name}.get", get=get, name=name)
    for key, take, row, inner in group.parts:
        value = source.local("v")
        names = {"v": value, "key": source.hold(key), "absent": source.hold(ABSENT), "take": source.hold(take)}
        source.line(depth, "{v} = {get}({key}, {absent})", get=get, **names)
        otherwise = "elif"
        if inner is not None and depth < DEEPEST:
            source.line(depth, "if type({v}) is dict:", **names)
            _inside(source, inner, value, depth + 1)
        elif row is not None and not row.each:
            _row(source, row, names, depth)
        else:
            otherwise = "if"
        source.line(depth, otherwise + " {v} is not {absent}:", **names)
        source.line(depth + 1, "{take}({v}, facts, notes)", **names)
    for key, without in group.withouts:
        source.line(depth, "if {key} not in {name}:", key=source.hold(key), name=name)
        source.line(depth + 1, "{without}(facts, notes)", without=source.hold(without))


def _row(source: Source, row: ReadyRow, names: dict[str, str], depth: int) -> None:
    """The plain case of a row, as an `if` that its odd case can follow."""
    names = {**names, "ours": source.hold(row.ours), "w": "w"}
    if row.read_keeps is str and row.note is None:
        source.line(depth, "if type({v}) is str and {v}:", **names)
        source.line(depth + 1, "facts[{ours}] = {v}", **names)
    elif row.read_keeps is bool and row.note is None:
        source.line(depth, "if {v} is True or {v} is False:", **names)
        source.line(depth + 1, "facts[{ours}] = {v}", **names)
    elif row.read_swift is not None:
        source.line(depth, "{w} = {swift}({v})", **names, swift=source.hold(row.read_swift))
        source.line(depth, "if {w} is not None:", **names)
        source.line(depth + 1, "facts[{ours}] = {w}", **names)
    elif row.read_codes and row.note is None:
        source.line(depth, "{w} = {codes}.get({v}) if type({v}) is str else None", **names,
                    codes=source.hold(row.read_codes))  # fmt: skip
        source.line(depth, "if {w} is not None:", **names)
        source.line(depth + 1, "facts[{ours}] = {w}", **names)
    else:
        _converted(source, row, names, depth)


def _converted(source: Source, row: ReadyRow, names: dict[str, str], depth: int) -> None:
    """A value that its converter takes, without a remark. It is converted again where it was not as plain as that."""
    names = {**names, "read": source.hold(row.read), "unreadable": source.hold(UNREADABLE)}
    source.line(depth, "{w} = None", **names)
    source.line(depth, "if {v} is not {absent} and {v} is not None:", **names)
    source.line(depth + 1, "try:", **names)
    source.line(depth + 2, "{w} = {read}({v})", **names)
    source.line(depth + 1, "except {unreadable}:", **names)
    source.line(depth + 2, "pass", **names)
    if row.note is None:
        source.line(depth, "if {w} is not None:", **names)
    else:
        source.line(depth, "if {w} is not None and {note}({v}) is None:", **names, note=source.hold(row.note))
    source.line(depth + 1, "facts[{ours}] = {w}", **names)
