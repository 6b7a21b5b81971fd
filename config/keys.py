"""Where the keys are: the main key by reference, the store of all others, and a key service where there is one."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from config.declared import Address, Declared, matching, refusal
from config.places import SERVICE
from config.references import REFERENCE

KeyReference = Annotated[
    str,
    *matching(
        rf"(?:{REFERENCE}|{SERVICE}[A-Za-z0-9][A-Za-z0-9-]{{0,126}})",
        "a reference to a key: env:NAME, file:PATH, or service:NAME",
        "keep the key in the environment, in a file of its own or in a key service, and write where it is",
    ),
]


class RemoteKeys(Declared):
    """A key service that the council runs, from which main keys are read over HTTPS."""

    kind: Literal["hashicorp", "azure"] = Field(
        description="`hashicorp`: a key-value store, version 2, of Vault or OpenBao, with the main key in the field "
        "`key` of the secret. `azure`: the secrets of an Azure Key Vault, or of what speaks like one.",
        examples=["hashicorp"],
    )
    connect: dict[str, JsonValue] = Field(
        description="How it is reached, in the words of any connection over HTTP: `url`, `login`, `ca_bundle`, "
        "`timeout_seconds`, `proxy`. For `hashicorp` the url ends with the place of the secrets.",
        examples=[
            {
                "url": "https://vault.example.org/v1/secret/data",
                "login": {"api_key": {"header": "X-Vault-Token", "key": "file:/run/secrets/vault-token"}},
            }
        ],
    )


class Keys(Declared):
    """The keys by which everything about people is encrypted. Keep them apart from the database and its backup."""

    main: KeyReference = Field(
        default="file:var/keys/main.key",
        description="Where the main key is. A missing file is made on first use, readable by its owner only.",
        examples=["env:DOLEN_KEY"],
    )
    next: KeyReference | None = Field(
        default=None,
        description="Where the main key is that `dolen keys rotate` puts in place of `main`. Leave out where `main` is "
        "a file: the new key is made beside it.",
        examples=["env:DOLEN_KEY_NEXT"],
    )
    store: Address = Field(
        default="sqlite:///keys/keys.db",
        description="The database of the keys, never the ledger's own. A path without a leading slash is under the "
        "folder named by `data`. Where several machines share a ledger they share this too.",
        examples=["env:DOLEN_KEYS_URL"],
    )
    service: RemoteKeys | None = Field(
        default=None,
        description="The key service that `service:NAME` leads to.",
        examples=[{"kind": "azure", "connect": {"url": "https://council-keys.vault.azure.net"}}],
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.service is None and any((one or "").startswith(SERVICE) for one in (self.main, self.next)):
            raise refusal("service:NAME without `service`", "a key service", "describe it under keys.service")
        return self
