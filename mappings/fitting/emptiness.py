"""Whether known emptiness and defaults are written as the interface takes them, and read as our field takes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mappings.fitting.leaves import refuses
from mappings.fitting.lines import WRITES, Line, Misfit
from mappings.interface import Schema, Use, is_list, item_of, kinds, nullable
from mappings.meta import Kind

_KIND = "empty"


def of(line: Line) -> Iterator[Misfit]:
    """Everything wrong with how a line writes nothing."""
    yield from _default_read(line)
    if "constant" in line.keys or not line.writes or not line.plain:
        return
    for use, schema in line.found(*WRITES):
        found = list(_written(line, use, schema))
        yield from found
        if found:
            return


def _written(line: Line, use: Use, schema: Schema) -> Iterator[Misfit]:
    keys = line.keys
    listed = is_list(schema)
    if "absent" in keys and "empty" not in keys:
        wrong = refuses(item_of(schema), keys["absent"][0])
        if wrong and not keys.get("needed"):
            yield line.misfit(_KIND, "absent", f"`absent` begins with what `{line.shown}` does not take", wrong,
                              "Begin the list with a value that the interface takes.")  # fmt: skip
        return
    if keys.get("needed") or keys.get("lead"):
        return  # such a field is never written empty, or its group goes with it
    style = keys.get("empty", line.owner.empty)
    place = "empty" if "empty" in keys else "theirs"
    if listed and style != "omit" and "empty" not in keys:
        style = "list"
    xml = "x-where" in schema
    if style in ("null", None) and not nullable(schema) and not (xml and not _required(line, use)):
        yield line.misfit(
            _KIND, place, f"null, when the field is empty, onto `{line.shown}`", "a value, and never null",
            _other(schema), warn=False,
        )  # fmt: skip
    elif style == "omit" and _required(line, use):
        yield line.misfit(
            _KIND, place, f"an emptied field that is left out, and `{line.shown}` is required", "a value, always",
            "Write `needed: true`, or `empty: default` beside `default: {write: ...}`.", warn=True,
        )  # fmt: skip
    elif style == "text" and (wrong := _no_text(schema)):
        yield line.misfit(_KIND, place, f"an empty text, when the field is empty, onto `{line.shown}`", wrong,
                          _other(schema))  # fmt: skip
    elif style == "list" and not listed and kinds(schema):
        yield line.misfit(_KIND, place, f"an empty list, when the field is empty, onto `{line.shown}`",
                          "an element or array that repeats", _other(schema))  # fmt: skip
    elif style == "list" and schema.get("minItems", 0) > 0:
        yield line.misfit(_KIND, place, f"an empty list, when the field is empty, onto `{line.shown}`",
                          f"at least {schema['minItems']} items", _other(schema))  # fmt: skip


def _no_text(schema: Schema) -> str:
    if is_list(schema):
        return "a list"
    if kinds(schema) and "string" not in kinds(schema):
        return " or ".join(sorted(kinds(schema)))
    return refuses(schema, "")


def _other(schema: Schema) -> str:
    ways = ["`empty: omit`", "`needed: true`"]
    if nullable(schema):
        ways.insert(0, "`empty: null`")
    return f"Write {' or '.join(ways)}, or `empty: default` beside `default: {{write: ...}}`."


def _required(line: Line, use: Use) -> bool:
    """Whether the element must be there in each record; what stands in a group that may go as a whole need not be."""
    whole = line.owner.interface.of(use)
    here: Schema = whole or {}
    if line.prefix:
        return False  # an item's own elements are the business of `presence`
    for step in line.theirs:
        below = item_of(here)
        if step.where or step.key not in below.get("required", ()):
            return False
        here = below.get("properties", {}).get(step.key, {})
    return True


def _default_read(line: Line) -> Iterator[Misfit]:
    """What a record without the path reads as must be a value of our field."""
    default: Any = line.keys.get("default")
    if not isinstance(default, dict) or default.get("read") is None or line.declared is None:
        return
    value, meta = default["read"], line.declared.meta
    wrong = ""
    if meta.codes is not None and value not in [code.value for code in meta.codes]:
        wrong = f"one of {', '.join(code.value for code in meta.codes)}"
    elif meta.kind is Kind.BOOLEAN and not isinstance(value, bool):
        wrong = "true or false"
    elif meta.kind is Kind.INTEGER and (isinstance(value, bool) or not isinstance(value, int)):
        wrong = "a whole number"
    elif meta.kind not in (Kind.BOOLEAN, Kind.INTEGER, Kind.ANY) and not isinstance(value, str):
        wrong = "a text"
    if wrong:
        yield line.misfit("wrong type", "default", f"a default that {line.ours[0]} cannot hold", wrong,
                          "Give a value in our words.")  # fmt: skip
