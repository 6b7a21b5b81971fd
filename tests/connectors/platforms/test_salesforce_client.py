"""The pretend Salesforce as a client that strangers wrote knows the real one: simple-salesforce drives it.

It is not Salesforce's own and has more calls than we make. It speaks TLS alone, so an adapter of its session takes the
`s` out of the scheme: everything else goes over the wire as it sends it.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceMalformedRequest, SalesforceResourceNotFound

from tests.connectors.platforms.test_salesforce import TYPED

NAME, KEY = "Dolen_Referral__c", "Dolen_Key__c"


class _InClear(HTTPAdapter):
    """Carries what is meant for https over http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **named)


@pytest.fixture
def client(own: Any) -> Salesforce:
    """The client, signed in as our connector would be."""
    login, url = own.council.secrets["salesforce"], own.council.system("salesforce")
    asked = {"grant_type": "client_credentials", **{name: login[name] for name in ("client_id", "client_secret")}}
    told = requests.post(f"{url}/services/oauth2/token", data=asked, timeout=10).json()
    session = requests.Session()
    session.mount("https://", _InClear())
    instance = url.removeprefix("http://")
    return Salesforce(instance=instance, session_id=told["access_token"], version="60.0", session=session)


def test_it_creates_reads_and_updates_by_our_key(client: Salesforce, own: Any) -> None:
    referrals = getattr(client, NAME)
    assert referrals.upsert(f"{KEY}/a-1", TYPED) == 201
    assert referrals.upsert(f"{KEY}/a-1", {"Team__c": "adults"}) in (200, 204)
    held = referrals.get_by_custom_id(KEY, "a-1")
    assert (held["Last_Name__c"], held["Team__c"]) == ("O'Neill", "adults")
    assert referrals.get(held["Id"])["Id"] == held["Id"]
    assert referrals.update(held["Id"], {"Team__c": "reablement"}) == 204
    assert referrals.get(held["Id"])["Team__c"] == "reablement"


def test_it_hears_what_was_updated_and_deleted(client: Salesforce, own: Any) -> None:
    referrals = getattr(client, NAME)
    first, second = (own.council.type_in("salesforce", TYPED)["Id"] for _ in range(2))
    own.later(minutes=3)
    own.council.control("DELETE", f"{own.council.name}/salesforce/records/{second}")
    own.later(minutes=3)
    until = own.world.clock().astimezone(UTC)
    span = (until - timedelta(minutes=30), until)
    assert first in referrals.updated(*span)["ids"]
    assert [one["id"] for one in referrals.deleted(*span)["deletedRecords"]] == [second]


def test_it_pages_through_all_of_them(client: Salesforce, own: Any) -> None:
    ids = [own.council.type_in("salesforce", TYPED)["Id"] for _ in range(5)]
    own.council.faults("salesforce", small_pages={"ids": 2})
    # It joins the next page's address to the instance, which here is a place of a server and not one of its own.
    client.sf_instance = client.sf_instance.partition("/")[0]
    found = client.query_all(f"SELECT Id FROM {NAME} ORDER BY Id")
    assert sorted(row["Id"] for row in found["records"]) == sorted(ids)


def test_it_knows_the_errors(client: Salesforce) -> None:
    referrals = getattr(client, NAME)
    with pytest.raises(SalesforceResourceNotFound):
        referrals.get("a00000000000000AAA")
    with pytest.raises(SalesforceMalformedRequest):
        referrals.upsert(f"{KEY}/a-2", {"No_Such_Field__c": 1})
