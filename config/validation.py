"""From a refused model to problems a person can mend: one problem a fault, all of them, without the values.

Pydantic's own messages show the value that was refused; here a value is shown only where it is a member of a closed
list (`stage: tets`) or a key. What to write instead comes from the setting's declaration.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import orjson
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from config.findings import KeyPath, Problem, did_you_mean, dotted, kind_of, one_of, shown

Model = TypeVar("Model", bound=BaseModel)

_SECRET_NAME = re.compile(r"pass|secret|token|key|login|credential|cookie|auth", re.IGNORECASE)

# What pydantic calls a wrong kind, and what we call the right one.
_KINDS = {
    "string_type": "a text",
    "string_sub_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a section with keys",
    "model_type": "a section with keys",
    "model_attributes_type": "a section with keys",
}


def validated(model: type[Model], data: Any, at: KeyPath = ()) -> tuple[Model | None, list[Problem]]:
    """Validate plain data; give the model, or None and every problem. `at` is where the data stands in its document."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, problems_of(error, model, data, at)


def problems_of(error: ValidationError, model: type[BaseModel], data: Any, at: KeyPath = ()) -> list[Problem]:
    """Turn pydantic's errors into problems. Works for any closed model, also one of another room."""
    return [
        _problem(dict(one), model, data, at)
        for one in error.errors(include_url=False, include_input=False, include_context=True)
    ]


def _problem(error: dict[str, Any], model: type[BaseModel], data: Any, at: KeyPath) -> Problem:
    path = _path_in(data, error["loc"])
    field, section = declared_at(model, path)
    kind, context = error["type"], error.get("ctx") or {}
    is_key = error["loc"][-1:] == ("[key]",)
    value = path[-1] if is_key and path else _value_at(data, path)
    where = (*at, *path)
    example = _example(field, path)
    match kind:
        case "dolen":
            return Problem(where, context["found"], context["expected"], context["remedy"])
        case "missing":
            expected = _first_sentence(field)
            return Problem(where, "nothing", f"this key: {expected}", f"add {example}")
        case "extra_forbidden":
            return _unknown_key(where, section)
        case "literal_error" | "enum":
            known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
            return _not_in_list(where, value, known or [str(context.get("expected", ""))])
        case "missing_keyword_only_argument" | "value_error" | "assertion_error":
            # A validator of another room raised it. Its sentence is that room's own and shows no value, by house rule.
            return Problem(where, kind_of(value), str(context.get("error", "another value")), f"write {example}")
    if kind in _KINDS:
        found = "nothing" if value is None else kind_of(value)
        return Problem(where, found, _KINDS[kind], f"write {example}")
    return Problem(where, f"{kind_of(value)} that does not fit", _bound(kind, context), f"write for instance {example}")


def _unknown_key(where: KeyPath, section: type[BaseModel] | None) -> Problem:
    known = settable(section) if section else []
    near = did_you_mean(str(where[-1]), known)
    remedy = f"{near} Else take the key out" if near else "take the key out"
    return Problem(where, f"the unknown key {shown(str(where[-1]))}", one_of(known), remedy)


def _not_in_list(where: KeyPath, value: Any, known: Sequence[str]) -> Problem:
    if not isinstance(value, str) or secret_named(where):
        return Problem(where, kind_of(value), one_of(known), "write one of these words")
    near = did_you_mean(value, known)
    return Problem(where, shown(value), one_of(known), near or "write one of these words")


def secret_named(path: KeyPath) -> bool:
    """Say whether a key on the way sounds like a secret, so that not even a misspelt word is shown."""
    return any(isinstance(step, str) and _SECRET_NAME.search(step) for step in path)


def _bound(kind: str, context: Mapping[str, Any]) -> str:
    match kind:
        case "greater_than":
            return f"more than {context['gt']}"
        case "greater_than_equal":
            return f"{context['ge']} or more"
        case "less_than":
            return f"less than {context['lt']}"
        case "less_than_equal":
            return f"{context['le']} or less"
        case "string_too_short" | "too_short":
            return f"at least {context['min_length']}" + (" letters" if kind.startswith("string") else " in it")
        case "string_too_long" | "too_long":
            return f"at most {context['max_length']}" + (" letters" if kind.startswith("string") else " in it")
        case _:
            return "a value of the declared form"


def _path_in(data: Any, loc: Sequence[str | int]) -> KeyPath:
    """Drop the steps that pydantic adds for its own use and that lead nowhere in the data; keep a missing last key."""
    steps = [step for step in loc if step != "[key]"]
    path: list[str | int] = []
    for position, step in enumerate(steps):
        inside = isinstance(data, Mapping) and step in data
        inside = inside or (isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data))
        if inside:
            data = data[step]
            path.append(step)
        elif position == len(steps) - 1 and isinstance(data, Mapping):
            path.append(step)
    return tuple(path)


def _value_at(data: Any, path: KeyPath) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def declared_at(model: type[BaseModel], path: KeyPath) -> tuple[FieldInfo | None, type[BaseModel] | None]:
    """Find the declaration of a setting, and the section that it is in."""
    current: Any = model
    field: FieldInfo | None = None
    section: type[BaseModel] | None = None
    for step in path:
        current = bare(current)
        if inspect.isclass(current) and issubclass(current, BaseModel):
            section = current
            found = {(info.alias or name): info for name, info in current.model_fields.items()}.get(str(step))
            if found is None:
                return None, section
            field, current = found, found.annotation
        else:
            arguments = get_args(current)
            if not arguments:
                return field, section
            current = arguments[-1]
    return field, section


def bare(annotation: Any) -> Any:
    """Strip `Annotated` and `| None`."""
    while True:
        if hasattr(annotation, "__metadata__"):
            annotation = annotation.__origin__
        elif get_origin(annotation) in (Union, UnionType):
            options = [option for option in get_args(annotation) if option is not type(None)]
            annotation = options[0]
        else:
            return annotation


def settable(model: type[BaseModel]) -> list[str]:
    """List the keys of a section as they are written in a file."""
    return [info.alias or name for name, info in model.model_fields.items()]


def _example(field: FieldInfo | None, path: KeyPath) -> str:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if field is None or not field.examples:
        return f"`{key}: ...`" if key else "a value"
    written = field.examples[0]
    text = written if isinstance(written, str) else orjson.dumps(written).decode()
    return f"`{key}: {text}`"


def _first_sentence(field: FieldInfo | None) -> str:
    words = (field.description or "") if field else ""
    return re.split(r"(?<=[.;]) ", words, maxsplit=1)[0].rstrip(".") or "a value"


def told(problem: Problem) -> str:
    """Write a problem that has no document, as text."""
    return f"{dotted(problem.path)}: found {problem.found}, expected {problem.expected}; {problem.remedy}"
