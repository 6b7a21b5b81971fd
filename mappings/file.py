"""The mapping file: every key that may be written in one, declared once with its meaning and an example.

Validation, the JSON Schema for editors and the reference page all come from these declarations. The vocabulary is
closed and holds values and look-ups only: a condition or an expression will not be added (a named converter in
Python is the way out). Compiling the rows is the business of `compile.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from mappings import converters
from mappings.declaration import declared

Scalar = StrictStr | StrictBool | StrictInt | None
Direction = Literal["read", "write", "both"]
Empty = Literal["omit", "null", "text", "list", "default"] | None  # YAML reads an unquoted null as None
EmptyGroup = Literal["omit", "null", "text"] | None
Name = Annotated[StrictStr, Field(min_length=1)]
Together = Annotated[list[Name], Field(min_length=2)]
Choice = Annotated[list[Name | Together], Field(min_length=2)]
Paths = Name | Together | None


class Default(BaseModel):
    """What to put where one side says nothing at all, in our words. It never replaces a value or a known emptiness."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    read: Scalar = Field(
        default=None,
        description="what a record without this path reads as",
        examples=["not-asked"],
    )
    write: Scalar = Field(
        default=None,
        description="what a new record or group gets when the referral does not know; null writes it as empty",
        examples=["unknown"],
    )


class Cell(BaseModel):
    """The keys that a row has, and a row of a list item has too."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    ours: Paths = Field(
        default=None,
        description="path in the referral; a list item is picked by fixed keys. Left out only beside `constant`. A "
        "list of paths where one value of theirs is several fields of ours",
        examples=[
            "person.name.family",
            "person.telecom[system=phone,use=mobile].value",
            ["person.name.given", "person.name.family"],
        ],
    )
    theirs: Paths = Field(
        default=None,
        description="path in the system's record: / goes down, @x is an attribute, . an element's own text, "
        "[key=value] picks one item of a list. A list of paths where several values of theirs are one field of ours",
        examples=["Subject/Surname", "@code", ".", "contacts[type=mobile]/value", ["VisitDay", "VisitTime"]],
    )
    as_: Name | None = Field(
        default=None,
        alias="as",
        description="name of the converter; left out, the type of our field decides. Needed beside a list of paths",
        examples=["date", "time", "phone", "date-and-time"],
    )
    codes: Name | None = Field(
        default=None, description="name of the code list between the two", examples=["casework-priority"]
    )
    zone: Name | None = Field(
        default=None,
        description="zone of their times without offset; left out, the zone that the connection's profile gives",
        examples=["Europe/London"],
    )
    absent: list[Scalar] | None = Field(
        default=None,
        min_length=1,
        description="their values that mean: known to be empty. The first one is written for an empty field",
        examples=[["0001-01-01"]],
    )
    constant: Scalar = Field(
        default=None,
        description="always write this, in their words; goes with no `ours` and is never read",
        examples=["DOLEN"],
    )
    default: Default | None = Field(
        default=None,
        description="what to put where one side says nothing; nothing is ever assumed that is not declared here",
        examples=[{"write": "unknown"}],
    )
    direction: Direction = Field(default="both", description="carry this row one way only", examples=["read"])
    lossy: StrictBool | Name = Field(
        default=False,
        description="true, or what is lost: a value that goes there and back does not come back the same",
        examples=["their system keeps minutes, not seconds"],
    )
    needed: StrictBool = Field(
        default=False,
        description="a record without a value here is stopped, in either direction; so is one with an unknown code",
        examples=[True],
    )
    options: dict[Name, Any] | None = Field(
        default=None,
        min_length=1,
        description="options of the converter that have no key of their own here",
        examples=[{"separator": ", "}],
    )
    max_length: StrictInt | None = Field(
        default=None,
        gt=0,
        description="characters that the system holds; a longer text is left out, never cut",
        examples=[35],
    )
    max_items: StrictInt | None = Field(
        default=None,
        gt=0,
        description="how many items the system holds; a longer list is left out, never cut",
        examples=[5],
    )
    empty: Empty = Field(
        default=None,
        description="how a field that is known to be empty is written: omit (the key left out), null, text (an empty "
        "one), list (an empty one) or default (what `default` says). Left out, the file's `empty` decides",
        examples=["text"],
    )
    lead: StrictBool = Field(
        default=False,
        description="without this value the group or the picked item around it means nothing and goes as a whole",
        examples=[True],
    )
    missing: Literal["unknown", "empty"] = Field(
        default="unknown",
        description="what a record without this path says: nothing, or (a system that leaves empty fields out) empty",
        examples=["empty"],
    )
    drop: StrictBool = Field(
        default=False, description="only in a file that extends another: take the row out", examples=[True]
    )
    note: StrictStr | None = Field(
        default=None, description="for the reader; changes nothing", examples=["asked for by OT"]
    )


class ItemRow(Cell):
    """A row of `each`: both its paths are relative to the list item."""

    key: StrictBool = Field(
        default=False,
        description="this value tells the items of the list apart; an item that is written over its match keeps "
        "what is not mapped in it",
        examples=[True],
    )


class Row(Cell):
    """A row: one field of ours and one path of theirs."""

    each: list[ItemRow] | None = Field(
        default=None,
        min_length=1,
        description="rows for the items of a list; `ours` and `theirs` of the row above name the two lists",
        examples=[[{"ours": "code", "theirs": "@code", "codes": "casework-need"}, {"ours": "text", "theirs": "."}]],
    )
    where: dict[Name, Scalar] | None = Field(
        default=None,
        min_length=1,
        description="only beside `each`: only their items with these fixed values count, and new ones get them",
        examples=[{"type": "mobile"}],
    )
    choices: list[Choice] | None = Field(
        default=None,
        min_length=1,
        description="only beside `each`: choices among the keys of an item, as at the head of the file",
        examples=[[["Coded", "InWords"]]],
    )


class MappingFile(BaseModel):
    """A mapping file: one kind of record of one system, read in both directions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    extends: Name | None = Field(
        default=None,
        description="the mapping whose rows this file changes; a row with the same `ours` is laid over it key by key",
        examples=["casework/referral"],
    )
    system: Name | None = Field(
        default=None, description="name of the system, as its profile has it", examples=["casework"]
    )
    record: Name | None = Field(
        default=None, description="kind of record, as the profile has it", examples=["Referral"]
    )
    empty: EmptyGroup = Field(
        default="omit",
        description="how known emptiness is written where a row does not say: usually omit for XML, null for JSON",
        examples=["null"],
    )
    optional: dict[Name, EmptyGroup] | None = Field(
        default=None,
        description="groups of theirs that the interface lets be empty as a whole, and how that is written, when "
        "nothing in them has a value",
        examples=[{"Subject/Address": "omit", "customer/address": "null"}],
    )
    choices: list[Choice] | None = Field(
        default=None,
        min_length=1,
        description="choices of the interface: groups of paths beside one another of which it takes one. Which one is "
        "there follows from which value is known; the one that is written makes the others go. Where two are known the "
        "first wins. A member that is several elements is a list",
        examples=[[["Contact/Email", "Contact/Phone"], ["Born/Day", ["Born/Year", "Born/Month"]]]],
    )
    fields: list[Row] = Field(description="the rows", min_length=1, examples=[[]])
    note: StrictStr | None = Field(
        default=None, description="for the reader; changes nothing", examples=["agreed 3 May"]
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping file, for editors that complete and check while somebody types.

    Names of converters and of fields are offered and not enforced: a site may add converters, and paths pick members.
    """
    schema = MappingFile.model_json_schema(by_alias=True)
    names = (*converters.NAMES, *converters.SEVERAL_NAMES)
    fields = [path for path, field in declared().items() if "[]" not in path and (field.part is None or field.many)]
    for row in ("Row", "ItemRow"):
        _offer(schema["$defs"][row]["properties"]["as"], names)
    _offer(schema["$defs"]["Row"]["properties"]["ours"], fields)
    return schema


def _offer(key: dict[str, Any], words: Iterable[str]) -> None:
    """Let an editor complete these words where a text may stand."""
    key["anyOf"] = [{"enum": list(words)}, *key["anyOf"]]
