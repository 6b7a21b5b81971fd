"""A system with no way in that a machine may use: a named officer types the record in and enters its number.

Nothing is ever sent from here. Order, texts, replies and proof work as for any other target, because "this is for a
person" is one of the answers that every connector may give.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import Field

from connectors.errors import ForAPerson, Misconfigured
from connectors.pace import Agree
from connectors.port import Code, Finding, Item, Page, Receipt, Record, Tier
from connectors.profile import Name, PinnedFile
from connectors.references import Closed, Text


class ByHandRecord(Closed):
    """One kind of record that officers enter."""

    form: PinnedFile | None = Field(
        default=None,
        description="A JSON Schema of the form that they enter it in; `dolen check` holds the mapping against it.",
        examples=["interfaces/referral-form.schema.json"],
    )
    labels: dict[Name, Name] = Field(
        default={},
        description="By field of the record: what it is called in Welsh, for the page that is printed of it.",
        examples=[{"Family name": "Cyfenw"}],
    )

    @property
    def offers(self) -> frozenset[str]:
        """A person can create and update."""
        return frozenset({"create", "update"})


class ByHandProfile(Closed):
    """A system that is written to by people."""

    system: Name = Field(description="The system's name.", examples=["by-hand"])
    protocol: Literal["by-hand"] = Field(description="Kind of interface.", examples=["by-hand"])
    records: dict[Name, ByHandRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )


class ByHandSettings(Closed):
    """A connection to a system that is written to by people."""

    where: Text | None = Field(
        default=None,
        description="Where the officer enters the record, as the work page shall say it.",
        examples=["the social-care system, Referrals, New"],
    )


class ByHandConnector:
    """Hands every record to a person."""

    def __init__(
        self,
        profile: ByHandProfile,
        settings: ByHandSettings,
        _interfaces: Callable[[str], bytes] | None = None,
        *,
        clock: Callable[[], datetime] | None = None,  # noqa: ARG002 - every family is made in the same way
        agree: Agree | None = None,  # noqa: ARG002 - every family is made in the same way
    ) -> None:
        """Nothing is opened: there is nothing."""
        self._profile = profile
        self._where = settings.where or self._profile.system

    def __repr__(self) -> str:
        return f"ByHandConnector({self._profile.system})"

    def kinds(self) -> tuple[str, ...]:
        """The kinds of record that officers enter."""
        return tuple(self._profile.records)

    def offers(self, kind: str) -> frozenset[str]:
        """A person can create and update."""
        return self._profile.records[kind].offers if kind in self._profile.records else frozenset()

    def tier(self, kind: str) -> Tier:
        """Nobody but a person knows what is there."""
        self._known(kind)
        return Tier.NEITHER

    def reads_first(self, kind: str) -> bool:
        """There is nothing to read."""
        self._known(kind)
        return False

    def deliver(self, kind: str, record: Record, *, key: str, id: str = "", version: str = "") -> Receipt:  # noqa: ARG002 - the port's parameters; nothing is called
        """Always for a person: raises ForAPerson, and says where the record is to be entered."""
        self._known(kind)
        raise ForAPerson(f"an officer {'changes' if id else 'enters'} this {kind} by hand in {self._where}")

    def find(self, kind: str, key: str) -> list[Item]:
        """Not possible: the tier is C."""
        raise NotImplementedError(f"{self._profile.system} is read by people only")

    def fetch(self, kind: str, id: str) -> Item | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._unread(kind)

    def changes(self, kind: str, *, watermark: str, cursor: str = "", limit: int | None = None) -> Page:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._unread(kind)

    def parse(self, kind: str, raw: bytes, *, id: str) -> Item:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._unread(kind)

    def skip(self, kind: str, *, watermark: str, cursor: str) -> str | None:  # noqa: ARG002 - the port's parameters; nothing is called
        """Not possible. Raises Misconfigured."""
        raise self._unread(kind)

    def lookups(self, kind: str) -> tuple[str, ...]:  # noqa: ARG002 - the port's parameters; nothing is called
        """None: there are no codes to ask for."""
        return ()

    def codes(self, kind: str, path: str) -> list[Code]:
        """Not possible. Raises Misconfigured."""
        raise Misconfigured(f"{self._profile.system} offers no look-up of {path} for {kind}")

    def doctor(self) -> list[Finding]:
        """There is nothing that could be out of order."""
        return [Finding("by hand", True, f"officers enter records in {self._where}; there is nothing to connect to")]

    def labels(self, kind: str) -> dict[str, str]:
        """What the fields of a kind are called in Welsh."""
        self._known(kind)
        return dict(self._profile.records[kind].labels)

    def close(self) -> None:
        """There is nothing to let go of."""

    def _known(self, kind: str) -> None:
        if kind not in self._profile.records:
            known = ", ".join(self._profile.records)
            raise Misconfigured(f"the profile of {self._profile.system} has no records {kind}; it has {known}")

    def _unread(self, kind: str) -> Misconfigured:
        return Misconfigured(f"{self._profile.system} is entered by hand: no {kind} can be read from it")
