"""The settings of a connection tried without its interface: everything that a connector makes of them, and no more.

`dolen check` looks at each profile's interface once, however many connections share it, and at each connection's
settings here. A test holds both to what opening the connector says.
"""

from __future__ import annotations

from connectors.http import HttpSession
from connectors.logins import login_addresses, open_login
from connectors.rest.addresses import Addresses
from connectors.settings import HttpSettings, RestSettings, SoapSettings


def soap(settings: SoapSettings) -> None:
    """Raises Misconfigured for settings with which no SOAP connector can be opened."""
    _over_http(settings)


def rest(settings: RestSettings) -> None:
    """Raises Misconfigured for settings with which no REST connector can be opened."""
    Addresses(settings.url)
    _over_http(settings)


def _over_http(settings: HttpSettings) -> None:
    session = HttpSession(settings, also=login_addresses(settings))
    try:
        open_login(settings, session)
    finally:
        session.close()
