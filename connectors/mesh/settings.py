"""The settings of a connection to NHS MESH."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from connectors.settings import HttpSettings

Mailbox = Annotated[str, Field(pattern=r"^[A-Z0-9]{1,100}$")]
LARGEST = 100_000_000  # bytes of one request: the contract's limit, beyond which a message goes in chunks


class MeshSettings(HttpSettings):
    """A connection to NHS MESH. Login: mesh; mutual TLS goes beside it."""

    to: Mailbox | None = Field(
        default=None, description="The mailbox to which we send.", examples=["X26OT002"]
    )
    senders: list[Mailbox] | None = Field(
        default=None,
        min_length=1,
        description="The mailboxes whose messages are taken; those of others stay in the inbox. Leave out for all.",
        examples=[["X26OT002"]],
    )
    chunk_bytes: int = Field(
        default=LARGEST,
        ge=1_000,
        le=LARGEST,
        description="A message that is longer, packed, goes in chunks of at most so many bytes.",
        examples=[50_000_000],
    )

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        if self.login is None or self.login.mesh is None:
            raise ValueError("MESH needs login.mesh: the mailbox, its password and the shared key")
        return self
