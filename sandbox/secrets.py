"""The logins of every pretend system, made from invented words: the same on every machine, secret from nobody.

They open nothing but a sandbox on loopback. `python -m sandbox serve` writes them to `secrets.json` so that a demo can
hand them to the programs under test the way real secrets travel.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

_SPACE = uuid.UUID("5d01e000-0000-4000-8000-00000ab5bad0")


def casework_login(tenant: str) -> dict[str, str]:
    """Return `username` and `password` for WS-Security."""
    return {"username": "dolen", "password": f"llechen-{_word(tenant, 'casework')[:12]}"}


def contact_login(tenant: str) -> dict[str, str]:
    """Return `client_id` and `client_secret` for OAuth 2 client credentials."""
    return {"client_id": f"dolen-{tenant}", "client_secret": f"gwenynen-{_word(tenant, 'contact')[:12]}"}


def dataverse_login(tenant: str) -> dict[str, str]:
    """Return `client_id` and `client_secret` of an application user in Dataverse."""
    word = uuid.uuid5(_SPACE, f"{tenant}/dataverse/client")
    return {"client_id": str(word), "client_secret": f"derwen-{_word(tenant, 'dataverse')[:12]}"}


def salesforce_login(tenant: str) -> dict[str, str]:
    """Return `client_id` and `client_secret` of a connected app in Salesforce."""
    return {"client_id": f"3MVG9-{tenant}", "client_secret": f"onnen-{_word(tenant, 'salesforce')[:12]}"}


def health_login(tenant: str) -> dict[str, str]:
    """Return `api_key` for the header of the health service."""
    return {"api_key": f"dryw-{_word(tenant, 'health')}"}


def verint_login(tenant: str) -> dict[str, str]:
    """Return `username` and `password`, for WS-Security and for HTTP Basic."""
    return {"username": "dolen", "password": f"derwen-{_word(tenant, 'verint')[:12]}"}


def jadu_login(tenant: str) -> dict[str, str]:
    """Return `username` and `password` for the sign-in, and the `api_key` that goes with every call."""
    return {
        "username": "dolen",
        "password": f"bedwen-{_word(tenant, 'jadu')[:12]}",
        "api_key": f"celyn-{_word(tenant, 'jadu-key')[:12]}",
    }


def bars_login(tenant: str) -> dict[str, str]:
    """Return the `token` that the header Authorization of BaRS carries behind `Bearer`."""
    return {"token": f"telor-{_word(tenant, 'bars')}"}


def notify_login(tenant: str) -> dict[str, str]:
    """Return `api_key` as GOV.UK Notify writes it: a name, the service id and the secret, joined by hyphens."""
    return {"api_key": f"dolen-{notify_service(tenant)}-{uuid.uuid5(_SPACE, f'{tenant}/notify/key')}"}


def notify_service(tenant: str) -> uuid.UUID:
    """Return the service id that the tenant's tokens must name as issuer."""
    return uuid.uuid5(_SPACE, f"{tenant}/notify/service")


def everything(tenants: Iterable[str]) -> dict[str, dict[str, dict[str, str]]]:
    """Return the logins of these tenants by tenant and system."""
    return {
        tenant: {
            "casework": casework_login(tenant),
            "contact": contact_login(tenant),
            "notify": notify_login(tenant),
            "dataverse": dataverse_login(tenant),
            "salesforce": salesforce_login(tenant),
            "health": health_login(tenant),
            "verint": verint_login(tenant),
            "jadu": jadu_login(tenant),
            "bars": bars_login(tenant),
        }
        for tenant in tenants
    }


def _word(tenant: str, system: str) -> str:
    return uuid.uuid5(_SPACE, f"{tenant}/{system}").hex
