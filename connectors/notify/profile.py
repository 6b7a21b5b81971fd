"""What may be said about a connection to GOV.UK Notify, and to whom it may send."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from connectors.profile import Name
from connectors.push.settings import PushSettings
from connectors.references import Closed, WebAddress
from connectors.settings import HttpSettings, Limits

#: In the words of the port, by the kind of record.
OFFERS = {
    "Text": frozenset({"create", "fetch", "find"}),
    "Report": frozenset({"changes", "fetch"}),
    "ReceivedText": frozenset({"changes"}),
}


class NotifyPush(Closed):
    """Notify calls us with it."""

    carries: Literal["record"] = Field(
        default="record", description="The call holds all that there is.", examples=["record"]
    )


class NotifyRecord(Closed):
    """There is little to say about a kind of record: the interface is public and always the same."""

    push: NotifyPush | None = Field(
        default=None,
        description="Notify may call us with it, where the connection says by which token we know it.",
        examples=[{"carries": "record"}],
    )


class NotifyProfile(Closed):
    """GOV.UK Notify."""

    system: Name = Field(description="The system's name.", examples=["notify"])
    protocol: Literal["notify"] = Field(description="Kind of interface.", examples=["notify"])
    records: dict[Literal["Text", "Report", "ReceivedText"], NotifyRecord] = Field(
        min_length=1,
        description="The kinds of record: Text is what is sent (by text, email or letter), Report how it went, "
        "ReceivedText what residents sent back.",
        examples=[{"Text": {}, "Report": {}}],
    )

    def offers_of(self, kind: str) -> frozenset[str]:
        """A text can be sent, read and found by our reference; the lists can be walked through."""
        return OFFERS.get(kind, frozenset())


class NotifySettings(HttpSettings):
    """A connection to GOV.UK Notify. Login: notify."""

    url: WebAddress = Field(
        default="https://api.notifications.service.gov.uk",
        description="Address of Notify; written only for a pretend one.",
        examples=["https://api.notifications.service.gov.uk"],
    )
    limits: Limits = Field(
        default=Limits(calls_a_second=50),
        description="How fast Notify may be called: it takes 3,000 messages a minute with one kind of key.",
        examples=[{"calls_a_second": 50}],
    )
    push: PushSettings | None = Field(
        default=None,
        description="How Notify proves a callback: by the bearer token that is entered there.",
        examples=[{"bearer": {"tokens": ["env:TORFAEN_NOTIFY_CALLBACK_TOKEN"]}}],
    )
    only_to: list[str] | None = Field(
        default=None,
        description="Send to these numbers, addresses and (for letters) postcodes alone; one that ends in * stands for "
        "all that begin so. Always written in stage test. Leave out to send to everybody.",
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
