"""What a SOAP profile may say of an operation that judges a record and keeps nothing of it."""

from __future__ import annotations

from pydantic import Field

from connectors.profile import Name, PathText
from connectors.references import Closed


class SoapDryWrite(Closed):
    """An operation by which the system judges a record and keeps nothing of it. For `dolen doctor`."""

    operation: Name = Field(description="Operation of the WSDL.", examples=["CheckReferral"])
    record: PathText = Field(description="Where the record goes in the request.", examples=["Referral"])
    send: dict[PathText, str] = Field(
        default={},
        description="What else the request says, element by element: that nothing is to be kept, where the operation "
        "of the create is also the one that judges.",
        examples=[{"Options/ValidateOnly": "true"}],
    )
    leave_out: list[PathText] = Field(
        default=[],
        description="What is not shown of a record, beside the kind's own `leave_out`: its number, where the operation "
        "judges new ones alone.",
        examples=[["ReferralId"]],
    )
    accepted: PathText | None = Field(
        default=None,
        description="Where the answer says true or 1 of a record that would be taken. Leave out where a fault says no.",
        examples=["Acceptable"],
    )
