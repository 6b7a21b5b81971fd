"""The settings of a connection tried without its interface: everything that a connector makes of them, and no more.

`dolen check` looks at each profile's interface once, however many connections share it, and at each connection's
settings here. A test holds both to what opening the connector says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from connectors.http import HttpSession
from connectors.logins import login_addresses, open_login
from connectors.rest.addresses import Addresses
from connectors.settings import HttpSettings, RestSettings, SoapSettings

if TYPE_CHECKING:
    from connectors.rest.profile import RestProfile
    from connectors.soap.profile import SoapProfile


def soap(profile: SoapProfile, settings: SoapSettings) -> None:
    """Raises Misconfigured for settings with which no SOAP connector can be opened."""
    profile.take(settings.login)
    _over_http(settings)


def rest(profile: RestProfile, settings: RestSettings) -> None:  # noqa: ARG001 - as every family's
    """Raises Misconfigured for settings with which no REST connector can be opened."""
    Addresses(settings.url)
    _over_http(settings)


def _over_http(settings: HttpSettings) -> None:
    session = HttpSession(settings, also=login_addresses(settings))
    try:
        open_login(settings, session)
    finally:
        session.close()
