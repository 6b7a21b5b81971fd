"""The TLS rules of a connection: always verified, 1.2 at least, and which authorities are trusted. Nothing is sent."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import certifi

from connectors.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Ourselves:
    """Our own certificate, for systems that ask for one."""

    certificate: Path
    key: Path
    passphrase: str | None = field(default=None, repr=False)


def tls_context(ca_bundle: Path | None, ourselves: Ourselves | None = None) -> ssl.SSLContext:
    """Make the TLS rules of a connection: always verified, 1.2 at least, and trusting only `ca_bundle` if given.

    Raises Misconfigured for a certificate of ours that does not go with its key.
    """
    if ca_bundle is None and ourselves is None:
        return _usual(_installed())
    context = _strict()
    if ca_bundle is not None:
        context.load_verify_locations(cafile=str(ca_bundle))
    else:
        _trust_installed(context)
    if ourselves is not None:
        # A function is given, also where there is no passphrase: without one OpenSSL would ask at the terminal.
        told = ourselves.passphrase or ""
        try:
            context.load_cert_chain(ourselves.certificate, ourselves.key, password=lambda: told)
        except (ssl.SSLError, OSError, ValueError):
            raise Misconfigured(
                "client_certificate: it cannot be used with client_key: are they a pair, and is the passphrase right?"
            ) from None
    return context


def _strict() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _trust_installed(context: ssl.SSLContext) -> None:
    context.load_default_certs()  # what the council's own IT has installed on this machine
    context.load_verify_locations(cafile=certifi.where())  # a slim container has none


@lru_cache(maxsize=1)
def _usual(_installed: object) -> ssl.SSLContext:
    """The rules that most connections have, shared by them: to read some 150 authorities twice takes longer than a
    dozen calls. Nobody changes a context that a connection uses; whoever has a certificate of their own has their own.
    """
    context = _strict()
    _trust_installed(context)
    return context


def _installed() -> object:
    """What is another one as soon as somebody changes which authorities this machine trusts."""
    if os.name == "nt":
        return object()  # its store says nothing of the kind
    paths = ssl.get_default_verify_paths()
    places = [Path(place) for place in (paths.cafile, paths.capath, certifi.where()) if place is not None]
    return tuple((place, place.stat().st_mtime_ns) for place in places)
