"""A folder behind SFTP. The server's key is the pinned one or nothing is said; a broken line is laid anew, once."""

from __future__ import annotations

import base64
import io
import socket
import stat
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, TypeVar, cast
from urllib.parse import unquote, urlsplit

import paramiko

from connectors.errors import Misconfigured, Unauthorised, Unknown, Unreachable
from connectors.files.folder import TAKEN, Dropped, plain
from connectors.files.settings import FilesSettings, KeyLogin

_READ_AHEAD = 1 << 16  # bytes buffered of a file that is read
_KEYS = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)
_BROKEN = (paramiko.SSHException, EOFError, OSError)

Answer = TypeVar("Answer")


class SftpFolder:
    """A folder of another machine. Safe to use from several threads at once: one line, one call at a time."""

    def __init__(self, settings: FilesSettings) -> None:
        """Nothing is dialled yet. Raises Misconfigured for a private key that cannot be read."""
        assert settings.url is not None  # the settings' own check
        assert settings.login is not None
        assert settings.host_key is not None
        parts = urlsplit(settings.url)
        self._host, self._port = parts.hostname or "", parts.port or 22
        self._path = unquote(parts.path).rstrip("/") or "/"
        self._key = settings.host_key
        self._timeout = settings.timeout_seconds
        self._login = settings.login
        self._private = _private_key(settings.login.key) if settings.login.key is not None else None
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return "SftpFolder()"

    def listing(self) -> list[Dropped]:
        """Every regular file in it."""
        found = self._call(lambda client: client.listdir_attr(self._path))
        return [
            Dropped(one.filename, one.st_size or 0, float(one.st_mtime or 0))
            for one in found or ()
            if one.st_mode is not None and stat.S_ISREG(one.st_mode)
        ]

    def stream(self, name: str) -> BinaryIO:
        """Open a file; what is read of it comes in order."""
        opened = self._call(lambda client: client.file(self._at(plain(name)), "rb", bufsize=_READ_AHEAD), gone=True)
        if opened is None:
            raise Unknown("a file cannot be opened any more: it was moved or deleted meanwhile")
        return cast(BinaryIO, _Reading(opened))

    def move(self, name: str) -> None:
        """Move a file into `taken`."""
        here, there = self._at(plain(name)), self._at(f"{TAKEN}/{name}")

        def moved(client: paramiko.SFTPClient) -> None:
            with suppress(OSError):  # it is there already; if it cannot be made the move says so
                client.mkdir(self._at(TAKEN))
            client.posix_rename(here, there)

        self._call(moved, gone=True)

    def delete(self, name: str) -> None:
        """Delete a file."""
        self._call(lambda client: client.remove(self._at(plain(name))), gone=True)

    def close(self) -> None:
        """Hang up. Idempotent."""
        with self._lock:
            if self._transport is not None:
                self._transport.close()
            self._transport = self._client = None

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    def _call(self, ask: Callable[[paramiko.SFTPClient], Answer], *, gone: bool = False) -> Answer | None:
        """Ask over the line; one that broke is laid again, once. `gone`: what is not there gives None.

        Raises Misconfigured where there is no such folder or no right to it, Unauthorised, Unreachable.
        """
        with self._lock:
            for attempt in (1, 2):
                client = self._dialled()
                try:
                    return ask(client)
                except FileNotFoundError:
                    if gone:
                        return None
                    raise Misconfigured("url: there is no such folder on the server: correct its path") from None
                except PermissionError:
                    raise Misconfigured("url: this login may not do that there: ask for the right to") from None
                except _BROKEN as trouble:
                    self.close()
                    if attempt == 2:
                        raise Unreachable(f"the line to the server breaks ({type(trouble).__name__})") from None
        raise AssertionError  # the loop returns or raises

    def _dialled(self) -> paramiko.SFTPClient:
        if self._client is not None and self._transport is not None and self._transport.is_active():
            return self._client
        self.close()
        try:
            line = socket.create_connection((self._host, self._port), timeout=self._timeout)
        except OSError as trouble:
            raise Unreachable(f"the server does not answer ({type(trouble).__name__})") from None
        transport = paramiko.Transport(line)
        try:
            transport.banner_timeout = transport.auth_timeout = self._timeout
            transport.start_client(timeout=self._timeout)
            self._is_the_pinned_one(transport.get_remote_server_key())
            self._log_in(transport)
            client = self._opened(transport)
        except paramiko.AuthenticationException:
            transport.close()
            raise Unauthorised("the server refuses the login") from None
        except (paramiko.SSHException, EOFError, OSError) as trouble:
            transport.close()
            raise Unreachable(f"no secure line could be laid ({type(trouble).__name__})") from None
        except (Misconfigured, Unauthorised):
            transport.close()
            raise
        self._transport, self._client = transport, client
        return client

    def _opened(self, transport: paramiko.Transport) -> paramiko.SFTPClient:
        client = paramiko.SFTPClient.from_transport(transport)
        channel = None if client is None else client.get_channel()
        if client is None or channel is None:
            raise Misconfigured("url: the server offers no SFTP")
        channel.settimeout(self._timeout)
        return client

    def _is_the_pinned_one(self, shown: paramiko.PKey) -> None:
        kind, _, pinned = self._key.partition(" ")
        if shown.get_name() != kind or base64.b64encode(shown.asbytes()).decode() != pinned:
            raise Misconfigured(
                "host_key: the server shows another key than the pinned one: do not go on before whoever runs it "
                "has told why, and then write the new key"
            )

    def _log_in(self, transport: paramiko.Transport) -> None:
        if self._login.password is not None:
            transport.auth_password(self._login.password.username, self._login.password.password.get_secret_value())
        elif self._login.key is not None and self._private is not None:
            transport.auth_publickey(self._login.key.username, self._private)


class _Reading:
    """A file of the server as a stream of bytes; a line that breaks is an OSError, as with any file."""

    def __init__(self, opened: paramiko.SFTPFile) -> None:
        self._file = opened
        self._rest = io.BytesIO()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        try:
            return self._file.read(None if size < 0 else size)
        except (paramiko.SSHException, EOFError) as trouble:
            raise OSError(f"the line broke ({type(trouble).__name__})") from None

    def readline(self, size: int = -1) -> bytes:
        """Read one line, or so many bytes of it."""
        try:
            return cast(bytes, self._file.readline(None if size < 0 else size))
        except (paramiko.SSHException, EOFError) as trouble:
            raise OSError(f"the line broke ({type(trouble).__name__})") from None

    def close(self) -> None:
        """Let go of it."""
        with suppress(paramiko.SSHException, EOFError, OSError):
            self._file.close()


def _private_key(login: KeyLogin) -> paramiko.PKey:
    text = login.private_key.get_secret_value()
    passphrase = None if login.passphrase is None else login.passphrase.get_secret_value()
    for kind in _KEYS:
        try:
            return kind.from_private_key(io.StringIO(text), password=passphrase)
        except (paramiko.SSHException, ValueError):
            continue
    raise Misconfigured("login.key.private_key cannot be read: is it a private key, and the passphrase the right one?")
