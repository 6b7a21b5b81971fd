"""Whether as many values, and texts as long, are written as the interface takes, and constants that it takes at all."""

from __future__ import annotations

from collections.abc import Iterator

from mappings.fitting import spelling
from mappings.fitting.leaves import refuses
from mappings.fitting.lines import WRITES, Line, Misfit
from mappings.interface import Schema, is_list, item_of, kinds

#: The longest text that a converter of short ones writes; every other one writes texts of any length.
_LONGEST = {
    "date": 11, "partial-date": 10, "time": 27, "local-time": 26, "offset-time": 32, "when": 27, "boolean": 8,
    "opposite": 8, "integer": 20, "number-as-text": 20,
}  # fmt: skip


def of(line: Line) -> Iterator[Misfit]:
    """Everything wrong with a line's values; of each kind the first use in which it shows."""
    seen: set[tuple[str, str, tuple[str | int, ...]]] = set()
    for use, schema in line.found():
        writing = use in WRITES
        looks = [_cardinality(line, schema), _many(line, schema, writing=writing)]
        if not line.each and line.plain:
            leaf = item_of(schema)
            looks += [spelling.of(line, leaf, writing=writing)]
            looks += [_long(line, leaf, writing=writing), _constant(line, leaf, writing=writing)]
        for look in looks:
            for misfit in look:
                if (mark := (misfit.kind, misfit.file, misfit.path)) not in seen:
                    seen.add(mark)
                    yield misfit


def _is_many(line: Line) -> bool | None:
    """Whether the row carries a list; None where that cannot be told."""
    if line.each:
        return True
    if line.converter is None or line.declared is None or line.converter.name == "as-is":
        return None
    if line.converter.many:
        return "array" in line.converter.theirs
    return line.declared.many


def _cardinality(line: Line, schema: Schema) -> Iterator[Misfit]:
    many, listed = _is_many(line), is_list(schema)
    if many is None or not kinds(schema) or many == listed:
        return
    if many and "array" not in kinds(schema):
        yield line.misfit(
            "wrong cardinality", "theirs", f"a list onto `{line.shown}`, which stands there once",
            "an element or array that repeats", "Map one item of ours with a filter, or use `as: joined`.",
        )  # fmt: skip
    elif listed and schema.get("maxItems") != 1:
        may = schema.get("x-one-or-many", False)
        yield line.misfit(
            "wrong cardinality", "theirs", f"one value onto `{line.shown}`, which is a list",
            "a field of ours that is a list", "Map a list, or pick one item with a filter: a record with several is "
            "not read.", warn=bool(may),
        )  # fmt: skip


def _many(line: Line, schema: Schema, *, writing: bool) -> Iterator[Misfit]:
    most = schema.get("maxItems")
    if not writing or most is None or not _is_many(line):
        return
    own = line.keys.get("max_items")
    if own is None or own > most:
        yield line.misfit(
            "too long", "max_items" if own else "theirs",
            f"`max_items: {own}`" if own else f"a list of any length onto `{line.shown}`",
            f"at most {most} items, as the interface has it", f"Write `max_items: {most}`: a longer list is then left "
            "out and told, and the rest of the record is carried.",
        )  # fmt: skip


def _long(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    """A text that the system would refuse with the whole record."""
    most = leaf.get("maxLength")
    if not writing or most is None or line.codes is not None or line.converter is None:
        return
    own = line.keys.get("max_length")
    if own is not None and own > most:
        yield line.misfit(
            "too long", "max_length", f"`max_length: {own}`", f"at most {most} characters at `{line.shown}`",
            f"Write `max_length: {most}`.",
        )  # fmt: skip
    if own is not None or not (line.converter.many or line.converter.theirs == ("string",)):
        return
    if (longest := _LONGEST.get(line.converter.name)) is not None and longest <= most:
        return
    ours = 0 if line.declared is None else line.declared.meta.most
    yield line.misfit(
        "too long", "theirs", f"a text of any length onto `{line.shown}`",
        f"at most {most} characters, as the interface has it", f"Write `max_length: {most}`: a longer text is then "
        "left out and told, and the rest of the record is carried.", warn=bool(ours) and ours <= most,
    )  # fmt: skip


def _constant(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    if writing and "constant" in line.keys and (wrong := refuses(leaf, line.keys["constant"])):
        kind = "code not in the enumeration" if "enum" in leaf else "wrong type"
        yield line.misfit(kind, "constant", "a constant that the interface does not take there", wrong,
                          "Correct the constant.")  # fmt: skip
