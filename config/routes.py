"""Routes: from one connection to another of the same council, under a condition of equality and in-lists.

A route has no place for another council's connection, so that one council's referral cannot be sent to another by a
slip in a file.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from config.connection import CronLine
from config.declared import Declared, FieldPath, FileName, Kind, Line, LongerThanNothing, Name, refusal
from config.findings import kind_of

Coded = str | bool | None


def _allowed_codes(value: Any) -> list[Coded]:
    """Read one code, or a list of codes; `null` stands for "not known or empty"."""
    codes = value if isinstance(value, list) else [value]
    for code in codes:
        if not isinstance(code, str | bool | None):
            raise refusal(kind_of(code), "codes: texts, true, false or null", "put each code in quotes")
    if not codes:
        raise refusal("an empty list", "at least one code", "list the codes, or take the condition out")
    return codes


_CODES_SCHEMA = {
    "anyOf": [
        {"type": ["string", "boolean", "null"]},
        {"type": "array", "minItems": 1, "items": {"type": ["string", "boolean", "null"]}},
    ]
}
Codes = Annotated[list[Coded], BeforeValidator(_allowed_codes), WithJsonSchema(_CODES_SCHEMA)]

#: The states by which a referral ends without having been dealt with.
Ending = Literal["cancelled", "entered_in_error"]

LIVE_NEEDS = ("purpose", "lawful_basis", "agreement", "owner", "retention", "arrive_within")


class Comparison(Declared):
    """When both ends of a route are read and compared. Off-peak is best: every record is looked at."""

    cron: CronLine | None = Field(
        default="15 3 * * *",
        description="Times in the council's zone, as a cron line of five fields; `null` for never. "
        "A comparison gives way to live work, and one that was missed is made up once.",
        examples=["15 3 * * *"],
    )


class Nightly(Declared):
    """When something is done by night."""

    cron: CronLine | None = Field(
        default="45 3 * * *",
        description="Times in the council's zone, as a cron line of five fields; `null` for never.",
        examples=["45 3 * * *"],
    )


def _media_type(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9.+-]+/[a-z0-9.+-]+", value):
        raise refusal(repr(value), "a media type in small letters", "write it as in application/pdf")
    return value


class CarriedDocuments(Declared):
    """Which documents of a referral go with it."""

    most_megabytes: int = Field(default=20, ge=1, le=500, description="Larger ones stay where they are.", examples=[20])
    types: list[Annotated[str, AfterValidator(_media_type)]] = Field(
        default_factory=lambda: ["application/pdf", "image/jpeg", "image/png"],
        min_length=1,
        description="Media types that are carried; others stay where they are.",
        examples=[["application/pdf"]],
    )
    unscanned: Line | None = Field(
        default=None,
        description="Why they need not be scanned. Left out, the site's `scanner` looks at each, and none goes on that "
        "it has not looked at.",
        examples=["both systems scan what is put into them"],
    )


class Hears(Declared):
    """One row of the table of who is told: a recipient, by which texts in which order, and for which referrals."""

    who: Literal["person", "family", "professional", "referrer"] = Field(
        description="`person`: the one it is about, if they opted in. `family`, `professional`: the one who referred "
        "them, of that kind, if they asked for it and the person agreed (or a named officer recorded why that was not "
        "needed). `referrer`: either of the two.",
        examples=["person"],
    )
    texts: list[FileName] = Field(
        default_factory=list,
        description="Files under `texts/`, one a channel, in order: the first by which the recipient opted in to hear "
        "and can be reached; the next where it could not be delivered. Without this key the route's `text`.",
        examples=[["track-my-request", "track-my-request-email"]],
    )
    when: dict[FieldPath, Codes] = Field(
        default_factory=dict,
        description="For which referrals this row stands, as in the route's `when`: which type, which service.",
        examples=[{"type": ["referral"]}],
    )


class Route(Declared):
    """What is carried from one connection to another."""

    name: Name = Field(
        description="What the route is called on screens and in files.", examples=["contact-to-casework"]
    )
    from_: Name = Field(alias="from", description="The connection it comes from.", examples=["contact"])
    to: Name = Field(description="The connection it goes to.", examples=["casework"])
    mode: Literal["live", "shadow"] = Field(
        default="live",
        description="`shadow`: everything is done but the sending. What would have been sent is kept, and "
        "`dolen shadow report` holds it against what staff typed by hand. `live`: it is sent.",
        examples=["shadow"],
    )
    carries: Literal["state", "event"] = Field(
        default="state",
        description="`state`: the target is kept in step, and only the newest is sent. "
        "`event`: something is told once, in order, such as a text.",
        examples=["state"],
    )
    record: Kind | None = Field(
        default=None,
        description="The kind of record in the target. Needed unless the route sends a text.",
        examples=["Referral"],
    )
    text: FileName | None = Field(
        default=None,
        description="The text that is sent: a file under `texts/`. For routes that carry events.",
        examples=["track-my-request"],
    )
    recipients: list[Hears] = Field(
        default_factory=list,
        description="Who is told by a text, in order. For routes with `text`.",
        examples=[[{"who": "family"}, {"who": "person"}]],
    )
    tells: Literal["first", "each"] = Field(
        default="first",
        description="`first`: the first of `recipients` who may hear, and nobody twice. `each`: every one of them.",
        examples=["first"],
    )
    replies_to: list[Name] = Field(
        default_factory=list,
        description="Tells the caseworkers of its target what became of what these routes carried: accepted, refused "
        "and which field to mend, already there under a number, waiting since. For routes with `carries: event`.",
        examples=[["contact-to-casework"]],
    )
    when: dict[FieldPath, Codes] = Field(
        default_factory=dict,
        description="Which referrals take this route: each field must have one of its codes, all fields must hold. "
        "`null` among the codes means that the field is not known. Without `when`, all do.",
        examples=[{"assigned_to.team": ["adults"]}],
    )
    documents: CarriedDocuments | None = Field(
        default=None,
        description="The documents of a referral are handed on after it. Left out, they stay where they are and only "
        "what the mappings carry of them is told.",
        examples=[{"most_megabytes": 20}],
    )
    creates_persons: bool = Field(
        default=False,
        description="The target makes a new person for a new record. Then records of one person are sent one after "
        "the other, so that it is not made twice.",
        examples=[True],
    )
    when_deleted: Ending | None = Field(
        default=None,
        description="With which status the news goes on that the source deleted a record. Nothing is ever deleted in "
        "the target. Without it a person decides. All routes from one connection that say it say the same.",
        examples=["cancelled"],
    )
    arrive_within: LongerThanNothing | None = Field(
        default=None, description="What takes longer raises an alert. Needed in live.", examples=["PT15M"]
    )
    reconcile: Comparison | None = Field(
        default=None,
        description="When both ends are compared, where that differs from the site's `reconcile`.",
        examples=[{"cron": "45 2 * * *"}],
    )
    first_day: Literal["match", "nothing-to-match"] = Field(
        default="match",
        description="`match`: going live is refused until `dolen match` has paired the cases that both systems hold. "
        "`nothing-to-match`: one of them begins empty.",
        examples=["nothing-to-match"],
    )
    purpose: Line | None = Field(
        default=None,
        description="Why the data is carried. Needed in live.",
        examples=["To assess and arrange care and support for an adult who asks for it"],
    )
    lawful_basis: Line | None = Field(
        default=None,
        description="The lawful basis, and the condition for special-category data. Needed in live.",
        examples=["UK GDPR 6(1)(e) and 9(2)(h); Social Services and Well-being (Wales) Act 2014"],
    )
    agreement: Line | None = Field(
        default=None,
        description="The sharing agreement or internal record. Needed in live.",
        examples=["ISP-2026-014"],
    )
    owner: Line | None = Field(
        default=None,
        description="Who answers for this flow of data. Needed in live.",
        examples=["Head of Adult Services"],
    )
    retention: LongerThanNothing | None = Field(
        default=None,
        description="How long what was sent and answered is kept here after the referral is closed, if shorter than "
        "`retention.payloads`. Needed in live.",
        examples=["P90D"],
    )

    @model_validator(mode="after")
    def _one_load(self) -> Self:
        """A route carries a record or a text, and a text has someone who receives it."""
        if self.from_ == self.to:
            raise refusal("the same connection at both ends", "two connections", "correct `from` or `to`")
        if (self.record is None) == (self.text is None):
            found = "neither `record` nor `text`" if self.record is None else "both `record` and `text`"
            raise refusal(found, "one of the two", "give `record` to keep a system in step, `text` to tell a resident")
        if self.text is not None and self.carries != "event":
            raise refusal("a text on a route that carries state", "`carries: event`", "write `carries: event`")
        if self.text is not None and "status" not in self.when:
            remedy = "add for instance `when: {status: [accepted, completed]}`"
            raise refusal("a text for no status", "`status` in `when`: the news that a text tells", remedy)
        if self.text is not None and self.when_deleted is not None:
            raise refusal("`when_deleted` on a route that sends a text", "no such key there", "take `when_deleted` out")
        if self.documents is not None and (self.text is not None or self.carries != "state"):
            raise refusal("`documents` on a route that carries events", "a route with `carries: state`", "take it out")
        if self.replies_to and (self.text is not None or self.carries != "event"):
            raise refusal("`replies_to` beside a text or a state", "`carries: event` and `record`", "correct the route")
        if self.record is not None and self.carries == "event" and not self.replies_to:
            remedy = "name the routes whose fate is told, or write `carries: state`"
            raise refusal("an event that says nothing of its cause", "`replies_to`", remedy)
        if (self.text is None) is not (not self.recipients):
            found = "a text without `recipients`" if self.text else "`recipients` without `text`"
            remedy = "write for instance `recipients: [{who: person}]` beside `text`"
            raise refusal(found, "both or neither", remedy)
        among = {row.who for row in self.recipients}
        if self.tells == "each" and "referrer" in among and among & {"family", "professional"}:
            remedy = "write `referrer`, or `family` and `professional`"
            raise refusal("the referrer under two names", "each recipient told once", remedy)
        rows = [(row.who, tuple(row.texts), repr(row.when)) for row in self.recipients]
        if len(set(rows)) < len(rows):
            raise refusal("one of `recipients` twice", "each row once", "take one of the two out")
        return self

    @property
    def all_texts(self) -> tuple[str, ...]:
        """Every text that the route may send, each once."""
        named = [name for row in self.recipients for name in row.texts]
        return tuple(dict.fromkeys([*([self.text] if self.text else []), *named]))
