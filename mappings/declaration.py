"""The declared fields of the referral as one table, by path. Everything that looks a field up looks here.

A path here has `[]` after each list of objects: `person.telecom[].value`. Made once, when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import get_args

from mappings.meta import STRICTNESS, Meta, Part, Sensitivity
from mappings.referral import Referral


@dataclass(frozen=True, slots=True)
class Field:
    """One declared field. `part`: the class of its members, None for a plain value; `many`: a list.

    `attribute`: its Python name, where that differs from the last name of the path (`from`).
    `strictest`: the strictest sensitivity of the field and of all below it.
    """

    path: str
    attribute: str
    meta: Meta
    part: type[Part] | None
    many: bool
    strictest: Sensitivity
    members: tuple[str, ...] = ()


@cache
def declared() -> Mapping[str, Field]:
    """All fields, by path, in the order of their declaration; an object comes before its members."""
    return MappingProxyType({field.path: field for field in _fields_of(Referral, "")})


def _fields_of(part: type[Part], prefix: str) -> Iterator[Field]:
    for attribute, info in part.model_fields.items():
        meta = next(found for found in info.metadata if isinstance(found, Meta))
        path = prefix + (info.alias or attribute)
        inner, many = _inner(info.annotation)
        below: list[Field] = []
        if inner is not None:
            below = list(_fields_of(inner, f"{path}[]." if many else f"{path}."))
        strictest = max((meta.sensitivity, *(field.strictest for field in below)), key=STRICTNESS.__getitem__)
        members = tuple(inner_info.alias or name for name, inner_info in inner.model_fields.items()) if inner else ()
        yield Field(path, attribute, meta, inner, many, strictest, members)
        yield from below


def _inner(annotation: object) -> tuple[type[Part] | None, bool]:
    """The class of the pieces inside and whether there are many, from `Name | None`, `tuple[Telecom, ...]`, `str`."""
    many = getattr(annotation, "__origin__", None) is tuple
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, Part):
            return candidate, many
    return None, many
