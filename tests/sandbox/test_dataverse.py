"""The pretend Dataverse by hand: what its table says of itself, and what change tracking refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.secrets import dataverse_login

API = "/torfaen/dataverse/api/data/v9.2"


@pytest.fixture
def ask(running: Any) -> Callable[..., Any]:
    """Asks the pretend Dataverse as its application user."""
    form = {"grant_type": "client_credentials", "scope": "x/.default", **dataverse_login("torfaen")}
    token = running.http.post(f"{running.url}/torfaen/dataverse/oauth2/v2.0/token", data=form, timeout=10).json()

    def ask(method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        told = {"Authorization": f"Bearer {token['access_token']}", **headers}
        answer = running.http.request(method, running.url + API + path, json=body, headers=told, timeout=10)
        assert answer.status_code == status, answer.text
        return answer

    return ask


def test_a_table_tells_its_name_and_its_choices(ask: Any) -> None:
    (told,) = ask("GET", "/EntityDefinitions?$filter=LogicalName eq 'dolen_referral'").json()["value"]
    assert (told["EntitySetName"], told["PrimaryIdAttribute"]) == ("dolen_referrals", "dolen_referralid")
    assert ask("GET", "/EntityDefinitions?$filter=LogicalName eq 'account'").json() == {"value": []}
    kind = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"
    listed = ask("GET", f"/EntityDefinitions(LogicalName='dolen_referral')/Attributes/{kind}").json()["value"]
    assert {"dolen_status", "dolen_needs"} <= {one["LogicalName"] for one in listed}
    ask(
        "GET",
        f"/EntityDefinitions(LogicalName='dolen_referral')/Attributes(LogicalName='dolen_team')/{kind}",
        status=404,
    )


def test_formatted_values_are_given_to_who_asks_for_them(ask: Any) -> None:
    ask("POST", "/dolen_referrals", {"dolen_status": 791230000}, status=204)
    shown = "OData.Community.Display.V1.FormattedValue"
    (row,) = ask("GET", "/dolen_referrals", Prefer=f'odata.include-annotations="{shown}"').json()["value"]
    assert row[f"dolen_status@{shown}"] == "791230000"
    assert shown not in str(ask("GET", "/dolen_referrals").json())


@pytest.mark.parametrize("option", ["$filter", "$orderby", "$expand", "$top"])
def test_change_tracking_takes_no_such_option(ask: Any, option: str) -> None:
    refused = ask("GET", f"/dolen_referrals?{option}=x", status=400, Prefer="odata.track-changes")
    assert "Change Tracking" in refused.json()["error"]["message"]


def test_an_upsert_without_a_condition_lays_its_columns_over_the_row(ask: Any) -> None:
    one = "/dolen_referrals(dolen_key='k')"
    ask("PATCH", one, {"dolen_team": "adults"}, status=204)
    ask("PATCH", one, {"dolen_worker": "Siwan"}, status=204)
    row = ask("GET", one).json()
    assert (row["dolen_team"], row["dolen_worker"], row["dolen_key"]) == ("adults", "Siwan", "k")
    ask("PATCH", one, {}, status=412, **{"If-None-Match": "*"})
    ask("PATCH", "/dolen_referrals(dolen_key='other')", {}, status=404, **{"If-Match": "*"})
