"""Staff change records, switch faults and read the counters, by JSON and by the pages."""

from typing import Any

import pytest

from sandbox.world import TENANTS
from tests.sandbox.conftest import Caller, Running, referral

RECORD: dict[str, Any] = {
    "Received": "2026-01-01T00:00:00",
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P1",
    "Subject": {
        "Forename": ["<Ann> & Bob"],
        "Surname": "Ôwen",
        "DOB": "0001-01-01",
        "Gender": "1",
        "PreferredLanguage": "N",
    },
    "Safeguarding": "false",
    "Restricted": "false",
}
PLACE = "torfaen/casework/records"


def test_an_officer_types_a_referral_in(running: Running) -> None:
    made = running.control("POST", "torfaen/casework/type-in", {**RECORD, "ClientReference": "k"}, status=201)
    kept = running.control("GET", f"{PLACE}/{made['ReferralId']}")
    assert kept["Subject"]["Forename"] == ["<Ann> & Bob"]
    assert (kept["Version"], kept.get("ClientReference")) == ("1", None)
    assert Caller(running).find() == ([made["ReferralId"]], False)


def test_staff_patch_a_record(running: Running) -> None:
    id = running.control("POST", PLACE, RECORD, status=201)["ReferralId"]
    patched = running.control("PATCH", f"{PLACE}/{id}", {"Status": "ACC", "Subject": {"KnownAs": "Nan"}})
    assert (patched["Version"], patched["Subject"]["KnownAs"]) == ("2", "Nan")
    assert patched["StatusChanged"] == patched["LastChanged"]
    again = running.control("PATCH", f"{PLACE}/{id}", {"Subject": {"KnownAs": None}})
    assert "KnownAs" not in again["Subject"]
    assert again["StatusChanged"] == patched["StatusChanged"]
    assert running.control("PUT", f"{PLACE}/{id}", RECORD).keys() >= {"Version", "LastChanged"}
    running.control("DELETE", f"{PLACE}/{id}")
    running.control("GET", f"{PLACE}/{id}", status=404)
    running.control("PATCH", f"{PLACE}/{id}", {}, status=404)


def test_a_code_that_staff_bring_in_joins_their_list_and_no_other(running: Running) -> None:
    caller = Caller(running)
    assert caller.refused("CreateReferral", referral(Status="PAU"))[1] == "Referral/Status"
    running.control("POST", "blaenau-gwent/casework/records", {**RECORD, "Status": "PAU"}, status=201)
    assert caller.refused("CreateReferral", referral(Status="PAU"))[1] == "Referral/Status"
    running.control("POST", PLACE, {**RECORD, "Status": "PAU"}, status=201)
    assert caller.create(Status="PAU")[1] == "1"


@pytest.mark.parametrize(("change", "words"), [
    ({"Status": "pau"}, "Referral/Status"),
    ({"Colour": "red"}, "no element 'Colour'"),
    ({"Safeguarding": False}, "Safeguarding must be a text"),
    ({"Subject": "Ann"}, "Subject must be an object"),
    ({"Subject": {"Forename": "Ann"}}, "Forename must be a list"),
    ({"Needs": {"Need": ["N01"]}}, "Need must be"),
    ({"OfficerNotes": "a\x00b"}, "control character"),
    ({"Extra": "<a>"}, "broken Extra"),
    ({"Received": None}, "Referral/Kind"),
])  # fmt: skip
def test_screens_refuse_what_the_interface_forbids(running: Running, change: dict[str, Any], words: str) -> None:
    assert words in running.control("POST", PLACE, {**RECORD, **change}, status=422)["error"]
    assert running.control("GET", PLACE)["count"] == 0


def test_a_broken_record_can_be_put_past_all_checks(running: Running) -> None:
    id = running.control("POST", PLACE, RECORD, status=201)["ReferralId"]
    running.control("PATCH", f"{PLACE}/{id}?unchecked=1", {"Subject": {"DOB": "31/12/1950"}})
    assert "31/12/1950" in Caller(running).post("GetReferral", f"<ReferralId>{id}</ReferralId>").text
    running.control("PATCH", f"{PLACE}/{id}", {"OfficerNotes": "x"}, status=422)
    running.control("PATCH", f"{PLACE}/{id}", {"Subject": {"DOB": "1950-12-31"}})
    running.control("POST", "torfaen/notify/records?unchecked=1", {}, status=422)


def test_records_come_in_pages(running: Running) -> None:
    ids = [running.control("POST", PLACE, RECORD, status=201)["ReferralId"] for _ in range(5)]
    first = running.control("GET", f"{PLACE}?limit=3")
    second = running.control("GET", f"{PLACE}?limit=3&after={first['next']}")
    assert [each["ReferralId"] for page in (first, second) for each in page["records"]] == ids
    assert (first["count"], second["next"]) == (5, None)
    for limit in ("0", "501", "x"):
        running.control("GET", f"{PLACE}?limit={limit}", status=400)


def test_looking_up_by_the_callers_key(running: Running) -> None:
    id, _ = Caller(running).create(given="<ClientReference>k/1</ClientReference>")
    found = running.control("GET", f"{PLACE}?key=k%2F1")["records"]
    assert [each["ReferralId"] for each in found] == [id]
    assert running.control("GET", f"{PLACE}?key=")["records"] == []


def test_faults_and_calls(running: Running) -> None:
    running.fault("error_before", times=1, operations=["CreateReferral"])
    caller = Caller(running)
    assert caller.post("CreateReferral", referral()).status_code == 503
    caller.create()
    caller.refused("CreateReferral", referral(Priority="P9"))
    calls = {(each["operation"], each["outcome"]): each["calls"] for each in running.control("GET", "calls")["calls"]}
    assert calls == {
        ("CreateReferral", "error before"): 1,
        ("CreateReferral", "200"): 1,
        ("CreateReferral", "ValidationFault"): 1,
    }
    on = running.control("GET", "faults")
    assert on["faults"][0]["faults"]["error_before"]["times"] == 0
    assert "late_commit" in on["kinds"]
    assert running.control("DELETE", "faults?tenant=torfaen&fault=error_before")["faults"] == []
    assert running.control("DELETE", "calls") == {"calls": []}


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("POST", "faults", {"tenant": "torfaen", "system": "casework", "faults": {"deda": {}}}, 400),
    ("POST", "faults", {"tenant": "torfaen", "system": "gasworks", "faults": {}}, 400),
    ("POST", "faults", {"system": "casework", "faults": {}}, 400),
    ("POST", "faults", {"tenant": "torfaen", "system": "casework", "faults": []}, 400),
    ("POST", "faults", [], 400),
    ("PUT", "clock", {"now": "soon"}, 400),
    ("PUT", "clock", {"now": "2026-01-01T00:00:00"}, 400),
    ("GET", "torfaen/gasworks/records", None, 404),
    ("GET", "nothing", None, 404),
    ("PUT", PLACE, {}, 405),
])  # fmt: skip
def test_wrong_calls_say_why(running: Running, method: str, path: str, body: Any, status: int) -> None:
    assert len(running.control(method, path, body, status=status)["error"]) > 10


def test_other_peoples_pages_may_not_change_anything(running: Running) -> None:
    answer = running.http.delete(
        f"{running.url}/control/faults", headers={"Origin": "https://www.example.org"}, timeout=5
    )
    assert answer.status_code == 403


def test_the_pages_for_people(running: Running) -> None:
    id = running.control("POST", PLACE, RECORD, status=201)["ReferralId"]
    home = running.http.get(f"{running.url}/control/", timeout=5)
    assert home.headers["Content-Type"] == "text/html; charset=utf-8"
    assert all(tenant in home.text for tenant in TENANTS)
    assert id in running.http.get(f"{running.url}/control/pages/torfaen/casework", timeout=5).text
    place = f"{running.url}/control/pages/torfaen/casework/{id}"
    page = running.http.get(place, timeout=5).text
    assert "<Ann>" not in page
    assert "&lt;Ann&gt; &amp; Bob" in page
    form = {"record": '{"Safeguarding": 1}'}
    assert running.http.post(place, data=form, timeout=5).status_code == 422
    form = {"record": running.http.get(f"{running.url}/control/{PLACE}/{id}", timeout=5).text.replace("P1", "P2")}
    assert running.http.post(place, data=form, timeout=5).ok
    assert running.control("GET", f"{PLACE}/{id}")["Priority"] == "P2"


def test_switching_faults_by_form(running: Running) -> None:
    pages = f"{running.url}/control/pages"
    form = {"place": "torfaen/contact", "fault": "latency", "settings": '{"ms": 1}'}
    assert "latency" in running.http.post(f"{pages}/faults", data=form, timeout=5).text
    assert running.control("GET", "faults")["faults"][0]["faults"]["latency"]["ms"] == 1
    assert running.http.post(f"{pages}/faults", data={**form, "settings": "{"}, timeout=5).status_code == 400
    assert running.http.post(f"{pages}/faults", data={**form, "settings": '{"x": 1}'}, timeout=5).status_code == 400
    off = {"tenant": "torfaen", "system": "contact", "fault": "latency"}
    assert running.http.post(f"{pages}/faults-off", data=off, timeout=5).ok
    assert running.control("GET", "faults")["faults"] == []
