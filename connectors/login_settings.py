"""The ways to log in that a connection's settings may name, each a closed section of its own."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from connectors.references import Closed, Field_, HeaderName, Secret, SecretBlock, Text, WebAddress

_SHORTEST = 32  # bytes of a secret for HS256, as the standard wants


class BasicLogin(Closed):
    """HTTP Basic: a user name and password with every call."""

    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASEWORK_PASSWORD"])


class ApiKeyLogin(Closed):
    """A fixed key in a header of every call."""

    header: str = Field(pattern=r"^[A-Za-z0-9-]+$", description="Name of the header.", examples=["X-Api-Key"])
    key: Secret = Field(description="The key, as a reference.", examples=["env:TORFAEN_CONTACT_KEY"])


class SigningKey(Closed):
    """A private key that signs, and what the other side knows it by."""

    private_key: SecretBlock = Field(
        description="The private key in PEM form, as a reference.", examples=["file:secrets/signing-key.pem"]
    )
    key_id: Text | None = Field(default=None, description="Its name at the other side (kid).", examples=["dolen-1"])
    algorithm: Literal["RS256", "RS384", "RS512", "ES256", "ES384"] = Field(
        default="RS256", description="How it signs. NHS England's login takes RS512.", examples=["RS512"]
    )


class OAuth2Login(Closed):
    """OAuth2 client credentials: a token is fetched, used until shortly before it ends, and renewed."""

    token_url: WebAddress = Field(description="Where tokens are given.", examples=["https://login.example.org/token"])
    client_id: Text = Field(description="Client id.", examples=["dolen"])
    client_secret: Secret | None = Field(
        default=None, description="Client secret, as a reference.", examples=["env:TORFAEN_CONTACT_SECRET"]
    )
    assertion: SigningKey | None = Field(
        default=None,
        description="In place of a secret: a key that signs who we are (RFC 7523).",
        examples=[{"private_key": "file:secrets/signing-key.pem", "key_id": "dolen-1"}],
    )
    act_as: Text | None = Field(
        default=None,
        description="With an assertion: the user for whom we act. What we sign is then the grant itself (RFC 7523, "
        "2.1), as Salesforce's JWT bearer flow wants it.",
        examples=["dolen@example.org"],
    )
    audience: Text | None = Field(
        default=None,
        description="For whom an assertion is, where that is not token_url.",
        examples=["https://login.example.org"],
    )
    scope: Text | None = Field(default=None, description="Scope to ask for.", examples=["requests.read requests.write"])

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.client_secret is None) == (self.assertion is None):
            raise ValueError("write either client_secret or assertion")
        if self.assertion is None and (self.act_as is not None or self.audience is not None):
            raise ValueError("act_as and audience go with assertion")
        return self


class TokenLogin(Closed):
    """A sign-in call that gives a token, which goes with every call until it ends or is refused."""

    sign_in_url: WebAddress = Field(
        description="Where one signs in; the call is a POST.", examples=["https://cases.example.org/api/sign-in"]
    )
    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASES_PASSWORD"])
    username_field: Field_ = Field(default="username", description="Field that takes the user name.", examples=["user"])
    password_field: Field_ = Field(default="password", description="Field that takes the password.", examples=["pass"])
    body: Literal["json", "form"] = Field(default="json", description="How the fields are sent.", examples=["form"])
    token: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*(/[A-Za-z_][A-Za-z0-9_-]*)*$")] = Field(
        default="token", description="Where the token stands in the answer.", examples=["data/access_token"]
    )
    good_for_seconds: int = Field(
        default=300, ge=5, le=86_400, description="How long it is used before one signs in again.", examples=[1800]
    )
    header: HeaderName = Field(default="Authorization", description="Header that carries it.", examples=["X-Token"])
    prefix: str = Field(
        default="Bearer ", pattern=r"^[A-Za-z]*[ ]?$", description="What stands before it.", examples=["", "Token "]
    )
    api_key: ApiKeyLogin | None = Field(
        default=None,
        description="A fixed key that goes with every call beside it, and with the sign-in.",
        examples=[{"header": "X-Api-Key", "key": "env:TORFAEN_CASES_KEY"}],
    )


class SessionLogin(Closed):
    """A sign-in call that gives a cookie, which goes with every call until the session is over."""

    sign_in_url: WebAddress = Field(
        description="Where one signs in; the call is a POST.", examples=["https://cases.example.org/logon"]
    )
    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASES_PASSWORD"])
    username_field: Field_ = Field(default="username", description="Field that takes the user name.", examples=["user"])
    password_field: Field_ = Field(default="password", description="Field that takes the password.", examples=["pass"])
    body: Literal["json", "form"] = Field(default="form", description="How the fields are sent.", examples=["json"])
    cookie: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] = Field(
        description="The cookie that is the session.", examples=["JSESSIONID"]
    )
    good_for_seconds: int = Field(
        default=900, ge=5, le=86_400, description="How long it is used before one signs in again.", examples=[900]
    )
    sign_in_page: Annotated[str, Field(pattern=r"^/[^?#\s]*$")] | None = Field(
        default=None,
        description="Path to which the system redirects whoever is not signed in. A call that is answered so was not "
        "done. Left out, only HTTP 401 tells that a session is over.",
        examples=["/login"],
    )


class SignedLogin(Closed):
    """A token that we sign ourselves, anew for each call (JWT, RFC 7519)."""

    issuer: Text = Field(description="Who we are (iss).", examples=["dolen"])
    audience: Text | None = Field(
        default=None, description="For whom it is (aud).", examples=["https://cases.example.org"]
    )
    subject: Text | None = Field(default=None, description="For whom we act (sub).", examples=["dolen"])
    secret: Secret | None = Field(
        default=None, description="A shared secret that signs (HS256), as a reference.", examples=["env:CASES_SIGNING"]
    )
    key: SigningKey | None = Field(
        default=None, description="Or a private key that signs.", examples=[{"private_key": "file:secrets/key.pem"}]
    )
    good_for_seconds: int = Field(default=60, ge=5, le=3600, description="How long each is good.", examples=[60])

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if (self.secret is None) == (self.key is None):
            raise ValueError("write either secret or key")
        if self.secret is not None and len(self.secret.get_secret_value().encode()) < _SHORTEST:
            raise ValueError(f"a secret that signs has {_SHORTEST} bytes or more (RFC 7518, 3.2): ask for a longer one")
        return self


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


class SoapSignInLogin(Closed):
    """User name and password for the sign-in operation that a SOAP profile describes (`sign_in`)."""

    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_CASES_PASSWORD"])
    sign_in_url: WebAddress | None = Field(
        default=None,
        description="Where one signs in, where that is not the connection's url.",
        examples=["https://cases.example.org/soap/logon"],
    )


class NotifyLogin(Closed):
    """GOV.UK Notify: one API key, from which the client signs a short-lived token for every call."""

    api_key: Secret = Field(description="API key, as a reference.", examples=["env:TORFAEN_NOTIFY_KEY"])


class MeshLogin(Closed):
    """NHS MESH: a token that is good for one call, made from the mailbox's password and the environment's secret."""

    mailbox: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,100}$")] = Field(
        description="Our mailbox.", examples=["X26OT001"]
    )
    password: Secret = Field(description="The mailbox's password, as a reference.", examples=["env:MESH_PASSWORD"])
    shared_key: Secret = Field(
        description="The environment's shared secret, as a reference.", examples=["env:MESH_SHARED_KEY"]
    )


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
    token: TokenLogin | None = Field(
        default=None, description="A sign-in that gives a token.", examples=[{"username": "dolen"}]
    )
    session: SessionLogin | None = Field(
        default=None, description="A sign-in that gives a cookie.", examples=[{"username": "dolen"}]
    )
    signed: SignedLogin | None = Field(
        default=None, description="A token that we sign for each call.", examples=[{"issuer": "dolen"}]
    )
    ws_security: WsSecurityLogin | None = Field(
        default=None, description="WS-Security UsernameToken (SOAP only).", examples=[{"username": "dolen"}]
    )
    soap_sign_in: SoapSignInLogin | None = Field(
        default=None, description="A sign-in by an operation of the WSDL (SOAP only).", examples=[{"username": "dolen"}]
    )
    notify: NotifyLogin | None = Field(
        default=None, description="GOV.UK Notify only.", examples=[{"api_key": "env:TORFAEN_NOTIFY_KEY"}]
    )

    mesh: MeshLogin | None = Field(
        default=None, description="NHS MESH only.", examples=[{"mailbox": "X26OT001", "password": "env:MESH_PASSWORD"}]
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
