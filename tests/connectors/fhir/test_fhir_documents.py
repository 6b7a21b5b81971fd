"""Documents handed to a FHIR server: a DocumentReference with the file in it, linked to its referral, made once."""

from __future__ import annotations

import base64
import copy
import io
import json
from typing import Any

import pytest

from connectors.documents import DOCUMENT, Document, offered
from connectors.errors import Misconfigured, NotThere, Unknown
from connectors.fhir.capability import lacks
from connectors.port import Tier
from connectors.problems import ProfileFaults
from connectors.registry import check_fit, check_profile
from tests.connectors.fhir.test_fhir_server import OURS, of_type

TYPE = "DocumentReference"


def letter(body: bytes = b"%PDF-1.7 \xc5\xb5", name: str = 'llythyr "ŵ".pdf') -> Document:
    return Document(name, "application/pdf", len(body), lambda: io.BytesIO(body))


def test_a_document_is_filed_with_its_referral_and_once(council: Any, fhir: Any, record: Any) -> None:
    connector = fhir()
    assert (connector.tier(DOCUMENT), offered(connector)) == (Tier.KEEPS_KEY, {"create", "find"})
    made = connector.deliver("Referral", record, key="dolen-1")
    body = bytes(range(256)) * 401 + b"x"
    assert connector.find_document("Referral", made.id, "dolen-1-a") == ""
    filed = connector.add("Referral", made.id, letter(body), key="dolen-1-a")
    again = connector.add("Referral", made.id, letter(body), key="dolen-1-a")
    assert (filed.effect, again.effect, again.id) == ("created", "nothing", filed.id)
    assert (filed.reply, again.reply) == (b"", b""), "nothing of a document is kept"
    (there,) = of_type(council, TYPE)
    (request,), (patient,) = of_type(council, "ServiceRequest"), of_type(council, "Patient")
    assert there["context"] == {"related": [{"reference": f"ServiceRequest/{request['id']}"}]}
    assert there["subject"] == {"reference": f"Patient/{patient['id']}"}
    assert there["identifier"] == [{"system": OURS, "value": "dolen-1-a"}]
    ((attached,),) = [[one["attachment"] for one in there["content"]]]
    assert (attached["contentType"], attached["title"]) == ("application/pdf", 'llythyr "ŵ".pdf')
    assert base64.b64decode(attached["data"], validate=True) == body
    assert connector.find_document("Referral", made.id, "dolen-1-a") == filed.id == there["id"]
    connector.add("Referral", made.id, letter(), key="dolen-1-b")
    assert len(of_type(council, TYPE)) == 2
    with pytest.raises(NotThere):
        connector.add("Referral", "t0-000000", letter(), key="dolen-1-c")


def test_one_whose_answer_was_lost_is_found_by_our_key(council: Any, fhir: Any, record: Any) -> None:
    connector = fhir()
    made = connector.deliver("Referral", record, key="dolen-1")
    council.faults("health", reset_after={"operations": [f"create {TYPE}"], "times": 1})
    with pytest.raises(Unknown):
        connector.add("Referral", made.id, letter(), key="k")
    (there,) = of_type(council, TYPE)
    assert connector.find_document("Referral", made.id, "k") == there["id"]


def test_no_answer_of_a_search_for_a_document_brings_its_file(small: Any, answer: Any, fhir: Any, record: Any) -> None:
    def told(call: Any) -> Any:
        assert b"_summary=true" in call.body
        resource = {"resourceType": TYPE, "id": "d1", "identifier": [{"system": OURS, "value": "another"}]}
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": resource}]}
        return answer(200, json.dumps(bundle).encode())

    assert fhir(small(told).url + "/fhir").find_document("Referral", "t1", "k") == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [({"about": "Appointment"}, "no resource of the record"), ({"subject": "Group"}, "no resource of the record"),
     ({"says": {"status": "current"}}, "written by the connector")],
)  # fmt: skip
def test_a_section_that_does_not_agree_is_refused(shipped: Any, change: dict[str, Any], words: str) -> None:
    profile = copy.deepcopy(shipped("health"))
    profile["records"]["Referral"]["documents"] |= change
    with pytest.raises(ProfileFaults, match=words):
        check_profile(profile)


@pytest.mark.parametrize(
    ("says", "words"), [({"typ": {"text": "x"}}, "no element typ"), ({"type": "x"}, "at type"), ({}, "")]
)
def test_the_check_holds_what_is_said_against_the_pinned_file(
    shipped: Any, interfaces: Any, says: dict[str, Any], words: str
) -> None:
    profile = copy.deepcopy(shipped("health"))
    profile["records"]["Referral"]["documents"]["says"] = says
    if not words:
        check_fit(profile, interfaces=interfaces)
        return
    with pytest.raises(Misconfigured, match=words):
        check_fit(profile, interfaces=interfaces)


def test_doctor_says_that_a_server_takes_none(shipped: Any) -> None:
    told: Any = {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"resource": [
        {"type": one} for one in ("Patient", "ServiceRequest", "Task")]}]}  # fmt: skip
    profile: Any = check_profile(shipped("health"))
    assert any(f"nothing of {TYPE}" in words for words in lacks(told, profile))
    told["rest"][0]["resource"].append({"type": TYPE, "conditionalCreate": False})
    (words,) = lacks(told, profile)
    assert f"{TYPE} cannot be created on a condition" in words
