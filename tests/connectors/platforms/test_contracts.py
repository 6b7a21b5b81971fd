"""The pretend platforms are held to their public contracts, in every test of this folder; here is what that sees.

`conftest.py` judges each call and each answer that no fault was wanted for. This goes through every call of both
contracts, and shows that the judge is no ornament.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from connectors.documents import Document
from connectors.errors import Rejected
from tests.connectors.held import Held
from tests.connectors.platforms.conftest import contract_of
from tests.connectors.platforms.test_dataverse import NEW as ROW
from tests.connectors.platforms.test_dataverse import TYPED
from tests.connectors.platforms.test_salesforce import NEW as RECORD

NEW = {"dataverse": ROW, "salesforce": RECORD}
TYPED_IN = {"dataverse": TYPED, "salesforce": {**RECORD, "Needs__c": ";".join(RECORD["Needs__c"])}}
#: A second page of a query comes behind 2,000 records, or where a fault makes pages small: then nothing is judged.
LEFT_OUT: dict[str, set[tuple[str, str]]] = {
    "dataverse": set(), "salesforce": {("GET", "/services/data/v60.0/query/{locator}")}
}  # fmt: skip
CHANGE = {"dataverse": {"dolen_team": "adults"}, "salesforce": {"Team__c": "adults"}}


@pytest.mark.parametrize("system", ["dataverse", "salesforce"])
def test_every_call_of_the_contract_is_made_and_kept(own: Any, opened: Any, walk: Any, system: str) -> None:
    connector, council = opened(system), own.council
    for _ in range(3):
        council.type_in(system, TYPED_IN[system])
    assert connector.find("Referral", "nobody's") == []
    walk(connector, limit=2)
    made = connector.deliver("Referral", NEW[system], key="k")
    held = connector.fetch("Referral", made.id)
    connector.deliver("Referral", CHANGE[system], key="k", id=made.id, version=held.version)
    assert connector.find("Referral", "k")
    items, watermark, _ = walk(connector)
    own.later(minutes=5)
    council.control("DELETE", f"torfaen/{system}/records/{items[0].id}")
    own.later(minutes=5)
    gone = [item for item in walk(connector, watermark)[0] if item.deleted]
    assert [item.id for item in gone] == [items[0].id]
    connector.add("Referral", made.id, Document("a.pdf", "application/pdf", 5, lambda: io.BytesIO(b"%PDF-")), key="k-1")
    if system == "dataverse":
        assert connector.find_document("Referral", made.id, "k-1")
        assert connector.codes("Referral", "dolen_status")
    with pytest.raises(Rejected):
        connector.deliver("Referral", {next(iter(CHANGE[system])): "x" * 5_000}, key="k2")
    connector.doctor()
    judged = own.held[system]
    assert judged.wrong == []
    assert judged.calls - judged.seen == LEFT_OUT[system]


ROOT = "/services/data/v60.0"
ONE = f"{ROOT}/sobjects/Dolen_Referral__c/Dolen_Key__c/k"
SAVED: dict[str, Any] = {"id": "a00D00000000001IAM", "success": True, "errors": [], "created": True}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"path": "/services/data/v60.0/sobjects/Account/1"}, ["the contract has no such call"]),
        ({"method": "PUT"}, ["the contract has no such call"]),
        ({"status": 202}, ["the contract has no answer 202"]),
        ({"query": {"colour": "red"}}, ["colour in the query is not known"]),
        ({"body": {"Id": "a00D00000000001IAM"}}, ["what is sent at $: not"]),
        ({"body": {"Status__c": "Lost"}}, ["what is sent at $.Status__c: enum"]),
        ({"answer": {**SAVED, "success": False}}, ["201 at $.success: const"]),
        ({"answer": {"id": "a00D00000000001IAM"}}, ["201 at $: required", "201 at $: required"]),
        ({"status": 400, "answer": {"message": "no"}}, ["400 at $: type"]),
        ({"status": 400, "answer": [{"message": "no", "errorCode": "sorry"}]}, ["400 at $[0].errorCode: pattern"]),
    ],
)
def test_what_is_not_as_the_contract_says_is_seen(change: dict[str, Any], words: list[str]) -> None:
    held = Held("salesforce", contract_of("salesforce"))
    answer = (change.get("status", 201), {}, json.dumps(change.get("answer", SAVED)).encode())
    sent = json.dumps(change.get("body", {"Team__c": "adults"})).encode()
    held.judge(change.get("method", "PATCH"), change.get("path", ONE), change.get("query", {}), {}, sent, answer)
    assert len(held.wrong) == len(words), held.wrong
    assert all(one in told for one, told in zip(words, held.wrong, strict=True)), held.wrong


def test_a_header_that_the_contract_wants_is_missed() -> None:
    held = Held("dataverse", contract_of("dataverse"))
    row = {"@odata.etag": 'W/"1"', "dolen_referralid": "00000000-0000-0000-0000-000000000001"}
    path = f"/api/data/v9.2/dolen_referrals({row['dolen_referralid']})"
    held.judge("GET", path, {}, {"odata-maxversion": "5.0"}, b"", (200, {}, json.dumps(row).encode()))
    assert [one.partition(": ")[2].partition(' "')[0] for one in held.wrong] == [
        "OData-Version is missing in the header", "OData-MaxVersion in the header at $: const",
        "200 without the header OData-Version",
    ]  # fmt: skip
