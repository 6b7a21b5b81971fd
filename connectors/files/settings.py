"""Where a folder is and how one gets in: a folder of this machine, or one behind SFTP with the server's key pinned."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from connectors.files.folder import Folder, LocalFolder
from connectors.references import Closed, Resolved, Secret, SecretBlock, Text


def _absolute(value: Path) -> Path:
    if not value.is_absolute():
        raise ValueError("write the whole path of the folder, such as /srv/extracts")
    return value


def _sftp_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "sftp" or not parts.hostname or not parts.path.startswith("/"):
        raise ValueError("write a whole address such as sftp://files.example.org/outgoing")
    _ = parts.port  # raises ValueError for a port that is no number
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user name or password must not stand in the address: use `login`")
    if parts.query or parts.fragment:
        raise ValueError("leave out what stands behind ? and #")
    return value


def _host_key(value: str) -> str:
    kind, _, key = value.partition(" ")
    if not kind.startswith(("ssh-", "ecdsa-")) or not key.strip():
        raise ValueError("write the key as ssh-keyscan prints it behind the host: ssh-ed25519 AAAA...")
    return " ".join(value.split()[:2])


class PasswordLogin(Closed):
    """A user name and password."""

    username: Text = Field(description="User name.", examples=["dolen"])
    password: Secret = Field(description="Password, as a reference.", examples=["env:TORFAEN_EXTRACT_PASSWORD"])


class KeyLogin(Closed):
    """A user name and a private key."""

    username: Text = Field(description="User name.", examples=["dolen"])
    private_key: SecretBlock = Field(
        description="The private key in OpenSSH's or PEM form, as a reference.", examples=["file:secrets/extract-key"]
    )
    passphrase: Secret | None = Field(
        default=None, description="Its passphrase, as a reference, if it has one.", examples=["env:EXTRACT_PASSPHRASE"]
    )


class FilesLogin(Closed):
    """How we log in: exactly one of these keys."""

    password: PasswordLogin | None = Field(
        default=None, description="User name and password.", examples=[{"username": "dolen"}]
    )
    key: KeyLogin | None = Field(
        default=None, description="User name and private key.", examples=[{"username": "dolen"}]
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.password is None) == (self.key is None):
            raise ValueError("write exactly one way to log in: password or key")
        return self


class FilesSettings(Closed):
    """A connection to a system that drops files: `folder`, or `url` with `login` and `host_key`."""

    folder: Annotated[Path, Resolved, AfterValidator(_absolute)] | None = Field(
        default=None, description="The folder, where it is one of this machine.", examples=["/srv/extracts"]
    )
    url: Annotated[str, Resolved, AfterValidator(_sftp_address)] | None = Field(
        default=None,
        description="The folder, where it is behind SFTP; may be a reference.",
        examples=["sftp://files.example.org/outgoing"],
    )
    login: FilesLogin | None = Field(
        default=None, description="How we log in over SFTP.", examples=[{"key": {"username": "dolen"}}]
    )
    host_key: Annotated[str, Resolved, AfterValidator(_host_key)] | None = Field(
        default=None,
        description="The server's own key. Another one is refused: who answers may be somebody else.",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFk..."],
    )
    timeout_seconds: float = Field(
        default=20.0, gt=0, le=600, description="How long one call over SFTP may wait for an answer.", examples=[20]
    )

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.folder is None) == (self.url is None):
            raise ValueError("write either folder or url")
        if self.url is not None and (self.login is None or self.host_key is None):
            raise ValueError("url needs login and host_key: ask whoever runs the server for its key")
        if self.folder is not None and (self.login is not None or self.host_key is not None):
            raise ValueError("login and host_key go with url")
        return self


def open_folder(settings: FilesSettings) -> Folder:
    """The folder that the settings name. Nothing is looked at yet."""
    if settings.folder is not None:
        return LocalFolder(settings.folder)
    from connectors.files.sftp import SftpFolder  # paramiko is heavy, and few have such a folder

    return SftpFolder(settings)
