"""The contact centre's REST interface, over a real socket: tokens, paging, upsert, merge patch, and what it refuses."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from sandbox import people, shape
from sandbox.contact import Contact
from sandbox.secrets import contact_login
from tests.sandbox.conftest import Running

MERGE = "application/merge-patch+json"


class Api:
    """Torfaen's contact centre with a fresh token."""

    def __init__(self, running: Running, tenant: str = "torfaen") -> None:
        self.running, self.root = running, f"{running.url}/{tenant}/contact"
        self.headers = {"Authorization": f"Bearer {self.token(tenant)['access_token']}"}

    def token(self, tenant: str) -> dict[str, Any]:
        form = {"grant_type": "client_credentials", **contact_login(tenant)}
        answer = self.running.http.post(f"{self.root}/token", data=form, timeout=10)
        assert answer.status_code == 200, answer.text
        read: dict[str, Any] = answer.json()
        return read

    def call(self, method: str, path: str, status: int, /, **more: Any) -> requests.Response:
        headers = {**self.headers, **more.pop("headers", {})}
        url = f"{self.root}/api/requests{path}"
        answer = self.running.http.request(method, url, headers=headers, timeout=10, **more)
        assert answer.status_code == status, answer.text
        return answer

    def upsert(self, key: str, body: Any, status: int, **more: Any) -> requests.Response:
        return self.call("PUT", f"/by-external/{quote(key, safe='')}", status, json=body, **more)

    def patch(self, id: str, change: Any, status: int, match: str | None) -> requests.Response:
        headers = {"Content-Type": MERGE} | ({"If-Match": match} if match else {})
        return self.call("PATCH", f"/{id}", status, json=change, headers=headers)

    def walk(self, limit: int, **query: Any) -> list[str]:
        found, cursor = [], None
        while True:
            page = self.call("GET", "", 200, params={"limit": limit, **query, **({"cursor": cursor} if cursor else {})})
            shape.check("Page", page.json())
            found += [each["id"] for each in page.json()["requests"]]
            cursor = page.json()["next"]
            if cursor is None:
                return found


@pytest.fixture
def api(running: Running) -> Api:
    return Api(running)


def a_request(number: int = 0) -> dict[str, Any]:
    return people.request(1, number, "torfaen")


def error(answer: requests.Response) -> tuple[str, str | None]:
    said = answer.json()["error"]
    assert said["message"]
    return said["code"], said["field"]


def test_both_pinned_copies_of_the_interface_are_the_same() -> None:
    root = Path(__file__).parents[2]
    ours = (root / "sandbox/interfaces/contact.openapi.yaml").read_bytes()
    assert ours == (root / "connectors/interfaces/contact.openapi.yaml").read_bytes()


def test_tokens_are_given_for_the_right_secret_and_end(running: Running, api: Api) -> None:
    url, login = f"{api.root}/token", contact_login("torfaen")
    basic = requests.post(
        url, data={"grant_type": "client_credentials"}, auth=(login["client_id"], login["client_secret"]), timeout=10
    )
    assert basic.json()["token_type"] == "Bearer"
    wrong = requests.post(url, data={"grant_type": "client_credentials", **login, "client_secret": "no"}, timeout=10)
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})
    other = requests.post(url, data={"grant_type": "password", **login}, timeout=10)
    assert (other.status_code, other.json()) == (400, {"error": "unsupported_grant_type"})
    contact = running.world.systems["contact"]
    assert isinstance(contact, Contact)
    contact.token_seconds = 0
    api.headers = {"Authorization": f"Bearer {api.token('torfaen')['access_token']}"}
    assert error(api.call("GET", "", 401)) == ("invalid_token", None)


def test_a_token_is_good_for_one_council_alone(running: Running, api: Api) -> None:
    api.headers = Api(running, "blaenau-gwent").headers
    assert error(api.call("GET", "", 401)) == ("invalid_token", None)


def test_an_expired_token_on_demand_strikes_once(running: Running, api: Api) -> None:
    running.fault("expired_token", "contact", times=1)
    api.call("GET", "", 401)
    api.call("GET", "", 200)


def test_upsert_creates_once_and_keeps_what_it_is_not_given(running: Running, api: Api) -> None:
    first = api.upsert("our/key 1", a_request(), 201)
    made = first.json()
    assert first.headers["ETag"] == '"1"'
    assert first.headers["Location"].endswith(f"/torfaen/contact/api/requests/{made['id']}")
    assert made["external_reference"] == "our/key 1"
    running.control("PATCH", f"torfaen/contact/records/{made['id']}", {"internal_notes": "rang back"})
    sent = {name: value for name, value in a_request().items() if name != "internal_notes"}
    again = api.upsert("our/key 1", sent, 200).json()
    assert (again["id"], again["version"], again["internal_notes"]) == (made["id"], 2, "rang back")
    fewer = api.upsert("our/key 1", {"status": "triage"}, 200).json()
    assert (fewer["status"], fewer["customer"], fewer["version"]) == ("triage", made["customer"], 3)
    assert api.call("GET", f"/by-external/{quote('our/key 1', safe='')}", 200).json()["id"] == made["id"]
    assert len(api.walk(10)) == 1


def test_a_write_that_changes_nothing_makes_no_version(api: Api) -> None:
    made = api.upsert("k", a_request(), 201).json()
    assert api.patch(made["id"], {"status": made["status"]}, 200, '"1"').headers["ETag"] == '"1"'


def test_a_patch_merges_and_needs_the_version_it_read(api: Api) -> None:
    made = api.upsert("k", a_request(), 201).json()
    changed = api.patch(made["id"], {"customer": {"last_name": "Tŵr", "title": None}}, 200, '"1"').json()
    assert changed["customer"] == {**made["customer"], "last_name": "Tŵr", "title": None}
    assert changed["version"] == 2
    assert error(api.patch(made["id"], {"status": "closed"}, 412, '"1"')) == ("precondition_failed", None)
    assert error(api.patch(made["id"], {"status": "closed"}, 428, None)) == ("precondition_required", None)
    assert api.patch(made["id"], {"needs": []}, 200, "*").json()["needs"] == []
    assert error(api.patch("C-999999", {}, 404, "*")) == ("not_found", None)
    assert error(api.call("PUT", "/by-external/k", 412, json={}, headers={"If-Match": '"1"'})) == (
        "precondition_failed", None
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"status": "sleeping"}, "status"),
        ({"received_at": "yesterday"}, "received_at"),
        ({"customer": "see paper file"}, "customer"),
        ({"customer": {"contacts": [{"type": "fax", "value": "1"}]}}, "customer/contacts/0/type"),
        ({"customer": {"last_name": "x" * 36}}, "customer/last_name"),
        ({"customer": None}, "customer"),
        ({"surname": "x"}, "surname"),
        ({"flags": {"safeguarding": "no", "restricted": False}}, "flags/safeguarding"),
    ],
)
def test_what_does_not_fit_is_refused_by_field_and_never_by_value(api: Api, change: dict[str, Any], field: str) -> None:
    made = api.upsert("k", a_request(), 201).json()
    answer = api.patch(made["id"], change, 422, '"1"')
    assert error(answer) == ("invalid", field)
    assert "see paper file" not in answer.text
    assert api.call("GET", f"/{made['id']}", 200).json() == made


def test_a_create_needs_the_fields_it_needs(api: Api) -> None:
    asked = a_request()
    del asked["customer"]["last_name"]
    assert error(api.upsert("k", asked, 422)) == ("invalid", "customer/last_name")
    assert error(api.upsert("k", {"status": "new"}, 422))[0] == "invalid"


def test_bodies_of_the_wrong_kind_are_refused(api: Api) -> None:
    headers = {"Content-Type": "text/plain", "If-Match": "*"}
    assert error(api.call("PATCH", "/C-000001", 415, data=b"{}", headers=headers))[0] == "unsupported_media_type"
    headers = {"Content-Type": MERGE, "If-Match": "*"}
    for body in (b"{", b"[1]", b"\xff\xfe"):
        assert error(api.call("PATCH", "/C-000001", 400, data=body, headers=headers))[0] == "invalid_json"
    assert error(api.call("DELETE", "/C-000001", 405))[0] == "method_not_allowed"


def test_our_key_can_be_given_once_only(api: Api) -> None:
    one, two = (api.upsert(key, a_request(), 201).json() for key in ("one", "two"))
    answer = api.patch(two["id"], {"external_reference": one["external_reference"]}, 409, "*")
    assert error(answer) == ("conflict", "external_reference")


def test_paging_sees_every_request_once_though_stamps_are_equal(running: Running, api: Api) -> None:
    made = [running.control("POST", "torfaen/contact/records", a_request(n), status=201) for n in range(23)]
    assert len({each["changed_at"] for each in made}) < 23
    ids = [each["id"] for each in made]
    assert api.walk(5) == ids
    assert api.walk(200, changed_since=made[-1]["changed_at"])[-1] == ids[-1]
    assert api.walk(5, changed_since="2100-01-01T00:00:00+01:00") == []


def test_changed_since_is_inclusive_to_the_moment(running: Running, api: Api) -> None:
    running.control("PUT", "clock", {"now": "2026-03-02T09:00:00.500+00:00"})
    made = running.control("POST", "torfaen/contact/records", a_request(), status=201)
    assert made["changed_at"] == "2026-03-02T09:00:00Z"
    assert api.walk(5, changed_since="2026-03-02T10:00:00+01:00") == [made["id"]]
    assert api.walk(5, changed_since="2026-03-02T09:00:00.001Z") == []


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=nonsense", "changed_since=2026-01-01"])
def test_wrong_questions_are_named(api: Api, query: str) -> None:
    assert error(api.call("GET", f"?{query}", 400)) == ("invalid", query.split("=")[0])


def test_a_repeated_page_is_served_once_more_and_nothing_is_missed(running: Running, api: Api) -> None:
    ids = [running.control("POST", "torfaen/contact/records", a_request(n), status=201)["id"] for n in range(9)]
    running.fault("repeated_page", "contact", times=1)
    assert api.walk(3) == [*ids[:3], *ids[:3], *ids[3:]]


def test_a_request_changed_while_paging_comes_again_at_the_end(running: Running, api: Api) -> None:
    running.control("PUT", "clock", {"now": "2026-03-02T09:00:00+00:00"})
    ids = [running.control("POST", "torfaen/contact/records", a_request(n), status=201)["id"] for n in range(4)]
    running.control("PUT", "clock", {"now": "2026-03-02T09:00:05+00:00"})
    running.fault("changed_while_paging", "contact", times=1)
    assert api.walk(2) == [*ids, ids[0]]


def test_pages_that_never_end_and_records_too_large_or_broken(running: Running, api: Api) -> None:
    for number in range(2):
        running.control("POST", "torfaen/contact/records", a_request(number), status=201)
    running.fault("endless_page", "contact", times=2)
    first = api.call("GET", "", 200).json()
    second = api.call("GET", "", 200, params={"cursor": first["next"]}).json()
    assert second == first
    running.fault("broken_record", "contact", times=1)
    broken = api.call("GET", "", 200).json()["requests"][0]
    with pytest.raises(shape.Misshapen, match="customer must be of type object"):
        shape.check("Request", broken)
    running.fault("huge_record", "contact", times=1, bytes=100_000)
    assert len(api.call("GET", "", 200).content) > 100_000
    assert len(api.walk(10)) == 2


def test_too_many_calls_are_told_to_wait(running: Running, api: Api) -> None:
    running.fault("throttle", "contact", times=1, seconds=3)
    answer = api.call("GET", "", 429)
    assert (answer.headers["Retry-After"], error(answer)[0]) == ("3", "too_many_requests")


def test_an_upsert_whose_answer_is_lost_was_done(running: Running, api: Api) -> None:
    running.fault("reset_after", "contact", times=1)
    with pytest.raises(requests.ConnectionError):
        api.upsert("k", a_request(), 201)
    assert api.upsert("k", a_request(), 200).json()["version"] == 1


def test_staff_are_held_to_the_interface_too_save_past_all_checks(running: Running) -> None:
    path = "torfaen/contact/records"
    refused = running.control("POST", path, {**a_request(), "customer": "see paper file"}, status=422)
    assert "customer" in refused["error"]
    running.control("POST", f"{path}?unchecked=1", {**a_request(), "customer": "see paper file"}, status=201)
