"""One council: who it is, its connections and its routes. One file a council, named after its code."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from config.alerts import CouncilAlerts
from config.connection import Connection
from config.declared import DateText, Declared, Line, Name, Phone, Words, Zone, matching
from config.holidays import ENGLAND_AND_WALES
from config.retention import Retention
from config.routes import Route

Gss = Annotated[
    str,
    *matching(r"[EWSN][0-9]{8}", "a GSS code such as W06000020", "look the code up in the ONS register"),
]


class Identity(Declared):
    """Who the council is."""

    code: Name = Field(description="Its short name here; the file is called after it.", examples=["torfaen"])
    gss: Gss = Field(description="Its GSS code.", examples=["W06000020"])
    name: Words = Field(description="Its name in both languages.", examples=[{"cy": "Torfaen", "en": "Torfaen"}])
    time_zone: Zone = Field(
        default="Europe/London",
        description="In which its times are shown and its schedules meant.",
        examples=["Europe/London"],
    )
    phone: Phone = Field(
        description="The number that residents ring to speak to a person; it stands in each text.",
        examples=["01632 960100"],
    )


class Replies(Declared):
    """What residents text back. Nothing of it is read without this section."""

    number: Phone = Field(
        description="The number that they reply to, as the texting service gave it.", examples=["07700 900456"]
    )
    inbox: Line = Field(
        description="Who reads what a person must read, in office hours at the latest.",
        examples=["Customer services duty desk, 01632 960301"],
    )


Place = Annotated[Name, Field(description="A connection, or `register`.")]


class Preferences(Declared):
    """Where it is kept what people want: the name of a connection, or `register` for a small one of Dolen's own."""

    opt_in: Place | None = Field(default=None, description="Whether they want news.", examples=["contact"])
    language: Place | None = Field(default=None, description="In which language.", examples=["contact"])
    safe_number: Place | None = Field(
        default=None, description="Which number is theirs and safe to text.", examples=["register"]
    )
    referrer: Place | None = Field(
        default=None,
        description="Of whoever referred them: do they want news, in which language, and did the person agree.",
        examples=["register"],
    )


class CouncilSettings(Declared):
    """A file under `config/councils/`."""

    council: Identity = Field(
        description="Who the council is.",
        examples=[{"code": "torfaen", "gss": "W06000020", "name": {"cy": "Torfaen", "en": "Torfaen"}}],
    )
    bank_holidays: list[DateText] = Field(
        default_factory=lambda: list(ENGLAND_AND_WALES),
        description="Its bank holidays. Without this key those of England and Wales from 2026 to 2028, as "
        "gov.uk/bank-holidays names them; a list here takes their place and must be whole.",
        examples=[["2026-12-25", "2026-12-28"]],
    )
    retention: Retention | None = Field(
        default=None,
        description="How long this council keeps data, by class; what it does not say is as `dolen.yaml` says.",
        examples=[{"payloads": "P60D"}],
    )
    connections: dict[Name, Connection] = Field(
        min_length=1,
        description="Its installations of systems, each under a name that screens and routes use.",
        examples=[{"contact": {"profile": "contact"}}],
    )
    replies: Replies | None = Field(
        default=None,
        description="What residents text back is read and acted on: STOP, CYMRAEG, ENGLISH, and words for a person.",
        examples=[{"number": "07700 900456", "inbox": "Customer services duty desk, 01632 960301"}],
    )
    preferences: Preferences = Field(
        default=Preferences(),
        description="Where opt-in, language and safe number are kept, where no connection's mapping carries them.",
        examples=[{"opt_in": "register"}],
    )
    routes: list[Route] = Field(
        default_factory=list,
        description="What is carried from where to where.",
        examples=[[{"name": "contact-to-casework", "from": "contact", "to": "casework"}]],
    )
    alerts: CouncilAlerts | None = Field(
        default=None,
        description="Its own people, told in place of the site's of what concerns this council.",
        examples=[{"to": ["systems@example.org"], "duty": {"name": "Duty team", "email": "duty@example.org"}}],
    )
