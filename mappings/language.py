"""In which language and by which ways the person wants to be spoken and written to, and who hears news."""

from __future__ import annotations

from typing import Annotated

from mappings.meta import IDENTIFYING, SPECIAL, Flag, Kind, Meta, Part, Text
from mappings.vocabulary import Letters, NewsChannel, Recipient


class Language(Part):
    """The record of the person's wish. Not asked means Welsh and English both."""

    correspondence: Annotated[
        str,
        Meta(
            "Language of letters",
            "Iaith gohebiaeth",
            "cy, en, both or not-asked; not asked is written to in both.",
            SPECIAL,
            Kind.CODE,
            "Welsh Language Standards 2, 5",
            "1",
            Letters,
        ),
    ] = Letters.NOT_ASKED.value
    spoken: Annotated[
        Text,
        Meta(
            "Spoken language",
            "Iaith lafar",
            "BCP 47 tag: cy, en, bfi (British Sign Language) ...",
            SPECIAL,
            Kind.CODE,
            "UK Core",
            check="language",
        ),
    ] = None
    interpreter_required: Annotated[
        Flag,
        Meta(
            "Interpreter needed",
            "Angen cyfieithydd",
            "Whether an interpreter is needed.",
            SPECIAL,
            Kind.BOOLEAN,
            "UK Core",
        ),
    ] = None
    asked_at: Annotated[
        Text,
        Meta(
            "Asked at",
            "Gofynnwyd ar",
            "When the person was asked.",
            kind=Kind.INSTANT,
            standard="Welsh Language Standard 2",
            check="instant",
        ),
    ] = None
    asked_by: Annotated[
        Text,
        Meta("Asked by", "Gofynnwyd gan", "Reference of the officer who asked.", standard="Welsh Language Standard 2"),
    ] = None


class OptIn(Part):
    """A wish to hear, or not to hear, by one channel."""

    channel: Annotated[
        Text, Meta("Channel", "Sianel", "text, email, letter", IDENTIFYING, Kind.CODE, codes=NewsChannel)
    ] = None
    opted_in: Annotated[
        Flag,
        Meta("Opted in", "Wedi optio i mewn", "Whether the person wants news that way.", IDENTIFYING, Kind.BOOLEAN),
    ] = None
    at: Annotated[
        Text, Meta("Asked at", "Gofynnwyd ar", "When the person said so.", IDENTIFYING, Kind.INSTANT, check="instant")
    ] = None
    by: Annotated[Text, Meta("Recorded by", "Cofnodwyd gan", "Reference of the officer.", IDENTIFYING)] = None
    withdrawn_at: Annotated[
        Text,
        Meta(
            "Withdrawn at",
            "Tynnwyd yn ôl ar",
            "When the wish was withdrawn.",
            IDENTIFYING,
            Kind.INSTANT,
            check="instant",
        ),
    ] = None


class Notify(Part):
    """Who hears news about the request, and how."""

    opt_in: Annotated[
        tuple[OptIn, ...],
        Meta(
            "Opted in to news",
            "Wedi optio i mewn",
            "One entry per channel, judged at the moment of sending.",
            IDENTIFYING,
            Kind.OBJECT,
            "Track My Request",
            "*",
        ),
    ] = ()
    recipient: Annotated[
        Text,
        Meta("Who hears", "Pwy sy'n cael gwybod", "person, referrer or both", IDENTIFYING, Kind.CODE, codes=Recipient),
    ] = None
