"""What a SOAP profile may say of a message's header: WS-Addressing, and a login that an operation of the WSDL gives."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.profile import Errors, Name, PathText
from connectors.references import Closed

ActionText = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", max_length=500)]


class Addressing(Closed):
    """WS-Addressing 1.0 (W3C, 2006) with every message: To, Action, MessageID, ReplyTo.

    To is the connection's url, or its `addressed_to`. An answer that says to which message it belongs must name ours.
    """

    reply_to: Literal["anonymous"] = Field(
        description="Where answers go: back on the connection on which we asked. No other way is carried.",
        examples=["anonymous"],
    )
    must_understand: bool = Field(
        default=False, description="Mark Action and To as headers that must be understood.", examples=[True]
    )
    actions: dict[Name, ActionText] = Field(
        default={},
        description="By operation: its Action, where the WSDL states none (wsam:Action or soapAction) or a wrong one.",
        examples=[{"FindCases": "urn:example:cases/FindCases"}],
    )


class TokenHeader(Closed):
    """The element of a message's header that carries a token."""

    element: Name = Field(
        description="Its name, as the WSDL's schema declares it; {namespace}name where several have it.",
        examples=["SessionHeader"],
    )
    token: PathText | None = Field(
        default=None, description="Where in it the token stands. Left out: it is its text.", examples=["SessionId"]
    )
    send: dict[PathText, str] = Field(
        default={}, description="What else stands in it, element by element.", examples=[{"Application": "dolen"}]
    )

    @model_validator(mode="after")
    def _room(self) -> Self:
        if self.send and self.token is None:
            raise ValueError("send needs token: an element whose text is the token holds nothing else")
        return self


class SoapSignIn(Errors):
    """An operation that takes user name and password and gives a token or the cookie of a session.

    What it gave goes with every message until its time is over or it is refused; then one signs in anew, once, and the
    message is sent again. `errors` are those of this operation alone.
    """

    operation: Name = Field(description="Operation of the WSDL.", examples=["LogOn"])
    username: PathText = Field(description="Where the user name goes in the request.", examples=["UserName"])
    password: PathText = Field(description="Where the password goes in the request.", examples=["Password"])
    send: dict[PathText, str] = Field(
        default={}, description="What else the request says, element by element.", examples=[{"Application": "dolen"}]
    )
    accepted: PathText | None = Field(
        default=None, description="Where the answer says true or false: were we let in?", examples=["Success"]
    )
    token: PathText | None = Field(
        default=None, description="Where the token stands in the answer.", examples=["SessionId"]
    )
    header: TokenHeader | None = Field(
        default=None, description="Which header carries the token.", examples=[{"element": "SessionHeader"}]
    )
    cookie: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")] | None = Field(
        default=None, description="In place of token and header: the cookie that is the session.", examples=["SID"]
    )
    expires: PathText | None = Field(
        default=None,
        description="Where the answer says how long it is good: a moment, or a number of seconds.",
        examples=["Expires"],
    )
    good_for_seconds: int = Field(
        default=300,
        ge=5,
        le=86_400,
        description="How long it is used where the answer does not say.",
        examples=[1200],
    )

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.token is None) != (self.header is None):
            raise ValueError("token and header go together: write where the token stands and which header carries it")
        if (self.token is None) == (self.cookie is None):
            raise ValueError("write either token with header, or cookie")
        return self

    @property
    def told(self) -> list[str]:
        """The paths in the answer that are given."""
        return [path for path in (self.accepted, self.token, self.expires) if path]
