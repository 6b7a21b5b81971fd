"""What a message to a resident must be made of before it may go to GOV.UK Notify: a text, an email or a letter."""

from __future__ import annotations

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors.errors import Rejected
from connectors.port import Record

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
FEWEST_LINES, MOST_LINES = 3, 7  # of an address; the last is the postcode, or a country outside the United Kingdom


class Message(BaseModel):
    """One message. A letter has `address`, its last line the postcode; a text and an email have `to`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)

    channel: Literal["text", "email", "letter"]
    to: str | None = Field(default=None, min_length=3, max_length=320, repr=False)
    address: list[str] | None = Field(default=None, min_length=FEWEST_LINES, max_length=MOST_LINES, repr=False)
    template_id: str = Field(pattern=f"(?i)^{ID.pattern}$")
    personalisation: dict[str, str | int] = Field(default={}, repr=False)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> Self:
        if (self.to is None) is not (self.channel == "letter") or (self.address is None) is (self.channel == "letter"):
            raise ValueError("a letter has an address, a text or an email has to")
        if any(name.startswith("address_line_") for name in self.personalisation):
            raise ValueError("the lines of an address stand in address")
        if self.address is not None and any(not line.strip() or len(line) > 200 for line in self.address):
            raise ValueError("each line of an address has something in it")
        return self

    @property
    def recipient(self) -> str:
        """What a list of permitted recipients is asked about: the number, the email address, or the postcode."""
        return self.to if self.to is not None else (self.address or [""])[-1]

    @property
    def filled(self) -> dict[str, str | int]:
        """The placeholders; with a letter's address among them, as Notify takes it."""
        lines = {f"address_line_{number}": line for number, line in enumerate(self.address or (), 1)}
        return {**self.personalisation, **lines}


def checked(record: Record) -> Message:
    """Return the record as a message. Raises Rejected, naming a field and no value."""
    try:
        return Message.model_validate(record)
    except ValidationError as error:
        first: Any = error.errors(include_input=False, include_context=False, include_url=False)[0]
        field = str(first["loc"][0]) if first["loc"] else ""
        if not field and isinstance(record, dict):  # said of the whole: it has no way to anybody, or one too many
            field = "address" if record.get("channel") == "letter" else "to"
        field = field if field in Message.model_fields else ""
        raise Rejected(f"the text is not what Notify takes, at {field or '?'}; nothing was sent", field=field) from None
