"""The other people of a referral: who asked, who cares for the person, and who works on it."""

from __future__ import annotations

from typing import Annotated

from mappings.meta import IDENTIFYING, Flag, Kind, Meta, Part, Text
from mappings.person import Telecom
from mappings.vocabulary import Letters, ReferrerKind


class Waiver(Part):
    """Why news may go to a family member without the person's agreement, on whose word."""

    by: Annotated[Text, Meta("Recorded by", "Cofnodwyd gan", "The officer, named.", IDENTIFYING)] = None
    reason: Annotated[Text, Meta("Reason", "Rheswm", "Why agreement was not needed.", IDENTIFYING)] = None
    at: Annotated[Text, Meta("When", "Pryd", "When it was recorded.", IDENTIFYING, Kind.INSTANT, check="instant")] = (
        None
    )


class Referrer(Part):
    """Who asked for help."""

    kind: Annotated[
        Text,
        Meta(
            "Kind of referrer",
            "Math o atgyfeiriwr",
            "self, family-friend, professional, other",
            IDENTIFYING,
            Kind.CODE,
            "PRSB",
            codes=ReferrerKind,
        ),
    ] = None
    name: Annotated[
        Text, Meta("Name", "Enw", "The referrer's full name.", IDENTIFYING, standard="PRSB, FHIR requester")
    ] = None
    organisation: Annotated[
        Text, Meta("Organisation", "Sefydliad", "Where a professional works.", IDENTIFYING, standard="PRSB")
    ] = None
    ods: Annotated[
        Text,
        Meta(
            "ODS code", "Cod ODS", "Code of the referrer's NHS organisation.", IDENTIFYING, standard="ODS", check="ods"
        ),
    ] = None
    role: Annotated[Text, Meta("Role", "Rôl", "A professional's role.", IDENTIFYING, standard="PRSB")] = None
    relationship: Annotated[
        Text, Meta("Relationship", "Perthynas", "What the referrer is to the person.", IDENTIFYING, standard="PRSB")
    ] = None
    telecom: Annotated[
        tuple[Telecom, ...],
        Meta(
            "Contact points",
            "Manylion cyswllt",
            "The referrer's phones and email addresses.",
            IDENTIFYING,
            Kind.OBJECT,
            "FHIR",
            "*",
        ),
    ] = ()
    wants_updates: Annotated[
        Flag,
        Meta(
            "Wants updates", "Am gael diweddariadau", "Whether the referrer asked to hear.", IDENTIFYING, Kind.BOOLEAN
        ),
    ] = None
    person_agrees: Annotated[
        Flag,
        Meta(
            "Person agrees",
            "Mae'r person yn cytuno",
            "Whether the person agreed that the referrer hears.",
            IDENTIFYING,
            Kind.BOOLEAN,
        ),
    ] = None
    language: Annotated[
        Text,
        Meta(
            "Language of news",
            "Iaith newyddion",
            "In which language the referrer is written to: cy, en, both or not-asked; not asked is both.",
            IDENTIFYING,
            Kind.CODE,
            "Welsh Language Standards 2, 5",
            codes=Letters,
        ),
    ] = None
    agreement_waiver: Annotated[
        Waiver | None,
        Meta(
            "Agreement not needed",
            "Nid oes angen cytundeb",
            "Why the person's agreement was not needed.",
            IDENTIFYING,
            Kind.OBJECT,
        ),
    ] = None


class RelatedPerson(Part):
    """A carer, relative or friend."""

    name: Annotated[Text, Meta("Name", "Enw", "Full name.", IDENTIFYING, standard="FHIR RelatedPerson")] = None
    relationship: Annotated[
        Text,
        Meta("Relationship", "Perthynas", "What they are to the person.", IDENTIFYING, standard="FHIR RelatedPerson"),
    ] = None
    telecom: Annotated[
        tuple[Telecom, ...],
        Meta(
            "Contact points",
            "Manylion cyswllt",
            "Their phones and email addresses.",
            IDENTIFYING,
            Kind.OBJECT,
            "FHIR",
            "*",
        ),
    ] = ()
    is_main_carer: Annotated[
        Flag,
        Meta(
            "Main carer",
            "Prif ofalwr",
            "Whether this is the main unpaid carer.",
            IDENTIFYING,
            Kind.BOOLEAN,
            "CLD Has_Unpaid_Carer",
        ),
    ] = None


class AssignedTo(Part):
    """Who works on the referral now."""

    organisation: Annotated[
        Text, Meta("Organisation", "Sefydliad", "Council or partner.", IDENTIFYING, standard="FHIR Task.owner")
    ] = None
    team: Annotated[Text, Meta("Team", "Tîm", "The team's code.", IDENTIFYING, Kind.CODE, "FHIR Task.owner")] = None
    worker_ref: Annotated[
        Text,
        Meta("Worker", "Gweithiwr", "The worker's reference in their system.", IDENTIFYING, standard="FHIR Task.owner"),
    ] = None
