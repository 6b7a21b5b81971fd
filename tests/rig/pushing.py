"""A desk that pushes: the rig's site with a listener, and a supplier that signs as Standard Webhooks says.

The signing is written here once more and from the standard, so that a slip in ours does not prove itself.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import time
import urllib.parse
from pathlib import Path
from typing import Any

from tests.rig.site import lay_out
from tests.rig.systems import Case

LEDGER = 'ledger: {url: "sqlite:///ledger.db"}\n'  # as tests.found.as_asked wants to find it
SECRET = "cyfrinach-y-rig-0123456789"
RECORD = "    push: {carries: record, answer: 200}\n"
ID = "    push: {carries: id, items: 'events[]', id: case/id, answer: 202}\n"
PROOF = """\
      push:
        signature:
          secrets: ["file:{old}", "file:{new}"]
"""


def lay_out_pushing(folder: Path, tiers: dict[str, str], url: str, *, port: int, carries: str) -> Path:
    """Write the rig's site with desks that push whole records or only ids (`carries`), and that are never polled."""
    site = lay_out(folder, tiers, url)
    profile = site / "profiles/rig-a.yaml"
    pushing = profile.read_text(encoding="utf-8").rstrip("\n") + "\n" + (RECORD if carries == "record" else ID)
    (site / "profiles/rig-desk.yaml").write_text(pushing, encoding="utf-8")
    (folder / "old").write_text("another-secret-that-is-going", encoding="utf-8")
    (folder / "new").write_text(SECRET, encoding="utf-8")
    proof = PROOF.format(old=folder / "old", new=folder / "new")
    for council in tiers:
        file = site / f"config/councils/{council}.yaml"
        desk, care, rest = file.read_text(encoding="utf-8").partition("  care:\n")
        desk = desk.replace("profile: rig-a", "profile: rig-desk").replace("    schedule: {every: PT1S}\n", "")
        desk = desk.replace("    records:\n", f"{proof}    records:\n")
        file.write_text(desk + care + rest, encoding="utf-8")
    settings = site / "config/dolen.yaml"
    listener = f"listener: {{port: {port}, within: PT1S, most_bytes: 20000, at_once: 4}}\n"
    settings.write_text(settings.read_text(encoding="utf-8") + LEDGER + listener, encoding="utf-8")
    return site


def signed(body: bytes, id: str, *, at: float | None = None, secret: str = SECRET) -> dict[str, str]:
    """The headers of a push."""
    stamp = str(int(time.time() if at is None else at))
    digest = hmac.new(secret.encode(), f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(b'x' * 32).decode()} v1,{base64.b64encode(digest).decode()}",
        "Content-Type": "application/json",
    }


def shown(case: Case) -> bytes:
    """A case as its desk pushes it."""
    return json.dumps(case.shown()).encode()


def push(address: str, place: str, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
    """Push; the answer has been read."""
    parts = urllib.parse.urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request("POST", f"/push/{place}", body, headers)
        answer = connection.getresponse()
        answer.said = answer.read()  # type: ignore[attr-defined]
        return answer
    finally:
        connection.close()


def said(answer: Any) -> Any:
    """What an answer's body says."""
    return json.loads(answer.said)


FORM = """\
  form:
    profile: web-form
    owner: {{name: Digital team, phone: "01632 960103"}}
    supplier: Nobody
    connect:
      push:
        signature: {{secrets: ["file:{secret}"], id_header: Idempotency-Key}}
    records:
      Referral: {{mapping: web-form/referral}}
    owns: [type, priority, person, language, notify, referrer, reason, needs, channel, received_at, safeguarding_flag,
           restricted_record]
"""


def lay_out_form(folder: Path, url: str) -> Path:
    """Write the rig's site with a web form in place of the desk."""
    site = lay_out(folder, {"alder": "A"}, url)
    (folder / "secret").write_text(SECRET, encoding="utf-8")
    (folder / "secret").chmod(0o600)
    file = site / "config/councils/alder.yaml"
    head, _, rest = file.read_text(encoding="utf-8").partition("  desk:\n")
    care = rest.partition("  care:\n")[2].partition("routes:\n")[0]
    route = "  - {name: form-to-care, from: form, to: care, record: Case, carries: state}\n"
    text = f"{head}{FORM.format(secret=folder / 'secret')}  care:\n{care}routes:\n{route}"
    file.write_text(text, encoding="utf-8")
    settings = site / "config/dolen.yaml"
    settings.write_text(settings.read_text(encoding="utf-8") + LEDGER + "listener: {port: 0}\n", encoding="utf-8")
    return site


def form_signed(body: bytes, key: str) -> dict[str, str]:
    """The headers of a form's call: the key is what is signed as its id."""
    headers = signed(body, key)
    return {"Idempotency-Key": headers.pop("webhook-id"), **headers}
