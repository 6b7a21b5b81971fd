"""The person whom a referral is about, and the pieces that other people in it share: names, contact points."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mappings.meta import IDENTIFYING, SPECIAL, Flag, Kind, Meta, Part, Text
from mappings.vocabulary import Gender, NhsNumberStatus, SensoryNeed, TelecomSystem, TelecomUse

_MOST_NAME = 35  # PRSB Local authority information v1.1: names have 35 characters


class Telecom(Part):
    """A phone number, email address or other contact point."""

    system: Annotated[
        Text,
        Meta(
            "Kind of contact point",
            "Math o fan cyswllt",
            "phone, email, ...",
            IDENTIFYING,
            Kind.CODE,
            "FHIR",
            codes=TelecomSystem,
        ),
    ] = None
    value: Annotated[
        Text,
        Meta(
            "Number or address",
            "Rhif neu gyfeiriad",
            "A phone number in E.164, an email address; as given where it is neither.",
            IDENTIFYING,
            standard="E.164",
            check="telecom",
        ),
    ] = None
    use: Annotated[
        Text, Meta("Use", "Defnydd", "home, work, mobile, temp", IDENTIFYING, Kind.CODE, "FHIR", codes=TelecomUse)
    ] = None
    rank: Annotated[
        int | None,
        Meta("Order of preference", "Trefn blaenoriaeth", "1 is tried first.", IDENTIFYING, Kind.INTEGER, "FHIR"),
    ] = None
    safe_to_text: Annotated[
        Flag,
        Meta(
            "Safe to text",
            "Diogel i anfon neges destun",
            "Whether a message there can harm nobody.",
            IDENTIFYING,
            Kind.BOOLEAN,
        ),
    ] = None


class LocalId(Part):
    """The person's number in a system."""

    system: Annotated[
        Text, Meta("System", "System", "Which connection gave the number.", IDENTIFYING, standard="FHIR")
    ] = None
    value: Annotated[
        Text,
        Meta("Number", "Rhif", "The person's number there.", IDENTIFYING, standard="CLD LA_Person_Unique_Identifier"),
    ] = None


class Name(Part):
    """A person's name. The given names keep their order."""

    title: Annotated[
        Text, Meta("Title", "Teitl", "Mr, Mrs, Ms, Mx, Dr ...", IDENTIFYING, standard="PRSB", most=_MOST_NAME)
    ] = None
    given: Annotated[
        tuple[str, ...],
        Meta(
            "Given names",
            "Enwau cyntaf",
            "First and middle names, in order.",
            IDENTIFYING,
            standard="PRSB",
            card="*",
            most=_MOST_NAME,
        ),
    ] = ()
    family: Annotated[
        Text, Meta("Family name", "Cyfenw", "The family name.", IDENTIFYING, standard="PRSB", most=_MOST_NAME)
    ] = None
    preferred: Annotated[
        Text,
        Meta(
            "Likes to be called",
            "Enw a ffefrir",
            "What the person wants to be called.",
            IDENTIFYING,
            standard="PRSB",
            most=_MOST_NAME,
        ),
    ] = None


class Address(Part):
    """Where somebody lives or stays."""

    uprn: Annotated[
        Text,
        Meta(
            "UPRN",
            "UPRN",
            "Unique property reference number: up to 12 digits, as text.",
            IDENTIFYING,
            standard="UPRN",
            check="uprn",
        ),
    ] = None
    lines: Annotated[
        tuple[str, ...],
        Meta(
            "Address lines", "Llinellau cyfeiriad", "Without town and postcode.", IDENTIFYING, standard="PRSB", card="*"
        ),
    ] = ()
    town: Annotated[Text, Meta("Town", "Tref", "Town or village.", IDENTIFYING, standard="PRSB")] = None
    postcode: Annotated[
        Text, Meta("Postcode", "Cod post", "Capitals, one space.", IDENTIFYING, standard="PRSB", check="postcode")
    ] = None
    from_: Annotated[
        Text, Meta("From", "O", "First day at this address.", IDENTIFYING, Kind.PARTIAL_DATE, "PRSB", check="date")
    ] = Field(default=None, alias="from")
    to: Annotated[
        Text, Meta("To", "Hyd", "Last day at this address.", IDENTIFYING, Kind.PARTIAL_DATE, "PRSB", check="date")
    ] = None


class Person(Part):
    """Whom the referral is about. A person has several referrals; a referral has one person."""

    local_ids: Annotated[
        tuple[LocalId, ...],
        Meta(
            "Numbers in systems",
            "Rhifau mewn systemau",
            "The person's number in each system.",
            IDENTIFYING,
            Kind.OBJECT,
            "CLD LA_Person_Unique_Identifier",
            "*",
        ),
    ] = ()
    nhs_number: Annotated[
        Text,
        Meta(
            "NHS number",
            "Rhif GIG",
            "Ten digits, no spaces.",
            IDENTIFYING,
            standard="NHS Data Dictionary",
            check="nhs-number",
        ),
    ] = None
    nhs_number_status: Annotated[
        Text,
        Meta(
            "NHS number status",
            "Statws y rhif GIG",
            "How sure the number is this person's.",
            IDENTIFYING,
            Kind.CODE,
            "UK Core",
            codes=NhsNumberStatus,
        ),
    ] = None
    nhs_number_missing_reason: Annotated[
        Text,
        Meta(
            "Why there is no NHS number",
            "Pam nad oes rhif GIG",
            "Reason, as the source says it.",
            IDENTIFYING,
            standard="UK Core",
        ),
    ] = None
    name: Annotated[Name | None, Meta("Name", "Enw", "The person's name.", IDENTIFYING, Kind.OBJECT, "PRSB", "1")] = (
        None
    )
    date_of_birth: Annotated[
        Text,
        Meta(
            "Date of birth",
            "Dyddiad geni",
            "Day, or only month or year where no more is known.",
            IDENTIFYING,
            Kind.PARTIAL_DATE,
            "PRSB, CLD",
            check="date",
        ),
    ] = None
    date_of_death: Annotated[
        Text,
        Meta(
            "Date of death",
            "Dyddiad marw",
            "Day, month or year.",
            IDENTIFYING,
            Kind.PARTIAL_DATE,
            "PRSB, CLD",
            check="date",
        ),
    ] = None
    gender: Annotated[
        Text, Meta("Gender", "Rhywedd", "Administrative gender.", IDENTIFYING, Kind.CODE, "CLD, FHIR", codes=Gender)
    ] = None
    ethnicity: Annotated[
        Text,
        Meta(
            "Ethnicity",
            "Ethnigrwydd",
            "Ethnic category; refused and not known are codes of their own.",
            SPECIAL,
            Kind.CODE,
            "UK Core EthnicCategory",
        ),
    ] = None
    address: Annotated[
        Address | None, Meta("Address", "Cyfeiriad", "Where the person lives.", IDENTIFYING, Kind.OBJECT, "PRSB")
    ] = None
    telecom: Annotated[
        tuple[Telecom, ...],
        Meta(
            "Contact points", "Manylion cyswllt", "Phones and email addresses.", IDENTIFYING, Kind.OBJECT, "FHIR", "*"
        ),
    ] = ()
    gp_practice: Annotated[
        Text,
        Meta(
            "GP practice",
            "Meddygfa",
            "ODS code of the practice.",
            IDENTIFYING,
            standard="CLD GP_Practice_Code",
            check="ods",
        ),
    ] = None
    disability: Annotated[
        tuple[str, ...],
        Meta(
            "Disability and sensory loss",
            "Anabledd a nam ar y synhwyrau",
            "Visual, hearing, dementia, autism ...",
            SPECIAL,
            Kind.CODE,
            "CLD, ARCS",
            "*",
            SensoryNeed,
        ),
    ] = ()
