"""What the profile of a FHIR R4 server may say of documents: how a DocumentReference is made for one of ours."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from connectors.port import Tier
from connectors.references import Closed

#: What the connector writes itself (FHIR R4, documentreference.html).
OURS = ("resourceType", "id", "meta", "identifier", "status", "subject", "context", "content")


def _not_ours(says: dict[str, Any]) -> dict[str, Any]:
    if wrong := sorted(set(says) & set(OURS)):
        raise ValueError(f"{wrong[0]} of a DocumentReference is written by the connector: take it out of says")
    return says


class FhirDocuments(Closed):
    """Documents are handed over as DocumentReference with the file in it, made on condition that none bears our key.

    The server must take conditional creates of it (FHIR R4, http.html#ccreate) and searches by identifier.
    """

    about: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{1,59}$")] = Field(
        description="The resource of the record that the document belongs to: it becomes context.related.",
        examples=["ServiceRequest"],
    )
    subject: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{1,59}$")] | None = Field(
        default=None, description="The resource that the document is of: it becomes subject.", examples=["Patient"]
    )
    says: Annotated[dict[str, Any], AfterValidator(_not_ours)] = Field(
        default={},
        description="Elements that every DocumentReference has, as FHIR writes them: type, category, securityLabel.",
        examples=[{"type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}}],
    )

    @property
    def tier(self) -> Tier:
        """A conditional create keeps our key."""
        return Tier.KEEPS_KEY

    @property
    def offers(self) -> frozenset[str]:
        """What can be done with documents, in the words of the port."""
        return frozenset({"create", "find"})
