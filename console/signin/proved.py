"""What a provider's word comes to: who it is, or why it is not believed, or that it does not answer.

Apart from the provider itself, whose libraries are loaded only where a site names one.
"""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """What came back from the provider is not believed. `what` of it: a word of ours for the log, never a value."""

    def __init__(self, what: str) -> None:
        super().__init__(f"what came back from the provider is not believed: {what}")
        self.what = what


class Away(Exception):
    """The provider does not answer, or not as one does."""


@dataclass(frozen=True, slots=True)
class Proved:
    """Who it is, as the provider says."""

    name: str
    groups: tuple[str, ...]
