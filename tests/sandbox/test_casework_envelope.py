"""Messages that are broken, hostile or of another version get a fault and touch nothing."""

import time
from pathlib import Path

import psutil
import pytest

from tests.sandbox.conftest import SOAP, Caller, Running, body_of, referral

NS = SOAP["1.1"][0]


def envelope(body: str, head: str = "", before: str = "") -> str:
    return f'{before}<s:Envelope xmlns:s="{NS}"><s:Header>{head}</s:Header><s:Body>{body}</s:Body></s:Envelope>'


GET = '<GetReferral xmlns="urn:example:casework:2"><ReferralId>R1</ReferralId></GetReferral>'
BOMB = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
MESSAGES = {
    "nothing": (b"", "Client"),
    "no XML": (b"hello", "Client"),
    "cut off": (envelope(GET)[:-9].encode(), "Client"),
    "not UTF-8": (envelope(GET).replace("R1", "R\xe9").encode("latin-1"), "Client"),
    "a DTD": (envelope(GET, before="<!DOCTYPE x>").encode(), "Client"),
    "an entity": (
        envelope(GET.replace("R1", "&e;"), before='<!DOCTYPE x [<!ENTITY e "R1">]>').encode(),
        "Client",
    ),
    "a file entity": (
        envelope(GET.replace("R1", "&e;"), before='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>').encode(),
        "Client",
    ),
    "a bomb": (
        envelope(GET.replace("R1", "&a11;"), before=f'<!DOCTYPE x [<!ENTITY a0 "ha">{BOMB}]>').encode(),
        "Client",
    ),
    "too deep": (envelope("<a>" * 5000 + "</a>" * 5000).encode(), "Client"),
    "no body": (f'<s:Envelope xmlns:s="{NS}"/>'.encode(), "Client"),
    "an empty body": (envelope("").encode(), "Client"),
    "two in the body": (envelope(GET + GET).encode(), "Client"),
    "another operation": (envelope(GET.replace("GetReferral", "DropReferral")).encode(), "Client"),
    "another namespace": (envelope(GET.replace("casework:2", "casework:1")).encode(), "Client"),
    "no envelope": (GET.encode(), "VersionMismatch"),
    "the other version": (envelope(GET).replace(NS, SOAP["1.2"][0]).encode(), "VersionMismatch"),
    "a header it must understand": (
        envelope(GET, head='<a xmlns="urn:a" s:mustUnderstand="1"/>').encode(),
        "MustUnderstand",
    ),
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_broken_messages(running: Running, kind: str) -> None:
    message, code = MESSAGES[kind]
    memory, began = psutil.Process().memory_info().rss, time.monotonic()
    answer = running.http.post(
        f"{running.url}/torfaen/casework/soap", data=message, headers={"Content-Type": SOAP["1.1"][1]}, timeout=5
    )
    assert (answer.status_code, body_of(answer).findtext("faultcode")) == (500, f"soap:{code}")
    assert time.monotonic() - began < 3
    assert psutil.Process().memory_info().rss - memory < 100_000_000
    assert Path("/etc/hostname").read_text(encoding="utf-8").strip() not in answer.text


def test_soapaction_must_name_the_operation(casework: Caller) -> None:
    wrong = casework.post("CreateReferral", referral(), SOAPAction='"urn:example:casework:2/UpdateReferral"')
    right = casework.post("CreateReferral", referral(), SOAPAction='"urn:example:casework:2/CreateReferral"')
    assert (wrong.status_code, right.status_code) == (500, 200)


@pytest.mark.parametrize(("method", "content_type", "status"), [
    ("POST", "application/json", 415), ("POST", "", 415), ("GET", "text/xml", 405), ("PUT", "text/xml", 405),
])  # fmt: skip
def test_other_ways_of_calling(running: Running, method: str, content_type: str, status: int) -> None:
    url = f"{running.url}/torfaen/casework/soap"
    headers = {"Content-Type": content_type}
    assert running.http.request(method, url, data=b"x", headers=headers, timeout=5).status_code == status
    assert running.http.get(f"{running.url}/torfaen/casework/elsewhere", timeout=5).status_code == 404
