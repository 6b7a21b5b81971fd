"""What a service that sends by templates says that it holds, so that it can be compared with a council's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Template:
    """One template as its service holds it."""

    channel: str  # text, email, letter
    body: str
    subject: str = ""  # of an email; the heading of a letter
    version: str = ""


@runtime_checkable
class HoldsTemplates(Protocol):
    """A connector whose service can be asked for its templates. A read, safe to repeat."""

    def templates(self) -> Mapping[str, Template]:
        """Every template that may be sent, by its id. Raises ConnectorError."""
