"""What the profile of a FHIR R4 server may say: which resources make up a record, and how they refer to each other.

How a search is paged, how a create happens once and how an update is checked is the standard's business (FHIR R4,
http.html and search.html) and is not asked for here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.fhir.profile_documents import FhirDocuments
from connectors.port import Tier
from connectors.profile import Name, Overlap, PinnedFile, Zone
from connectors.references import Closed

OFFERS = ("changes", "fetch", "create", "update", "find")
ResourceType = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{1,59}$")]
ElementName = Annotated[str, Field(pattern=r"^[a-z][A-Za-z0-9]{0,59}$")]
SearchParameter = Annotated[str, Field(pattern=r"^_?[a-z][a-z0-9-]{0,59}$")]
SystemUri = Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*:[\x21\x23-\x5b\x5d-\x7b\x7d\x7e]+$", max_length=200)]


class Refers(Closed):
    """A reference from one resource of a record to an earlier one."""

    to: ResourceType = Field(
        description="The resource that it leads to: one of the steps before.", examples=["Patient"]
    )
    search: SearchParameter | None = Field(
        default=None,
        description="The search parameter that follows it. Needed in the last step, whose search brings the others.",
        examples=["patient"],
    )


class Step(Closed):
    """One resource of a record: written by a call of its own, which may be repeated."""

    resource: ResourceType = Field(description="Its type.", examples=["Task"])
    refers: dict[ElementName, Refers] = Field(
        default={},
        description="By element: the earlier resource that a reference leads to. The connector writes it.",
        examples=[{"for": {"to": "Patient", "search": "patient"}}],
    )
    once: Literal["create", "update"] = Field(
        default="create",
        description="How it is made once. create: on condition that none bears our key (If-None-Exist). update: by a "
        "conditional update (PUT [type]?identifier=...), for a server that has that and not the other; our key stands "
        "in the address then, and never anything of a person.",
        examples=["update"],
    )


class LastUpdatedFeed(Closed):
    """List what changed since a moment, by `_lastUpdated`, each page naming the next."""

    feed: Literal["last-updated"] = Field(description="Kind of feed.", examples=["last-updated"])
    deletions: Literal["history", "never-told"] = Field(
        default="never-told",
        description="history: what was deleted is read from the history of the leading resource's type.",
        examples=["history"],
    )
    of: int = Field(default=100, ge=1, le=1_000, description="Records a page.", examples=[100])
    at_most: int = Field(
        default=10_000, ge=1, description="A walk longer than so many pages is taken for endless.", examples=[10_000]
    )
    overlap: Overlap = Field(
        default=timedelta(minutes=5),
        description="How far behind the newest stamp the next walk starts, for late commits and skewed clocks.",
        examples=["PT5M"],
    )


class AsFhirSays(Closed):
    """The server does it as the standard says, so that nothing more need be told: write `{}`."""


class FhirRecord(Closed):
    """One kind of record. The last step leads: its id is the record's, and a record without it is not there yet."""

    identifier: SystemUri = Field(
        description="The naming system under which our key stands among the identifiers of every resource.",
        examples=["https://dolen.example.org/id/referral"],
    )
    steps: list[Step] = Field(
        min_length=1,
        max_length=10,
        description="The resources in the order in which they are made.",
        examples=[[{"resource": "Patient"}]],
    )
    query: dict[SearchParameter, Name] = Field(
        default={},
        description="Parameters that narrow every search for the leading resource. Never a person's.",
        examples=[{"code": "http://hl7.org/fhir/CodeSystem/task-code|fulfill"}],
    )
    changes: LastUpdatedFeed | None = Field(
        default=None, description="List changes.", examples=[{"feed": "last-updated"}]
    )
    fetch: AsFhirSays | None = Field(default=None, description="Read one, by a search for its id.", examples=[{}])
    create: AsFhirSays | None = Field(default=None, description="Create, on condition.", examples=[{}])
    update: AsFhirSays | None = Field(default=None, description="Replace, checked by If-Match.", examples=[{}])
    find: AsFhirSays | None = Field(default=None, description="Find by our key.", examples=[{}])
    dry_write: AsFhirSays | None = Field(
        default=None,
        description="The server has the operation $validate, by which `dolen doctor` may ask whether a resource would "
        "be taken.",
        examples=[{}],
    )
    documents: FhirDocuments | None = Field(
        default=None,
        description="Documents that belong to a record: they become DocumentReferences.",
        examples=[{"about": "ServiceRequest", "subject": "Patient"}],
    )

    @model_validator(mode="after")
    def _steps_agree(self) -> Self:
        before: set[str] = set()
        for step in self.steps:
            if step.resource in before:
                raise ValueError(f"steps holds {step.resource} twice: a record holds one resource of a type")
            for element, refers in step.refers.items():
                if refers.to not in before:
                    raise ValueError(
                        f"{step.resource}.{element} refers to {refers.to}, which is no earlier step: write it before"
                    )
            before.add(step.resource)
        told = {refers.to for refers in self.lead.refers.values() if refers.search}
        if missing := [name for name in self.types[:-1] if name not in told]:
            raise ValueError(
                f"the last step, {self.lead.resource}, has no reference with `search` to {missing[0]}: the search for "
                "it must bring every other resource of the record"
            )
        if self.create is not None and self.find is None:
            raise ValueError("create needs find: what was made is looked up by our key")
        if self.update is not None and self.fetch is None:
            raise ValueError("update needs fetch: the record is read before it is written onto")
        if self.documents is not None:
            for name, type in (("about", self.documents.about), ("subject", self.documents.subject)):
                if type is not None and type not in self.types:
                    raise ValueError(f"documents.{name}: {type} is no resource of the record: name one of its steps")
            if self.fetch is None:
                raise ValueError("documents need fetch: the record is read to see what they belong to")
        return self

    @property
    def lead(self) -> Step:
        """The step whose resource stands for the record."""
        return self.steps[-1]

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its resources in order."""
        return tuple(step.resource for step in self.steps)

    @property
    def tier(self) -> Tier:
        """A conditional create keeps our key (FHIR R4, http.html#ccreate)."""
        return Tier.KEEPS_KEY if self.create is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset(name for name in OFFERS if getattr(self, name) is not None)


class FhirProfile(Closed):
    """How a FHIR R4 server is spoken to. Its records hold one resource a step, each under its type's name."""

    system: Name = Field(description="The system's name.", examples=["health"])
    protocol: Literal["fhir"] = Field(description="Kind of interface.", examples=["fhir"])
    interface: PinnedFile = Field(
        default="interfaces/fhir-r4/resources.json",
        description="The pinned JSON Schema of the resources: FHIR R4 itself, or your own copy with more in it.",
        examples=["interfaces/fhir-r4/resources.json"],
    )
    clock: Zone = Field(
        default="UTC", description="Zone of times that carry no offset. FHIR's all do.", examples=["UTC"]
    )
    records: dict[Name, FhirRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )
