"""What a REST profile may say of the documents that belong to a record: how one is fetched, added and looked for."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.port import Tier
from connectors.profile import PathText
from connectors.references import Closed
from connectors.rest.profile_paths import HeaderName, IdPath, ItemsPath, ParameterName, url_path

JsonField = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.@-]{0,119}$")]


def _to_document(path: str) -> str:
    if "{ref}" not in url_path(path, frozenset({"id", "ref"})):
        raise ValueError("write {ref} where the document's reference stands, such as /requests/{id}/documents/{ref}")
    return path


def _perhaps_with_id(path: str) -> str:
    return url_path(path, frozenset({"id"}))


class DocumentFetch(Closed):
    """Fetch one document by its reference, as the record names it (attachments[].url_or_ref)."""

    path: Annotated[str, AfterValidator(_to_document)] = Field(
        description="Path below the connection's url; a reference that is an address of its own is never followed.",
        examples=["/requests/{id}/documents/{ref}"],
    )


class DocumentAdd(Closed):
    """Add a document to a record."""

    method: Literal["POST", "PUT"] = Field(default="POST", description="HTTP method.", examples=["POST"])
    path: Annotated[str, AfterValidator(_perhaps_with_id)] = Field(
        description="Path below the connection's url.", examples=["/requests/{id}/documents"]
    )
    sent_as: Literal["multipart", "raw", "json"] = Field(
        default="multipart",
        description="multipart: a form with the file in it (RFC 7578). raw: the bytes alone are the body. json: a "
        "record of the system with the file in Base64 as one of its fields.",
        examples=["raw"],
    )
    data: JsonField | None = Field(
        default=None, description="json: the field that takes the file, in Base64.", examples=["documentbody"]
    )
    fields: dict[JsonField, str] = Field(
        default={},
        description="json: the other fields; {id} is the record's, {our_key}, {name} and {mime} are the document's.",
        examples=[{"filename": "{name}", "subject": "{our_key}"}],
    )
    file_field: ParameterName = Field(default="file", description="multipart: the file's field.", examples=["file"])
    name_field: ParameterName | None = Field(
        default=None, description="multipart: a field for the file's name as well.", examples=["title"]
    )
    name_header: HeaderName | None = Field(
        default=None, description="raw: header for the file's name, percent-encoded UTF-8.", examples=["X-File-Name"]
    )
    key_field: ParameterName | None = Field(
        default=None, description="multipart: the field that takes our key.", examples=["reference"]
    )
    key_header: HeaderName | None = Field(
        default=None, description="Header that carries our key.", examples=["Idempotency-Key"]
    )
    keeps_key: bool = Field(
        default=False, description="The same key never makes a second document of the record.", examples=[True]
    )
    id: PathText = Field(default="id", description="Where the answer tells the document's id.", examples=["id"])

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if self.keeps_key and not (self.key_field or self.key_header or self._tells_key):
            raise ValueError("keeps_key needs a place for our key: key_field or key_header, or {our_key} in fields")
        if (self.sent_as == "json") != (self.data is not None) or (self.fields and self.data is None):
            raise ValueError("data and fields are of a record: write sent_as: json and data together")
        if self.sent_as != "multipart" and (self.key_field or self.name_field):
            raise ValueError("key_field and name_field are fields of a form: write sent_as: multipart, or use headers")
        if "{id}" not in self.path and not any("{id}" in told for told in self.fields.values()):
            raise ValueError("write {id} where the record's id stands: in path, or with sent_as: json in fields")
        if self.data in self.fields:
            raise ValueError("fields holds the field that takes the file: take it out there")
        return self

    @property
    def _tells_key(self) -> bool:
        return any("{our_key}" in told for told in self.fields.values())


class DocumentFind(Closed):
    """List the documents of a record, to see whether one of ours is there."""

    path: IdPath = Field(description="Path below the connection's url.", examples=["/requests/{id}/documents"])
    items: ItemsPath = Field(description="The documents in the reply.", examples=["documents[]"])
    our_key: PathText = Field(description="Where, in one of them, our key stands.", examples=["reference"])
    id: PathText = Field(default="id", description="And the document's id.", examples=["id"])


class RestDocuments(Closed):
    """The documents of one kind of record."""

    fetch: DocumentFetch | None = Field(
        default=None, description="Fetch one.", examples=[{"path": "/requests/{id}/documents/{ref}"}]
    )
    add: DocumentAdd | None = Field(
        default=None, description="Add one.", examples=[{"path": "/requests/{id}/documents"}]
    )
    find: DocumentFind | None = Field(
        default=None, description="See whether ours is there.", examples=[{"items": "documents[]"}]
    )

    @property
    def tier(self) -> Tier:
        """How adding a document is made to happen once."""
        if self.add is not None and self.add.keeps_key:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if self.find is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        told = {"fetch": self.fetch, "create": self.add, "find": self.find}
        return frozenset(name for name, section in told.items() if section is not None)
