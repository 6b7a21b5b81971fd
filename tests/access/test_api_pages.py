"""Everything the pages do: each page and form of the console has its address in the interface, and takes its right.

A page that is added without one fails here. What a page has and the interface cannot have stands below with its reason.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import insert

from console.api.caller import right_of
from console.web import pages
from pipelines.rights import Role
from pipelines.tables import reconciliation
from tests.access.conftest import ROOT, House
from tests.access.test_api import call, token
from tests.access.test_api_doors import at as at
from tests.access.test_api_rights import ROUTES
from tests.access.test_sight import OPEN, Desk

WHY = {"why": "agreed on the telephone"}
#: Page or form of the console -> what does the same for a program; the first of several takes the page's right.
API_OF: dict[str, tuple[str, ...]] = {
    "GET /": ("GET /connections",),
    "POST /where": ("POST /where", "POST /find"),
    "POST /where/when": ("POST /where/when",),
    "POST /where/ask": ("POST /connections/{council}/{connection}/sync",),
    "GET /overview": ("GET /status", "GET /connections", "GET /flow", "GET /reconcile"),
    "GET /attention": ("GET /attention", "GET /left-out", "GET /conflicts", "GET /alerts"),
    "GET /attention/{cause}": ("GET /attention/{cause}",),
    "POST /attention/{cause}/preview": ("POST /attention/{cause}/preview",),
    "POST /attention/{cause}/send": ("POST /tasks", "POST /replay"),
    "POST /attention/{cause}/close": ("POST /tasks", "POST /items/{id}/close"),
    "GET /alerts": ("GET /alerts",),
    "POST /alerts/answer": ("POST /alerts/{id}/answer",),
    "POST /alerts/test": ("POST /alerts/test/{council}",),
    "GET /handover": ("GET /handover",),
    "GET /case/{id}": ("GET /items/{id}",),
    "POST /case/{id}/look": ("GET /items/{id}/preview",),
    "POST /case/{id}/send": ("POST /replay",),
    "POST /case/{id}/settle": ("POST /items/{id}/settle",),
    "POST /case/{id}/close": ("POST /items/{id}/close",),
    "POST /case/{id}/sheet": ("POST /items/{id}/sheet",),
    "GET /referral/{id}": ("GET /referrals/{id}", "POST /where"),
    "POST /referral/{id}/unmask": ("POST /referrals/{id}/unmask",),
    "GET /task": ("GET /tasks",),
    "GET /task/{id:int}": ("GET /tasks/{id}",),
    "POST /task/{id:int}/move": ("POST /tasks/{id}/move",),
    "GET /confirm": ("GET /four-eyes/{id}", "GET /four-eyes"),
    "POST /confirm/answer": ("POST /four-eyes/{id}",),
    "GET /glass": ("GET /break-glass",),
    "POST /glass/take": ("POST /break-glass",),
    "GET /sight": ("GET /grants",),
    "POST /sight/give": ("POST /grants",),
    "GET /sight/{id}": ("GET /grants/{id}",),
    "POST /sight/{id}/review": ("POST /grants/{id}/review",),
    "POST /sight/{id}/end": ("POST /grants/{id}/end",),
    "GET /connection": ("GET /connections",),
    "GET /connection/{council}/{name}": ("GET /connections/{council}/{connection}",),
    "POST /connection/{council}/{name}/pause": ("POST /connections/{council}/{connection}/pause",),
    "POST /connection/{council}/{name}/resume": ("POST /connections/{council}/{connection}/resume",),
    "POST /connection/{council}/{name}/doctor": ("POST /connections/{council}/{connection}/doctor",),
    "GET /whose": ("GET /attention", "GET /attention/{cause}"),
    "GET /whose/{id}": ("GET /items/{id}/candidates", "GET /items/{id}"),
    "POST /whose/{id}/decide": ("POST /items/{id}/decide",),
    "POST /whose/{id}/join": ("POST /referrals/{id}/join",),
    "GET /conflict": ("GET /conflicts",),
    "POST /conflict/{id:int}/seen": ("POST /conflicts/{id}/close",),
    "POST /conflict/{id:int}/values": ("POST /conflicts/{id}/values",),
    "GET /mappings": ("GET /mappings", "GET /codes/unmapped"),
    "GET /mappings/{system}/{record}": ("GET /mappings/{system}/{record}",),
    "GET /codes": ("GET /codes/unmapped",),
    "POST /codes/map": ("POST /codes/{code_list}/map",),
    "GET /schedule": ("GET /schedule", "GET /schedule/runs"),
    "GET /reconcile": ("GET /comparisons",),
    "POST /reconcile/compare": ("POST /reconcile/{council}/{route}/compare",),
    "GET /reconcile/{id:int}": ("GET /comparisons/{id}", "GET /reconcile/{council}/{route}"),
    "GET /outcomes": ("GET /outcomes",),
    "GET /audit": ("GET /audit",),
    "POST /audit/verify": ("POST /audit/verify",),
    "GET /settings": ("GET /settings",),
    "GET /settings/{file}": ("GET /settings/{file}",),
    "GET /sessions": ("GET /sessions",),
    "POST /sessions/end": ("POST /sessions/{id}/end",),
    "POST /sessions/others": ("POST /sessions/others",),
}
#: Pages whose own address in the interface there is none, and why.
WITHOUT = {
    "GET /outcomes/csv": "a file for a spreadsheet; GET /outcomes gives the same figures as data",
}
#: What a page does not do, and programs do.
BEYOND = {
    "GET /me": "a program asks who it is; a page says so at its head",
    "POST /referrals/{id}/part": "undoing a join: the pages join, the command line and programs part",
    "POST /codes/{code_list}/release": "the page lets go as it maps",
    "GET /tokens": "tokens are for programs", "POST /tokens": "the same", "POST /tokens/{id}/revoke": "the same",
}  # fmt: skip
RIGHTS = {f"{(route.methods - {'HEAD'}).pop()} {route.path}": right_of(route) for route in ROUTES}
DOORS = {door.name: door.right for one in pages.ALL for door in one}


def test_every_page_and_form_has_its_address_for_programs() -> None:
    assert {*API_OF, *WITHOUT} == set(DOORS) and not set(API_OF) & set(WITHOUT)
    assert {one for several in API_OF.values() for one in several} | set(BEYOND) == set(RIGHTS)
    assert {page: RIGHTS[several[0]] for page, several in API_OF.items()} == {page: DOORS[page] for page in API_OF}


def test_every_address_is_in_the_page_for_programs() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    said = set(re.findall(r"/[a-z]+(?:-[a-z]+)*", text))
    lacking = {one for one in RIGHTS if not set(re.findall(r"/[a-z]+(?:-[a-z]+)*", one)) <= said}
    assert lacking == set()


def test_where_is_it_is_said_in_both_languages(house: House, at: Desk) -> None:
    held = token(house)
    (one,) = call(house, held, "POST", "/where", {"reference": OPEN}).json()["found"]
    (place,) = [place for place in one["places"] if place["connection"] == "casework"]
    assert (one["known"], place["stands"], one["numbers"]["contact"]) == ("carried", "needs attention", OPEN)
    assert one["en"][0].startswith("It needs attention on its way to casework")
    assert one["cy"][0].startswith("Mae angen sylw arno ar ei ffordd i casework")
    (unknown,) = call(house, held, "POST", "/where", {"reference": "C-404"}).json()["found"]
    assert unknown["known"] == "never shown" and unknown["sources"]
    hour = {"council": "torfaen", "connection": "contact", "day": "2026-07-02", "hour": 13}
    shown = call(house, held, "POST", "/where/when", hour).json()
    assert {found["numbers"]["contact"] for found in shown["found"]} == {OPEN, "C-2"}
    assert call(house, held, "POST", "/where/when", {**hour, "hour": 3}).json() == {"found": [], "more": False}
    other = token(house, council="blaenau-gwent")
    assert call(house, other, "POST", "/where/when", hour).status_code == 404
    assert call(house, other, "POST", "/where", {"reference": OPEN}).json()["found"][0]["known"] == "never shown"


def test_a_preview_counts_whom_it_would_text(house: House, at: Desk) -> None:
    held = token(house)
    (cause,) = call(house, held, "GET", "/attention").json()["items"]
    path = f"/attention/{cause['fingerprint']}/preview"
    everything = call(house, held, "POST", path, {}).json()
    assert everything["count"] == 2
    assert everything["texted"] == {"people": 0, "looked_at": 2, "asked": 2}
    assert {one["preview"]["effect"] for one in everything["looks"]} == {"create"}
    some = call(house, held, "POST", path, {"ids": [at.delivery("C-2"), "d999999"]}).json()
    assert (some["count"], [one["id"] for one in some["looks"]]) == (1, [at.delivery("C-2")])
    one = call(house, held, "GET", f"/items/{at.delivery(OPEN)}/preview").json()
    assert one["texted"] == {"people": 0, "looked_at": 1, "asked": 1}
    assert "Llŷr" not in str(everything) + str(one)
    original = f"/items/{at.delivery(OPEN)}/preview?mapping=original"
    assert call(house, held, "GET", original).status_code == 403
    tends = house.signed_in("admin@example.org").api("GET", original)
    assert tends.status_code == 409 and "never mapped" in tends.json()["detail"]  # never sent
    assert call(house, token(house, council="blaenau-gwent"), "POST", path, {}).status_code == 404


def test_the_sheet_to_type_from_is_for_a_case_reader_and_in_the_audit(house: House, at: Desk) -> None:
    path, reader = f"/items/{at.delivery(OPEN)}/sheet", house.signed_in("reader@example.org")
    assert call(house, token(house), "POST", path, WHY).status_code == 403
    assert "Llŷr" in reader.api("POST", path, {**WHY, "language": "cy"}).json()["html"]
    assert house.bench.rows("audit", action="page", subject=at.delivery(OPEN))[-1].who == "reader@example.org"


def test_a_connection_and_what_the_doctor_says_of_it(house: House) -> None:
    held = token(house, Role.OPERATOR)
    one = call(house, held, "GET", "/connections/torfaen/casework").json()
    assert (one["connection"], one["paused"], one["polls"]) == ("casework", "", True)
    assert one["timeout_seconds"] > 0 and one["who"]
    found = call(house, held, "POST", "/connections/torfaen/casework/doctor").json()["findings"]
    ill = [finding for finding in found if not finding["well"]]
    assert ill and all(finding["words"] and finding["remedy"] for finding in ill)  # nothing answers at its address
    assert call(house, token(house, Role.VIEWER), "POST", "/connections/torfaen/casework/doctor").status_code == 403
    stranger = token(house, council="blaenau-gwent")
    assert call(house, stranger, "GET", "/connections/torfaen/casework").status_code == 404
    flows = call(house, held, "GET", "/flow").json()["flows"]
    assert {flow["council"] for flow in flows} == {"torfaen"}


def test_settings_and_mappings_are_read_line_by_line(house: House, site: Path) -> None:
    admin = house.signed_in("admin@example.org")
    files = admin.api("GET", "/settings").json()["files"]
    assert [one["name"] for one in files] == ["dolen", "torfaen"]
    lines, after = [], ""
    while after is not None:
        page = admin.api("GET", f"/settings/torfaen?limit=100&after={after}").json()
        lines += page["items"]
        after = page["next"]
    text = (site / "config" / "councils" / "torfaen.yaml").read_text(encoding="utf-8").splitlines()
    assert [(one["line"], one["text"]) for one in lines] == list(enumerate(text, 1))
    assert admin.api("GET", "/settings/blaenau-gwent").status_code == 404
    held = token(house)
    kinds = call(house, held, "GET", "/mappings?limit=200").json()["items"]
    assert "contact/request" in {one["mapping"] for one in kinds} and {one["council"] for one in kinds} == {"torfaen"}
    shown = call(house, held, "GET", "/mappings/contact/request").json()
    assert any(row["ours"] == "person.name.family" and row["line"] for row in shown["rows"])
    assert shown["losses"] >= len(shown["lost"])


def test_outcomes_runs_and_comparisons(house: House, at: Desk) -> None:
    held, now = token(house), house.bench.clock.now()
    (one,) = call(house, held, "GET", "/outcomes?days=30").json()["items"]
    assert (one["council"], one["referrals"]) == ("torfaen", None)  # of two, which are too few to show
    assert one["assumed"] == {"patience_days": 3.0, "ring_rate": 0.4} and one["cy"] != one["en"]
    assert call(house, held, "GET", "/outcomes?days=0").status_code == 422
    assert call(house, held, "GET", "/schedule/runs").json() == {"items": [], "next": None}
    with house.bench.writing() as connection:
        connection.execute(insert(reconciliation).values(
            council="torfaen", route="contact-to-casework", at=now, begun=now, done=now, agrees=False,
            counts={"compared": 2}, findings={"differ": [{"source": "C-1", "target": "881", "referral": at.id(OPEN)}]},
        ))  # fmt: skip
    (listed,) = call(house, held, "GET", "/comparisons").json()["items"]
    assert listed["agrees"] is False and "found" not in listed
    told = call(house, held, "GET", f"/comparisons/{listed['id']}").json()
    assert told["found"]["differ"][0]["source"] == "C-1"
    stranger = token(house, council="blaenau-gwent")
    assert call(house, stranger, "GET", f"/comparisons/{listed['id']}").status_code == 404


def test_some_are_a_task_and_ones_other_sessions_end(house: House, at: Desk) -> None:
    asked = {"ids": [at.delivery(OPEN), at.delivery("C-2")], "action": "close", **WHY}
    made = call(house, token(house), "POST", "/tasks", asked).json()["id"]
    assert call(house, token(house), "GET", f"/tasks/{made}").json()["total"] == 2
    first, second = house.signed_in("op@example.org"), house.signed_in("op@example.org")
    assert second.api("POST", "/sessions/others").status_code == 200
    assert (first.home()["who"], second.home()["who"]) == (None, "op@example.org")
    assert second.api("GET", "/break-glass").json()["items"] == []
