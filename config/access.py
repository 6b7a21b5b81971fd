"""Who may do what at this site: roles, and how staff sign in to the pages.

What each role brings is not declared here: `pipelines.rights` says it for every site alike. The words a role may have
are repeated here, because this room knows no other; `dolen check` compares nothing else with the movement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from config.councils_named import EVERY_COUNCIL
from config.declared import Declared, Line, LongerThanNothing, Reference, refusal
from config.findings import Problem, did_you_mean, one_of, shown

RoleName = Literal["viewer", "operator", "case-reader", "code-list-owner", "data-protection", "administrator"]
_HERE = ("127.0.0.1", "::1", "localhost")
Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


def _address(value: str) -> str:
    """An address of pages: https, or http on this machine alone; no path, no login, no question."""
    try:
        parts = urlsplit(value)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        expected = "an address such as https://dolen.example.org"
        raise refusal("a text of another form", expected, "write the scheme and the host, and nothing after it")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
        raise refusal("an address without TLS", "https://", "begin with https://; http:// is for this machine alone")
    return value.rstrip("/")


def _issuer(value: str) -> str:
    """An issuer, as its provider writes it: https, or http on this machine alone."""
    try:
        parts = urlsplit(value)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    if not host or parts.query or parts.fragment or "@" in parts.netloc:
        expected = "an address such as https://login.microsoftonline.com/TENANT/v2.0"
        raise refusal("a text of another form", expected, "copy the issuer from the provider's page")
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _HERE):
        raise refusal("an issuer without TLS", "https://", "begin with https://; http:// is for this machine alone")
    return value


class Holding(Declared):
    """One role, for some councils, and who holds it."""

    role: RoleName = Field(description="What they are.", examples=["operator"])
    councils: list[Line] = Field(
        min_length=1,
        description="For which councils, by code. `all`: for every council of the site.",
        examples=[["torfaen"]],
    )
    groups: list[Line] = Field(
        default_factory=list,
        description="Whoever is in one of these groups, as the sign-in provider tells them (`sign_in.openid.groups`).",
        examples=[["dolen-operators-torfaen"]],
    )
    names: list[Line] = Field(
        default_factory=list,
        description="Whoever signs in under one of these names (`sign_in.openid.name`).",
        examples=[["a.evans@example.org"]],
    )
    accounts: list[Line] = Field(
        default_factory=list,
        description="For the command line: whoever has one of these accounts on the machine.",
        examples=[["aevans"]],
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.groups or self.names or self.accounts):
            expected = "at least one of `groups`, `names` and `accounts`"
            raise refusal("a role that nobody holds", expected, "say who holds it")
        return self


class OpenId(Declared):
    """The provider that staff sign in with: Entra ID, or any other that speaks OpenID Connect."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(
        description="The provider's issuer. Everything else about it is read from its discovery page below this.",
        examples=["https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"],
    )
    client: Line = Field(
        description="The id under which the provider knows us.", examples=["11111111-1111-1111-1111-111111111111"]
    )
    secret: Reference | None = Field(
        default=None,
        description="Our secret at the provider, as a reference. Leave out for a public client.",
        examples=["env:DOLEN_OPENID_SECRET"],
    )
    algorithms: list[Algorithm] = Field(
        default=["RS256"],
        min_length=1,
        description="The only signatures that are believed.",
        examples=[["RS256"]],
    )
    ca_bundle: Line | None = Field(
        default=None,
        description="PEM file of the only authorities to trust when the provider is asked, for one of the council's "
        "own; from the site's folder, if it is not a whole path. Leave out for the public ones.",
        examples=["/etc/dolen/council-ca.pem"],
    )
    scopes: list[Line] = Field(
        default_factory=lambda: ["openid", "profile", "email"],
        description="What is asked for. `openid` is always asked for.",
        examples=[["openid", "profile", "email"]],
    )
    name: Line = Field(
        default="preferred_username",
        description="The claim that says who it is: shown in the audit, and compared with `names`.",
        examples=["preferred_username"],
    )
    groups: Line = Field(
        default="groups",
        description="The claim that lists groups, compared with `groups` of each role; `roles` for app roles of Entra.",
        examples=["roles"],
    )


class SignIn(Declared):
    """How staff sign in to the pages, and how long that lasts."""

    openid: OpenId | None = Field(
        default=None,
        description="The provider. Leave out: a link that works once is printed when the pages start.",
        examples=[{"issuer": "https://idp.example.org", "client": "dolen"}],
    )
    idle: LongerThanNothing = Field(
        default=timedelta(minutes=30),
        description="Who does nothing for so long is signed out.",
        examples=["PT30M"],
    )
    longest: LongerThanNothing = Field(
        default=timedelta(hours=10),
        description="Whoever signed in is signed out after so long, whatever they do.",
        examples=["PT10H"],
    )
    break_glass: LongerThanNothing = Field(
        default=timedelta(hours=1),
        description="How long a restricted referral stays open to whoever opened it without being given it.",
        examples=["PT1H"],
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.longest < self.idle:
            remedy = "write a longer `longest`, or a shorter `idle`"
            raise refusal("`longest` shorter than `idle`", "`longest` at least as long as `idle`", remedy)
        return self


class Access(Declared):
    """Who may do what, and how they say who they are."""

    address: Annotated[str, AfterValidator(_address)] | None = Field(
        default=None,
        description="Where staff reach the pages. Requests that name another host are refused. Leave out where the "
        "pages are for this machine alone.",
        examples=["https://dolen.example.org"],
    )
    behind: list[Line] = Field(
        default_factory=list,
        description="Addresses of web servers in front of the pages, which are believed when they say from where a "
        "caller comes (X-Forwarded-For). Tries to sign in are counted by that.",
        examples=[["127.0.0.1"]],
    )
    roles: list[Holding] = Field(
        default_factory=list,
        description="Who holds which role for which councils. Leave out: whoever owns the site's files is operator and "
        "administrator at the command line, and nobody else is anything. A live site must say it.",
        examples=[[{"role": "operator", "councils": ["torfaen"], "groups": ["dolen-operators-torfaen"]}]],
    )
    sign_in: SignIn = Field(
        default_factory=SignIn, description="How staff sign in.", examples=[{"idle": "PT30M"}]
    )


def access_problems(
    access: Access, stage: str, councils: Collection[str], *, beside: Path = Path()
) -> Iterator[Problem]:
    """Find roles for councils that the site does not have, what a live site must say, and authorities that cannot be
    read. `councils`: by code. `beside`: the site's folder."""
    for position, holding in enumerate(access.roles):
        for at, code in enumerate(holding.councils):
            if code != EVERY_COUNCIL and code not in councils:
                known = [*councils, EVERY_COUNCIL]
                remedy = did_you_mean(code, known) or "write the code of one of the site's councils, or `all`"
                path = ("access", "roles", position, "councils", at)
                yield Problem(path, f"the unknown council {shown(code)}", one_of(known), remedy)
        if holding.groups and access.sign_in.openid is None:
            yield Problem(
                ("access", "roles", position, "groups"),
                "groups, where no provider tells any",
                "`sign_in.openid`, or `names` or `accounts`",
                "name the provider, or take the groups out",
            )
    if stage == "live" and not access.roles:
        expected = "`access.roles`, because the stage is live"
        example = "access: {roles: [{role: operator, councils: [all], accounts: [aevans]}]}"
        remedy = f"add who may do what, for instance `{example}`"
        yield Problem(("access",), "nothing that says who may do what", expected, remedy)
    if access.sign_in.openid is not None and access.address is None:
        expected = "`access.address`, where the provider sends people back to"
        found, remedy = "a provider, and no address of the pages", "add `address` beside `sign_in`"
        yield Problem(("access", "sign_in", "openid"), found, expected, remedy)
    if access.sign_in.openid is not None and access.sign_in.openid.ca_bundle is not None:
        yield from _authorities(beside / access.sign_in.openid.ca_bundle)


def _authorities(file: Path) -> Iterator[Problem]:
    """Find that a file holds no authorities. It is asked of the library that will read it."""
    import ssl  # few sites name a file; every command reads these settings

    try:
        ssl.create_default_context(cafile=str(file))
    except ssl.SSLError:
        found = "a file without certificates that can be read"
    except OSError:
        found = "a file that is not there, or that cannot be read"
    else:
        return
    yield Problem(
        ("access", "sign_in", "openid", "ca_bundle"),
        found,
        "a PEM file of the authorities that vouch for the provider",
        "export the authority's certificate as PEM (Base-64) and write where the file is; nobody signs in without it",
    )
