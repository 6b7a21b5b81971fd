"""What may be said about a connection to GOV.UK Notify, and to whom it may send."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.profile import Name
from connectors.references import Closed, WebAddress
from connectors.settings import HttpSettings


class NotifyRecord(Closed):
    """There is nothing to say about texts: the interface is public and always the same."""


class NotifyProfile(Closed):
    """GOV.UK Notify."""

    system: Name = Field(description="The system's name.", examples=["notify"])
    protocol: Literal["notify"] = Field(description="Kind of interface.", examples=["notify"])
    records: dict[Literal["Text"], NotifyRecord] = Field(
        min_length=1, description="The one kind of record.", examples=[{"Text": {}}]
    )


class NotifySettings(HttpSettings):
    """A connection to GOV.UK Notify. Login: notify."""

    url: WebAddress = Field(
        default="https://api.notifications.service.gov.uk",
        description="Address of Notify; written only for a pretend one.",
        examples=["https://api.notifications.service.gov.uk"],
    )
    only_to: list[str] | None = Field(
        default=None,
        description="Send to these numbers and addresses alone; one that ends in * stands for all that begin so. "
        "Always written in stage test. Leave out to send to everybody.",
        examples=[["+447700900*", "someone@example.org"]],
        repr=False,
    )

    @field_validator("only_to")
    @classmethod
    def _not_everybody(cls, value: list[str] | None) -> list[str] | None:
        if any(len(_alike(one.rstrip("*"))) < (5 if one.endswith("*") else 3) for one in value or ()):
            raise ValueError("write numbers and addresses, or at least their first 5 signs before the *")
        return value

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        if self.login is None or self.login.notify is None:
            raise ValueError("Notify needs login: {notify: {api_key: env:NAME}}")
        return self


def allows(only_to: list[str]) -> Callable[[str], bool]:
    """Return the question whether a number or address is among these, however it is spelt."""
    patterns = [_pattern(one) for one in only_to]
    return lambda to: any(fits(_alike(to)) for fits in patterns)


def _pattern(listed: str) -> Callable[[str], bool]:
    if listed.endswith("*"):
        begin = _alike(listed.rstrip("*"))
        return lambda to: to.startswith(begin)
    whole = _alike(listed)
    return lambda to: to == whole


def _alike(to: str) -> str:
    """Write a number or address, or how one begins, so that two spellings of the same one are equal."""
    bare = re.sub(r"[\s().-]", "", to)
    if "@" in to or not re.fullmatch(r"\+?[0-9]*", bare):
        return to.strip().casefold()
    if bare.startswith("00"):
        return "+" + bare[2:]
    return "+44" + bare[1:] if bare.startswith("0") else bare
