"""The pretend Notify, driven by the official client: what it sends, refuses, finds again and reports."""

import json
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient

from sandbox.notify_checks import plain_number, templates
from sandbox.secrets import notify_login, notify_service
from tests.sandbox.conftest import Running

PHONE = {"phone": "01632 960100"}


class BelowCouncil(requests.Session):
    """The official client puts its paths right behind the host; here each council's service stands below a path."""

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **more: Any) -> requests.Response:
        return super().request(method, str(url).replace("/v2/", f"/{self.tenant}/notify/v2/", 1), *args, **more)


def client_of(running: Running, tenant: str = "torfaen", key: str = "") -> Any:
    client = NotificationsAPIClient(key or notify_login(tenant)["api_key"], base_url=running.url)
    client.request_session.close()
    client.request_session = BelowCouncil(tenant)
    return client


@pytest.fixture
def client(running: Running) -> Any:
    client = client_of(running)
    yield client
    client.request_session.close()


def template(status: str = "accepted", language: str = "en") -> str:
    return next(t["id"] for t in templates().values() if (t["status"], t["language"]) == (status, language))


def send(client: Any, number: str = "07700900123", **more: Any) -> Any:
    more = {"personalisation": {"reference": "ABC-123", **PHONE}, "reference": "ours-1", **more}
    return client.send_sms_notification(number, more.pop("template_id", template()), **more)


def refused(error: pytest.ExceptionInfo[HTTPError]) -> tuple[int, str]:
    body = error.value.response.json()
    assert body["status_code"] == error.value.status_code
    return error.value.status_code, body["errors"][0]["error"]


def test_a_text_is_sent_with_its_words_filled_in(client: Any) -> None:
    answer = send(client, template_id=template("in_progress", "both"))
    welsh, english = answer["content"]["body"].split("\n\n")
    assert welsh.startswith("Rydym yn gweithio")
    assert english.startswith("We are working")
    assert answer["content"]["body"].count("ABC-123") == 2
    assert answer["reference"] == "ours-1"
    assert uuid.UUID(answer["id"])
    found = client.get_notification_by_id(answer["id"])
    assert (found["phone_number"], found["type"], found["body"]) == ("07700900123", "sms", answer["content"]["body"])


def test_a_reference_finds_all_that_bear_it_newest_first(client: Any) -> None:
    ids = [send(client)["id"], send(client)["id"]]
    send(client, reference="ours-2")
    found = client.get_all_notifications(reference="ours-1")["notifications"]
    assert [each["id"] for each in found] == ids[::-1]
    assert client.get_all_notifications(reference="unheard-of")["notifications"] == []
    assert len(list(client.get_all_notifications_iterator())) == 3
    assert client.get_all_notifications(template_type="email")["notifications"] == []


def test_delivery_goes_its_way_with_the_clock(running: Running, client: Any) -> None:
    running.control("PUT", "clock", {"now": datetime.now(UTC).isoformat()})
    well, ill, later = send(client), send(client, "+447700900002"), send(client, "07700 900003")
    assert client.get_notification_by_id(well["id"])["status"] == "created"
    for ahead, expected in ((1, ["sending"] * 3), (5, ["delivered", "permanent-failure", "temporary-failure"])):
        running.control("PUT", "clock", {"now": (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()})
        states = [client.get_notification_by_id(each["id"]) for each in (well, ill, later)]
        assert [each["status"] for each in states] == expected
    assert all(each["sent_at"] and each["completed_at"] for each in states)
    assert len(client.get_all_notifications(status="delivered")["notifications"]) == 1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"personalisation": {}}, (400, "BadRequestError")),
        ({"personalisation": {"reference": None}}, (400, "BadRequestError")),
        ({"template_id": str(uuid.uuid4())}, (400, "BadRequestError")),
        ({"template_id": "not-a-uuid"}, (400, "ValidationError")),
        ({"number": "0770"}, (400, "ValidationError")),
        ({"number": "01632960123"}, (400, "ValidationError")),
        ({"number": "O7700900123"}, (400, "ValidationError")),
        ({"reference": "x" * 1001}, (400, "ValidationError")),
    ],
)
def test_what_notify_refuses(client: Any, more: dict[str, Any], expected: tuple[int, str]) -> None:
    with pytest.raises(HTTPError) as error:
        send(client, **more)
    assert refused(error) == expected
    assert client.get_all_notifications()["notifications"] == []


def test_missing_personalisation_is_named_as_notify_does(client: Any) -> None:
    with pytest.raises(HTTPError) as error:
        send(client, personalisation={"other": "x", **PHONE})
    assert error.value.message == [{"error": "BadRequestError", "message": "Missing personalisation: reference"}]


def test_a_text_template_cannot_be_sent_as_an_email(client: Any) -> None:
    with pytest.raises(HTTPError) as error:
        client.send_email_notification("person@example.org", template(), personalisation={"reference": "A", **PHONE})
    assert refused(error) == (400, "BadRequestError")


def test_a_key_of_another_council_is_refused(running: Running) -> None:
    stranger = client_of(running, key=notify_login("blaenau-gwent")["api_key"])
    with pytest.raises(HTTPError) as error:
        stranger.get_all_notifications()
    assert refused(error) == (403, "AuthError")
    stranger.request_session.close()


@pytest.mark.parametrize(
    ("claims", "secret", "algorithm", "words"),
    [
        ({"iat": -31}, None, "HS256", "within 30 seconds"),
        ({"iat": 40}, None, "HS256", "within 30 seconds"),
        ({"iat": None}, None, "HS256", "iat field not provided"),
        ({"iat": 0}, "3d844edf-8d35-48ac-975b-e847b4f122b0", "HS256", "API key not found"),
        ({"iat": 0}, None, "HS512", "not HS256"),
        ({"iat": 0, "iss": str(uuid.uuid4())}, None, "HS256", "service not found"),
    ],
)
def test_tokens_are_checked(
    running: Running, claims: dict[str, Any], secret: str | None, algorithm: str, words: str
) -> None:
    offset = claims["iat"]
    given = {"iss": str(notify_service("torfaen")), **claims}
    given["iat"] = datetime.now(UTC).timestamp() + offset if offset is not None else None
    key = (secret or notify_login("torfaen")["api_key"][-36:]).ljust(64, "=") if algorithm == "HS512" else secret
    token = jwt.encode(
        {name: value for name, value in given.items() if value is not None},
        key or notify_login("torfaen")["api_key"][-36:],
        algorithm=algorithm,
    )
    answer = running.http.get(
        f"{running.url}/torfaen/notify/v2/notifications", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["error"] == "AuthError"
    assert words in answer.json()["errors"][0]["message"]


def test_no_token_at_all(running: Running) -> None:
    answer = running.http.get(f"{running.url}/torfaen/notify/v2/notifications", timeout=10)
    assert (answer.status_code, answer.json()["errors"][0]["error"]) == (401, "AuthError")


def test_a_busy_or_broken_service_speaks_as_notify_does(running: Running, client: Any) -> None:
    running.fault("throttle", "notify", times=1)
    with pytest.raises(HTTPError) as error:
        send(client)
    assert refused(error) == (429, "RateLimitError")
    running.fault("error_before", "notify", times=1, status=500)
    with pytest.raises(HTTPError) as error:
        send(client)
    assert refused(error) == (500, "Exception")
    running.fault("error_after", "notify", times=1, status=500)
    with pytest.raises(HTTPError):
        send(client)
    assert len(client.get_all_notifications(reference="ours-1")["notifications"]) == 1


def test_templates_are_served_and_their_ids_follow_from_their_names(client: Any) -> None:
    assert {each["id"] for each in client.get_all_templates()["templates"]} == set(templates())
    served = client.get_all_templates("sms")["templates"]
    for each in served:
        assert each["id"] == str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:example:notify:{each['name']}"))
        assert each["personalisation"] == {name: {"required": True} for name in ("reference", "phone")}
    statuses = {(each["status"], each["language"]) for each in templates().values()}
    assert len(statuses) == len(served) == 15
    assert len(client.get_all_templates("letter")["templates"]) == 3
    assert client.get_template(served[0]["id"]) == client.get_template_version(served[0]["id"], 1) == served[0]
    shown = client.post_template_preview(served[0]["id"], {"reference": "XYZ", **PHONE})
    assert "XYZ" in shown["body"]
    with pytest.raises(HTTPError) as error:
        client.get_template(str(uuid.uuid4()))
    assert refused(error) == (404, "NoResultFound")


def test_the_bilingual_wording_is_both_with_welsh_first() -> None:
    texts = {(each["status"], each["type"], each["language"]): each["body"] for each in templates().values()}
    for status, kind in {(status, kind) for status, kind, _ in texts}:
        assert texts[status, kind, "both"] == f"{texts[status, kind, 'cy']}\n\n{texts[status, kind, 'en']}"


def test_a_letter_goes_to_its_address_and_is_received(client: Any) -> None:
    letter = next(t["id"] for t in templates().values() if (t["type"], t["language"]) == ("letter", "both"))
    lines = {"address_line_1": "Siân Rhŷs", "address_line_2": "1 Heol y Môr", "address_line_3": "NP4 0AA"}
    sent = client.send_letter_notification(letter, {"reference": "ABC-1", **PHONE, **lines}, reference="ours-1")
    shown = client.get_notification_by_id(sent["id"])
    assert (shown["type"], shown["line_1"], shown["postcode"]) == ("letter", "Siân Rhŷs", "NP4 0AA")
    assert shown["status"] in ("accepted", "received")
    for wrong in ({**lines, "address_line_3": "Nowhere"}, {"address_line_1": "NP4 0AA"}):
        with pytest.raises(HTTPError) as error:
            client.send_letter_notification(letter, {"reference": "ABC-1", **PHONE, **wrong})
        assert refused(error) == (400, "ValidationError")


def test_what_residents_send_is_listed_newest_first(running: Running, client: Any) -> None:
    for number in range(3):
        text = {"user_number": "447700900123", "content": f"DIOLCH {number}"}
        running.control("POST", "torfaen/notify/records", text, status=201)
    listed = client.get_received_texts()["received_text_messages"]
    assert [each["content"] for each in listed] == ["DIOLCH 2", "DIOLCH 1", "DIOLCH 0"]
    older = client.get_received_texts(older_than=listed[0]["id"])["received_text_messages"]
    assert older == listed[1:]
    assert client.get_received_texts(older_than=listed[2]["id"])["received_text_messages"] == []


def test_notifications_that_are_not_there(client: Any) -> None:
    for id, expected in ((str(uuid.uuid4()), (404, "NoResultFound")), ("x", (400, "ValidationError"))):
        with pytest.raises(HTTPError) as error:
            client.get_notification_by_id(id)
        assert refused(error) == expected


def test_no_message_is_typed_by_staff(running: Running) -> None:
    assert "cannot be changed" in running.control("POST", "torfaen/notify/records", {"id": "x"}, status=422)["error"]


def test_one_number_written_in_many_ways() -> None:
    written = ("07700 900123", "+447700900123", "0044 7700 900123", "(07700) 900-123")
    assert {plain_number(each) for each in written} == {"07700900123"}
    assert plain_number(None) == ""


def test_the_templates_file_is_plain_data() -> None:
    read = json.loads((Path(__file__).parents[2] / "sandbox/templates.json").read_text(encoding="utf-8"))
    assert [set(each) for each in read["templates"]] == [{"id", "name", "type", "status", "language", "body"}] * 21
