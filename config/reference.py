"""The page of all settings, `docs/reference/settings.md`, made from their declarations.

`python -m config.reference docs/reference/settings.md` writes it; a test compares it with what is written there.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from config.declared import duration_text
from config.schemas import MODELS
from config.validation import bare

_FILES = {
    "dolen": ("config/dolen.yaml", "What holds for the whole site. Everything but `schema_version` may be left out."),
    "council": (
        "config/councils/CODE.yaml",
        "One file a council, called after its code. A fault here leaves this council out and nobody else.",
    ),
    "text": ("texts/NAME.yaml", "What residents are told, in Welsh and in English."),
}

_INTRODUCTION = """# Settings

This page is made from the declarations of the settings (`python -m config.reference docs/reference/settings.md`).
Do not edit it by hand: a test compares the two.

Files are YAML 1.2 in UTF-8, without anchors, aliases, tags and duplicate keys. `NO` is a text and not false; a number
with a leading zero stays a text. **Durations** are ISO 8601: `PT2S` two seconds, `PT15M` fifteen minutes, `P90D` ninety
days, `P6Y` six years of 365 days; months are refused, because `P6M` is nearly always a slip for `PT6M`. **References**
stand for secrets: `env:NAME` is an environment variable, `file:PATH` a file (relative to the site's folder) that holds
the secret and nothing else. `dolen check` says what is wrong, with file, line and key.
"""


def settings_page() -> str:
    """Return the whole page as Markdown."""
    parts = [_INTRODUCTION]
    for name, (file, words) in _FILES.items():
        parts.append(f"## `{file}`\n\n{words}\n")
        parts += [_section(title, model) for title, model in _sections(MODELS[name])]
    return "\n".join(parts)


def _sections(model: type[BaseModel], title: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Walk the sections of a file in the order in which a reader meets them."""
    yield title, model
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner, suffix = _inside(field.annotation)
        if inner is not None:
            yield from _sections(inner, f"{title}.{key}{suffix}".lstrip("."))


def _inside(annotation: Any) -> tuple[type[BaseModel] | None, str]:
    """Return the section that a key holds, if it does, and how its path goes on."""
    plain = bare(annotation)
    suffix = ""
    while get_origin(plain) in (dict, list):
        suffix += ".NAME" if get_origin(plain) is dict else "[]"
        plain = bare(get_args(plain)[-1])
    if inspect.isclass(plain) and issubclass(plain, BaseModel):
        return plain, suffix
    return None, ""


def _section(title: str, model: type[BaseModel]) -> str:
    lines = [f"### `{title}`\n\n{inspect.getdoc(model)}\n"] if title else []
    lines += ["| key | kind | default | what it is | example |", "|---|---|---|---|---|"]
    for name, field in model.model_fields.items():
        key = field.alias or name
        cells = (f"`{key}`", _kind(field), _default(field), field.description or "", _code((field.examples or [""])[0]))
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _kind(field: FieldInfo) -> str:
    return _kind_of(field.annotation, field)


def _kind_of(annotation: Any, field: FieldInfo | None = None) -> str:
    plain = bare(annotation)
    origin = get_origin(plain)
    if origin is Literal:
        return "one of " + ", ".join(f"`{word}`" for word in get_args(plain))
    if origin is list:
        return f"list of: {_kind_of(get_args(plain)[0])}"
    if origin is dict:
        return f"section: NAME to {_kind_of(get_args(plain)[-1])}"
    if inspect.isclass(plain) and issubclass(plain, BaseModel):
        return "section"
    words = {str: "text", int: "whole number", float: "number", bool: "true or false", timedelta: "duration"}
    kind = words.get(plain, "value")
    return kind + _bounds(field)


def _bounds(field: FieldInfo | None) -> str:
    said = {}
    for rule in field.metadata if field else ():
        for name in ("ge", "le", "gt", "lt"):
            if getattr(rule, name, None) is not None:
                said[name] = getattr(rule, name)
    words = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
    return "".join(", " + words[name].format(limit) for name, limit in said.items())


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or isinstance(value, BaseModel) or value in ([], {}):
        return "none" if value is None or not isinstance(value, BaseModel) else "see below"
    return _code(value)


def _code(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"`{duration_text(value)}`"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def main(arguments: list[str]) -> int:
    """Write the page to the file that is named. Exit codes: 0 done, 2 wrong use."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m config.reference FILE\n")
        return 2
    path = Path(arguments[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(settings_page(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
