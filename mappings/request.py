"""The smaller pieces of a referral that are not people: identifiers, reasons, appointments, notes, origin."""

from __future__ import annotations

from typing import Annotated

from mappings.meta import IDENTIFYING, SPECIAL, Kind, Meta, Part, Text
from mappings.vocabulary import AppointmentKind, AppointmentStatus, SharingStatus, Visibility
from mappings.vocabulary import Decision as DecisionCode
from mappings.vocabulary import Need as NeedCode

MOST_TEXT = 4000  # characters; the longest free text that the systems seen so far keep


class Identifier(Part):
    """The referral's number in a connection."""

    system: Annotated[str, Meta("System", "System", "Which connection gave the number.", standard="FHIR", card="1")]
    value: Annotated[str, Meta("Number", "Rhif", "The referral's number there.", standard="FHIR", card="1")]
    assigner: Annotated[Text, Meta("Given by", "Rhoddwyd gan", "Who gave the number.", standard="FHIR")] = None


class StatusReason(Part):
    """Why the status is what it is."""

    code: Annotated[Text, Meta("Status reason code", "Cod rheswm y statws", "Local code.", kind=Kind.CODE)] = None
    text: Annotated[Text, Meta("Status reason", "Rheswm y statws", "In words.", most=MOST_TEXT)] = None


class Reason(Part):
    """Why help is asked for."""

    code: Annotated[
        Text, Meta("Reason code", "Cod rheswm", "From the council's own list.", SPECIAL, Kind.CODE, "FHIR reasonCode")
    ] = None
    text: Annotated[Text, Meta("Reason", "Rheswm", "In words.", SPECIAL, standard="PRSB", most=MOST_TEXT)] = None


class Service(Part):
    """The service that is asked for."""

    system: Annotated[
        Text,
        Meta("Directory", "Cyfeiriadur", "Which directory the code is of.", SPECIAL, standard="Open Referral UK, DoS"),
    ] = None
    code: Annotated[Text, Meta("Service code", "Cod gwasanaeth", "The service's id there.", SPECIAL, Kind.CODE)] = None
    display: Annotated[Text, Meta("Service", "Gwasanaeth", "The service's name.", SPECIAL)] = None


class Need(Part):
    """One thing the person asks for help with."""

    code: Annotated[Text, Meta("Need", "Angen", "What kind of help.", SPECIAL, Kind.CODE, codes=NeedCode)] = None
    text: Annotated[Text, Meta("About the need", "Am yr angen", "In words.", SPECIAL, most=MOST_TEXT)] = None


class Decision(Part):
    """What the receiving side answered."""

    decision: Annotated[
        Text,
        Meta(
            "Decision",
            "Penderfyniad",
            "accepted, rejected, redirected",
            kind=Kind.CODE,
            standard="BaRS, ADW",
            codes=DecisionCode,
        ),
    ] = None
    reason: Annotated[Text, Meta("Reason", "Rheswm", "Code or words of the receiving side.", standard="BaRS")] = None
    by: Annotated[Text, Meta("Decided by", "Penderfynwyd gan", "Reference of the officer.")] = None
    at: Annotated[Text, Meta("Decided at", "Penderfynwyd ar", "When.", kind=Kind.INSTANT, check="instant")] = None


class Appointment(Part):
    """A visit, an assessment or a call."""

    kind: Annotated[
        Text, Meta("Kind", "Math", "visit, assessment, call", IDENTIFYING, Kind.CODE, codes=AppointmentKind)
    ] = None
    start: Annotated[
        Text,
        Meta(
            "Start", "Dechrau", "Day, or instant where the time is known.", IDENTIFYING, Kind.WHEN, "FHIR", check="when"
        ),
    ] = None
    end: Annotated[Text, Meta("End", "Diwedd", "Day or instant.", IDENTIFYING, Kind.WHEN, "FHIR", check="when")] = None
    place: Annotated[Text, Meta("Place", "Lle", "Where.", IDENTIFYING, standard="FHIR")] = None
    status: Annotated[
        Text,
        Meta(
            "Status",
            "Statws",
            "booked, attended, missed, cancelled",
            IDENTIFYING,
            Kind.CODE,
            "FHIR",
            codes=AppointmentStatus,
        ),
    ] = None


class SharingBasis(Part):
    """On what ground the record is shared. Councils rarely rely on consent."""

    basis: Annotated[
        Text, Meta("Basis", "Sail", "For example direct care.", SPECIAL, standard="FHIR Consent, BaRS")
    ] = None
    status: Annotated[
        Text,
        Meta("Status", "Statws", "active, withdrawn, refused", SPECIAL, Kind.CODE, "FHIR Consent", codes=SharingStatus),
    ] = None
    date: Annotated[
        Text, Meta("Date", "Dyddiad", "Since when.", SPECIAL, Kind.PARTIAL_DATE, "FHIR Consent", check="date")
    ] = None


class Attachment(Part):
    """A document, by reference: its content never travels with the referral."""

    name: Annotated[Text, Meta("Name", "Enw", "File name.", SPECIAL, standard="FHIR DocumentReference")] = None
    mime: Annotated[Text, Meta("Type", "Math", "Media type.", SPECIAL, standard="RFC 6838")] = None
    size: Annotated[int | None, Meta("Size", "Maint", "Bytes.", SPECIAL, Kind.INTEGER)] = None
    hash: Annotated[Text, Meta("Hash", "Hash", "SHA-256 in hex.", SPECIAL)] = None
    url_or_ref: Annotated[Text, Meta("Where", "Lle", "URL or the source's reference.", SPECIAL)] = None


class Note(Part):
    """Something somebody wrote about the referral."""

    at: Annotated[Text, Meta("Written at", "Ysgrifennwyd ar", "When.", SPECIAL, Kind.INSTANT, check="instant")] = None
    author_ref: Annotated[Text, Meta("Written by", "Ysgrifennwyd gan", "Reference of the author.", SPECIAL)] = None
    visibility: Annotated[
        Text, Meta("Who may read", "Pwy all ddarllen", "public, internal", SPECIAL, Kind.CODE, codes=Visibility)
    ] = None
    text: Annotated[Text, Meta("Note", "Nodyn", "In words.", SPECIAL, most=MOST_TEXT)] = None


class Provenance(Part):
    """Where this version came from."""

    source_connector: Annotated[
        Text, Meta("Source", "Ffynhonnell", "The connection it was read from.", standard="FHIR Provenance")
    ] = None
    source_version: Annotated[
        Text,
        Meta("Source version", "Fersiwn y ffynhonnell", "Version number or ETag there.", standard="FHIR Provenance"),
    ] = None
    source_modified_at: Annotated[
        Text,
        Meta(
            "Changed at source",
            "Newidiwyd yn y ffynhonnell",
            "The source's own stamp.",
            kind=Kind.INSTANT,
            standard="FHIR Provenance",
            check="instant",
        ),
    ] = None
    ingested_at: Annotated[
        Text,
        Meta(
            "Taken in at",
            "Derbyniwyd ar",
            "When it was read.",
            kind=Kind.INSTANT,
            standard="FHIR Provenance",
            check="instant",
        ),
    ] = None
    mapping_version: Annotated[
        Text, Meta("Mapping version", "Fersiwn y mapio", "Digest of the mapping.", standard="FHIR Provenance")
    ] = None
