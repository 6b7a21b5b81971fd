"""What the connectors' bench compares with: requests and zeep as their own pages show them, and nothing of ours."""

from __future__ import annotations

from typing import Any

import requests
from zeep import Client
from zeep.helpers import serialize_object
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

_SECONDS = 30


class BareRest:
    """`requests.Session.post(json=)`, with the session kept."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/api/requests"
        self._session = requests.Session()
        self._session.headers["X-Key"] = key

    def deliver(self, record: dict[str, Any]) -> None:
        """Post one record. Raises requests.RequestException."""
        self._session.post(self._url, json=record, timeout=_SECONDS).raise_for_status()

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()


class BareSoap:
    """A zeep client of the WSDL, with the same login as ours."""

    def __init__(self, url: str, wsdl: str, space: str, password: str) -> None:
        self._session = requests.Session()
        client: Any = Client(  # type: ignore[no-untyped-call]
            wsdl,
            transport=Transport(session=self._session, operation_timeout=_SECONDS),  # type: ignore[no-untyped-call]
            wsse=UsernameToken("dolen", password),  # type: ignore[no-untyped-call]
        )
        binding = f"{{{space}}}CaseworkSoap11"
        self._calls: Any = client.create_service(binding, f"{url}/soap")

    def read(self, size: int) -> Any:
        """Read the first page, as zeep's own objects."""
        return self._calls.FindReferrals(ChangedFrom="1900-01-01T00:00:00", Page=1, PageSize=size)

    def plain(self, answer: Any) -> Any:
        """Such an answer as dicts and lists."""
        return serialize_object(answer, dict)  # type: ignore[no-untyped-call]

    def create(self, record: dict[str, Any]) -> Any:
        """Create one record."""
        return self._calls.CreateReferral(Referral=record)

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()
