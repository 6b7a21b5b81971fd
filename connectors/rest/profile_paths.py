"""What every section of a REST profile is written with: paths below the connection's url, parameters and headers."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field

from connectors.profile import ListPath, PathText

_PLACE = re.compile(r"\{([^{}]*)\}")
_NOT_BY_PROFILE = frozenset(
    {"authorization", "proxy-authorization", "cookie", "host", "connection", "content-length", "content-type",
     "transfer-encoding", "accept", "accept-encoding", "user-agent"}
)  # fmt: skip


def url_path(path: str, allowed: frozenset[str]) -> str:
    """Return a path in which only these placeholders stand. Raises ValueError, as pydantic takes it."""
    if not path.startswith("/") or path.startswith("//") or any(sign in path for sign in "?#\\ %"):
        raise ValueError("write a path below the connection's url, such as /requests/{id}")
    if {".", ".."} & set(path.split("/")):
        raise ValueError("a path cannot hold . or .. as a step")
    if unknown := set(_PLACE.findall(path)) - allowed:
        may = " and ".join("{" + name + "}" for name in sorted(allowed)) or "no placeholder"
        raise ValueError(f"{{{min(unknown)}}} cannot stand in this path; it may hold {may}")
    return path


def _plain(path: str) -> str:
    return url_path(path, frozenset())


def _with_id(path: str) -> str:
    if "{id}" not in url_path(path, frozenset({"id"})):
        raise ValueError("write {id} where the record's id stands, such as /requests/{id}")
    return path


def _with_key(path: str) -> str:
    return url_path(path, frozenset({"our_key"}))


def _no_business_of_a_profile(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() in _NOT_BY_PROFILE:
            raise ValueError(f"the header {name} is not set by a profile: logins stand in the connection's settings")
    return headers


PlainPath = Annotated[str, AfterValidator(_plain)]
IdPath = Annotated[str, AfterValidator(_with_id)]
KeyPath = Annotated[str, AfterValidator(_with_key)]
ItemsPath: TypeAlias = ListPath | Literal["[]"]
HerePath: TypeAlias = PathText | Literal["."]  # "." is the entry itself, where it is the value alone
ParameterName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.$\[\]-]+$")]
KeyText = Annotated[str, Field(pattern=r"^([^{}]|\{our_key\})*$", min_length=1, max_length=200)]
HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")]
HeaderText = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$", max_length=500)]
QueryText = Annotated[str, Field(min_length=1, max_length=4000)]  # a list of columns is long
ContentType = Annotated[str, Field(pattern=r"^application/([a-z0-9.-]+\+)?json$")]
Headers = Annotated[dict[HeaderName, HeaderText], AfterValidator(_no_business_of_a_profile)]
