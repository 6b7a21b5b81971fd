"""The common referral: one request for help, whatever system it was written down in.

Every field is declared once, here and in the pieces it is made of, with its type, cardinality, standard, sensitivity
and labels. Only what breaks identity refuses: an unknown major of the schema, no referral id, no council, no source
identifier, no known type or status, no name of the person at all. Whatever else looks wrong is carried as given and
listed in `remarks`.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, computed_field, model_validator

from mappings.language import Language, Notify, OptIn
from mappings.meta import IDENTIFYING, SPECIAL, Coded, Flag, Json, Kind, Meta, Part, Sensitivity, Text
from mappings.parties import AssignedTo, Referrer, RelatedPerson, Waiver
from mappings.person import Address, LocalId, Name, Person, Telecom
from mappings.remarks import Remark, remarks_of
from mappings.request import (
    Appointment,
    Attachment,
    Decision,
    Identifier,
    Need,
    Note,
    Provenance,
    Reason,
    Service,
    SharingBasis,
    StatusReason,
)
from mappings.vocabulary import Channel, CommunicationNeed, Outcome, Priority, ReferralType, Status, WarningFlag

SCHEMA_VERSION = "1.0.0"  # a new minor adds fields, a new major changes or removes some

_Filled = Annotated[str, StringConstraints(min_length=1)]
_Version = Annotated[str, StringConstraints(pattern=r"^1\.[0-9]+\.[0-9]+$")]  # an unknown major is refused


class Referral(Part):
    """One request for help about one person. See the module for what it refuses."""

    schema_version: Annotated[
        _Version, Meta("Schema version", "Fersiwn y sgema", "Version of this field list.", standard="semver", card="1")
    ] = SCHEMA_VERSION
    referral_id: Annotated[
        _Filled,
        Meta(
            "Referral id",
            "Dynodwr yr atgyfeiriad",
            "Our own id, minted at first sight.",
            standard="BaRS, FHIR id",
            card="1",
            check="uuid",
        ),
    ]
    request_id: Annotated[
        Text,
        Meta(
            "Request id",
            "Dynodwr y cais",
            "Id of one request to a target; the same on a retry. Set by the delivery.",
            standard="BaRS X-Request-Id",
            check="uuid",
        ),
    ] = None
    correlation_id: Annotated[
        Text,
        Meta(
            "Correlation id",
            "Dynodwr y sgwrs",
            "One conversation; the referral id unless the source gave one.",
            standard="BaRS X-Correlation-Id",
            check="uuid",
        ),
    ] = None
    source_identifiers: Annotated[
        tuple[Identifier, ...],
        Field(min_length=1),
        Meta(
            "Numbers at the source",
            "Rhifau yn y ffynhonnell",
            "Case number in each system it came from.",
            kind=Kind.OBJECT,
            standard="FHIR identifier",
            card="*",
        ),
    ]
    target_identifiers: Annotated[
        tuple[Identifier, ...],
        Meta(
            "Numbers at targets",
            "Rhifau yn y targedau",
            "Case number in each system it went to.",
            kind=Kind.OBJECT,
            standard="FHIR identifier",
            card="*",
        ),
    ] = ()
    citizen_reference: Annotated[
        Text, Meta("Reference for the resident", "Cyfeirnod i'r preswylydd", "Not guessable, safe to read aloud.")
    ] = None
    council: Annotated[
        _Filled,
        Meta(
            "Council", "Cyngor", "GSS code of the council.", kind=Kind.CODE, standard="ONS GSS", card="1", check="gss"
        ),
    ]
    type: Annotated[
        ReferralType,
        Meta("Type", "Math", "What kind of request this is.", SPECIAL, Kind.CODE, "BaRS category", "1", ReferralType),
    ]
    status: Annotated[
        Status,
        Meta(
            "Status",
            "Statws",
            "Where the request stands.",
            kind=Kind.CODE,
            standard="own life-cycle",
            card="1",
            codes=Status,
        ),
    ]
    status_reason: Annotated[
        StatusReason | None, Meta("Status reason", "Rheswm y statws", "Why it stands there.", kind=Kind.OBJECT)
    ] = None
    status_changed_at: Annotated[
        Text,
        Meta(
            "Status changed", "Newidiwyd y statws", "When it came to stand there.", kind=Kind.INSTANT, check="instant"
        ),
    ] = None
    priority: Annotated[
        Text,
        Meta(
            "Priority",
            "Blaenoriaeth",
            "How soon somebody must act.",
            kind=Kind.CODE,
            standard="e-RS, BaRS",
            codes=Priority,
        ),
    ] = None
    reason: Annotated[
        Reason | None, Meta("Reason", "Rheswm", "Why help is asked for.", SPECIAL, Kind.OBJECT, "PRSB, FHIR")
    ] = None
    primary_support_reason: Annotated[
        Text,
        Meta(
            "Primary support reason",
            "Prif reswm dros gymorth",
            "From the CLD list.",
            SPECIAL,
            Kind.CODE,
            "CLD Primary_Support_Reason",
        ),
    ] = None
    route_of_access: Annotated[
        Text,
        Meta(
            "Route of access",
            "Llwybr mynediad",
            "From the CLD list.",
            kind=Kind.CODE,
            standard="CLD Request_Route_of_Access",
        ),
    ] = None
    service_requested: Annotated[
        Service | None,
        Meta(
            "Service asked for",
            "Gwasanaeth y gofynnir amdano",
            "Which service.",
            SPECIAL,
            Kind.OBJECT,
            "Open Referral UK, DoS",
        ),
    ] = None
    needs: Annotated[
        tuple[Need, ...],
        Meta("Needs", "Anghenion", "What the person asks for help with.", SPECIAL, Kind.OBJECT, card="*"),
    ] = ()
    received_at: Annotated[
        Text,
        Meta(
            "Received",
            "Derbyniwyd",
            "When the council got the request.",
            kind=Kind.INSTANT,
            standard="FHIR authoredOn",
            card="1",
            check="instant",
        ),
    ] = None
    authored_at: Annotated[
        Text,
        Meta(
            "Written",
            "Ysgrifennwyd",
            "When the request was written.",
            kind=Kind.INSTANT,
            standard="FHIR authoredOn",
            card="1",
            check="instant",
        ),
    ] = None
    due_at: Annotated[
        Text,
        Meta(
            "Due", "Erbyn", "When something has to have happened.", kind=Kind.INSTANT, standard="FHIR", check="instant"
        ),
    ] = None
    channel: Annotated[
        Text, Meta("Channel", "Sianel", "How the request came in.", kind=Kind.CODE, standard="CRM", codes=Channel)
    ] = None
    person: Annotated[Person, Meta("Person", "Person", "Whom it is about.", IDENTIFYING, Kind.OBJECT, "PRSB", "1")]
    language: Annotated[
        Language, Meta("Language", "Iaith", "The person's wish.", SPECIAL, Kind.OBJECT, "Welsh Language Standards", "1")
    ] = Language()
    communication_needs: Annotated[
        tuple[str, ...],
        Meta(
            "Communication needs",
            "Anghenion cyfathrebu",
            "Large print, carer present ...",
            SPECIAL,
            Kind.CODE,
            "UK Core, BaRS",
            "*",
            CommunicationNeed,
        ),
    ] = ()
    notify: Annotated[
        Notify | None, Meta("News", "Newyddion", "Who hears, and how.", IDENTIFYING, Kind.OBJECT, "Track My Request")
    ] = None
    referrer: Annotated[
        Referrer | None,
        Meta("Referrer", "Atgyfeiriwr", "Who asked for help.", IDENTIFYING, Kind.OBJECT, "PRSB, FHIR requester"),
    ] = None
    related_persons: Annotated[
        tuple[RelatedPerson, ...],
        Meta(
            "Carers and relatives",
            "Gofalwyr a pherthnasau",
            "Who is near the person.",
            IDENTIFYING,
            Kind.OBJECT,
            "FHIR RelatedPerson, ARCS",
            "*",
        ),
    ] = ()
    sharing_basis: Annotated[
        SharingBasis | None,
        Meta(
            "Basis for sharing", "Sail dros rannu", "On what ground it is shared.", SPECIAL, Kind.OBJECT, "FHIR Consent"
        ),
    ] = None
    safeguarding_flag: Annotated[
        Flag,
        Meta("Safeguarding", "Diogelu", "Whether there is a safeguarding concern.", SPECIAL, Kind.BOOLEAN, "BaRS flag"),
    ] = None
    warning_flags: Annotated[
        tuple[str, ...],
        Meta(
            "Warnings",
            "Rhybuddion",
            "What to know before a visit or before passing it on.",
            SPECIAL,
            Kind.CODE,
            "BaRS flag",
            "*",
            WarningFlag,
        ),
    ] = ()
    restricted_record: Annotated[
        Flag,
        Meta(
            "Restricted record",
            "Cofnod cyfyngedig",
            "Blocks automatic onward sending.",
            SPECIAL,
            Kind.BOOLEAN,
            "Mosaic RESTRICTED",
            "1",
        ),
    ] = None
    assigned_to: Annotated[
        AssignedTo | None,
        Meta("Assigned to", "Aseiniwyd i", "Who works on it.", IDENTIFYING, Kind.OBJECT, "FHIR Task.owner"),
    ] = None
    appointments: Annotated[
        tuple[Appointment, ...],
        Meta("Appointments", "Apwyntiadau", "Visits and calls.", IDENTIFYING, Kind.OBJECT, "FHIR", "*"),
    ] = ()
    outcome: Annotated[
        Text,
        Meta(
            "Outcome",
            "Canlyniad",
            "What came of it; set when completed.",
            SPECIAL,
            Kind.CODE,
            "CLD Event_Outcome r2",
            codes=Outcome,
        ),
    ] = None
    outcome_reason: Annotated[Text, Meta("Outcome in words", "Canlyniad mewn geiriau", "More about it.", SPECIAL)] = (
        None
    )
    decision: Annotated[
        Decision | None,
        Meta("Decision", "Penderfyniad", "What the receiving side answered.", kind=Kind.OBJECT, standard="BaRS, ADW"),
    ] = None
    based_on: Annotated[
        tuple[str, ...], Meta("Based on", "Seiliedig ar", "Referral ids.", standard="FHIR basedOn", card="*")
    ] = ()
    replaces: Annotated[
        tuple[str, ...], Meta("Replaces", "Yn disodli", "Referral ids.", standard="FHIR replaces", card="*")
    ] = ()
    part_of: Annotated[
        tuple[str, ...], Meta("Part of", "Rhan o", "Referral ids.", standard="FHIR partOf", card="*")
    ] = ()
    attachments: Annotated[
        tuple[Attachment, ...],
        Meta("Attachments", "Atodiadau", "Documents, by reference.", SPECIAL, Kind.OBJECT, "FHIR", "*"),
    ] = ()
    notes: Annotated[
        tuple[Note, ...], Meta("Notes", "Nodiadau", "What was written.", SPECIAL, Kind.OBJECT, card="*")
    ] = ()
    provenance: Annotated[
        Provenance | None,
        Meta(
            "Origin",
            "Tarddiad",
            "Where this version came from.",
            kind=Kind.OBJECT,
            standard="FHIR Provenance",
            card="1",
        ),
    ] = None
    extensions: Annotated[
        dict[str, dict[str, Any]],
        Meta(
            "Extensions",
            "Estyniadau",
            "Fields of one system that a mapping lists, by system and name.",
            SPECIAL,
            Kind.ANY,
            check="extensions",
        ),
    ] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _has_a_name(self) -> Self:
        name = self.person.name
        if name is None or not (name.family or name.given or name.preferred):
            raise ValueError("the person has no name at all")
        return self

    @computed_field  # type: ignore[prop-decorator]  # mypy: decorators on a property
    @property  # not cached: a copy with changes would keep the old ones
    def remarks(self) -> tuple[Remark, ...]:
        """What looks wrong and was carried as given: field path and remark code, in the order of the fields."""
        return remarks_of(self)


__all__ = [
    "SCHEMA_VERSION", "Address", "Appointment", "AssignedTo", "Attachment", "Channel", "Coded", "CommunicationNeed",
    "Decision", "Identifier", "Json", "Kind", "Language", "LocalId", "Meta", "Name", "Need", "Note", "Notify",
    "OptIn", "Outcome", "Part", "Person", "Priority", "Provenance", "Reason", "Referral", "ReferralType", "Referrer",
    "RelatedPerson", "Remark", "Sensitivity", "Service", "SharingBasis", "Status", "StatusReason", "Telecom",
    "Waiver", "WarningFlag",
]  # fmt: skip
