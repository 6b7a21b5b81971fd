"""The settings of one connection: where a system is, how we log in, how fast and how long a call may be.

The same spelling everywhere: `url`, `username`, `password`, `timeout_seconds`. Any text may be a reference
(`env:NAME`, `file:PATH`); secrets must be one. References are resolved by the function that the caller passes as
`context={"secret": resolve}`, so this room never reads the environment.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    model_validator,
)

REFERENCE_PREFIXES = ("env:", "file:")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Closed(BaseModel):
    """A model that refuses keys it does not know and never shows what it was given."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, str_strip_whitespace=True)


def _resolver(info: ValidationInfo) -> Callable[[str], str]:
    resolve = (info.context or {}).get("secret")
    if resolve is None:
        raise ValueError("a reference cannot be resolved here: no secret resolver was given")
    return resolve  # type: ignore[no-any-return]


def _resolve_text(value: Any, info: ValidationInfo) -> Any:
    if isinstance(value, str) and value.startswith(REFERENCE_PREFIXES):
        return _resolver(info)(value)
    return value


def _resolve_secret(value: Any, info: ValidationInfo) -> Any:
    if not isinstance(value, str):
        raise ValueError("a secret is written as a reference: env:NAME or file:PATH")  # noqa: TRY004 - pydantic's way
    if not value.startswith(REFERENCE_PREFIXES):
        raise ValueError("a secret itself must not stand in a file: write env:NAME or file:PATH")
    return _resolver(info)(value)


def _one_line(value: str) -> str:
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in value):
        raise ValueError("holds a control character such as a line break; is there one at the end of the file?")
    return value


def _one_line_secret(value: SecretStr) -> SecretStr:
    _one_line(value.get_secret_value())
    return value


def _web_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write a whole address such as https://casework.example.org/soap")
    _ = parts.port  # raises ValueError for a port that is no number
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in the address: use `login`")
    if parts.fragment:
        raise ValueError("leave out the part behind #")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("write https: people's records must not travel in clear (http is for this machine alone)")
    return value


def _proxy_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("write the proxy as http://proxy.example.org:3128")
    return value


def _existing_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("there is no such file: write the path of a PEM file of certificates")
    return value


Resolved = BeforeValidator(_resolve_text)  # a text that may be a reference
Text = Annotated[str, BeforeValidator(_resolve_text), Field(min_length=1), AfterValidator(_one_line)]
Secret = Annotated[SecretStr, BeforeValidator(_resolve_secret), Field(min_length=1), AfterValidator(_one_line_secret)]
SecretBlock = Annotated[SecretStr, BeforeValidator(_resolve_secret), Field(min_length=1)]  # of several lines: a key
WebAddress = Annotated[str, BeforeValidator(_resolve_text), AfterValidator(_web_address)]


class BasicLogin(Closed):
    """HTTP Basic: a user name and password with every call."""

    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASEWORK_PASSWORD"])


class ApiKeyLogin(Closed):
    """A fixed key in a header of every call."""

    header: str = Field(pattern=r"^[A-Za-z0-9-]+$", description="Name of the header.", examples=["X-Api-Key"])
    key: Secret = Field(description="The key, as a reference.", examples=["env:TORFAEN_CONTACT_KEY"])


class OAuth2Login(Closed):
    """OAuth2 client credentials: a token is fetched, used until shortly before it ends, and renewed."""

    token_url: WebAddress = Field(description="Where tokens are given.", examples=["https://login.example.org/token"])
    client_id: Text = Field(description="Client id.", examples=["dolen"])
    client_secret: Secret = Field(description="Client secret, as a reference.", examples=["env:TORFAEN_CONTACT_SECRET"])
    scope: Text | None = Field(default=None, description="Scope to ask for.", examples=["requests.read requests.write"])


class WsSecurityLogin(Closed):
    """WS-Security UsernameToken in the header of every SOAP message."""

    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASEWORK_PASSWORD"])
    digest: bool = Field(
        default=False, description="Send a digest with nonce and time instead of the text.", examples=[True]
    )
    timestamp_seconds: int | None = Field(
        default=None,
        ge=1,
        le=3600,
        description="Add a Timestamp that is good for so many seconds. Leave out to send none.",
        examples=[300],
    )


class NotifyLogin(Closed):
    """GOV.UK Notify: one API key, from which the client signs a short-lived token for every call."""

    api_key: Secret = Field(description="API key, as a reference.", examples=["env:TORFAEN_NOTIFY_KEY"])


class Login(Closed):
    """How we log in: exactly one of these keys."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    basic: BasicLogin | None = Field(default=None, description="HTTP Basic.", examples=[{"username": "dolen"}])
    api_key: ApiKeyLogin | None = Field(
        default=None, description="Key in a header.", examples=[{"header": "X-Api-Key"}]
    )
    oauth2: OAuth2Login | None = Field(
        default=None, description="Client credentials.", examples=[{"client_id": "dolen"}]
    )
    ws_security: WsSecurityLogin | None = Field(
        default=None, description="WS-Security UsernameToken (SOAP only).", examples=[{"username": "dolen"}]
    )
    notify: NotifyLogin | None = Field(
        default=None, description="GOV.UK Notify only.", examples=[{"api_key": "env:TORFAEN_NOTIFY_KEY"}]
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            known = ", ".join(type(self).model_fields)
            raise ValueError(f"write exactly one way to log in ({known}); found {', '.join(given) or 'none'}")
        return self

    @property
    def kind(self) -> str:
        """The one key that was given."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)


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
    ca_bundle: Annotated[Path, BeforeValidator(_resolve_text), AfterValidator(_existing_file)] | None = Field(
        default=None,
        description="PEM file of the only authorities to trust. Leave out to trust the machine's and the public ones.",
        examples=["/etc/dolen/council-ca.pem"],
    )
    proxy: Annotated[str, BeforeValidator(_resolve_text), AfterValidator(_proxy_address)] | None = Field(
        default=None,
        description="Proxy for this connection. The environment's proxy settings are not used.",
        examples=["http://proxy.example.org:3128"],
        repr=False,
    )
    max_reply_bytes: int = Field(
        default=20_000_000,
        ge=1_000,
        le=200_000_000,
        description="A reply longer than this, unpacked, is not read.",
        examples=[20_000_000],
    )


class SoapSettings(HttpSettings):
    """A connection to a SOAP system. Login: ws_security, basic or api_key."""

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        return _login_among(self, ("ws_security", "basic", "api_key"), "SOAP")


class RestSettings(HttpSettings):
    """A connection to a REST system. Login: oauth2, basic or api_key."""

    @model_validator(mode="after")
    def _login_fits(self) -> Self:
        return _login_among(self, ("oauth2", "basic", "api_key"), "REST")


Settings = TypeVar("Settings", bound=HttpSettings)


def _login_among(settings: Settings, fit: tuple[str, ...], protocol: str) -> Settings:
    if settings.login is not None and settings.login.kind not in fit:
        raise ValueError(f"login {settings.login.kind} does not fit {protocol}: write one of {', '.join(fit)}")
    return settings
