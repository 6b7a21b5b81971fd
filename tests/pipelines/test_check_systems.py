"""A site that carries referrals between a Verint-like CRM and a Jadu-like CXM has nothing wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

from config.findings import Severity
from pipelines.check import check

STARTER = Path(__file__).resolve().parents[2] / "config" / "starter"
COUNCIL = """
council:
  code: my-council
  gss: W06000000
  name: {cy: Fy Nghyngor, en: My Council}
  time_zone: Europe/London
  phone: "01632 960000"
connections:
  crm:
    profile: verint
    owner: {name: Systems team, phone: "01632 960001"}
    supplier: Service desk
    connect:
      url: https://crm.example.org/soap
      login: {basic: {username: dolen, password: env:CRM_PASSWORD}}
    records: {Case: {mapping: verint/case}}
    owns: [status, status_reason, assigned_to, notes]
    schedule: {every: PT5M}
  cxm:
    profile: jadu
    owner: {name: Systems team, phone: "01632 960001"}
    supplier: Service desk
    connect:
      url: https://cxm.example.org/api
      login:
        token:
          sign_in_url: https://cxm.example.org/api/sign-in
          username: dolen
          password: env:CXM_PASSWORD
          header: X-Auth-Token
          prefix: ""
          good_for_seconds: 1800
          api_key: {header: X-Api-Key, key: env:CXM_KEY}
    records: {Case: {mapping: jadu/case}}
    owns: [type, priority, person, language, notify, reason, received_at, safeguarding_flag, restricted_record]
    schedule: {every: PT5M}
routes:
  - {name: cxm-to-crm, from: cxm, to: crm, record: Case, carries: state, creates_persons: true, arrive_within: PT15M}
  - {name: crm-to-cxm, from: crm, to: cxm, record: Case, carries: state, arrive_within: PT15M}
"""


def test_both_ways_between_the_two(tmp_path: Path) -> None:
    site = Path(shutil.copytree(STARTER, tmp_path / "site"))
    (site / "config" / "councils" / "my-council.yaml").write_text(COUNCIL, encoding="utf-8")
    secrets = {"CRM_PASSWORD": "a", "CXM_PASSWORD": "b", "CXM_KEY": "c"}
    found = check(site, environment=secrets)
    assert [str(one) for one in found if one.severity is Severity.ERROR] == []
    assert [str(one) for one in found if one.file.startswith("config/")] == []
