"""The settings of one connection: where a system is, how we log in, how fast and how long a call may be.

The same spelling everywhere: `url`, `username`, `password`, `timeout_seconds`. Single values are those of
`connectors.references`, ways to log in those of `connectors.login_settings`.
"""

from __future__ import annotations

from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from connectors.login_settings import BasicLogin, Login
from connectors.push.settings import PushSettings
from connectors.references import Closed, ExistingFile, Resolved, Secret, WebAddress, proxy_address


class Limits(Closed):
    """How fast the system may be called, by all of Dolen together."""

    calls_a_second: float | None = Field(
        default=None, gt=0, le=1000, description="Calls a second, spread evenly. Leave out for no limit.", examples=[5]
    )
    at_once: int = Field(default=4, ge=1, le=64, description="Calls under way at the same time.", examples=[4])
    polls_a_day: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="How often it may be asked for changes in one day of the council; regular reading is spread over "
        "the day to keep to it. Leave out for no limit.",
        examples=[288],
    )


class HttpSettings(Closed):
    """What every connection over HTTP has."""

    url: WebAddress = Field(
        description="Address of the system's interface; may be a reference.",
        examples=["https://casework.example.org/soap"],
    )
    login: Login | None = Field(
        default=None,
        description="How we log in. Leave out only if the system asks for none.",
        examples=[{"basic": {"username": "dolen", "password": "env:TORFAEN_CASEWORK_PASSWORD"}}],
    )
    timeout_seconds: float = Field(
        default=20.0,
        gt=0,
        le=600,
        description="How long one call may take in all, from the name look-up to the last byte.",
        examples=[20],
    )
    limits: Limits = Field(
        default=Limits(), description="How fast the system may be called.", examples=[{"at_once": 4}]
    )
    ca_bundle: ExistingFile | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out to trust the machine's and the public ones.",
        examples=["/etc/dolen/council-ca.pem"],
    )
    private_network: bool = Field(
        default=False,
        description="The system is on a private network, and its name may lead to an address there. An address that "
        "stands in `url` as itself needs no such word. Link-local addresses are never called.",
        examples=[True],
    )
    client_certificate: ExistingFile | None = Field(
        default=None,
        description="Mutual TLS: PEM file of our own certificate and of what leads up to it.",
        examples=["/etc/dolen/client.pem"],
    )
    client_key: ExistingFile | None = Field(
        default=None,
        description="PEM file of its private key, readable by Dolen's account alone.",
        examples=["/etc/dolen/client-key.pem"],
    )
    client_key_passphrase: Secret | None = Field(
        default=None, description="Its passphrase, as a reference, if it has one.", examples=["env:KEY_PASSPHRASE"]
    )
    proxy: Annotated[str, Resolved, AfterValidator(proxy_address)] | None = Field(
        default=None,
        description="Proxy for this connection. The environment's proxy settings are not used.",
        examples=["http://proxy.example.org:3128"],
        repr=False,
    )
    proxy_login: BasicLogin | None = Field(
        default=None,
        description="How the proxy is logged in to, if it asks.",
        examples=[{"username": "dolen", "password": "env:PROXY_PASSWORD"}],
    )
    interface_url: WebAddress | None = Field(
        default=None,
        description="Where the system shows its interface today, where that is not the profile's place. On the host of "
        "`url`, which is the only one that is asked.",
        examples=["https://casework.example.org/soap?singleWsdl"],
    )
    push: PushSettings | None = Field(
        default=None,
        description="How the system proves the calls that it makes to us. Leave out: none are taken.",
        examples=[{"signature": {"secrets": ["env:TORFAEN_CONTACT_PUSH_SECRET"]}}],
    )
    max_reply_bytes: int = Field(
        default=20_000_000,
        ge=1_000,
        le=200_000_000,
        description="A reply longer than this, unpacked, is not read.",
        examples=[20_000_000],
    )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        if (self.client_certificate is None) != (self.client_key is None):
            raise ValueError("client_certificate and client_key go together: write both")
        if self.client_key_passphrase is not None and self.client_key is None:
            raise ValueError("client_key_passphrase goes with client_key")
        if self.proxy_login is not None and self.proxy is None:
            raise ValueError("proxy_login goes with proxy")
        return self


OVER_HTTP = ("oauth2", "basic", "api_key", "token", "session", "signed")


class SoapSettings(HttpSettings):
    """A connection to a SOAP system. Login: ws_security, soap_sign_in, basic, api_key, oauth2, token, session or
    signed."""

    addressed_to: WebAddress | None = Field(
        default=None,
        description="What WS-Addressing's To says, where the system knows itself by another address than `url` (it "
        "stands behind a gateway). Nothing is sent there.",
        examples=["https://cases.internal.example.org/soap"],
    )

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        return _login_among(self, ("ws_security", "soap_sign_in", *OVER_HTTP), "SOAP")


class RestSettings(HttpSettings):
    """A connection to a REST system. Login: oauth2, basic, api_key, token, session or signed."""

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        return _login_among(self, OVER_HTTP, "REST")


Settings = TypeVar("Settings", bound=HttpSettings)


def _login_among(settings: Settings, fit: tuple[str, ...], protocol: str) -> Settings:
    if settings.login is not None and settings.login.kind not in fit:
        raise ValueError(f"login {settings.login.kind} does not fit {protocol}: write one of {', '.join(fit)}")
    return settings
