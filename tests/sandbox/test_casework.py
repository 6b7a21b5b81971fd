"""The case system keeps its promises in both SOAP versions: strict bodies, typed faults, replace, search, pages."""

import threading
from datetime import datetime
from pathlib import Path

import pytest
from lxml import etree

from sandbox.casework.shape import schema_element
from sandbox.secrets import casework_login
from tests.sandbox.conftest import CW, SOAP, Caller, Running, body_of, referral, security, user_token


def test_create_and_read_back(both: Caller) -> None:
    id, version = both.create(Reason="Angen help &amp; &lt;cyngor&gt;")
    assert (id, version) == ("R0000001", "1")
    found = both.call("GetReferral", f"<ReferralId>{id}</ReferralId>")[0]
    assert found.findtext(f"{CW}Reason") == "Angen help & <cyngor>"
    assert found.findtext(f"{CW}Subject/{CW}DOB") == "0001-01-01"
    assert etree.QName(found[0]).localname == "ReferralId"
    assert len(both.call("GetReferral", "<ReferralId>R9</ReferralId>")) == 0


def test_every_answer_is_valid_against_the_interface(both: Caller) -> None:
    schema = etree.XMLSchema(schema_element())
    need = '<Needs><Need code="N01">a</Need><Need code="N04"/></Needs>'
    extra = '<Extra><a xmlns="urn:x" b="1">c<d/></a></Extra>'
    rich = referral(
        given="<ClientReference>k</ClientReference>",
        subject="<Address><Line>1 Heol</Line><Line/></Address><SafeToText>1</SafeToText>",
        tail=f"<VisitOn>2026-04-01</VisitOn><OfficerNotes>n</OfficerNotes>{extra}",
    ).replace("<Safeguarding>", f"{need}<Safeguarding>")
    calls = {
        "CreateReferral": rich,
        "FindByClientReference": "<ClientReference>k</ClientReference>",
        "FindReferrals": "<ChangedFrom>2000-01-01T00:00:00</ChangedFrom><Page>1</Page><PageSize>5</PageSize>",
        "GetReferral": "<ReferralId>R0000001</ReferralId>",
        "UpdateReferral": rich.replace("<Referral>", "<Referral><ReferralId>R0000001</ReferralId><Version>1</Version>"),
    }
    for operation, inner in calls.items():
        schema.assertValid(both.call(operation, inner))
    kept = both.running.control("GET", "torfaen/casework/records/R0000001")
    assert kept["Needs"] == {"Need": [{"@code": "N01", ".": "a"}, {"@code": "N04", ".": ""}]}
    assert kept["Subject"]["Address"] == {"Line": ["1 Heol", ""]}
    assert etree.fromstring(kept["Extra"]).get("b") == "1"


@pytest.mark.parametrize(("broken", "name", "field"), [
    (referral(Priority="P9"), "ValidationFault", "Referral/Priority"),
    (referral(Status="PAU"), "ValidationFault", "Referral/Status"),
    (referral(Kind="ref"), "ValidationFault", "Referral/Kind"),
    (referral(Received="2026-03-02T09:30:00Z"), "ValidationFault", "Referral/Received"),
    (referral(Received="2026-03-02T09:30:00+01:00"), "ValidationFault", "Referral/Received"),
    (referral().replace("0001-01-01", "31/12/1950"), "ValidationFault", "Referral/Subject/DOB"),
    (referral().replace("<Surname>ap Rhŷs</Surname>", ""), "ValidationFault", "Referral/Subject/DOB"),
    (referral().replace("<Forename>Siân</Forename>", "<Forename/>" ), "ValidationFault", "Referral/Subject/Forename"),
    (referral(tail="<OfficerNotes/><VisitOn>2026-01-01</VisitOn>"), "ValidationFault", "Referral/VisitOn"),
    (referral(tail="<Colour>red</Colour>"), "ValidationFault", "Referral/Colour"),
    (referral(given="<ReferralId>R7</ReferralId>"), "ValidationFault", "Referral/ReferralId"),
    (referral(given=f"<PublicReference>{'k' * 21}</PublicReference>"), "ValidationFault", "Referral/PublicReference"),
    (referral().replace("<Safeguarding>", '<Needs><Need code="N01"/><Need code="N99"/></Needs><Safeguarding>'),
     "ValidationFault", "Referral/Needs/Need[2]/@code"),
    (referral().replace("<Safeguarding>", '<Needs><Need code="N01"/><Need code="n"/></Needs><Safeguarding>'),
     "ValidationFault", "Referral/Needs/Need[2]/@code"),
    ("", "ValidationFault", "CreateReferral"),
])  # fmt: skip
def test_what_the_interface_forbids_is_refused_and_nothing_is_kept(
    both: Caller, broken: str, name: str, field: str
) -> None:
    assert both.refused("CreateReferral", broken) == (name, field)
    assert both.find() == ([], False)


def test_element_order_is_strict(casework: Caller) -> None:
    swapped = referral().replace("<Kind>REF</Kind><Status>NEW</Status>", "<Status>NEW</Status><Kind>REF</Kind>")
    assert casework.refused("CreateReferral", swapped) == ("ValidationFault", "Referral/Status")


def test_an_update_replaces_the_whole_record(both: Caller) -> None:
    id, _ = both.create(given="<ClientReference>k</ClientReference>", tail="<OfficerNotes>Dog bites.</OfficerNotes>")
    given = f"<ReferralId>{id}</ReferralId><Version>1</Version>"
    done = both.call("UpdateReferral", referral(given=given, Status="ACC"))
    assert done.findtext(f"{CW}Version") == "2"
    kept = both.running.control("GET", f"torfaen/casework/records/{id}")
    assert (kept["Status"], kept["Version"]) == ("ACC", "2")
    assert "OfficerNotes" not in kept
    assert "ClientReference" not in kept
    assert len(both.call("FindByClientReference", "<ClientReference>k</ClientReference>")) == 0


def test_an_update_names_the_version_it_was_read_at(both: Caller) -> None:
    id, _ = both.create()
    both.running.control("PATCH", f"torfaen/casework/records/{id}", {"OfficerNotes": "Rang."})
    stale = referral(given=f"<ReferralId>{id}</ReferralId><Version>1</Version>")
    answer = both.post("UpdateReferral", stale)
    conflict = next(body_of(answer).iter(f"{CW}VersionConflict"))
    assert conflict.findtext(f"{CW}Version") == "2"
    assert both.refused("UpdateReferral", referral(given=f"<ReferralId>{id}</ReferralId>")) == (
        "ValidationFault",
        "Referral/Version",
    )
    unknown = referral(given="<ReferralId>R99</ReferralId><Version>1</Version>")
    assert both.refused("UpdateReferral", unknown) == ("NotFound", "")


def test_of_updates_at_the_same_version_one_wins(running: Running) -> None:
    id, _ = Caller(running).create()
    inner = referral(given=f"<ReferralId>{id}</ReferralId><Version>1</Version>")
    statuses: list[int] = []

    def update() -> None:
        statuses.append(Caller(running).post("UpdateReferral", inner).status_code)

    threads = [threading.Thread(target=update) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] + [500] * 7


def test_the_callers_key_is_searchable_and_not_unique(casework: Caller) -> None:
    ids = {casework.create(given="<ClientReference>k-1</ClientReference>")[0] for _ in range(2)}
    found = casework.call("FindByClientReference", "<ClientReference>k-1</ClientReference>")
    assert {each.findtext(f"{CW}ReferralId") for each in found} == ids
    assert len(ids) == 2
    assert len(casework.call("FindByClientReference", "<ClientReference/>")) == 0


def test_pages_are_in_order_though_many_share_a_stamp(casework: Caller) -> None:
    made = [casework.create()[0] for _ in range(13)]
    casework.running.world.clock.set(datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
    casework.running.control("PATCH", f"torfaen/casework/records/{made[2]}", {"OfficerNotes": "Rang."})
    walked: list[str] = []
    page, more = 1, True
    while more:
        ids, more = casework.find(page=page, size=4)
        assert len(ids) == 4 or not more
        walked += ids
        page += 1
    assert walked == [*(id for id in made if id != made[2]), made[2]]
    assert casework.find(since="2030-01-01T00:00:00") == ([made[2]], False)
    assert casework.find(since="2030-01-01T00:00:01") == ([], False)


def test_blaenau_gwent_has_its_own_priorities(running: Running) -> None:
    caller = Caller(running)
    assert caller.refused("CreateReferral", referral(Priority="AMBER"))[1] == "Referral/Priority"
    caller.url = caller.url.replace("torfaen", "blaenau-gwent")
    caller.login = lambda: security(user_token(casework_login("blaenau-gwent")["password"]))
    assert caller.create(Priority="AMBER")[0] == "R0000001"
    assert caller.refused("CreateReferral", referral(Priority="P1"))[1] == "Referral/Priority"


def test_councils_are_apart(running: Running) -> None:
    Caller(running).create()
    other = Caller(running)
    other.url = other.url.replace("torfaen", "neath-port-talbot")
    assert other.post("GetReferral", "<ReferralId>R0000001</ReferralId>").status_code == 500  # torfaen's password
    other.login = lambda: security(user_token(casework_login("neath-port-talbot")["password"]))
    assert other.find() == ([], False)


def test_the_wsdl_names_where_it_was_fetched(running: Running) -> None:
    answer = running.http.get(f"{running.url}/torfaen/casework/soap?wsdl", timeout=5)
    assert answer.headers["Content-Type"].startswith("text/xml")
    assert answer.text.count(f'location="{running.url}/torfaen/casework/soap"') == 2


def test_failures_of_the_whole_server_are_server_faults(both: Caller) -> None:
    both.running.fault("error_before", status=503)
    answer = both.post("CreateReferral", referral())
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == SOAP[both.version][1]
    assert body_of(answer)[0].xpath("string()").endswith("Server" if both.version == "1.1" else "Receiver")


def test_the_pinned_copy_that_connectors_carry_is_the_same_interface() -> None:
    here = Path(__file__).parents[2]
    ours, pinned = (here / room / "interfaces" / "casework.wsdl" for room in ("sandbox", "connectors"))
    assert ours.read_bytes() == pinned.read_bytes()
