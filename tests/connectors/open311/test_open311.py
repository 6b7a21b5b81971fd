"""Open311 over real sockets, in XML and in JSON: windows, updates, tokens, errors."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
)
from connectors.http import Reply
from connectors.open311.connector import Open311Connector
from connectors.open311.profile import Open311Record
from connectors.open311.replies import refuse
from connectors.open311.wire import Row, Rows
from connectors.port import PROVISIONAL, Item, UnreadableItem
from connectors.registry import interfaces_of, open_connector
from tests.rig.open311 import Endpoint, endpoint

ROOT = Path(__file__).parents[3]
PROFILE = YAML(typ="safe").load((ROOT / "connectors/profiles/open311.yaml").read_text(encoding="utf-8"))
FORMS = ("xml", "json")
SENT = {
    "service_code": "assessment",
    "first_name": "Siân",
    "last_name": "O'Llŷr & Ŵyn",
    "address_string": "3 Heol y Bont, Cwmbrân",
    "description": "Cwympodd ddwywaith.",
    "status": "open",
}


@pytest.fixture(scope="module")
def _endpoint() -> Iterator[Endpoint]:
    with endpoint() as made:
        yield made


@pytest.fixture
def there(_endpoint: Endpoint) -> Endpoint:
    _endpoint.control("set", requests={}, tokens={}, updates={}, kind="realtime", most_rows=1000, next=[], calls=[])
    return _endpoint


def opened(
    there: Endpoint, form: str = "xml", *, key: str = "", connect: Any = None, **changed: Any
) -> Open311Connector:
    profile = copy.deepcopy(PROFILE)
    profile["format"] = form
    feed = profile["records"]["Request"]["changes"]
    feed["beginning"] = (datetime.now(UTC) - timedelta(days=60)).isoformat(timespec="seconds")
    feed.update(changed)
    settings = {"url": there.url, "api_key": "env:KEY", "jurisdiction_id": "torfaen.example.org", "timeout_seconds": 5}
    made = open_connector(
        profile,
        {**settings, **(connect or {})},
        interfaces=lambda name: (ROOT / "connectors" / name).read_bytes(),
        clock=lambda: datetime.now(UTC),
        secret=lambda _: key or there.key,
    )
    assert isinstance(made, Open311Connector)
    made._sleep = lambda _seconds: None
    return made


def walk(
    connector: Open311Connector, watermark: str = "", limit: int | None = None
) -> tuple[dict[str, Item], str, int]:
    found: dict[str, Item] = {}
    cursor, pages = "", 0
    while True:
        page = connector.changes("Request", watermark=watermark, cursor=cursor, limit=limit)
        pages += 1
        for item in page.items:
            assert isinstance(item, Item)
            found[item.id] = item
        if not page.cursor:
            return found, page.watermark, pages
        cursor = page.cursor


def ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_same_request_is_the_same_record_in_both_spellings(there: Endpoint) -> None:
    there.make(lat="51.65", long="-3.02", description="<b>&amp;</b> Ŵyn", updated_datetime=ago(hours=1))
    records = [next(iter(walk(opened(there, form))[0].values())).record for form in FORMS]
    assert records[0] == records[1]
    assert records[0]["description"] == "<b>&amp;</b> Ŵyn"
    assert all(isinstance(value, str) and value for value in records[0].values())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("by", ["requested", "updates", "updated"])
def test_what_is_new_and_what_changed_is_found_by_the_next_walk(there: Endpoint, form: str, by: str) -> None:
    more = {"start": "updated_after", "end": "updated_before"} if by == "updated" else {}
    connector = opened(there, form, by=by, **more)
    assert walk(connector)[0] == {}
    old = there.make(requested_datetime=ago(days=20), updated_datetime=ago(days=20))
    same = [there.make(requested_datetime=ago(days=9), updated_datetime=ago(days=9)) for _ in range(3)]
    found, watermark, _ = walk(connector)
    assert sorted(found) == sorted([old, *same])
    assert found[old].modified is not None
    there.control("change", id=old, status="closed")
    new = there.make()
    changed, onward, _ = walk(connector, watermark)
    assert {old, new} <= set(changed)
    assert changed[old].record["status"] == "closed"
    assert onward >= watermark
    again = connector.parse("Request", changed[old].raw, id=old)
    assert isinstance(again, Item)
    assert again.record == changed[old].record


def test_a_window_that_is_full_is_halved_until_nothing_can_be_cut_off(there: Endpoint) -> None:
    made = [there.make(requested_datetime=ago(hours=hour), updated_datetime=ago(hours=hour)) for hour in range(1, 16)]
    there.control("set", most_rows=10)
    assert sorted(walk(opened(there, most=10))[0]) == sorted(made)
    assert len(walk(opened(there, most=1000))[0]) < len(made)  # believed to list more than it does, it loses some
    at_once = ago(hours=40)
    for _ in range(10):
        there.make(requested_datetime=at_once, updated_datetime=at_once)
    with pytest.raises(PageUnreadable, match="one second"):
        walk(opened(there, most=10))


def test_smaller_pieces_are_smaller_windows(there: Endpoint) -> None:
    made = [there.make(requested_datetime=ago(hours=hour), updated_datetime=ago(hours=hour)) for hour in range(1, 4)]
    found, _, pages = walk(opened(there), ago(hours=4), limit=1)
    assert sorted(found) == sorted(made)
    assert pages >= len(made)
    assert opened(there).skip("Request", watermark="", cursor="")


@pytest.mark.parametrize("form", FORMS)
def test_a_create_says_who_and_where_in_its_body_alone(there: Endpoint, form: str) -> None:
    connector = opened(there, form)
    receipt = connector.deliver("Request", {**SENT, "attribute": {"gofal": ["a", "b"], "iaith": "cy"}}, key="k1")
    (held,) = there.held
    assert (receipt.id, receipt.effect) == (held["service_request_id"], "created")
    sent = held["sent"]
    assert {name: sent[name] for name in SENT if name != "status"} == {k: v for k, v in SENT.items() if k != "status"}
    assert (sent["attribute[gofal][]"], sent["attribute[iaith]"]) == ("b", "cy")
    assert there.control("look")["calls"] == ["POST /requests"]  # no key, no person in the address
    item = connector.fetch("Request", receipt.id)
    assert item is not None
    assert item.record["description"] == SENT["description"]
    assert connector.fetch("Request", "0") is None


@pytest.mark.parametrize("form", FORMS)
def test_a_token_is_neither_lost_nor_made_twice(there: Endpoint, form: str) -> None:
    there.control("set", kind="batch")
    connector = opened(there, form)
    receipt = connector.deliver("Request", SENT, key="k1")
    assert receipt.id.startswith(PROVISIONAL)
    assert connector.number_of("Request", receipt.id) is None
    assert walk(connector)[0] == {}
    for call in (
        lambda: connector.fetch("Request", receipt.id),
        lambda: connector.deliver("Request", {**SENT, "status": "closed"}, key="k1", id=receipt.id),
    ):
        with pytest.raises(Throttled):
            call()
    there.control("number")
    number = connector.number_of("Request", receipt.id)
    assert [held["service_request_id"] for held in there.held] == [number]
    updated = connector.deliver("Request", {**SENT, "status": "closed"}, key="k1", id=receipt.id)
    assert (updated.id, updated.effect) == (number, "updated")
    # Whatever happens while its number is asked for, it was made.
    there.control("set", next=["", "status:500", "html", "drop", "status:500", "drop", "drop"])
    assert connector.deliver("Request", SENT, key="k2").id.startswith(PROVISIONAL)
    assert len(there.held) == 2


def test_a_number_that_comes_at_once_is_taken_at_once(there: Endpoint) -> None:
    there.control("set", kind="batch")

    def quick(_seconds: float) -> None:
        there.control("number")

    connector = opened(there)
    connector._sleep = quick
    assert connector.deliver("Request", SENT, key="k1").id == there.held[0]["service_request_id"]


def test_a_blackbox_service_is_not_sure(there: Endpoint) -> None:
    there.control("set", kind="blackbox")
    with pytest.raises(Unknown, match="neither a number nor a token"):
        opened(there).deliver("Request", SENT, key="k1")


@pytest.mark.parametrize("form", FORMS)
def test_a_status_is_told_once(there: Endpoint, form: str) -> None:
    connector = opened(there, form)
    id = connector.deliver("Request", SENT, key="k1").id
    assert connector.deliver("Request", SENT, key="k1", id=id).effect == "nothing"
    change = {**SENT, "status": "in_progress", "status_notes": "Ar waith"}
    there.control("set", next=["", "commit-drop"])
    with pytest.raises(Unknown):
        connector.deliver("Request", change, key="k1", id=id)
    assert connector.deliver("Request", change, key="k1", id=id).effect == "nothing"
    (update,) = there.control("look")["updates"]
    assert (update["status"], update["description"]) == ("in_progress", "Ar waith")
    with pytest.raises(NotThere):
        connector.deliver("Request", change, key="k1", id="0")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("trouble", "writing", "reading"),
    [
        ("status:400", Rejected, Rejected),
        ("status:401", Unauthorised, Unauthorised),
        ("status:403", Unauthorised, Unauthorised),
        ("status:404", Rejected, Rejected),
        ("status:429", Throttled, Throttled),
        ("status:500", Unknown, Unknown),
        ("status:503", Unknown, Unknown),
        ("200-error", Rejected, Rejected),
        ("html", Unknown, Unknown),
        ("cut", Unknown, PageUnreadable),
        ("drop", Unknown, Unknown),
    ],
)
def test_what_an_answer_means(
    there: Endpoint, form: str, trouble: str, writing: type[ConnectorError], reading: type[ConnectorError]
) -> None:
    connector = opened(there, form)
    there.make()
    there.control("set", next=[trouble] * 6)
    with pytest.raises(ConnectorError) as wrote:
        connector.deliver("Request", SENT, key="k1")
    assert type(wrote.value) is writing
    with pytest.raises(ConnectorError) as read:
        connector.changes("Request", watermark="")
    assert type(read.value) is reading
    for caught in (wrote.value, read.value):
        assert there.key not in f"{caught!s}{caught!r}"
        assert "asked for" not in str(caught)  # nor the endpoint's own words, which quote what was sent


@pytest.mark.parametrize(
    ("code", "named", "shown"), [("404", {}, "404"), ("Prydderch", {}, ""), ("busy", {"busy": "throttled"}, "busy")]
)
def test_a_code_is_shown_that_is_the_standards_or_the_profiles(code: str, named: Any, shown: str) -> None:
    record = Open311Record.model_validate({"fetch": True, "errors": named})
    rows = Rows([Row({"code": code, "description": "Prydderch"}, b"")], error=True)
    with pytest.raises(ConnectorError) as caught:
        refuse(Reply(400, {}, b"", 0.0), rows, doing="creating", record=record, one=False)
    assert caught.value.code == shown
    assert "Prydderch" not in str(caught.value)


def test_a_refused_create_quotes_nobody(there: Endpoint) -> None:
    with pytest.raises(Rejected) as caught:
        opened(there).deliver("Request", {"service_code": "contact", "last_name": "Cyfrinach"}, key="k1")
    assert "Cyfrinach" not in str(caught.value)
    with pytest.raises(Unauthorised):
        opened(there, key="wrong").deliver("Request", SENT, key="k1")
    with pytest.raises(Rejected):
        walk(opened(there, connect={"jurisdiction_id": "elsewhere"}))
    assert there.key not in repr(opened(there))


@pytest.mark.parametrize("form", FORMS)
def test_one_bad_request_costs_its_neighbours_nothing(there: Endpoint, form: str) -> None:
    good = there.make()
    bad = there.make()
    there.control("change", id=bad, status="")
    page = opened(there, form, by="requested").changes("Request", watermark=ago(minutes=1))
    assert {item.id: type(item) for item in page.items} == {good: Item, bad: UnreadableItem}


@pytest.mark.parametrize("form", FORMS)
def test_services_are_looked_up_and_the_doctor_is_content(there: Endpoint, form: str) -> None:
    connector = opened(there, form)
    assert connector.lookups("Request") == ("service_code",)
    codes = {code.code: code.en for code in connector.codes("Request", "service_code")}
    assert codes["carer"] == "Support for unpaid carers"
    assert [finding.subject for finding in connector.doctor() if not finding.well] == []
    with pytest.raises(Misconfigured):
        connector.codes("Request", "status")
    with pytest.raises(NotImplementedError):
        connector.find("Request", "k1")
    connector.close()


def test_a_mapping_can_be_checked_against_it() -> None:
    (told,) = interfaces_of(PROFILE, interfaces=lambda name: (ROOT / "connectors" / name).read_bytes())
    assert "requestor_name" in told["read"]["properties"]
    assert "address_string" in told["create"]["properties"]
