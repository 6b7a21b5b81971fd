"""The faults that only the case system can act out: pages that repeat, shift or never end, and records gone wrong."""

import pytest
import requests
from lxml import etree

from sandbox.casework.shape import schema_element
from tests.sandbox.conftest import CW, Caller, referral


def fill(casework: Caller, count: int) -> list[str]:
    return [casework.create()[0] for _ in range(count)]


def walk(casework: Caller, size: int) -> list[list[str]]:
    pages: list[list[str]] = []
    more = True
    while more and len(pages) < 20:
        ids, more = casework.find(page=len(pages) + 1, size=size)
        pages.append(ids)
    return pages


def test_a_repeated_page_loses_nothing(casework: Caller) -> None:
    made = fill(casework, 7)
    casework.running.fault("repeated_page", times=1)
    assert walk(casework, 3) == [made[:3], made[:3], made[3:6], made[6:]]
    assert walk(casework, 3) == [made[:3], made[3:6], made[6:]]


def test_a_record_that_changes_while_paging_shifts_the_pages(casework: Caller) -> None:
    made = fill(casework, 7)
    casework.running.world.clock.set(casework.running.world.clock().replace(year=2030))
    casework.running.fault("changed_while_paging", times=1)
    assert walk(casework, 3) == [made[:3], [*made[4:7]], [made[0]]]  # made[3] slipped through: that is the fault
    kept = casework.running.control("GET", f"torfaen/casework/records/{made[0]}")
    assert (kept["Version"], kept["OfficerNotes"]) == ("2", " Rang again.")


def test_pages_that_never_end(casework: Caller) -> None:
    made = fill(casework, 2)
    casework.running.fault("endless_page")
    assert casework.find(page=1, size=2) == casework.find(page=77, size=2) == (made, True)


def test_a_huge_record_is_still_valid(casework: Caller) -> None:
    (id,) = fill(casework, 1)
    casework.running.fault("huge_record", bytes=3_000_000, operations=["GetReferral"])
    found = casework.call("GetReferral", f"<ReferralId>{id}</ReferralId>")
    assert len(etree.tostring(found)) > 3_000_000
    etree.XMLSchema(schema_element()).assertValid(found)
    assert casework.find() == ([id], False)


def test_a_broken_record_breaks_only_itself(casework: Caller) -> None:
    made = fill(casework, 2)
    casework.running.fault("broken_record", times=1)
    inner = "<ChangedFrom>2000-01-01T00:00:00</ChangedFrom><Page>1</Page><PageSize>9</PageSize>"
    births = [each.text for each in casework.call("FindReferrals", inner).iter(f"{CW}DOB")]
    assert births == ["31/12/1950", "0001-01-01"]
    assert casework.running.control("GET", f"torfaen/casework/records/{made[0]}")["Subject"]["DOB"] == "0001-01-01"


def test_a_create_without_an_answer_is_there_and_can_be_found(casework: Caller) -> None:
    casework.running.fault("reset_after", times=1)
    given = "<ClientReference>k</ClientReference>"
    with pytest.raises(requests.ConnectionError):
        casework.create(given=given)
    assert len(casework.call("FindByClientReference", given)) == 1


def test_a_late_update_that_finds_a_newer_version_is_dropped(casework: Caller) -> None:
    (id,) = fill(casework, 1)
    casework.running.fault("late_commit", times=1, seconds=0.3, silent_seconds=0.01)
    given = f"<ReferralId>{id}</ReferralId><Version>1</Version>"
    with pytest.raises(requests.ConnectionError):
        casework.post("UpdateReferral", referral(given=given, Status="TRI"))
    casework.call("UpdateReferral", referral(given=given, Status="ACC"))
    while "late commit refused: SoapFault" not in str(casework.running.control("GET", "calls")):
        pass
    assert casework.running.control("GET", f"torfaen/casework/records/{id}")["Status"] == "ACC"
