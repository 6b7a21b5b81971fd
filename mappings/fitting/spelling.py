"""Whether what a converter writes and reads is what the interface has there: type, format, offset, and what is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from mappings.fitting.leaves import CALLED, lexical
from mappings.fitting.lines import Line, Misfit
from mappings.interface import Schema, kinds
from mappings.meta import Kind

_ISO = "YYYY-MM-DD"
_READS: Mapping[str, tuple[str, ...]] = {
    "boolean": ("boolean", "integer", "string"),
    "opposite": ("boolean", "integer", "string"),
    "integer": ("integer", "number", "string"),
    "number-as-text": ("integer", "string"),
    "list": ("array", "string"),
    "lines": ("array", "string"),
}  # every other one reads text
#: What the text of each converter reads as. Where nothing stands, any text may come.
_SPELLS: Mapping[str, tuple[str, ...]] = {
    "date": ("date",),
    "partial-date": ("date", "gYearMonth", "gYear"),
    "time": ("dateTime",),
    "local-time": ("dateTime",),
    "offset-time": ("dateTime",),
    "when": ("date", "dateTime"),
    "boolean": ("boolean",),
    "opposite": ("boolean",),
    "integer": ("integer", "decimal"),
    "number-as-text": ("integer", "decimal"),
}
_BETTER = {
    "date": "date", "dateTime": "time or local-time", "boolean": "boolean", "integer": "integer or number-as-text",
    "gYear": "partial-date", "gYearMonth": "partial-date",
}  # fmt: skip
_MOMENTS = ("time", "local-time", "offset-time", "when")
_OF_SEVERAL = ("partial-date", "when")  # what they write depends on the value
_BARE, _OFFSET = ("local-time",), ("time", "offset-time", "when")
#: What is lost whatever the interface holds; a date and a boolean are told apart by it.
_ALWAYS_LOSES = (
    "trimmed",
    "time",
    "local-time",
    "offset-time",
    "when",
    "phone",
    "postcode",
    "nhs-number",
    "lines",
    "joined",
)
_SAMPLES: Mapping[str, str] = {
    "date": "2026-03-01", "partial-date": "2026-03-01", "time": "2026-03-01T09:30:15Z",
    "offset-time": "2026-03-01T09:30:15Z", "local-time": "2026-03-01T09:30:15Z",
}  # fmt: skip


def of(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    """Everything wrong with how a line's converter spells one use of the record."""
    if line.converter is None:
        return
    yield from _typed(line, leaf, writing=writing)
    yield from _zoned(line, leaf, writing=writing)
    yield from _lossy(line, leaf)
    yield from _patterned(line, leaf, writing=writing)


def _typed(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    assert line.converter is not None
    name, wanted = line.converter.name, kinds(leaf) - {"null"}
    if name == "as-is" or not wanted:
        return
    xml = "x-where" in leaf  # of text alone, however it is written
    if not xml and not wanted & (_gives(line) if writing else _takes(line)):
        yield line.misfit(
            "wrong type", _key(line), f"{name} onto `{line.shown}`, which is {_listed(wanted)}",
            f"a converter that {'writes' if writing else 'reads'} {_listed(wanted)}", _remedy(wanted, line),
        )  # fmt: skip
    elif xml and wanted == {"object"} and "." not in leaf.get("properties", {}):
        yield line.misfit(
            "wrong type", "theirs", f"a value onto `{line.shown}`, which has elements in it",
            f"one of its elements: {', '.join(list(leaf.get('properties', {}))[:12])}", "Name the element below it.",
        )  # fmt: skip
    elif (reads := lexical(leaf)) is not None and line.codes is None:
        yield from _spelled(line, reads)


def _gives(line: Line) -> frozenset[str]:
    assert line.converter is not None
    given = line.converter.theirs
    if "array" in given and line.converter.many:
        given = ("string",)  # of the items
    return frozenset({*given, *(("number",) if "integer" in given else ())})


def _takes(line: Line) -> frozenset[str]:
    assert line.converter is not None
    if line.codes is not None:
        return frozenset(("string", "integer", "number", "boolean"))
    return frozenset(_READS.get(line.converter.name, ("string",))) - {"array"}


def _spelled(line: Line, reads: str) -> Iterator[Misfit]:
    """Dates, times, numbers and booleans: what the converter spells against what the interface reads."""
    assert line.converter is not None
    name, options = line.converter.name, line.keys.get("options", {})
    spells = _SPELLS.get(name, ())
    if options.get("format", _ISO) != _ISO or ("yes" in options and not _plain_words(options)):
        spells = ()
    sure = reads in spells and name not in _OF_SEVERAL
    if sure:
        return
    some = reads in spells or (not spells and reads in ("integer", "decimal", "base64"))
    better = _BETTER.get(reads)
    called = CALLED.get(reads, reads)
    yield line.misfit(
        "wrong type", _key(line), f"{name} onto `{line.shown}`, which is {called}",
        f"a converter that always writes {called}" if some else f"a converter of {called}",
        f"Write `as: {better}`, or map another path." if better else "Map another path, or make a converter for it.",
        warn=some,
    )  # fmt: skip


def _plain_words(options: Mapping[str, object]) -> bool:
    words = [word for key in ("yes", "no") for word in _as_list(options.get(key))]
    return all(word in ("true", "false", "0", "1") for word in words)


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _remedy(wanted: frozenset[str], line: Line) -> str:
    kind = None if line.declared is None else line.declared.meta.kind
    if wanted <= {"integer", "number"} and kind in (Kind.TEXT, Kind.CODE):
        return "Write `as: number-as-text`, or map another path."
    if wanted == {"boolean"}:
        return "Map a field of ours that is yes or no (`as: boolean`), or another path."
    if "object" in wanted:
        return "Name the key below it."
    if wanted == {"string"} and kind in (Kind.BOOLEAN, Kind.INTEGER):
        return "Write `options: {wire: text}`, or use a code list."
    return "Choose another converter, or map another path."


def _zoned(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    converter = line.converter
    if converter is None or converter.name not in _MOMENTS:
        return
    reads, zone = lexical(leaf), leaf.get("x-zone", "optional")
    key = _key(line)
    if writing and reads == "dateTime" and zone == "required" and converter.name in _BARE:
        yield line.misfit(
            "wrong type", key, f"{converter.name}, which writes no offset, onto `{line.shown}`",
            "a moment with its offset", "Write `as: time` (in UTC) or `as: offset-time`.",
        )  # fmt: skip
    elif writing and reads == "dateTime" and zone == "none" and converter.name in _OFFSET:
        yield line.misfit(
            "wrong type", key, f"{converter.name}, which writes an offset, onto `{line.shown}`",
            "a moment without offset", "Write `as: local-time`.",
        )  # fmt: skip
    needs_zone = (not writing and zone != "required") or converter.name in ("local-time", "offset-time")
    if needs_zone and line.owner.clock is None and "zone" not in line.keys:
        yield line.misfit(
            "time without a zone", "theirs", f"`{line.shown}`, whose times carry no offset",
            "an offset in the interface, `clock` in the profile, or `zone` in the row",
            "Write `zone: Europe/London`: until then the council's own zone is taken.", warn=True,
        )  # fmt: skip


def _lossy(line: Line, leaf: Schema) -> Iterator[Misfit]:
    """A value that goes there and back and does not come back the same, and nobody was told."""
    assert line.converter is not None
    if line.declared is None or not (line.reads and line.writes) or line.keys.get("lossy"):
        return
    name, kind, loses = line.converter.name, line.declared.meta.kind, ""
    if name in _ALWAYS_LOSES and line.codes is None:
        loses = line.converter.law + (", and fractions of a second" if _no_fractions(line, leaf) else "")
    elif name == "date" and kind is Kind.WHEN:
        loses = "the time of day of a moment cannot be written"
    elif name == "date" and kind is Kind.PARTIAL_DATE:
        loses = "a year or a month alone cannot be written"
    if loses:
        yield line.misfit(
            "lossy", _key(line), f"{name} onto `{line.shown}`, by which something is lost",
            f"`lossy` with what is lost: {loses}", f"Write `lossy: {loses}`, or in your own words.", warn=True,
        )  # fmt: skip


def _no_fractions(line: Line, leaf: Schema) -> bool:
    """Whether the interface's pattern takes a moment to the second and not beyond."""
    assert line.converter is not None
    sample, pattern = _SAMPLES.get(line.converter.name, ""), leaf.get("pattern")
    if pattern is None or lexical(leaf) != "dateTime" or not sample.endswith("Z"):
        return False
    whole, finer = (str(line.converter.write(one)) for one in (sample, f"{sample[:-1]}.123456Z"))
    return bool(re.search(pattern, whole)) and not re.search(pattern, finer)


def _patterned(line: Line, leaf: Schema, *, writing: bool) -> Iterator[Misfit]:
    """A pattern of the interface that does not take what the converter writes: another order, no seconds."""
    assert line.converter is not None
    name, pattern = line.converter.name, leaf.get("pattern")
    if not writing or pattern is None or name not in _SAMPLES or lexical(leaf) not in (None, *_SPELLS[name]):
        return  # a text with a pattern alone, such as FHIR's dateTime, is held against the pattern
    written = str(line.converter.write(_SAMPLES[name]))
    told = leaf.get("x-zone") == ("required" if name in _BARE else "none")  # as the offset that it is about
    if not re.search(pattern, written) and not ("dateTime" in _SPELLS[name] and told):
        yield line.misfit(
            "wrong type", _key(line), f"{name}, which writes as {written}, onto `{line.shown}`",
            "what the pattern of the interface allows", "Choose another converter, or make one for this spelling.",
        )  # fmt: skip


def _key(line: Line) -> str:
    return "as" if "as" in line.keys else "theirs"


def _listed(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))
