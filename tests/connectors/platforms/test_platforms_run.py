"""A whole site: the contact centre on one side, a platform on the other, and `dolen run` between them, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import REQUEST, Site, torfaen_in

COUNCIL = """\
council:
  code: torfaen
  gss: W06000020
  name: {{cy: Torfaen, en: Torfaen}}
  time_zone: Europe/London
  phone: "01632 960100"
connections:
  contact:
    profile: contact
    owner: {{name: Systems team, phone: "01632 960101"}}
    supplier: Service desk
    connect:
      url: {url}/torfaen/contact/api
      login: {{oauth2: {{token_url: "{url}/torfaen/contact/token", client_id: dolen-torfaen,
                       client_secret: "env:TORFAEN_CONTACT_SECRET"}}}}
    records: {{Request: {{mapping: contact/request}}}}
    owns: [type, priority, person, language, notify, referrer, reason, needs, channel, received_at, safeguarding_flag,
           restricted_record, appointments]
    schedule: {{every: PT1S}}
    settle_seconds: 1
  platform:
    profile: {system}
    owner: {{name: Systems team, phone: "01632 960101"}}
    supplier: Service desk
    connect:
      url: {url}/torfaen/{system}{root}
      login: {{oauth2: {{token_url: "{url}/torfaen/{system}{token}", client_id: "{client}",
                       client_secret: "env:TORFAEN_CASEWORK_PASSWORD"}}}}
    records: {{Referral: {{mapping: {system}/referral}}}}
    owns: [status, status_reason, status_changed_at, assigned_to, outcome, outcome_reason]
    schedule: {{every: PT1S}}
    settle_seconds: 1
routes:
  - {{name: there, from: contact, to: platform, record: Referral, carries: state, creates_persons: true,
     arrive_within: PT15M}}
  - {{name: back, from: platform, to: contact, record: Request, carries: state, arrive_within: PT15M}}
"""


@pytest.fixture
def site(own: Any, tmp_path: Path) -> Callable[..., Site]:
    """A site of the contact centre and one platform."""

    def make(system: str, root: str, token: str) -> Site:
        council, logins = own.council, own.council.secrets
        made = torfaen_in(tmp_path / "site")
        made.url = council.url
        told = COUNCIL.format(
            url=council.url, system=system, root=root, token=token, client=logins[system]["client_id"]
        )
        (made.folder / "config" / "councils" / "torfaen.yaml").write_text(told, encoding="utf-8")
        made.environment |= {
            "TORFAEN_CONTACT_SECRET": logins["contact"]["client_secret"],
            "TORFAEN_CASEWORK_PASSWORD": logins[system]["client_secret"],
        }
        return made

    return make


def until(seen: Callable[[], bool], site: Site, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not seen():
        assert time.monotonic() < end, site.json("attention")
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("system", "root", "token", "status", "accepted", "family"),
    [
        ("dataverse", "/api/data/v9.2", "/oauth2/v2.0/token", "dolen_status", 791230002, "dolen_lastname"),
        ("salesforce", "/services/data/v60.0", "/services/oauth2/token", "Status__c", "Accepted", "Last_Name__c"),
    ],
)
def test_a_referral_goes_there_and_its_status_comes_back(
    own: Any, site: Any, system: str, root: str, token: str, status: str, accepted: Any, family: str
) -> None:
    council, made = own.council, site(system, root, token)
    created = {"dataverse": "Upsert", "salesforce": "upsert"}[system]
    council.faults(system, error_after={"times": 1, "operations": [created]}, expired_token={"times": 1})
    with made.running():
        typed = council.type_in("contact", REQUEST)
        until(lambda: len(council.records(system)) == 1, made)
        (row,) = council.records(system)
        assert row[family] == "O'Neill"
        council.faults(system, forgotten_place={"times": 1})
        id = row.get("dolen_referralid") or row["Id"]
        council.control("PATCH", f"torfaen/{system}/records/{id}", {status: accepted})
        own.later(minutes=2)  # a window of Salesforce's ends at a whole minute

        def back() -> bool:
            held = council.control("GET", f"torfaen/contact/records/{typed['id']}")
            return bool(held["status"] == "accepted")

        until(back, made)
    assert len(council.records(system)) == 1, "nothing is made twice"
    told = made.json("attention")
    assert told["causes"] == []
