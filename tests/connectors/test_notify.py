"""GOV.UK Notify through its official client: against the pretend one, and against small servers with vices."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from connectors.errors import (
    ConnectorError,
    Misconfigured,
    NotThere,
    PageUnreadable,
    Rejected,
    Throttled,
    Unauthorised,
    Unknown,
    Unreachable,
)
from connectors.port import Tier
from connectors.registry import open_connector

ACCEPTED_EN = "d1708f94-2432-5cc8-b53c-a45f62662629"
KEY = "prawf-26785a09-ab16-4eb0-8407-a37497a57506-3d844edf-8d35-48ac-975b-e847b4f122b0"
SENT = "740e5834-3a29-46b4-9a6f-16142fde533a"
WORDS = {"reference": "ABC-1", "phone": "01632 960100"}
TEXT = {"channel": "text", "to": "07700 900123", "template_id": ACCEPTED_EN, "personalisation": WORDS}


def no_interface(name: str) -> bytes:
    raise AssertionError(f"{name} was read")


@pytest.fixture
def opened(shipped: Callable[[str], Any], clock: Callable[[], datetime]) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def connect(url: str, key: str = KEY, **more: Any) -> Any:
        told = {"url": url, "login": {"notify": {"api_key": "env:KEY"}}, "timeout_seconds": 5, **more}
        connector = open_connector(shipped("notify"), told, interfaces=no_interface, clock=clock, secret=lambda _: key)
        made.append(connector)
        return connector

    yield connect
    for connector in made:
        connector.close()


@pytest.fixture
def notify(council: Any, opened: Any) -> Any:
    return opened(council.system("notify"), council.secrets["notify"]["api_key"])


def test_says_what_it_can_do(notify: Any) -> None:
    assert notify.kinds() == ("Text", "Report", "ReceivedText")
    assert notify.offers("Text") == {"create", "fetch", "find"}
    assert (notify.offers("Report"), notify.offers("ReceivedText")) == ({"changes", "fetch"}, {"changes"})
    assert notify.tier("Text") is Tier.SEARCHABLE
    assert not notify.reads_first("Text")
    for call in (
        lambda: notify.changes("Text", watermark=""),
        lambda: notify.skip("Text", watermark="", cursor=""),
        lambda: notify.tier("Referral"),
        lambda: notify.deliver("Report", TEXT, key="k"),
        lambda: notify.find("ReceivedText", "k"),
        lambda: notify.fetch("ReceivedText", SENT),
        lambda: notify.deliver("Text", TEXT, key="k", id=SENT),
    ):
        with pytest.raises(Misconfigured):
            call()


def test_a_text_is_sent_under_our_reference_and_found_by_it(council: Any, notify: Any) -> None:
    receipt = notify.deliver("Text", TEXT, key="dolen-1")
    assert receipt.effect == "created"
    (kept,) = council.records("notify")
    assert (kept["id"], kept["reference"]) == (receipt.id, "dolen-1")
    (found,) = notify.find("Text", "dolen-1")
    assert (found.id, found.our_key) == (receipt.id, "dolen-1")
    assert found.modified is not None
    assert "900123" not in repr(found) + repr(receipt)
    assert notify.find("Text", "dolen-2") == []
    fetched = notify.fetch("Text", receipt.id)
    assert fetched is not None
    assert fetched.record["status"] in ("created", "sending", "delivered")
    assert notify.fetch("Text", SENT) is None
    assert notify.fetch("Text", "../templates") is None


def test_notify_does_not_keep_a_reference_to_itself(notify: Any) -> None:
    for _ in range(2):
        notify.deliver("Text", TEXT, key="dolen-1")
    assert len(notify.find("Text", "dolen-1")) == 2, "which is why the tier is B"


def test_many_threads_share_one_connector(council: Any, notify: Any) -> None:
    threads = [
        threading.Thread(target=notify.deliver, args=("Text", TEXT), kwargs={"key": f"dolen-{n}"}) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {record["reference"] for record in council.records("notify")} == {f"dolen-{n}" for n in range(8)}


def test_what_notify_refuses(notify: Any) -> None:
    with pytest.raises(Rejected) as caught:
        notify.deliver("Text", {**TEXT, "personalisation": {}}, key="dolen-1")
    assert (caught.value.code, caught.value.field) == ("BadRequestError", "personalisation")
    with pytest.raises(Rejected) as caught:
        notify.deliver("Text", {**TEXT, "to": "0123"}, key="dolen-1")
    assert "0123" not in str(caught.value)
    with pytest.raises(Rejected):
        notify.deliver("Text", {**TEXT, "template_id": SENT}, key="dolen-1")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"channel": "pigeon"}, "channel"),
        ({"to": 7700900123}, "to"),
        ({"to": ""}, "to"),
        ({"template_id": "the letter"}, "template_id"),
        ({"personalisation": {"reference": ["A"]}}, "personalisation"),
        ({"Blodeuwedd": "1941"}, ""),
    ],
)
def test_what_is_no_text_is_not_sent(council: Any, notify: Any, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Rejected, match="nothing was sent") as caught:
        notify.deliver("Text", {**TEXT, **wrong}, key="dolen-1")
    assert caught.value.field == field
    assert not any(str(value) in str(caught.value) for value in wrong.values() if value)
    assert "Blodeuwedd" not in str(caught.value)
    assert council.records("notify") == []


@pytest.mark.parametrize(
    ("only_to", "to", "goes"),
    [
        (["+447700900*"], "07700 900123", True),
        (["+447700900*"], "+44 (7700) 900-123", True),
        (["07700900123"], "0044 7700 900123", True),
        (["07700900123"], "07700 900124", False),
        (["+447700900*"], "01632 960123", False),
        (["+4477009001"], "07700 900123", False),
        (["+447700900*"], "+1 07700 900123", False),
        ([], "07700 900123", False),
        (["rhywun@example.org"], "07700 900123", False),
    ],
)
def test_only_to_holds_texts_back(council: Any, opened: Any, only_to: list[str], to: str, goes: bool) -> None:
    connector = opened(council.system("notify"), council.secrets["notify"]["api_key"], only_to=only_to)
    if goes:
        connector.deliver("Text", {**TEXT, "to": to}, key="dolen-1")
    else:
        with pytest.raises(Rejected, match="only_to; nothing was sent") as caught:
            connector.deliver("Text", {**TEXT, "to": to}, key="dolen-1")
        assert caught.value.field == "to"
        assert to not in str(caught.value) + repr(caught.value)
    assert council.calls("notify", "send_sms") == goes


def test_only_to_holds_emails_back(small: Any, answer: Any, opened: Any) -> None:
    server = small(lambda _: answer(201, json.dumps({"id": SENT}).encode()))
    connector = opened(server.url, only_to=["Rhywun@example.org", "prawf-*"])
    email = {**TEXT, "channel": "email"}
    for to in ("rhywun@EXAMPLE.org", "prawf-7@example.org"):
        connector.deliver("Text", {**email, "to": to}, key="dolen-1")
    for to in ("arall@example.org", "x-prawf-7@example.org", "rhywun@example.org.example.com"):
        with pytest.raises(Rejected):
            connector.deliver("Text", {**email, "to": to}, key="dolen-1")
    assert [call.path for call in server.calls] == ["/v2/notifications/email"] * 2
    assert json.loads(server.calls[0].body)["reference"] == "dolen-1"


@pytest.mark.parametrize("pattern", ["*", "07*", "", "+44*"])
def test_only_to_cannot_mean_everybody(opened: Any, pattern: str) -> None:
    with pytest.raises(Misconfigured, match="only_to"):
        opened("http://localhost:1", only_to=[pattern])


def test_the_list_is_in_no_repr(shipped: Any, opened: Any) -> None:
    connector = opened("http://localhost:1", only_to=["07700900123"])
    assert "900123" not in repr(connector) + repr(connector._settings)


ERRORS = [
    (400, "BadRequestError", Rejected, None),
    (400, "ValidationError", Rejected, None),
    (401, "AuthError", Unauthorised, None),
    (403, "AuthError", Unauthorised, None),
    (404, "NoResultFound", NotThere, None),
    (408, "Timeout", Unknown, None),
    (429, "RateLimitError", Throttled, 60),
    (429, "TooManyRequestsError", Throttled, 3600),
    (500, "Exception", Unknown, None),
    (503, "Exception", Unknown, None),
]


@pytest.mark.parametrize(("status", "name", "error", "after"), ERRORS)
def test_what_an_error_of_notify_means(
    small: Any, answer: Any, opened: Any, status: int, name: str, error: type[ConnectorError], after: float | None
) -> None:
    told = {"status_code": status, "errors": [{"error": name, "message": "phone_number 07700900123 is wrong"}]}
    server = small(lambda _: answer(status, json.dumps(told).encode()))
    with pytest.raises(error) as caught:
        opened(server.url).deliver("Text", TEXT, key="dolen-1")
    assert type(caught.value) is error
    assert caught.value.code == name
    assert "900123" not in str(caught.value) + repr(caught.value) + repr(caught.value.__context__)
    assert b"900123" in caught.value.reply
    assert len(server.calls) == 1, "a text is sent once"
    if isinstance(caught.value, Throttled):
        assert caught.value.after == after
    if isinstance(caught.value, Rejected):
        assert caught.value.field == "to"


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (201, b"", {"Content-Type": "application/json"}),
        (201, b"<html>", {"Content-Type": "text/html"}),
        (201, b"{", {"Content-Type": "application/json"}),
        (201, b"[]", {"Content-Type": "application/json"}),
        (201, b'{"id": "../x"}', {"Content-Type": "application/json"}),
        (204, b"", {}),
        (200, b"<html>", {"Content-Type": "text/html"}),
        (302, b"", {"Location": "/login"}),
        (502, b"<html>", {"Content-Type": "text/html"}),
    ],
)
def test_what_is_no_clear_answer_is_unknown(
    small: Any, answer: Any, opened: Any, status: int, body: bytes, headers: dict[str, str]
) -> None:
    server = small(lambda _: answer(status, body, headers))
    with pytest.raises(Unknown):
        opened(server.url).deliver("Text", TEXT, key="dolen-1")
    assert len(server.calls) == 1


@pytest.mark.parametrize("fault", ["reset_after", "html_after", "error_after"])
def test_a_text_that_may_be_gone_is_found_again(council: Any, notify: Any, fault: str) -> None:
    council.faults("notify", **{fault: {"times": 1}})
    with pytest.raises(Unknown):
        notify.deliver("Text", TEXT, key="dolen-1")
    assert len(notify.find("Text", "dolen-1")) == 1


def test_a_silent_notify_is_unknown_within_the_deadline(council: Any, opened: Any) -> None:
    connector = opened(council.system("notify"), council.secrets["notify"]["api_key"], timeout_seconds=1)
    council.faults("notify", hang_after={"seconds": 4})
    with pytest.raises(Unknown, match="1 seconds"):
        connector.deliver("Text", TEXT, key="dolen-1")


def test_looking_up_is_tried_again(council: Any, notify: Any) -> None:
    notify.deliver("Text", TEXT, key="dolen-1")
    council.faults("notify", error_before={"times": 2})
    assert len(notify.find("Text", "dolen-1")) == 1


def test_a_list_that_is_none(small: Any, answer: Any, opened: Any) -> None:
    for body in (b"{}", b'{"notifications": {}}', b'{"notifications": [{"id": 7}]}'):
        server = small(lambda _, body=body: answer(200, body))
        with pytest.raises(PageUnreadable):
            opened(server.url).find("Text", "dolen-1")


def test_no_redirect_is_followed(small: Any, answer: Any, opened: Any) -> None:
    canary = small(lambda _: answer(201, b"{}"))
    server = small(lambda _: answer(307, b"", {"Location": canary.url}))
    with pytest.raises(Misconfigured):
        opened(server.url).deliver("Text", TEXT, key="dolen-1")
    assert canary.calls == []


def test_nobody_there_is_unreachable(small: Any, answer: Any, opened: Any) -> None:
    server = small(lambda _: answer())
    server.close()
    with pytest.raises(Unreachable, match="nothing was sent"):
        opened(server.url).deliver("Text", TEXT, key="dolen-1")


@pytest.mark.parametrize("key", ["short", KEY[:-1], KEY.replace("-3d844edf", "_3d844edf")])
def test_a_key_that_is_none_is_named_and_not_shown(opened: Any, key: str) -> None:
    with pytest.raises(Misconfigured, match="api_key") as caught:
        opened("http://localhost:1", key)
    assert key not in str(caught.value)


def test_another_login_is_refused(shipped: Any, clock: Any) -> None:
    told = {"login": {"basic": {"username": "a", "password": "env:X"}}}
    with pytest.raises(Misconfigured, match="Notify needs login"):
        open_connector(shipped("notify"), told, interfaces=no_interface, clock=clock, secret=lambda _: "x")


def test_no_number_key_or_token_reaches_a_log(
    small: Any, answer: Any, opened: Any, caplog: pytest.LogCaptureFixture
) -> None:
    quoting = {"status_code": 400, "errors": [{"error": "BadRequestError", "message": "07700900123 is no number"}]}
    connector = opened(small(lambda _: answer(400, json.dumps(quoting).encode())).url)
    with caplog.at_level(logging.DEBUG), pytest.raises(Rejected):
        connector.deliver("Text", TEXT, key="dolen-1")
    assert [record.name for record in caplog.records] == [], "the client itself would log Notify's words"
    shown = repr(connector) + repr(vars(connector)) + repr(connector._client) + repr(vars(connector._client))
    for secret in ("900123", KEY, KEY[-36:]):
        assert secret not in shown + caplog.text


def test_the_doctor(council: Any, notify: Any, opened: Any) -> None:
    assert all(finding.well for finding in notify.doctor())
    other = opened(council.system("notify"), KEY).doctor()[-1]
    assert (other.subject, other.well) == ("login", False)
    assert "clock" in other.remedy
    council.faults("notify", dead={})
    route = notify.doctor()[-1]
    assert (route.subject, route.well) == ("route", False)
    assert council.records("notify") == []
