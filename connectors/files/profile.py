"""What the profile of a system that drops files may say: which files, how a record stands in them, when one is whole.

It names files by a pattern and fields by a path, and never holds a condition. Where the folder is and how one gets in
are settings of the connection.
"""

from __future__ import annotations

import codecs
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.profile import STEP, ItemPaths, Name, PathText, PinnedFile, Zone
from connectors.references import Closed

OFFERS = frozenset({"changes"})


def _file_pattern(pattern: str) -> str:
    if "/" in pattern or "\\" in pattern or pattern.startswith("."):
        raise ValueError("write a pattern for names in the one folder, such as referrals_*.csv")
    if not pattern.strip("*?[]"):
        raise ValueError("a pattern of signs alone takes every file: name what the extracts are called")
    return pattern


def _encoding(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise ValueError("no such encoding: write a name such as utf-8 or windows-1252") from None
    if found not in _ENCODINGS:
        raise ValueError(f"write one of {', '.join(_ENCODINGS)}")
    return found


def _one_sign(text: str) -> str:
    if len(text) != 1 or text in '"\r\n\0' or text.isalnum():
        raise ValueError('write the one sign between two fields, such as "," or "|"')
    return text


#: Encodings in which a line break is one byte and cannot be part of another letter.
_ENCODINGS = ("utf-8", "cp1252", "iso8859-1", "iso8859-14", "iso8859-15", "ascii")

FilePattern = Annotated[Name, AfterValidator(_file_pattern)]
Encoding = Annotated[str, AfterValidator(_encoding)]
Suffix = Annotated[str, Field(pattern=r"^\.[A-Za-z0-9_.-]+$", max_length=20)]


class Csv(Closed):
    """How a CSV file is written."""

    delimiter: Annotated[str, AfterValidator(_one_sign)] = Field(
        default=",", description="The sign between two fields.", examples=[",", "|"]
    )
    columns: list[Name] | None = Field(
        default=None,
        min_length=1,
        description="Names of the columns, where the files have no line of names. Left out, the first line names them.",
        examples=[["id", "surname", "changed"]],
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if self.columns is not None and len(set(self.columns)) < len(self.columns):
            raise ValueError("two columns have the same name: name each once")
        return self


class Trailer(Closed):
    """A last line that says how many records stand before it. CSV alone."""

    first: Name = Field(description="What stands in its first field.", examples=["TRL"])
    count: int = Field(
        ge=2, le=1000, description="Which of its fields holds the number of records; the first is 1.", examples=[2]
    )


class Control(Closed):
    """How a file says by itself that it is whole: exactly one of these keys."""

    trailer: Trailer | None = Field(default=None, description="A last line.", examples=[{"first": "TRL", "count": 2}])
    file: Suffix | None = Field(
        default=None,
        description="Ending of a second file beside it, which holds the number of records and nothing else.",
        examples=[".count"],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.trailer is None) == (self.file is None):
            raise ValueError("write either trailer or file")
        return self


class Drop(Closed):
    """Read files that the system drops into a folder."""

    feed: Literal["file-drop"] = Field(description="Kind of feed.", examples=["file-drop"])
    names: FilePattern = Field(description="Which files: * stands for any signs.", examples=["referrals_*.csv"])
    format: Literal["csv", "json-lines", "xml"] = Field(description="How records stand in them.", examples=["csv"])
    encoding: Encoding = Field(
        default="utf-8", description="How letters are written (not for XML, which says so itself).", examples=["utf-8"]
    )
    csv: Csv = Field(default=Csv(), description="For CSV alone.", examples=[{"delimiter": "|"}])
    items: Annotated[str, Field(pattern=rf"^{STEP}$")] | None = Field(
        default=None, description="For XML alone: the name of the element that is one record.", examples=["Referral"]
    )
    order: Literal["name", "time"] = Field(
        default="name",
        description="Which file comes first: by name (a date in it sorts), or by the time of its last change.",
        examples=["name"],
    )
    ready: Suffix | None = Field(
        default=None,
        description="Ending of an empty file that the system makes beside a file that is whole. Until it is there "
        "the file is not looked at. Left out, a file counts as whole once it has rested for `quiet_seconds`.",
        examples=[".done"],
    )
    quiet_seconds: int = Field(
        default=60,
        ge=0,
        le=86_400,
        description="How long a file must have rested, where nothing says that it is whole.",
        examples=[60],
    )
    control: Control | None = Field(
        default=None,
        description="Control total. A file that holds another number of records is taken as a whole for unreadable.",
        examples=[{"file": ".count"}],
    )
    of: int = Field(default=200, ge=1, le=10_000, description="Records that are taken in together.", examples=[200])
    after: Literal["keep", "move", "delete"] = Field(
        default="keep",
        description="What becomes of a file once all of it has been taken in. move: into the folder `taken` beside it.",
        examples=["move"],
    )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.format == "xml") != (self.items is not None):
            raise ValueError("items goes with format xml, and format xml needs it: name the element of one record")
        if self.format != "csv" and "csv" in self.model_fields_set:
            raise ValueError("csv goes with format csv")
        if self.format != "csv" and self.control is not None and self.control.trailer is not None:
            raise ValueError("a trailer goes with format csv: write control.file")
        return self


class RowRecord(Closed):
    """One kind of record that stands in files."""

    item: ItemPaths = Field(
        description="Where id, version and stamp stand. In CSV these are names of columns.", examples=[{"id": "id"}]
    )
    schema_: PinnedFile | None = Field(
        default=None,
        alias="schema",
        description="A JSON Schema of one record. Left out, nothing but the format itself is checked.",
        examples=["interfaces/referral-row.schema.json"],
    )
    required: list[PathText] = Field(
        default=[],
        description="Columns or fields that every record must have, so that a file of another kind is noticed.",
        examples=[["id", "surname"]],
    )


class FilesRecord(RowRecord):
    """One kind of record."""

    changes: Drop = Field(description="Where its records come from.", examples=[{"feed": "file-drop"}])

    @property
    def offers(self) -> frozenset[str]:
        """Files can be read and nothing else."""
        return OFFERS


class FilesProfile(Closed):
    """A system that drops files."""

    system: Name = Field(description="The system's name.", examples=["extract"])
    protocol: Literal["files"] = Field(description="Kind of interface.", examples=["files"])
    clock: Zone = Field(description="Zone of the system's times that carry no offset.", examples=["Europe/London"])
    records: dict[Name, FilesRecord] = Field(
        min_length=1, description="One section for each kind of record.", examples=[{"Referral": {}}]
    )
