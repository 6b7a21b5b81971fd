"""What is alike in all connectors whose profile has a section for each kind of record: which kinds there are, the
section of one, and the words for what is not declared. What a family does with its sections is its own business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from connectors.errors import Misconfigured
from connectors.port import Code

Section = TypeVar("Section")
Section_co = TypeVar("Section_co", covariant=True)


class HasSections(Protocol[Section_co]):
    """A profile."""

    @property
    def system(self) -> str:
        """The system's name."""

    @property
    def records(self) -> Mapping[Any, Section_co]:
        """The section of each kind of record."""


class Sections(Generic[Section]):
    """The kinds of record of a connector, as its profile declares them. `_profile` is the connector's own."""

    _profile: HasSections[Section]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that the profile has a section for."""
        return tuple(self._profile.records)

    def _record(self, kind: str) -> Section:
        try:
            return self._profile.records[kind]
        except KeyError:
            known = ", ".join(self._profile.records)
            raise Misconfigured(
                f"the profile of {self._profile.system} has no records {kind}; it has {known}"
            ) from None

    def _not_offered(self, kind: str, what: str) -> Misconfigured:
        return Misconfigured(f"the profile of {self._profile.system} declares no {what} for {kind}")


class WithoutLookups(Sections[Section]):
    """A connector whose system lists no codes."""

    def lookups(self, kind: str) -> tuple[str, ...]:
        """None: there are no codes to ask for. Raises Misconfigured for a kind that is not there."""
        self._record(kind)
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise self._not_offered(kind, f"look-up of {path}")
