"""What a SOAP profile may say of documents: the operation that adds one to a record, and how ours is looked for."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from connectors.port import Tier
from connectors.profile import ListPath, Name, PathText
from connectors.references import Closed


class SoapDocumentAdd(Closed):
    """Add a document to a record: one call, with the file in Base64 in one of its elements."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["AddDocument"])
    id: PathText = Field(description="Where the record's id goes in the request.", examples=["ReferralId"])
    data: PathText = Field(description="The element that takes the file, in Base64.", examples=["Document/Content"])
    name: PathText | None = Field(
        default=None, description="Where the file's name goes in the request.", examples=["Document/FileName"]
    )
    mime: PathText | None = Field(
        default=None, description="Where its media type goes in the request.", examples=["Document/MediaType"]
    )
    our_key: PathText | None = Field(
        default=None, description="Where our key goes in the request.", examples=["Document/ClientReference"]
    )
    keeps_key: bool = Field(
        default=False, description="The same key never makes a second document of the record.", examples=[True]
    )
    send: dict[PathText, str] = Field(
        default={}, description="What else the request says, element by element.", examples=[{"User": "dolen"}]
    )
    number: PathText | None = Field(
        default=None, description="Where the answer tells the document's own id.", examples=["DocumentId"]
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.keeps_key and self.our_key is None:
            raise ValueError("keeps_key needs our_key: name the element that takes our key")
        places = self.sends
        if doubled := sorted({path for path in places if places.count(path) > 1}):
            raise ValueError(f"{doubled[0]} is named twice: each element takes one thing")
        return self

    @property
    def sends(self) -> list[str]:
        """Every path of the request that is written."""
        told = (self.id, self.data, self.name, self.mime, self.our_key)
        return [*(path for path in told if path is not None), *self.send]


class SoapDocumentFind(Closed):
    """List the documents of a record, to see whether one of ours is there."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["FindDocuments"])
    id: PathText = Field(description="Where the record's id goes in the request.", examples=["ReferralId"])
    items: ListPath = Field(description="The documents in the reply.", examples=["Document[]"])
    our_key: PathText = Field(description="Where, in one of them, our key stands.", examples=["ClientReference"])
    number: PathText | None = Field(
        default=None, description="Where, in one of them, its own id stands.", examples=["DocumentId"]
    )


class SoapDocuments(Closed):
    """The documents of one kind of record."""

    add: SoapDocumentAdd = Field(description="Add one.", examples=[{"operation": "AddDocument"}])
    find: SoapDocumentFind | None = Field(
        default=None, description="See whether ours is there.", examples=[{"operation": "FindDocuments"}]
    )

    @model_validator(mode="after")
    def _findable(self) -> Self:
        if self.find is not None and self.add.our_key is None:
            raise ValueError("find needs add.our_key: what was added without our key cannot be found by it")
        return self

    @property
    def tier(self) -> Tier:
        """How adding a document is made to happen once."""
        if self.add.keeps_key:
            return Tier.KEEPS_KEY
        return Tier.SEARCHABLE if self.find is not None else Tier.NEITHER

    @property
    def offers(self) -> frozenset[str]:
        """What is declared, in the words of the port."""
        return frozenset({"create", *(("find",) if self.find is not None else ())})
