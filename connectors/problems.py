"""What is wrong with a profile or with the settings of a connection: all of it at once, each with its place.

A problem carries the path into the data that was given, so that whoever read the file can add file and line. It never
shows a value: a setting may be a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from pydantic import BaseModel, ValidationError

from connectors.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `path` leads into the data that was given."""

    path: tuple[str | int, ...]
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.path)) or 'the whole'}: {self.found}; {self.expected}"


class ProfileFaults(Misconfigured):
    """A profile or the settings of a connection cannot work. `problems` holds all of them."""

    def __init__(self, what: str, problems: list[Problem]) -> None:
        super().__init__(f"{what}: " + " · ".join(map(str, problems)))
        self.what = what
        self.problems = problems


def problems_of(fault: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Turn pydantic's findings into ours; without any value that was found."""
    found = []
    for error in fault.errors(include_url=False, include_input=False, include_context=False):
        place = tuple(error["loc"])
        path = _without_tags(model, place)
        kind = error["type"]
        if kind == "extra_forbidden":
            found.append(Problem(path, "is not a setting", _did_you_mean(str(path[-1]), _known(model, place[:-1]))))
        elif kind in ("union_tag_invalid", "union_tag_not_found"):
            key, tags = _tags(_schema_at(model, place))
            found.append(Problem((*path, key), "is missing or not known", f"write one of {', '.join(tags)}"))
        elif kind == "missing":
            found.append(Problem(path, "is missing", "write it" + _example(model, place)))
        elif kind == "value_error":
            found.append(Problem(path, "cannot stand here", error["msg"].removeprefix("Value error, ")))
        else:
            found.append(
                Problem(path, "cannot stand here", error["msg"][:1].lower() + error["msg"][1:] + _example(model, place))
            )
    return found


def checked(model: type[BaseModel], data: Mapping[str, Any], what: str, **context: Any) -> Any:
    """Validate data against one of our models. Raises ProfileFaults with all problems."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError as fault:
        raise ProfileFaults(what, problems_of(fault, model)) from None


def _known(model: type[BaseModel], path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that may stand at a path, as the JSON Schema tells them."""
    return list(_schema_at(model, path).get("properties", {}))


def _example(model: type[BaseModel], path: tuple[str | int, ...]) -> str:
    told = _schema_at(model, path[:-1]).get("properties", {}).get(str(path[-1]), {}) if path else {}
    examples = told.get("examples")
    return f", such as {examples[0]}" if examples else ""


@lru_cache(maxsize=32)  # one entry a family's profile or settings
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema()


def _tags(schema: dict[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the key by which the choices of a schema are told apart, and each choice; "" and nothing if it is one."""
    told = schema.get("discriminator", {})
    return told.get("propertyName", ""), told.get("mapping", {})


def _without_tags(model: type[BaseModel], place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the steps that name a choice and stand in no file."""
    return tuple(
        step for at, step in enumerate(place) if str(step) not in _tags(_schema_at(model, place[:at]))[1]
    )


def _schema_at(model: type[BaseModel], path: tuple[str | int, ...]) -> dict[str, Any]:
    whole = _schema(model)
    at: dict[str, Any] = whole
    for step in path:
        at = _resolved(at, whole)
        if chosen := _tags(at)[1].get(str(step)):
            at = {"$ref": chosen}
            continue
        inner = at.get("properties", {}).get(str(step))
        if inner is None:
            more = at.get("additionalProperties") or at.get("items")
            inner = more if isinstance(more, dict) else {}
        at = inner
    return _resolved(at, whole)


def _resolved(at: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    for choice in at.get("anyOf", ()):
        if choice.get("type") != "null":
            return _resolved(choice, whole)
    if "$ref" in at:
        found: dict[str, Any] = whole["$defs"][at["$ref"].rpartition("/")[2]]
        return _resolved(found, whole)
    return at


def _did_you_mean(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1)
    return (f"is {near[0]} meant? " if near else "") + f"known are {', '.join(known) or 'none'}"
