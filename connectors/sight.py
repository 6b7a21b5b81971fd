"""The findings of `dolen doctor` that are the same for every system over HTTP: its name, its certificate, its clock."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates

from connectors.http import Reply, ourselves
from connectors.port import Finding
from connectors.settings import HttpSettings
from connectors.tls import tls_context

SKEW = timedelta(seconds=60)  # more than this and tokens, signatures and watermarks begin to fail
NOTICE = timedelta(days=30)  # how long before its end a certificate is reported


def name_finding(settings: HttpSettings) -> Finding:
    """Say whether the name is known. Behind a proxy the proxy looks it up, so it is the proxy's name."""
    host = urlsplit(settings.proxy or settings.url).hostname or ""
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return Finding(
            "name", False, f"{host} is not known to DNS", "correct url, or ask the network team for the name"
        )
    return Finding("name", True, f"{host} is known")


def certificate_finding(settings: HttpSettings, now: datetime) -> Finding | None:
    """Say whether the certificate is accepted and for how long; None where there is none to look at."""
    parts = urlsplit(settings.url)
    if parts.scheme != "https" or settings.proxy:
        return None
    host, port = parts.hostname or "", parts.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=settings.timeout_seconds) as plain,
            tls_context(settings.ca_bundle, ourselves(settings)).wrap_socket(plain, server_hostname=host) as secure,
        ):
            told = secure.getpeercert() or {}
            version = secure.version()
    except ssl.SSLCertVerificationError as problem:
        remedy = "name the authority's file as ca_bundle, or ask the system's owner for a good certificate"
        return Finding("TLS", False, f"the certificate is not accepted: {problem.verify_message}", remedy)
    except ssl.SSLError:
        return Finding("TLS", False, "no secure connection could be made", "the system must speak TLS 1.2 or later")
    except OSError:
        remedy = "ask the network team whether this machine may call the system"
        return Finding("route", False, f"{host} port {port} does not answer", remedy)
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(told["notAfter"])), UTC)
    words = f"{version}, certificate good until {until:%Y-%m-%d}"
    if until - now < NOTICE:
        return Finding("TLS", False, words, "ask the system's owner to renew it before that day")
    return Finding("TLS", True, words)


def own_certificate_finding(settings: HttpSettings, now: datetime) -> Finding | None:
    """Say how long our own certificate is good, where the connection shows one (mutual TLS), else None."""
    if settings.client_certificate is None:
        return None
    try:
        until = min(
            each.not_valid_after_utc for each in load_pem_x509_certificates(settings.client_certificate.read_bytes())
        )
    except (OSError, ValueError):
        return Finding(
            "our certificate", False, "client_certificate cannot be read as PEM", "name the file that holds it, in PEM"
        )
    words = f"our own certificate, or one that leads up to it, is good until {until:%Y-%m-%d}"
    if until - now < NOTICE:
        return Finding("our certificate", False, words, "ask whoever gave it to us for a new one before that day")
    return Finding("our certificate", True, words)


def clock_finding(reply: Reply, now: datetime) -> Finding:
    """Say how far the system's clock and ours are apart, by the Date of an answer that has just come."""
    if reply.date is None:
        return Finding("clock", True, "the system does not tell its time")
    skew = reply.date - now
    side = "ahead of" if skew > timedelta(0) else "behind"
    words = f"the system's clock is {abs(skew.total_seconds()):.0f} s {side} ours"
    if abs(skew) > SKEW:
        return Finding("clock", False, words, "set both clocks by a time server: logins and watermarks depend on it")
    return Finding("clock", True, words)
