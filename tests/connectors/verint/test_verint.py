"""Cases go to the pretend CRM and come back, over real sockets: both logins, windows, notes, closing and reopening.

The behaviour is what others report of Verint, not verified against the product; the other side imports nothing of ours.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors import errors, registry
from connectors.port import Connector, Item, Tier, UnreadableItem

Open = Callable[..., Connector]


def held(council: Any, id: str) -> dict[str, Any]:
    return next(record for record in council.records("verint") if record["caseReference"] == id)


def fetched(crm: Connector, id: str) -> Item:
    item = crm.fetch("Case", id)
    assert item is not None
    return item


def walked(crm: Connector, watermark: str = "", limit: int | None = None) -> tuple[list[Any], str, int]:
    found: list[Any] = []
    cursor, pages = "", 0
    while True:
        page = crm.changes("Case", watermark=watermark, cursor=cursor, limit=limit)
        found += page.items
        pages += 1
        if not page.cursor:
            return found, page.watermark, pages
        cursor = page.cursor


@pytest.mark.parametrize("login", ["basic", "text", "digest"])
def test_a_case_goes_there_and_comes_back_as_it_was(
    connect: Open, council: Any, case: dict[str, Any], login: str
) -> None:
    crm = connect(login)
    made = crm.deliver("Case", case, key="torfaen-1-crm")
    assert made.effect == "created"
    item = fetched(crm, made.id)
    assert (item.id, item.our_key) == (made.id, "torfaen-1-crm")
    assert {name: item.record[name] for name in case if name != "individual"} == {
        name: part for name, part in case.items() if name != "individual"
    }
    assert item.record["individual"]["address"] == {"line": "1 Heol y Môr", "postcode": "NP4 0AA"}, "one line, no list"
    assert crm.find("Case", "torfaen-1-crm") == [item]
    assert crm.tier("Case") is Tier.SEARCHABLE
    assert crm.reads_first("Case")


@pytest.mark.parametrize("login", ["basic", "text", "digest"])
def test_a_wrong_password_is_a_refused_login(connect: Open, case: dict[str, Any], login: str) -> None:
    with pytest.raises(errors.Unauthorised) as caught:
        connect(login, password="nid-hwn").deliver("Case", case, key="k")
    assert "nid-hwn" not in str(caught.value) + repr(caught.value)


def test_one_result_many_and_none(connect: Open, council: Any, case: dict[str, Any]) -> None:
    crm = connect()
    assert walked(crm)[0] == []
    first = crm.deliver("Case", case, key="k-1").id
    assert [item.id for item in walked(crm)[0]] == [first]
    second = crm.deliver("Case", case, key="k-2").id
    assert {item.id for item in walked(crm)[0]} == {first, second}
    assert crm.find("Case", "nobody") == []
    assert crm.fetch("Case", "none") is None


def test_a_walk_goes_from_window_to_window_and_misses_nothing(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    crm = connect(window="P200D", beginning="2024-01-01T00:00:00")
    ids = {crm.deliver("Case", case, key=f"k-{number}").id for number in range(7)}
    found, watermark, pages = walked(crm)
    assert {item.id for item in found} == ids
    assert pages >= 5, "more than two years by 200 days"
    again, later, few = walked(crm, watermark)
    assert {item.id for item in again} == ids, "within the overlap"
    assert (later, few) == (watermark, 1)
    for limit in (5, 2, 1):
        narrow = connect(window="P3660D", beginning="2026-01-01T00:00:00")
        found, mark, _ = walked(narrow, watermark, limit=limit)
        assert {item.id for item in found} == ids
        assert mark == watermark
        assert len(narrow.changes("Case", watermark=watermark, limit=limit).items) <= limit


def test_a_case_that_changes_while_one_reads_is_shown_by_the_next_walk(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    crm = connect()
    made = crm.deliver("Case", case, key="k").id
    council.faults("verint", changed_while_paging={"times": 1})
    _, watermark, _ = walked(crm)
    found, _, _ = walked(crm, watermark)
    assert [(item.id, item.record["worker"]) for item in found] == [(made, "Rang again")]


def test_one_bad_case_costs_its_neighbours_nothing(connect: Open, council: Any, case: dict[str, Any]) -> None:
    crm = connect(beginning="2026-06-01T00:00:00", window="P366D")
    for number in range(3):
        crm.deliver("Case", case, key=f"k-{number}")
    council.faults("verint", broken_record={"times": 1})
    found, _, _ = walked(crm)
    assert Counter(type(item) for item in found) == {Item: 2, UnreadableItem: 1}
    bad = next(item for item in found if isinstance(item, UnreadableItem))
    assert bad.id
    assert "dateOfBirth" in bad.reason
    assert "1950" not in bad.reason


def test_closing_and_reopening_have_operations_of_their_own(connect: Open, council: Any, case: dict[str, Any]) -> None:
    crm = connect()
    made = crm.deliver("Case", case, key="k").id
    item = fetched(crm, made)
    done = crm.deliver(
        "Case",
        {**item.record, "status": "DONE", "statusReason": "Ramp wedi'i osod", "worker": "Siwan"},
        key="k",
        id=made,
    )
    now = held(council, made)
    assert (done.effect, now["status"], now["statusReason"], now["worker"]) == (
        "updated",
        "DONE",
        "Ramp wedi'i osod",
        "Siwan",
    )
    assert now["closed"]
    assert done.modified == fetched(crm, made).modified
    assert (council.calls("verint", "updateCase"), council.calls("verint", "closeCase")) == (1, 1)

    item = fetched(crm, made)
    assert crm.deliver("Case", item.record, key="k", id=made).effect == "nothing", "nothing differs, nothing is sent"
    crm.deliver("Case", {**item.record, "status": "WAITING"}, key="k", id=made)
    now = held(council, made)
    assert now["status"] == "WAITING"
    assert "closed" not in now
    assert council.calls("verint", "reopenCase") == 1


def test_what_changes_in_a_closed_case_opens_it_and_closes_it_again(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    crm = connect()
    made = crm.deliver("Case", {**case, "status": "REFUSED"}, key="k").id
    assert held(council, made)["status"] == "REFUSED"
    item = fetched(crm, made)
    crm.deliver("Case", {**item.record, "worker": "Siwan"}, key="k", id=made)
    assert (held(council, made)["status"], held(council, made)["worker"]) == ("REFUSED", "Siwan")
    item = fetched(crm, made)
    crm.deliver("Case", {**item.record, "status": "DONE"}, key="k", id=made)
    assert held(council, made)["status"] == "DONE"


def test_notes_and_events_are_added_once_and_nothing_of_them_is_taken_away(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    crm = connect()
    note = {"@visibility": "INT", "author": "Siwan", "text": "Cyrhaeddodd y ramp"}
    made = crm.deliver("Case", {**case, "notes": {"note": [note]}}, key="k").id
    council.control("PATCH", f"{council.name}/verint/records/{made}", {"worker": "Typed by staff"})
    event = {"type": "VISIT", "text": "2026-07-06"}
    for _ in range(2):
        item = fetched(crm, made)
        record = {
            **item.record,
            "notes": {"note": [note, {"@visibility": "PUB", "text": "Ffoniwyd"}]},
            "events": {"event": event},
        }
        crm.deliver("Case", record, key="k", id=made)
    now = held(council, made)
    assert [(one["text"], one.get("author", "")) for one in now["notes"]["note"]] == [
        ("Cyrhaeddodd y ramp", "Siwan"),
        ("Ffoniwyd", ""),
    ]
    assert [(one["type"], one["text"]) for one in now["events"]["event"]] == [("VISIT", "2026-07-06")]
    assert now["worker"] == "Typed by staff"
    crm.deliver("Case", {**case, "worker": "Typed by staff"}, key="k", id=made)
    assert len(held(council, made)["notes"]["note"]) == 2


@pytest.mark.parametrize("fault", ["error_after", "reset_before", "html_after", "error_before"])
@pytest.mark.parametrize("operation", ["createNotes", "closeCase"])
def test_a_create_whose_second_step_fails_is_finished_by_the_next_try(
    connect: Open, council: Any, case: dict[str, Any], fault: str, operation: str
) -> None:
    crm = connect()
    record = {**case, "status": "DONE", "notes": {"note": [{"@visibility": "PUB", "text": "Ffoniwyd"}]}}
    council.faults("verint", **{fault: {"times": 1, "operations": [operation]}})
    with pytest.raises(errors.Unreachable, match="the record was made"):
        crm.deliver("Case", record, key="k")
    crm.deliver("Case", record, key="k")
    cases = council.records("verint")
    assert len(cases) == 1, "the second try finishes the first one's case"
    assert cases[0]["status"] == "DONE"
    assert [one["text"] for one in cases[0]["notes"]["note"]] == ["Ffoniwyd"]


def test_a_note_that_is_refused_names_its_place_in_the_record(connect: Open, case: dict[str, Any]) -> None:
    crm = connect()
    long = {**case, "notes": {"note": [{"@visibility": "PUB", "text": "x" * 4001}]}}
    with pytest.raises(errors.Rejected) as caught:
        crm.deliver("Case", long, key="k")
    assert caught.value.field == "notes/note/text"
    assert "xxx" not in str(caught.value)


TABLE: list[tuple[str, dict[str, Any], type[errors.ConnectorError]]] = [
    ("expired_token", {}, errors.Unauthorised),
    ("error_before", {"status": 503}, errors.Unknown),
    ("error_after", {"status": 500}, errors.Unknown),
    ("reset_after", {}, errors.Unknown),
    ("html_before", {}, errors.Unknown),
    ("throttle", {}, errors.Throttled),
    ("truncated", {}, errors.Unknown),
]


@pytest.mark.parametrize(("fault", "numbers", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_a_create_that_ends(
    connect: Open, council: Any, case: dict[str, Any], fault: str, numbers: dict[str, Any],
    expected: type[errors.ConnectorError],
) -> None:  # fmt: skip
    council.faults("verint", **{fault: {"times": 1, **numbers}})
    with pytest.raises(errors.ConnectorError) as caught:
        connect().deliver("Case", case, key="k")
    assert type(caught.value) is expected
    assert "Siân" not in str(caught.value) + repr(caught.value)


def test_what_the_system_says_no_to(connect: Open, council: Any, case: dict[str, Any]) -> None:
    crm = connect()
    with pytest.raises(errors.Rejected) as caught:
        crm.deliver("Case", {**case, "priority": "9"}, key="k")
    assert (caught.value.field, caught.value.code) == ("priority", "INVALID")
    with pytest.raises(errors.Outdated):
        crm.deliver("Case", case, key="k", id="no-such-case")


def test_a_case_that_staff_close_meanwhile_is_read_again(connect: Open, council: Any, case: dict[str, Any]) -> None:
    """Between our reading and our writing: the system says that it is closed, and that is told as out of date."""
    crm = connect()
    made = crm.deliver("Case", case, key="k").id
    item = fetched(crm, made)
    council.faults("verint", latency={"ms": 700, "operations": ["updateCase"], "times": 1})
    closing = threading.Timer(0.3, crm.step, ["Case", "closeCase", {"caseReference": made, "closureCode": "DONE"}])  # type: ignore[attr-defined]
    closing.start()
    with pytest.raises(errors.Outdated):
        crm.deliver("Case", {**item.record, "worker": "Siwan"}, key="k", id=made)
    closing.join()
    item = fetched(crm, made)
    crm.deliver("Case", {**item.record, "worker": "Siwan"}, key="k", id=made)
    assert (held(council, made)["status"], held(council, made)["worker"]) == ("DONE", "Siwan")


def test_doctor_and_code_books(connect: Open, council: Any) -> None:
    crm = connect()
    assert [finding.subject for finding in crm.doctor() if not finding.well] == []
    assert {one.code for one in crm.codes("Case", "priority")} == {"1", "2", "3"}
    bad = connect(password="nid-hwn").doctor()
    assert [finding.subject for finding in bad if not finding.well] == ["login"]


def test_the_pinned_copy_is_the_interface_of_the_pretend_system() -> None:
    here = Path(__file__).parents[3]
    ours, pinned = (here / room / "interfaces" / "verint.wsdl" for room in ("sandbox", "connectors"))
    assert ours.read_bytes() == pinned.read_bytes()


def test_what_an_update_does_not_take_may_be_mapped_where_it_has_an_operation_of_its_own(
    shipped: Callable[[str], Any], interfaces: Callable[[str], bytes]
) -> None:
    wsdl = interfaces("interfaces/verint.wsdl").decode()
    whole = wsdl[wsdl.index('<xs:complexType name="Case">') :].partition("</xs:complexType>")[0] + "</xs:complexType>"
    slim = "\n".join(line for line in whole.splitlines() if not re.search('name="(status|notes)"', line))
    begin = wsdl.index('<xs:element name="updateCase">')
    update = wsdl[begin:].partition("</xs:element>")[0]
    changed = wsdl.replace(update, update.replace("c:Case", "c:Slim"), 1)
    changed = changed.replace(whole, whole + slim.replace('name="Case"', 'name="Slim"'), 1)
    (found,) = registry.interfaces_of(shipped("verint"), interfaces=lambda _: changed.encode())
    assert {"status", "notes", "events"} <= found["update"]["properties"].keys()
    assert found["update"]["properties"]["notes"] == found["read"]["properties"]["notes"]
    assert set(found["update"]["x-order"]) == set(found["read"]["x-order"])
