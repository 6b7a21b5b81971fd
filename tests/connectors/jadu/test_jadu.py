"""Cases go to the pretend CXM and come back, over real sockets: sign-in, newest-first pages, errors.

The behaviour is what others report of Jadu CXM, not verified against the product; the other side imports nothing of
ours.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import errors, registry
from connectors.port import Connector, Item, Tier, UnreadableItem

CASE: dict[str, Any] = {
    "status": "submitted",
    "category": "referral",
    "priority": "medium",
    "received_at": "2026-03-02T09:30:00Z",
    "details": "Angen help & <cyngor> gartref – “ŵ”",
    "safeguarding": False,
    "restricted": False,
    "person": {"first_name": "Siân", "last_name": "ap Rhŷs-O'Neill", "address": {"line_1": "1 Heol y Môr"}},
}
Open = Callable[..., Connector]


@pytest.fixture
def case() -> dict[str, Any]:
    return copy.deepcopy(CASE)


@pytest.fixture
def connect(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Open]:
    opened: list[Connector] = []

    def connect(of: int = 100, **words: str) -> Connector:
        profile = copy.deepcopy(shipped("jadu"))
        profile["records"]["Case"]["changes"]["page"]["of"] = of
        url = council.system("jadu") + "/api"
        login = {
            "sign_in_url": f"{url}/sign-in",
            "username": "dolen",
            "password": "env:password",
            "token": "token",
            "header": "X-Auth-Token",
            "prefix": "",
            "good_for_seconds": 1800,
            "api_key": {"header": "X-Api-Key", "key": "env:api_key"},
        }
        secrets = {**council.secrets["jadu"], **words}
        opened.append(
            registry.open_connector(
                profile,
                {"url": url, "login": {"token": login}, "timeout_seconds": 10},
                interfaces=interfaces,
                clock=clock,
                secret=lambda name: secrets[name.removeprefix("env:")],
            )
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def fetched(cxm: Connector, id: str) -> Item:
    item = cxm.fetch("Case", id)
    assert item is not None
    return item


def walked(
    cxm: Connector, watermark: str = "", before: Callable[[], None] = lambda: None
) -> tuple[list[Any], str, int]:
    found: list[Any] = []
    cursor, pages = "", 0
    while True:
        before()
        page = cxm.changes("Case", watermark=watermark, cursor=cursor)
        found += page.items
        pages += 1
        if not page.cursor:
            return found, page.watermark, pages
        cursor = page.cursor


def test_a_case_goes_there_and_comes_back_as_it_was(connect: Open, council: Any, case: dict[str, Any]) -> None:
    cxm = connect()
    made = cxm.deliver("Case", case, key="torfaen-1-cxm")
    assert made.effect == "created"
    item = fetched(cxm, made.id)
    assert (item.id, item.our_key) == (made.id, "torfaen-1-cxm")
    assert {name: item.record[name] for name in case} == case
    assert cxm.find("Case", "torfaen-1-cxm") == [item]
    assert cxm.find("Case", "nobody") == []
    assert cxm.tier("Case") is Tier.SEARCHABLE
    assert cxm.reads_first("Case")
    assert council.calls("jadu", "signIn") == 1, "one token for all calls"
    cxm.deliver("Case", {**item.record, "status": "resolved"}, key="torfaen-1-cxm", id=made.id)
    kept = council.records("jadu")
    assert [(one["status"], one["external_reference"]) for one in kept] == [("resolved", "torfaen-1-cxm")]


def test_a_token_that_ends_in_mid_walk_is_renewed_and_nothing_is_missed(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    cxm = connect(of=2)
    ids = {cxm.deliver("Case", case, key=f"k-{number}").id for number in range(7)}
    found, watermark, pages = walked(cxm, before=lambda: council.faults("jadu", expired_token={"times": 1}))
    assert {item.id for item in found} == ids
    assert pages >= 4
    assert council.calls("jadu", "signIn") >= pages, "each page met a token that had ended"
    council.well("jadu")
    assert {item.id for item in walked(cxm, watermark)[0]} == ids, "within the overlap"


def test_a_sandbox_token_ends_after_thirty_minutes(connect: Open, council: Any, case: dict[str, Any]) -> None:
    cxm = connect()
    cxm.deliver("Case", case, key="k")
    now = datetime.now(UTC)
    council.control("PUT", "clock", {"now": (now + timedelta(minutes=31)).isoformat()})
    try:
        cxm.deliver("Case", case, key="k-2")
    finally:
        council.control("PUT", "clock", {"now": datetime.now(UTC).isoformat()})
    assert council.calls("jadu", "signIn") == 2


def test_a_case_that_changes_while_one_reads_is_shown_by_the_next_walk(
    connect: Open, council: Any, case: dict[str, Any]
) -> None:
    cxm = connect(of=2)
    for number in range(5):
        cxm.deliver("Case", case, key=f"k-{number}")
    council.faults("jadu", changed_while_paging={"times": 1})
    first, watermark, _ = walked(cxm)
    second, _, _ = walked(cxm, watermark)
    shown = {item.id: item for item in [*first, *second]}
    assert len(shown) == 5
    assert "Rang again" in {item.record.get("assignee") for item in shown.values()}


def test_one_bad_case_costs_its_neighbours_nothing(connect: Open, council: Any, case: dict[str, Any]) -> None:
    cxm = connect()
    for number in range(3):
        cxm.deliver("Case", case, key=f"k-{number}")
    council.faults("jadu", broken_record={"times": 1})
    found, _, _ = walked(cxm)
    bad = [item for item in found if isinstance(item, UnreadableItem)]
    assert (len(found), len(bad)) == (3, 1)
    assert "date_of_birth" in bad[0].reason
    assert "1950" not in bad[0].reason


@pytest.mark.parametrize("wrong", ["password", "api_key"])
def test_a_wrong_login_is_refused_and_not_shown(connect: Open, case: dict[str, Any], wrong: str) -> None:
    cxm = connect(**{wrong: "nid-hwn"})
    with pytest.raises(errors.Unauthorised) as caught:
        cxm.deliver("Case", case, key="k")
    assert "nid-hwn" not in str(caught.value) + repr(caught.value)
    assert "login" in [finding.subject for finding in cxm.doctor() if not finding.well]


TABLE: list[tuple[str, dict[str, Any], type[errors.ConnectorError]]] = [
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
    cxm = connect()
    council.faults("jadu", **{fault: {"times": 1, "operations": ["createCase"], **numbers}})
    with pytest.raises(errors.ConnectorError) as caught:
        cxm.deliver("Case", case, key="k")
    assert type(caught.value) is expected
    assert "Siân" not in str(caught.value) + repr(caught.value)
    assert len(cxm.find("Case", "k")) == (fault not in ("error_before", "html_before", "throttle"))


def test_what_the_system_says_no_to(connect: Open, case: dict[str, Any]) -> None:
    cxm = connect()
    with pytest.raises(errors.Rejected) as caught:
        cxm.deliver("Case", {**case, "priority": "urgent"}, key="k")
    assert (caught.value.field, caught.value.code) == ("priority", "invalid")
    with pytest.raises(errors.NotThere):
        cxm.deliver("Case", case, key="k", id="ASC-none")
    assert cxm.fetch("Case", "ASC-none") is None
    assert [finding.subject for finding in cxm.doctor() if not finding.well] == []


def test_the_pinned_copy_is_the_interface_of_the_pretend_system() -> None:
    here = Path(__file__).parents[3]
    ours, pinned = (here / room / "interfaces" / "jadu.openapi.yaml" for room in ("sandbox", "connectors"))
    assert ours.read_bytes() == pinned.read_bytes()
