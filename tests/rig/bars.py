"""A site that receives BaRS messages and answers them, or sends them and is answered: the rig's systems behind a
connection to the NHS."""

from __future__ import annotations

from pathlib import Path

from tests.rig.pushing import LEDGER
from tests.rig.site import lay_out

TOKEN = "tocyn-y-rig-0123456789"
NHS = """\
  nhs:
    profile: bars
    owner: {{name: Integration team, phone: "01632 960104"}}
    supplier: Nobody
    connect:
      url: {url}
      login: {{api_key: {{header: Authorization, key: "file:{token}"}}}}
      target: {{system: "https://fhir.nhs.uk/Id/dos-service-id", value: "2000011147"}}
      ours: {{system: "https://fhir.nhs.uk/Id/dos-service-id", value: "2000099999"}}
      organisation: {{ods: A1001, name: Cyngor Alder}}
      receiver: {{ods: A1002, name: Bwrdd Iechyd}}
      timeout_seconds: 5
      push:
        bearer: {{tokens: ["file:{ours}"]}}
    records:
      Referral: {{mapping: bars/referral}}
      Response: {{mapping: bars/response}}
    owns: [type, priority, person, reason, received_at, channel, safeguarding_flag, restricted_record, extensions]
"""
ROUTES = """\
routes:
  - {name: nhs-to-care, from: nhs, to: care, record: Case, carries: state}
  - {name: answer-to-nhs, from: care, to: nhs, record: Response, carries: state}
"""


ASKING = """\
routes:
  - {name: desk-to-nhs, from: desk, to: nhs, record: Referral, carries: state}
  - {name: answer-to-desk, from: nhs, to: desk, record: Case, carries: state}
"""


def lay_out_bars(folder: Path, url: str, *, nhs: str, token: str, port: int = 0, asks: bool = False) -> Path:
    """Write the site. `nhs`: where messages go; `token`: what that service knows us by; `TOKEN` is what it shows us.

    `asks`: the rig's desk refers to the NHS, which says what becomes of it; else the NHS refers to the rig's care.
    """
    site = lay_out(folder, {"alder": "C"}, url)
    for name, text in (("token", f"Bearer {token}"), ("ours", TOKEN)):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o600)
    codes = site / "codes/rig-status.csv"
    more = "cancelled,cancelled,both,Wedi'i ganslo,Cancelled,,,\n"
    more += "rejected,rejected,both,Heb ei dderbyn,Not accepted,,,\n"
    codes.write_text(codes.read_text(encoding="utf-8") + more, encoding="utf-8")
    file = site / "config/councils/alder.yaml"
    head, _, rest = file.read_text(encoding="utf-8").partition("  desk:\n")
    desk, _, rest = rest.partition("  care:\n")
    care = rest.partition("routes:\n")[0]
    made = NHS.format(url=nhs, token=folder / "token", ours=folder / "ours")
    if asks:
        made = made.partition("    owns:")[0] + "    owns: [status, status_reason]\n"
        file.write_text(f"{head}  desk:\n{desk}{made}{ASKING}", encoding="utf-8")
    else:
        file.write_text(f"{head}{made}  care:\n{care}{ROUTES}", encoding="utf-8")
    settings = site / "config/dolen.yaml"
    listener = f"listener: {{port: {port}, within: PT2S, at_once: 4}}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + LEDGER + listener, encoding="utf-8")
    return site
