"""What every section of a REST profile is written with: paths below the connection's url, parameters and headers."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from connectors.profile import ListPath

_PLACE = re.compile(r"\{([^{}]*)\}")


def _url_path(path: str, allowed: frozenset[str]) -> str:
    if not path.startswith("/") or path.startswith("//") or any(sign in path for sign in "?#\\ %"):
        raise ValueError("write a path below the connection's url, such as /requests/{id}")
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a path cannot hold . or .. as a step")
    if unknown := set(_PLACE.findall(path)) - allowed:
        may = " and ".join("{" + name + "}" for name in sorted(allowed)) or "no placeholder"
        raise ValueError(f"{{{min(unknown)}}} cannot stand in this path; it may hold {may}")
    return path


def _plain(path: str) -> str:
    return _url_path(path, frozenset())


def _with_id(path: str) -> str:
    if "{id}" not in _url_path(path, frozenset({"id"})):
        raise ValueError("write {id} where the record's id stands, such as /requests/{id}")
    return path


def _with_key(path: str) -> str:
    return _url_path(path, frozenset({"our_key"}))


PlainPath = Annotated[str, AfterValidator(_plain)]
IdPath = Annotated[str, AfterValidator(_with_id)]
KeyPath = Annotated[str, AfterValidator(_with_key)]
ItemsPath: TypeAlias = ListPath | Literal["[]"]
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.$\[\]-]+$")]
KeyText = Annotated[str, Field(pattern=r"^([^{}]|\{our_key\})*$", min_length=1, max_length=200)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
ContentType = Annotated[str, Field(pattern=r"^application/([a-z0-9.-]+\+)?json$")]
