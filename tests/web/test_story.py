"""What an officer does on the pages: find the cause, mend, look, send again one, some or all, settle, close, prove."""

from __future__ import annotations

import re
import threading

from pipelines import counted
from pipelines.task_runs import TaskRuns
from tests.web.desk import Desk, refused, said

WHY = "agreed on the telephone"


def cause_of(desk: Desk, id: str) -> str:
    row = desk.bench.row("delivery", id=int(id[1:]))
    return str(desk.bench.row("cause", id=row.cause_id).fingerprint)


def state(desk: Desk, id: str) -> str:
    return str(desk.bench.row("delivery", id=int(id[1:])).state)


def test_a_cause_is_told_with_what_to_do_and_a_ticket_that_names_nobody(desk: Desk) -> None:
    browser = desk.browser()
    listed = said(browser.get("/attention"))
    assert "casework refused it" in listed and "1 urgent" in listed and "01632 960102" in listed
    page = browser.get(f"/attention/{cause_of(desk, refused(desk.bench, 'S-1'))}")
    ticket = page.partition("<textarea")[2].partition("</textarea>")[0]
    assert "Our reference:" in ticket and "connection casework" in ticket
    assert "Llŷr" not in page and "07700" not in page


def test_what_is_ticked_is_looked_at_and_sent_again_once(desk: Desk) -> None:
    ids = [refused(desk.bench, f"S-{n}") for n in (2, 3)]
    address, browser = f"/attention/{cause_of(desk, ids[0])}", desk.browser()
    browser.get(address)
    looked = said(browser.post(f"{address}/preview", id=ids, which="some"))
    assert "Looked at 2 of 2" in looked and "People who would be texted: 0" in looked and "a new record" in looked
    assert [state(desk, id) for id in ids] == ["needs attention"] * 2
    browser.get(address)
    assert "Say why" in said(browser.post(f"{address}/send", 422, id=ids, which="some", why=""))
    assert "Tick at least one" in said(browser.post(f"{address}/send", 422, which="some", why=WHY))
    assert "Sent again: 2" in said(browser.post(f"{address}/send", id=ids, which="some", why=WHY))
    assert [state(desk, id) for id in ids] == ["waiting"] * 2
    browser.get("/")
    again = browser.post(f"{address}/send", 422, id=ids, which="some", why=WHY)  # a second officer, a moment later
    assert "Tick at least one" in said(again)


def test_many_take_their_number_typed_and_are_a_task_that_is_watched(desk: Desk) -> None:
    ids = [refused(desk.bench, f"T-{n}") for n in range(12)]
    fingerprint, browser = cause_of(desk, ids[0]), desk.browser()
    [one] = counted.causes(desk.bench.plant, ["torfaen"], fingerprint=fingerprint)
    address = f"/attention/{fingerprint}"
    browser.get(address)
    assert "type their number" in said(browser.post(f"{address}/send", 422, which="all", why=WHY, confirm="3"))
    page = said(browser.post(f"{address}/send", which="all", why=WHY, confirm=str(one.count)))
    assert f"0 of {one.count} done" in page
    browser.get(address)
    browser.post(f"{address}/send", 409, which="all", why=WHY, confirm=str(one.count))
    assert TaskRuns(desk.bench.plant).turn(threading.Event())
    listed = browser.get("/task")
    number = re.findall(r"/task/(\d+)", listed)[0]
    assert f"{one.count} of {one.count} done" in said(browser.get(f"/task/{number}"))
    assert [state(desk, id) for id in ids] == ["waiting"] * 12


def test_a_case_is_settled_and_another_closed(desk: Desk) -> None:
    ids = [refused(desk.bench, f"U-{n}") for n in range(2)]
    browser = desk.browser()
    browser.get(f"/case/{ids[0]}")
    assert "Say what you found" in said(browser.post(f"/case/{ids[0]}/settle", 422, why=WHY))
    assert "Give the number" in said(browser.post(f"/case/{ids[0]}/settle", 422, why=WHY, how="by-hand"))
    assert "It is settled" in said(browser.post(f"/case/{ids[0]}/settle", why=WHY, how="by-hand", number="7001"))
    assert "closed without sending" in said(browser.post(f"/case/{ids[1]}/close", why=WHY))
    assert [state(desk, id) for id in ids] == ["settled", "closed"]
    browser.get("/")
    assert "7001" in said(browser.post("/where", reference="U-0"))


def test_a_connection_is_paused_and_taken_up_again(desk: Desk) -> None:
    browser = desk.browser()
    browser.get("/connection/torfaen/casework")
    assert "It is paused until" in said(browser.post("/connection/torfaen/casework/pause", why=WHY))
    assert "paused by a person" in said(browser.get("/overview"))
    browser.get("/connection/torfaen/casework")
    assert "taken up again" in said(browser.post("/connection/torfaen/casework/resume"))


def test_a_code_is_mapped_and_what_waited_goes_on(desk: Desk) -> None:
    browser = desk.browser()
    assert "tomorrow" in said(browser.get("/codes"))
    form = {"list": "contact-priority", "theirs": "tomorrow", "ours": "urgent", "en": "Tomorrow", "cy": "Yfory"}
    told = browser.post("/codes/map", **form, why=WHY)
    assert "says so now. What waited for it goes on" in said(told)
    tasks = re.findall(r'href="/task/(\d+)"', told)
    asked = [said(browser.get(f"/task/{task}")) for task in tasks]
    (mine,) = [number for number, words in enumerate(asked) if "under way : 0 of 2 went on" in words]  # not done yet
    while TaskRuns(desk.bench.plant).turn(threading.Event()):
        pass
    assert "done : 2 of 2 went on" in said(browser.get(f"/task/{tasks[mine]}"))
    assert "tomorrow" not in said(browser.get("/codes"))


def test_values_are_shown_to_who_says_why_and_to_nobody_unseen(desk: Desk) -> None:
    referral = desk.bench.rows("referral")[0].id
    browser = desk.browser()
    assert "Llŷr" not in browser.get(f"/referral/{referral}")
    assert "Llŷr" not in browser.post(f"/referral/{referral}/unmask", 422, why="")
    assert "Llŷr" in browser.post(f"/referral/{referral}/unmask", why=WHY)
    assert "unmask" in said(browser.get("/audit"))
    assert "The chain holds" in said(browser.post("/audit/verify"))


def test_the_hand_over_lists_what_is_urgent_and_not_there(desk: Desk) -> None:
    refused(desk.bench, "V-1", priority="emergency")
    words = said(desk.browser().get("/handover"))
    assert "contact V-1" in words and "Social care systems team" in words
    assert "Brys" in desk.browser("cy").get("/handover") or "brys" in desk.browser("cy").get("/handover")
