"""The page of the whole mapping format, `docs/reference/mapping-files.md`, made from its declarations.

The keys come from `file.py`, the converters with their laws from `converters/`, the fields from the
declaration of the referral; only what is between them is written here. `python -m pipelines.editors` writes the page.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mappings import converters, fieldpaths
from mappings.converters.port import Declared, Request, SeveralRequest
from mappings.declaration import declared
from mappings.file import Default, ItemRow, MappingFile, Row
from mappings.meta import Json
from mappings.page_words import AFTER_CONVERTERS, BEFORE_CONVERTERS, BEFORE_KEYS, BETWEEN_KEYS, SEVERAL

_OPTION = re.compile(r"`[a-z]+`(?:, `[a-z]+`)*: ")
_ZONE = "Europe/London"  # in which the examples are said


def mapping_page() -> str:
    """Return the whole page as Markdown."""
    parts = [BEFORE_KEYS]
    parts += ["### At the head of the file\n", _keys(MappingFile)]
    parts += ["### In a row\n", _keys(Row), "`default` has these keys:\n", _keys(Default)]
    parts += ["### In a row of a list's items\n", "All keys of a row but `each`, `where` and `choices`, and:\n"]
    parts += [_keys(ItemRow, beside=Row), BETWEEN_KEYS, _fields(), BEFORE_CONVERTERS]
    parts += [_converter(name, one) for name, one in converters.BUILT_IN.items()]
    parts += [SEVERAL, *(_several(name) for name in converters.SEVERAL), AFTER_CONVERTERS]
    return "\n".join(parts)


def _keys(model: type[BaseModel], beside: type[BaseModel] | None = None) -> str:
    lines = ["| key | kind | if left out | what it is | examples |", "|---|---|---|---|---|"]
    known = beside.model_fields if beside else {}
    for name, field in model.model_fields.items():
        if name not in known:
            examples = ", ".join(_code(example) for example in field.examples or ())
            lines.append(_line(f"`{field.alias or name}`", _kind(field), _left_out(field), field.description, examples))
    return "\n".join(lines) + "\n"


def _line(*cells: str | None) -> str:
    return "| " + " | ".join((cell or "").replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _kind(field: FieldInfo) -> str:
    kinds = dict.fromkeys(_kinds(field.annotation))
    return " or ".join(kind for kind in kinds if kind != "nothing" or len(kinds) == 1)


def _kinds(annotation: Any) -> Iterator[str]:
    """What may be written there, in words."""
    origin, inner = get_origin(annotation), get_args(annotation)
    words = {str: "text", int: "whole number", bool: "true or false", type(None): "nothing"}
    if annotation in words:
        yield words[annotation]
    elif origin is Literal:
        yield "one of " + ", ".join(f"`{word}`" for word in inner)
    elif origin in (list, dict):
        of = " or ".join(dict.fromkeys(kind for kind in _kinds(inner[-1]) if kind != "nothing"))
        yield f"list of: {of}" if origin is list else f"NAME to {of}"
    elif inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield "keys"
    elif hasattr(annotation, "__metadata__"):
        yield from _kinds(inner[0])
    elif inner:
        for one in inner:
            yield from _kinds(one)
    else:
        yield "any value"


def _left_out(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default()
    return "" if value is None else _code(value)


def _fields() -> str:
    """Every value of a referral, with its codes where the list is closed."""
    lines = ["| ours | what it is | kind, or the codes that it takes |", "|---|---|---|"]
    for path, field in declared().items():
        if not field.members:
            kind = ", ".join(f"`{code.value}`" for code in field.meta.codes or ()) or str(field.meta.kind)
            lines.append(_line(f"`{path}`", field.meta.about, kind))
    return "\n".join(lines) + "\n"


def _converter(name: str, one: Declared) -> str:
    made = one.factory(Request(name, {}, _ZONE))
    kinds = "any field" if len(made.kinds) > 6 else ", ".join(str(kind) for kind in made.kinds)
    law = "exact: a value comes back letter by letter" if made.exact else f"{made.law}"
    shown = [f"- for fields that are {kinds}{', as a list' if made.many else ''}; they get: {', '.join(made.theirs)}",
             f"- law: {law}"]  # fmt: skip
    shown += [f"- option `{option}`: {words}" for option, words in one.options.items()]
    for example in one.examples:
        with_options = f" with `options: {_json(example.options)}`" if example.options else ""
        shown.append(f"- `{_json(example.theirs)}` is our `{_json(example.ours)}`{with_options}")
    return f"#### `{name}`\n\n{_about(one.factory)}\n\n" + "\n".join(shown) + "\n"


def _several(name: str) -> str:
    one = converters.SEVERAL[name]
    row = one.example
    theirs = row["theirs"] if isinstance(row["theirs"], list) else [row["theirs"]]
    ours = row["ours"] if isinstance(row["ours"], list) else [row["ours"]]
    types = [fieldpaths.type_of(path) for path in ours]
    fields = tuple((one_type.kind, one_type.many) for one_type in types)
    options: Mapping[str, Json] = row.get("options", {})
    made = converters.make_several(SeveralRequest(name, options, _ZONE, fields, len(theirs)))
    shown = [f"- law: {made.law}"]
    shown += [f"- option `{option}`: {words}" for option, words in one.options.items()]
    keys = {"ours": row["ours"], "theirs": row["theirs"], "as": name}
    keys |= {"options": dict(options)} if options else {}
    keys |= {"lossy": True} if made.loses else {}
    whole, parts = _json(row["whole"]), " and ".join(f"`{_json(part)}`" for part in row["parts"])
    sides = (parts, f"`{whole}`") if len(ours) > 1 else (f"`{whole}`", parts)
    shown.append(f"- ours {sides[0]}, theirs {sides[1]}:")
    return f"#### `{name}`\n\n{_about(one.factory)}\n\n" + "\n".join(shown) + f"\n\n```yaml\n- {_flow(keys)}\n```\n"


def _about(factory: object) -> str:
    """A factory's description without what it says of its options: those are told by the table."""
    return _OPTION.split(inspect.getdoc(factory) or "")[0].strip()


def _flow(value: Json) -> str:
    """A row as people write it on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    if isinstance(value, str) and value.replace(".", "").replace("_", "").replace("-", "").replace("/", "").isalnum():
        return value
    return _json(value)


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(value: Json) -> str:
    return f"`{value if isinstance(value, str) else _flow(value)}`"
