"""What a step from one format of a site's files to the next may ask for. A step is pure: a document in, changes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from config.documents import Document
from config.findings import KeyPath


class Kind(StrEnum):
    """Which of a site's files a document is."""

    SITE = "config/dolen.yaml"
    COUNCIL = "config/councils"
    TEXT = "texts"


@dataclass(frozen=True, slots=True)
class Renamed:
    """The entry at `path` is written as `key: value` from now on, in the same place."""

    path: KeyPath
    key: str
    value: Any


@dataclass(frozen=True, slots=True)
class ByHand:
    """The entry at `path` holds for nothing any more, and what takes its place only a person knows."""

    path: KeyPath
    expected: str
    remedy: str


Change = Renamed | ByHand
Step = Callable[[Kind, Document], Iterator[Change]]
