"""What the profile and settings of a BaRS connection may say: which resources a message holds, and who talks to whom.

Headers, events and reasons are those of the public contract: NHSDigital/booking-and-referral-fhir-api, version 1.3.0.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.fhir.profile import AsFhirSays, Step, SystemUri
from connectors.profile import Name, PinnedFile, Zone
from connectors.references import Closed
from connectors.settings import RestSettings

OFFERS = ("changes", "fetch", "create", "update", "find")
Word = Annotated[str, Field(pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$", max_length=120)]


class BarsPush(Closed):
    """Such messages are sent to us. A message always tells the whole."""

    carries: Literal["record"] = Field(default="record", description="The whole record.", examples=["record"])
    answers: Name | None = Field(
        default=None,
        description="For answers: the kind of message that they answer, in which what we sent is looked for.",
        examples=["Referral"],
    )


class BarsRecord(Closed):
    """One kind of message. The last resource is its focus."""

    event: Literal["servicerequest-request", "servicerequest-response"] = Field(
        description="What the message is about: a referral, or the answer to one.", examples=["servicerequest-request"]
    )
    definition: SystemUri = Field(
        description="The MessageDefinition that both sides have agreed on.",
        examples=["https://fhir.nhs.uk/MessageDefinition/bars-message-servicerequest-request"],
    )
    use_case: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+\|[A-Za-z0-9_-]+$")] = Field(
        description="The first two parts of the header use-context: workflow and service.", examples=["a1t1|referral"]
    )
    resources: list[Step] = Field(
        min_length=1,
        max_length=10,
        description="The resources of the message, each with its references to earlier ones; without `search`.",
        examples=[[{"resource": "Patient"}, {"resource": "ServiceRequest", "refers": {"subject": {"to": "Patient"}}}]],
    )
    create: AsFhirSays | None = Field(default=None, description="Send new ones.", examples=[{}])
    update: AsFhirSays | None = Field(default=None, description="Send changes and cancellations.", examples=[{}])

    push: BarsPush | None = Field(
        default=None,
        description="Take in the messages of this kind that are sent to us, where the connection says how a sender "
        "proves itself.",
        examples=[{}],
    )

    @model_validator(mode="after")
    def _an_answer_says_to_what(self) -> Self:
        if self.push is not None and (self.push.answers is not None) != self.answers:
            does = "a referral answers nothing: take `answers` out"
            raise ValueError(f"push: {does if not self.answers else 'write which kind it `answers`'}")
        return self

    @model_validator(mode="after")
    def _resources_agree(self) -> Self:
        before: set[str] = set()
        for step in self.resources:
            if step.resource in before:
                raise ValueError(f"resources holds {step.resource} twice: a message holds one of a type here")
            if unknown := sorted({refers.to for refers in step.refers.values()} - before):
                raise ValueError(f"{step.resource} refers to {unknown[0]}, which does not stand before it")
            before.add(step.resource)
        return self

    @property
    def answers(self) -> bool:
        """Whether it tells what became of a referral."""
        return self.event == "servicerequest-response"

    @property
    def focus(self) -> str:
        """The type of the resource that the message is about."""
        return self.resources[-1].resource

    @property
    def types(self) -> tuple[str, ...]:
        """The types of its resources in order."""
        return tuple(step.resource for step in self.resources)

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port. A message can neither be read again nor looked up."""
        return frozenset(name for name in OFFERS if getattr(self, name, None) is not None)


class BarsProfile(Closed):
    """How BaRS is spoken."""

    system: Name = Field(description="The system's name.", examples=["bars"])
    protocol: Literal["bars"] = Field(description="Kind of interface.", examples=["bars"])
    interface: PinnedFile = Field(
        default="interfaces/fhir-r4/resources.json",
        description="The pinned JSON Schema of the resources.",
        examples=["interfaces/fhir-r4/resources.json"],
    )
    core: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = Field(
        default="1.3.0", description="Version of BaRS Core that is spoken, for the header Accept.", examples=["1.3.0"]
    )
    clock: Zone = Field(
        default="UTC", description="Zone of times that carry no offset. FHIR's all do.", examples=["UTC"]
    )
    records: dict[Name, BarsRecord] = Field(
        min_length=1, description="One section for each kind of message.", examples=[{"Referral": {}}]
    )

    @model_validator(mode="after")
    def _answers_are_to_what_we_send(self) -> Self:
        for kind, record in self.records.items():
            to = record.push.answers if record.push is not None else None
            if to is not None and (to not in self.records or "create" not in self.records[to].offers):
                raise ValueError(f"records.{kind}.push.answers: {to} is no kind that is sent; name one with `create`")
        return self


class Identified(Closed):
    """Somebody or something by an identifier."""

    system: SystemUri = Field(
        description="Who gives such identifiers.", examples=["https://fhir.nhs.uk/Id/dos-service-id"]
    )
    value: Word = Field(description="The identifier.", examples=["2000011147"])


class Organisation(Closed):
    """An organisation of the NHS or a council."""

    ods: Annotated[str, Field(pattern=r"^[A-Z0-9]{3,12}$")] = Field(description="Its ODS code.", examples=["A1001"])
    name: Name = Field(description="Its name.", examples=["Cyngor Castell-nedd Port Talbot"])


class BarsSettings(RestSettings):
    """A connection to a service by way of BaRS. Login: oauth2 with an assertion, as the NHS asks for."""

    target: Identified = Field(
        description="The service that is written to (NHSD-Target-Identifier).",
        examples=[{"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000011147"}],
    )
    ours: Identified = Field(
        description="Our own service, to which answers are sent.",
        examples=[{"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000099999"}],
    )
    organisation: Organisation = Field(
        description="Who asks (NHSD-End-User-Organisation).", examples=[{"ods": "A1001", "name": "Council"}]
    )
    receiver: Organisation = Field(
        description="Whose service the target is.", examples=[{"ods": "A1002", "name": "Health board"}]
    )
    software: Word = Field(
        default="Dolen", description="Our software as it is registered (NHSD-Requesting-Software).", examples=["Dolen"]
    )
