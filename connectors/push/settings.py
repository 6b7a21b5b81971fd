"""How a supplier proves that a push is its own: a connection's `push` section.

Each way is a closed section; where several are given, all must hold. Secrets are references, and several may be good
at once, so that they can be changed without a gap.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from connectors.login_settings import BasicLogin
from connectors.references import Closed, HeaderName, Secret

_PIECES = ("{id}", "{timestamp}", "{body}")


def _template(value: str) -> str:
    rest = value
    for piece in _PIECES:
        if value.count(piece) > 1:
            raise ValueError(f"holds {piece} twice")
        rest = rest.replace(piece, "")
    if "{body}" not in value:
        raise ValueError("must hold {body}: a signature that leaves the body out proves nothing")
    if "{" in rest or "}" in rest:
        raise ValueError("may hold {id}, {timestamp} and {body} in braces and nothing else")
    return value


def _window(value: timedelta) -> timedelta:
    if not timedelta(seconds=10) <= value <= timedelta(hours=1):
        raise ValueError("write a duration from PT10S to PT1H, such as PT5M")
    return value


class Signature(Closed):
    """A signature over the body (HMAC, RFC 2104). The defaults are those of Standard Webhooks, with its id and time."""

    secrets: list[Secret] = Field(
        min_length=1,
        max_length=4,
        description="The shared secrets, as references; any one may have signed, so that they can be changed.",
        examples=[["env:TORFAEN_CONTACT_PUSH_SECRET"]],
    )
    key_is: Literal["text", "base64", "hex"] = Field(
        default="text",
        description="What a secret is: its own bytes, or bytes written in base64 (whsec_ before it is taken off) or "
        "hexadecimal.",
        examples=["base64"],
    )
    algorithm: Literal["sha256", "sha384", "sha512"] = Field(
        default="sha256", description="Which hash.", examples=["sha256"]
    )
    header: HeaderName = Field(
        default="webhook-signature", description="Header with the signature.", examples=["X-Hub-Signature-256"]
    )
    prefix: str = Field(
        default="v1,",
        pattern=r"^[\x21-\x7e]*$",
        max_length=20,
        description="What stands before it; several signatures may stand in the header, with spaces between.",
        examples=["sha256="],
    )
    encoding: Literal["base64", "hex"] = Field(
        default="base64", description="How the signature is written.", examples=["hex"]
    )
    signed: Annotated[str, AfterValidator(_template), Field(max_length=100)] = Field(
        default="{id}.{timestamp}.{body}",
        description="What is signed: {id}, {timestamp} and {body} are put in as they came.",
        examples=["{timestamp}.{body}"],
    )
    id_header: HeaderName | None = Field(
        default="webhook-id",
        description="Header with the push's own id, the same when it is sent again.",
        examples=["X-Request-Id"],
    )
    timestamp_header: HeaderName | None = Field(
        default="webhook-timestamp", description="Header with the time of sending.", examples=["X-Timestamp"]
    )
    timestamp_is: Literal["seconds", "milliseconds", "iso"] = Field(
        default="seconds", description="How the time is written: since 1970, or as ISO 8601.", examples=["iso"]
    )
    window: Annotated[timedelta, AfterValidator(_window)] = Field(
        default=timedelta(minutes=5),
        description="How far the time of sending may be from ours, either way; what is older is a replay.",
        examples=["PT5M"],
    )

    @model_validator(mode="after")
    def _pieces_have_headers(self) -> Self:
        if "{id}" in self.signed and self.id_header is None:
            raise ValueError("signed holds {id}: name its header in id_header")
        if "{timestamp}" in self.signed and self.timestamp_header is None:
            raise ValueError("signed holds {timestamp}: name its header in timestamp_header")
        return self


class Bearer(Closed):
    """A fixed token in the Authorization header."""

    tokens: list[Secret] = Field(
        min_length=1,
        max_length=4,
        description="The tokens, as references; any one is good, so that they can be changed.",
        examples=[["env:TORFAEN_CONTACT_PUSH_TOKEN"]],
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        if any(len(token.get_secret_value()) < 16 for token in self.tokens):
            raise ValueError("a token has 16 characters or more: a short one can be guessed")
        return self


class ProxyCertificate(Closed):
    """Mutual TLS that a proxy in front of us ended: it tells the fingerprint of the certificate that it checked."""

    header: HeaderName = Field(
        description="Header in which the proxy tells it; the proxy must take away what a caller wrote there.",
        examples=["X-Client-Certificate-Sha256"],
    )
    fingerprints: list[Annotated[str, Field(pattern=r"^[0-9A-Fa-f:]{64,95}$")]] = Field(
        min_length=1,
        max_length=8,
        description="SHA-256 fingerprints of the certificates that may call, hexadecimal.",
        examples=[["7f" * 32]],
    )
    proxies: list[Annotated[str, Field(pattern=r"^[0-9A-Fa-f.:]{2,45}$")]] = Field(
        min_length=1,
        description="Addresses of the proxies; from anywhere else the header is not believed.",
        examples=[["127.0.0.1"]],
    )


class PushSettings(Closed):
    """How the system proves a push. One way at least; where several are given, all must hold."""

    signature: Signature | None = Field(
        default=None, description="A signature over the body.", examples=[{"secrets": ["env:PUSH_SECRET"]}]
    )
    bearer: Bearer | None = Field(default=None, description="A token.", examples=[{"tokens": ["env:PUSH_TOKEN"]}])
    basic: BasicLogin | None = Field(
        default=None,
        description="User name and password (HTTP Basic).",
        examples=[{"username": "contact", "password": "env:PUSH_PASSWORD"}],
    )
    certificate: ProxyCertificate | None = Field(
        default=None, description="A client certificate that a proxy checked.", examples=[{"header": "X-Client-Cert"}]
    )

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if not given:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"write at least one of {known}: anybody could push otherwise")
        if self.bearer is not None and self.basic is not None:
            raise ValueError("bearer and basic stand in the same header: write one of them")
        return self
