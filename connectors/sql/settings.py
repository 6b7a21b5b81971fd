"""The settings of a connection to a database: its URL without a password, the login, how long a call may be."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from connectors.references import LOOPBACK, Closed, ExistingFile, Resolved, Secret, Text
from connectors.settings import Limits

_SAFE = ("verify-full", "verify-ca")
_SECRETS = ("password", "passwd", "pwd", "user", "uid", "odbc_connect", "sslpassword", "passfile")
_OUR_OWN = ("options", "target_session_attrs")
FILES = ("sqlite",)


def _database(text: str) -> str:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise ValueError("write a SQLAlchemy URL such as postgresql://reports.example.org/extract") from None
    if url.username is not None or url.password is not None or any(key.lower() in _SECRETS for key in url.query):
        raise ValueError("a user name or password must not stand in the address: use `login`")
    if any(key in _OUR_OWN for key in url.query):
        raise ValueError(f"leave out {' and '.join(_OUR_OWN)}: Dolen opens the session read-only by itself")
    if url.get_backend_name() in FILES:
        if not url.database or not Path(url.database).is_absolute() or url.query:
            raise ValueError("write the whole path of the file and nothing behind it: sqlite:////srv/extract.db")
    elif is_postgresql(url) and not is_here(url) and str(url.query.get("sslmode", _SAFE[0])) not in _SAFE:
        raise ValueError("write sslmode=verify-full: people's records must not travel in clear or to a stranger")
    return text


def is_postgresql(url: URL) -> bool:
    """Whether this is PostgreSQL, by whichever driver."""
    return url.get_backend_name() == "postgresql"


def is_here(url: URL) -> bool:
    """Whether the server is on this machine: a loopback address or a socket in its file system."""
    host = str(url.query.get("host") or url.host or "")
    return not host or host.startswith("/") or host in LOOPBACK


class PasswordLogin(Closed):
    """A user name and a password."""

    username: Text = Field(description="User name.", examples=["dolen_reader"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:EXTRACT_PASSWORD"])


class SqlLogin(Closed):
    """How we log in: with a password."""

    password: PasswordLogin = Field(description="User name and password.", examples=[{"username": "dolen_reader"}])


class SqlSettings(Closed):
    """A connection to a database that is read."""

    url: Annotated[str, Resolved, AfterValidator(_database)] = Field(
        description="Address of the database, as SQLAlchemy writes it, without user name and password; may be a "
        "reference.",
        examples=["postgresql://reports.example.org/extract"],
        repr=False,
    )
    login: SqlLogin | None = Field(
        default=None,
        description="How we log in. Leave out for a file, and where the machine's own account is enough.",
        examples=[{"password": {"username": "dolen_reader", "password": "env:EXTRACT_PASSWORD"}}],
    )
    timeout_seconds: float = Field(
        default=20.0, gt=0, le=600, description="How long one call may take in all.", examples=[20]
    )
    limits: Limits = Field(
        default=Limits(), description="How fast the database may be asked.", examples=[{"at_once": 1}]
    )
    ca_bundle: ExistingFile | None = Field(
        default=None,
        description="PostgreSQL: PEM file of the only authorities to trust. Leave out for the machine's own.",
        examples=["/etc/dolen/council-ca.pem"],
    )
    max_reply_bytes: int = Field(
        default=20_000_000,
        ge=1_000,
        le=200_000_000,
        description="A page ends before it is longer than this, and a row that is longer by itself is not taken in.",
        examples=[20_000_000],
    )

    @model_validator(mode="after")
    def _parts_agree(self) -> Self:
        url = make_url(self.url)
        if self.login is not None and url.get_backend_name() in FILES:
            raise ValueError("login does not go with a file")
        if self.ca_bundle is not None and not is_postgresql(url):
            raise ValueError("ca_bundle goes with PostgreSQL; other drivers take theirs in the URL")
        return self
