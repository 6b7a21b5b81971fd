"""Holds records of the contact centre against its own interface file, the way its screens and its REST interface do.

The answer names the field and what the interface expects there, and never the value, because values are people.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from ruamel.yaml import YAML


class Misshapen(ValueError):
    """A record does not fit. `field` is a path such as `customer/last_name`, "" for the record as a whole."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@cache
def interface() -> dict[str, Any]:
    """The pinned OpenAPI document."""
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(published().decode())
    return document


@cache
def published() -> bytes:
    """The bytes of the OpenAPI file, as the supplier gives it out."""
    return (files("sandbox") / "interfaces" / "contact.openapi.yaml").read_bytes()


@cache
def _validator(name: str) -> Draft202012Validator:
    components = interface()["components"]
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components})


@cache
def fields() -> frozenset[str]:
    """The fields that people and connected systems fill in."""
    return frozenset(interface()["components"]["schemas"]["Fields"]["properties"])


def check(name: str, record: Any) -> None:
    """Raise Misshapen unless `record` fits the schema `name` of the interface."""
    errors = sorted(_validator(name).iter_errors(record), key=lambda error: list(map(str, error.absolute_path)))
    if errors:
        raise _said(_deepest(errors[0]))


def _deepest(error: ValidationError) -> ValidationError:
    # Of "one of these or null" the branch that got furthest into the record is the one that was meant.
    while error.context:
        error = max(error.context, key=lambda inner: (len(inner.absolute_path), inner.validator != "type"))
    return error


def _said(error: ValidationError) -> Misshapen:
    path = "/".join(map(str, error.absolute_path))
    expected: Any = error.validator_value
    held: Any = error.instance
    if error.validator == "required":
        missing = [name for name in expected if name not in held]
        path = "/".join(filter(None, [path, missing[0]]))
        return Misshapen(path, f"{path} is missing")
    words = {
        "enum": f"must be one of {expected}",
        "const": f"must be {expected}",
        "type": f"must be of type {expected}",
        "pattern": "is not written as the interface says",
        "maxLength": f"must have at most {expected} characters",
        "minLength": f"must have at least {expected} characters",
        "maxItems": f"must have at most {expected} entries",
    }
    return Misshapen(path, f"{path or 'the request'} {words.get(str(error.validator), 'does not fit the interface')}")
