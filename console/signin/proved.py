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


class NotTrusted(Away):
    """Who answers in the provider's place shows a certificate that is not accepted. Nothing was said to it."""

    def __init__(self) -> None:
        super().__init__(
            "the provider's certificate is not accepted: name its authority's file as "
            "access.sign_in.openid.ca_bundle, or ask its owner for a good one; nothing was sent"
        )


class NoAuthorities(Away):
    """The file that names whom to trust cannot be used. Nobody was asked."""

    def __init__(self) -> None:
        super().__init__("access.sign_in.openid.ca_bundle cannot be read: is it a PEM file of certificates?")


@dataclass(frozen=True, slots=True)
class Proved:
    """Who it is, as the provider says."""

    name: str
    groups: tuple[str, ...]
