"""The SOAP family against the pretend case system, over real sockets, in both versions of SOAP."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from lxml import etree

from connectors import errors, registry
from connectors.port import Connector, Item, Tier, UnreadableItem

KIND = "Referral"
NEW: dict[str, Any] = {
    "Received": "2026-03-02T09:30:00",
    "Kind": "REF",
    "Status": "NEW",
    "Priority": "P2",
    "Reason": "Angen help & <cyngor> gartref – “ŵ”",
    "Subject": {
        "Forename": ["Siân", "Mair"],
        "Surname": "ap Rhŷs-O'Neill",
        "DOB": "0001-01-01",
        "Gender": "2",
        "Address": {"Line": ["1 Heol y Môr", ""], "Postcode": "NP4 0AA"},
        "PreferredLanguage": "W",
    },
    "Needs": {"Need": [{"@code": "N01", ".": "bob bore"}, {"@code": "N04", ".": ""}]},
    "Safeguarding": False,
    "Restricted": "false",
}


@pytest.fixture(params=["Soap11", "Soap12"])
def port(request: pytest.FixtureRequest) -> str:
    return str(request.param)


Open = Callable[..., Connector]


@pytest.fixture
def connect(
    council: Any, shipped: Callable[[str], Any], interfaces: Callable[[str], bytes], clock: Callable[[], datetime]
) -> Iterator[Open]:
    """Opens a connector to this council's case system; keywords change its settings."""
    opened: list[Connector] = []

    def connect(port: str = "Soap11", *, digest: bool = False, of: int = 100, **settings: Any) -> Connector:
        profile = copy.deepcopy(shipped("casework"))
        profile["port"] = port
        profile["records"][KIND]["changes"]["page"]["of"] = of
        words = {"password": council.secrets["casework"]["password"], "wrong": "not-the-password"}
        login = {"username": "dolen", "password": "env:password", "digest": digest, "timestamp_seconds": 60}
        given = {"url": council.system("casework") + "/soap", "login": {"ws_security": login}, **settings}
        opened.append(
            registry.open_connector(
                profile, given, interfaces=interfaces, clock=clock, secret=lambda ref: words[ref.removeprefix("env:")]
            )
        )
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


def everything(connector: Connector, watermark: str = "", limit: int | None = None) -> tuple[list[Any], str, int]:
    """Walk to the end: what was shown, the watermark, and the number of pages."""
    found: list[Any] = []
    cursor, pages = "", 0
    while True:
        page = connector.changes(KIND, watermark=watermark, cursor=cursor, limit=limit)
        found += page.items
        pages += 1
        if not page.cursor:
            return found, page.watermark, pages
        cursor = page.cursor


@pytest.mark.parametrize("digest", [False, True])
def test_a_record_goes_there_and_comes_back_as_it_was(connect: Open, port: str, digest: bool) -> None:
    casework = connect(port, digest=digest)
    made = casework.deliver(KIND, NEW, key="torfaen-1-casework")
    assert (made.effect, made.version) == ("created", "1")
    assert made.modified is not None
    item = casework.fetch(KIND, made.id)
    assert item is not None
    assert (item.id, item.version, item.our_key, item.modified) == (made.id, "1", "torfaen-1-casework", made.modified)
    shown = {name: item.record[name] for name in NEW}
    assert shown == {**NEW, "Safeguarding": "false"}
    assert "Siân" not in repr(item)
    assert casework.find(KIND, "torfaen-1-casework") == [item]
    assert NEW["Safeguarding"] is False, "the caller's own record is left alone"


def test_what_the_profile_promises(connect: Open) -> None:
    casework = connect()
    assert casework.tier(KIND) is Tier.SEARCHABLE
    assert casework.reads_first(KIND)
    assert casework.kinds() == (KIND,)
    assert casework.offers(KIND) == {"changes", "fetch", "create", "update", "find"}
    with pytest.raises(errors.Misconfigured, match="no kind of record Person"):
        casework.fetch("Person", "1")


def test_an_update_replaces_the_record_and_keeps_what_nobody_maps(connect: Open, council: Any, port: str) -> None:
    casework = connect(port)
    made = casework.deliver(KIND, NEW, key="k")
    foreign = '<Extra xmlns="urn:example:casework:2"><a xmlns="urn:x" b="1">c<d/></a></Extra>'
    council.control(
        "PATCH", f"{council.name}/casework/records/{made.id}", {"OfficerNotes": "typed in", "Extra": foreign}
    )
    item = casework.fetch(KIND, made.id)
    assert item is not None
    before = next(record for record in council.records("casework") if record["ReferralId"] == made.id)
    done = casework.deliver(KIND, {**item.record, "Status": "TRI"}, key="k", id=made.id, version=item.version)
    assert (done.effect, done.id, done.version) == ("updated", made.id, str(int(item.version) + 1))
    after = next(record for record in council.records("casework") if record["ReferralId"] == made.id)
    moving = ("Status", "Version", "LastChanged", "StatusChanged")
    assert shape(after.pop("Extra")) == shape(before.pop("Extra")), "prefixes are nobody's content; names and text are"
    assert {k: v for k, v in after.items() if k not in moving} == {k: v for k, v in before.items() if k not in moving}
    assert after["Status"] == "TRI"
    with pytest.raises(errors.Outdated):
        casework.deliver(KIND, item.record, key="k", id=made.id, version=item.version)


def test_what_is_not_there(connect: Open, port: str) -> None:
    casework = connect(port)
    assert casework.fetch(KIND, "R9999999") is None
    assert casework.find(KIND, "nobody") == []
    with pytest.raises(errors.NotThere):
        casework.deliver(KIND, NEW, key="k", id="R9999999", version="1")


def test_the_system_says_no_and_names_the_field(connect: Open, port: str) -> None:
    casework = connect(port)
    with pytest.raises(errors.Rejected) as caught:
        casework.deliver(KIND, {**NEW, "Priority": "RED"}, key="k")
    assert caught.value.field == "Priority"
    assert caught.value.code
    assert caught.value.reply
    assert "Rhŷs" not in str(caught.value) + repr(caught.value)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Surnam": "x"}, "Surnam"),
        ({"Safeguarding": "perhaps"}, "Safeguarding"),
        ({"Safeguarding": ""}, "Safeguarding"),
        ({"Received": None}, "Received"),
        ({"Received": "02/03/2026"}, "Received"),
        ({"Received": ["2026-03-02T09:30:00"] * 2}, "Received"),
        ({"Reason": "line\x00break"}, "Reason"),
        ({"Reason": "\ud83d"}, "Reason"),
        ({"Reason": "x" * 2001}, "Reason"),
        ({"Reason": {"a": "b"}}, "Reason"),
        ({"Kind": "ref"}, "Kind"),
        ({"Subject": {"Surname": "x"}}, "Subject/Forename"),
        ({"Subject": "text"}, "Subject/."),
        ({"Needs": {"Need": [{".": "without code"}]}}, "Needs/Need/code"),
    ],
)
def test_what_the_interface_does_not_allow_is_never_sent(connect: Open, council: Any, change: Any, field: str) -> None:
    casework = connect()
    with pytest.raises(errors.Rejected) as caught:
        casework.deliver(KIND, {**NEW, **change}, key="k")
    assert caught.value.field == field
    assert caught.value.code == "not-in-interface"
    assert council.calls("casework", "CreateReferral") == 0
    for value in ("perhaps", "02/03/2026", "without code"):
        assert value not in str(caught.value)


def test_an_empty_element_and_an_absent_one_are_two_things(connect: Open) -> None:
    casework = connect()
    made = casework.deliver(KIND, {**NEW, "Needs": "", "Reason": "", "Team": None}, key="k")
    item = casework.fetch(KIND, made.id)
    assert item is not None
    assert item.record["Needs"] == ""
    assert item.record["Reason"] == ""
    assert "Team" not in item.record


def test_a_wrong_password_pauses_and_does_nothing(connect: Open, council: Any, port: str) -> None:
    login = {"username": "dolen", "password": "env:wrong"}
    casework = connect(port, login={"ws_security": login})
    with pytest.raises(errors.Unauthorised) as caught:
        casework.deliver(KIND, NEW, key="k")
    assert council.records("casework") == []
    assert "not-the-password" not in str(caught.value) + repr(casework.__dict__)
    assert [finding.subject for finding in casework.doctor() if not finding.well] == ["login"]


@pytest.mark.parametrize("limit", [None, 1, 3, 7])
def test_a_walk_shows_everything_once(connect: Open, limit: int | None) -> None:
    casework = connect(of=10)
    keys = {casework.deliver(KIND, NEW, key=f"k{n}").id for n in range(23)}
    found, watermark, pages = everything(casework, limit=limit)
    assert [item.id for item in found] == sorted(item.id for item in found) or len(found) == 23
    assert {item.id for item in found} == keys
    assert len(found) == 23
    assert pages == {None: 3, 1: 23, 3: 12, 7: 5}[limit]
    assert watermark == max(item.modified for item in found).isoformat(timespec="microseconds")


def test_the_next_walk_starts_behind_the_newest_stamp_by_the_overlap(connect: Open) -> None:
    casework = connect()
    casework.deliver(KIND, NEW, key="a")
    _, watermark, _ = everything(casework)
    again, same, _ = everything(casework, watermark)
    assert [item.our_key for item in again] == ["a"], "what is younger than the overlap is shown again"
    assert same == watermark
    casework.deliver(KIND, NEW, key="b")
    found, later, _ = everything(casework, watermark)
    assert {item.our_key for item in found} == {"a", "b"}
    assert later >= watermark


def test_a_cursor_is_good_in_another_process(connect: Open) -> None:
    first = connect(of=2)
    for n in range(5):
        first.deliver(KIND, NEW, key=f"k{n}")
    page = first.changes(KIND, watermark="")
    first.close()
    other = connect(of=2)
    rest = other.changes(KIND, watermark="", cursor=page.cursor)
    assert {item.our_key for item in [*page.items, *rest.items] if isinstance(item, Item)} == {"k0", "k1", "k2", "k3"}
    with pytest.raises(errors.Misconfigured, match="kept place"):
        other.changes(KIND, watermark="", cursor="{}")
    with pytest.raises(errors.Misconfigured, match="watermark"):
        other.changes(KIND, watermark="yesterday")


def test_one_bad_record_costs_its_neighbours_nothing(connect: Open, council: Any) -> None:
    casework = connect()
    for n in range(3):
        casework.deliver(KIND, NEW, key=f"k{n}")
    bad = council.type_in("casework", stored(council, "k1", DOB="31/12/1950"), unchecked=True)
    found, watermark, _ = everything(casework)
    unreadable = [item for item in found if isinstance(item, UnreadableItem)]
    assert len(found) == 4
    assert [item.id for item in unreadable] == [bad["ReferralId"]]
    assert unreadable[0].reason == "Subject/DOB is not a valid LocalDate"
    assert unreadable[0].modified is not None
    assert b"31/12/1950" in unreadable[0].raw
    assert "1950" not in repr(unreadable)
    assert watermark


def shape(content: str) -> list[Any]:
    """Names, attributes and text of a piece of XML, whatever its prefixes."""
    return [(node.tag, dict(node.attrib), node.text, node.tail) for node in etree.fromstring(content).iter()]


def stored(council: Any, key: str, **subject: str) -> dict[str, Any]:
    """A record as the system keeps it, with something wrong in it."""
    record = copy.deepcopy(next(one for one in council.records("casework") if one["ClientReference"] == key))
    record["ClientReference"] = "bad"
    record["Subject"].update(subject)
    return record


@pytest.mark.parametrize("fault", ["repeated_page", "endless_page"])
def test_pages_that_come_again_or_never_end(connect: Open, council: Any, fault: str) -> None:
    casework = connect(of=2)
    for n in range(7):
        casework.deliver(KIND, NEW, key=f"k{n}")
    council.faults("casework", **{fault: {}})
    with pytest.raises(errors.Unknown, match=r"shows a page again|endless"):
        everything(casework)
    council.well("casework")
    found, _, _ = everything(casework)
    assert len(found) == 7


def test_a_broken_record_and_a_huge_one_on_the_wire(connect: Open, council: Any) -> None:
    casework = connect(of=10, max_reply_bytes=200_000)
    for n in range(3):
        casework.deliver(KIND, NEW, key=f"k{n}")
    council.faults("casework", huge_record={"bytes": 400_000})
    with pytest.raises(errors.PageUnreadable, match="max_reply_bytes"):
        casework.changes(KIND, watermark="")
    council.well("casework")
    council.faults("casework", broken_record={})
    try:
        page = casework.changes(KIND, watermark="")
    except errors.PageUnreadable as problem:
        assert problem.reply
        assert casework.skip(KIND, watermark="", cursor="") is not None
    else:
        assert sum(isinstance(item, UnreadableItem) for item in page.items) == 1
        assert len(page.items) == 3


def test_stepping_over_one_record(connect: Open) -> None:
    casework = connect(of=10)
    for n in range(12):
        casework.deliver(KIND, NEW, key=f"k{n}")
    all_of_them, _, _ = everything(casework)
    cursor = casework.skip(KIND, watermark="", cursor="")
    assert cursor is not None
    rest: list[str] = []
    while cursor:
        page = casework.changes(KIND, watermark="", cursor=cursor)
        rest += [item.id for item in page.items]
        cursor = page.cursor
    assert rest == [item.id for item in all_of_them][1:]


@pytest.mark.parametrize(
    ("fault", "numbers", "expected"),
    [
        ("error_before", {"status": 503}, errors.Unknown),
        ("error_after", {"status": 500}, errors.Unknown),
        ("reset_before", {}, errors.Unknown),
        ("reset_after", {}, errors.Unknown),
        ("hang_before", {"seconds": 5}, errors.Unknown),
        ("hang_after", {"seconds": 5}, errors.Unknown),
        ("html_before", {}, errors.Unknown),
        ("html_after", {}, errors.Unknown),
        ("slow_drip", {"bytes_a_second": 100}, errors.Unknown),
        ("truncated", {}, errors.Unknown),
        ("throttle", {"seconds": 7}, errors.Throttled),
        ("expired_token", {}, errors.Unauthorised),
    ],
)
def test_a_create_under_every_fault_is_named_by_what_to_do_next(
    connect: Open, council: Any, fault: str, numbers: dict[str, Any], expected: type[errors.ConnectorError]
) -> None:
    casework = connect(timeout_seconds=1.0)
    council.faults("casework", **{fault: numbers})
    started = time.monotonic()
    with pytest.raises(errors.ConnectorError) as caught:
        casework.deliver(KIND, NEW, key="k")
    assert type(caught.value) is expected or (expected is errors.Unknown and isinstance(caught.value, errors.Unknown))
    assert time.monotonic() - started < 1.6
    assert council.calls("casework", "CreateReferral") <= 1, "a create is sent once and never again from here"
    if isinstance(caught.value, errors.Throttled):
        assert caught.value.after == 7
    council.well("casework")
    there = casework.find(KIND, "k")
    assert len(there) == (1 if fault in ("error_after", "reset_after", "hang_after", "html_after") else len(there))


def test_a_read_is_tried_again_inside_its_time(connect: Open, council: Any) -> None:
    casework = connect()
    made = casework.deliver(KIND, NEW, key="k")
    council.faults("casework", error_before={"times": 2})
    assert casework.fetch(KIND, made.id) is not None


def test_a_dead_system_is_unreachable_or_unknown_but_never_done(connect: Open, council: Any) -> None:
    casework = connect(timeout_seconds=2)
    council.faults("casework", dead={})
    with pytest.raises((errors.Unreachable, errors.Unknown)):
        casework.deliver(KIND, NEW, key="k")
    council.well("casework")
    assert casework.find(KIND, "k") == []


def test_many_threads_share_one_connector(connect: Open) -> None:
    casework = connect(limits={"at_once": 4})
    problems: list[BaseException] = []

    def work(mine: int) -> None:
        try:
            for n in range(10):
                name = f"t{mine}-{n}"
                made = casework.deliver(KIND, {**NEW, "Team": name}, key=name)
                item = casework.fetch(KIND, made.id)
                assert item is not None
                assert (item.record["Team"], item.our_key) == (name, name)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(everything(casework)[0]) == 80


def test_the_doctor_finds_a_well_connection_well(connect: Open, port: str) -> None:
    findings = connect(port).doctor()
    assert {finding.subject for finding in findings} >= {"interface", "name", "clock", "login", "permission", "page"}
    assert all(finding.well for finding in findings), findings


def test_the_doctor_names_what_is_wrong(connect: Open) -> None:
    gone = connect(url="http://127.0.0.1:9/soap").doctor()
    assert [(finding.subject, finding.well) for finding in gone][-1] == ("route", False)
    unknown = connect(url="https://casework.invalid/soap").doctor()
    assert [(finding.subject, finding.well) for finding in unknown][-1] == ("name", False)
