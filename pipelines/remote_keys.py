"""Main keys from a key service that the council runs: read over HTTPS when a process starts, and kept in memory alone.

Two ways of asking are spoken, that of Vault and OpenBao and that of Azure Key Vault. The call is made like any call to
a system (`connectors.http`): one deadline, no redirects, TLS verified. Why no program is run to get a key is decision
11 of docs/decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from pydantic import ValidationError

from config.keys import RemoteKeys
from connectors.errors import ConnectorError
from connectors.http import HttpSession
from connectors.logins import login_addresses, open_login, send_logged_in
from connectors.settings import HttpSettings
from pipelines.wrapping import KeyFault

#: By kind of service: what is asked for behind `url`, and where the key stands in the answer.
_ASKS = {
    "hashicorp": ("/{name}", ("data", "data", "key")),
    "azure": ("/secrets/{name}?api-version=7.4", ("value",)),
}
_MOST_BYTES = 64 * 1024


def read(service: RemoteKeys, name: str, secret: Callable[[str], str]) -> str:
    """Return what the service holds under a name: a main key as text. `secret` resolves env: and file: references.

    Raises KeyFault where it does not answer or holds no such key; SecretMissing for its login.
    """
    path, place = _ASKS[service.kind]
    named = f"the key service (keys.service) and its secret {name}"
    try:
        settings = HttpSettings.model_validate(dict(service.connect), context={"secret": secret})
    except ValidationError as wrong:
        where = ".".join(str(part) for part in wrong.errors()[0]["loc"])
        raise KeyFault(f"keys.service.connect.{where}: {wrong.errors()[0]['msg']}") from None
    session = HttpSession(settings, also=login_addresses(settings))
    try:
        reply = send_logged_in(
            session,
            open_login(settings, session),
            "GET",
            settings.url.rstrip("/") + path.format(name=name),
            deadline=session.deadline(),
            headers={"Accept": "application/json"},
            most_bytes=_MOST_BYTES,
        )
    except ConnectorError as fault:
        raise KeyFault(f"{named}: {fault.reason}; nothing is lost, start again when it answers") from None
    finally:
        session.close()
    if reply.status != 200:
        why = {401: "it refuses our login", 403: "our login may not read it", 404: "it holds none of that name"}
        raise KeyFault(f"{named}: {why.get(reply.status, f'it answered with status {reply.status}')}")
    found = _at(reply.body, place)
    if not isinstance(found, str):
        raise KeyFault(f"{named}: there is no text at {'.'.join(place)} in the answer; is its kind {service.kind}?")
    return found


def _at(body: bytes, place: tuple[str, ...]) -> Any:
    try:
        found: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for name in place:
        found = found.get(name) if isinstance(found, dict) else None
    return found
