"""What a profile says of single calls: headers, parameters, errors and waits of their own, keys between quotes, texts
that hold several values, and where an answer holds the new id."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from connectors.errors import Duplicate, Misconfigured, NotThere, Outdated, Rejected, Throttled
from connectors.port import UnreadableItem
from connectors.problems import ProfileFaults

AT = "2026-03-02T09:00:00Z"
JSON = {"Content-Type": "application/json"}
THING = json.dumps({"id": "a", "at": AT, "key": "k"}).encode()


@pytest.fixture
def talking(profile: Any, openapi: Any, connect: Any, small: Any, answer: Any) -> Any:
    """Connects to a server that gives one answer; `change` changes the profile's section first."""

    def start(change: Any, status: int = 200, body: bytes = THING, headers: Any = JSON) -> Any:
        change(profile["records"]["Thing"], profile)
        server = small(lambda _: answer(status, body, headers))
        connector = connect(server.url + "/api", profile, openapi)
        connector._sleep = lambda _: None
        connector.server = server
        return connector

    return start


def asked(connector: Any) -> tuple[str, dict[str, str], dict[str, str]]:
    """Path, parameters and headers of the last call."""
    call = connector.server.calls[-1]
    parts = urlsplit(call.path)
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}, call.headers


def test_every_call_has_the_profiles_headers_and_its_own(talking: Any) -> None:
    def change(thing: Any, profile: Any) -> None:
        profile["headers"] = {"OData-Version": "4.0", "X-Both": "profile"}
        thing["query"] = {"$select": "id,at"}
        thing["fetch"] |= {"headers": {"X-Both": "call"}, "query": {"deep": "1"}}
        thing["create"] |= {"method": "PATCH", "headers": {"Prefer": "return=representation"}, "query": {"q": "c"}}
        thing["update"] |= {"headers": {"If-None-Match": "x"}, "query": {"q": "u"}}

    connector = talking(change)
    connector.fetch("Thing", "a")
    path, query, headers = asked(connector)
    assert (path, query) == ("/api/things/a", {"$select": "id,at", "deep": "1"})
    assert (headers["odata-version"], headers["x-both"], headers["accept"]) == ("4.0", "call", "application/json")
    connector.deliver("Thing", {"id": "a", "at": AT}, key="k")
    _, query, headers = asked(connector)
    assert connector.server.calls[-1].method == "PATCH"
    assert (query, headers["prefer"], headers["x-both"]) == ({"q": "c"}, "return=representation", "profile")
    connector.deliver("Thing", {"id": "a", "at": AT}, key="k", id="a", version="3")
    _, query, headers = asked(connector)
    assert (query, headers["if-none-match"], headers["if-match"]) == ({"q": "u"}, "x", '"3"')


@pytest.mark.parametrize(
    ("key", "seen"), [("k", "k"), ("o'neill", "o''neill"), ("a') or (key='b", "a'') or (key=''b"), ("''", "''''")]
)
def test_a_quote_in_a_key_between_quotes_is_doubled(talking: Any, key: str, seen: str) -> None:
    connector = talking(lambda thing, _: thing.update(find={"path": "/things(key='{our_key}')"}), 404, b'{"code": "x"}')
    assert connector.find("Thing", key) == []
    assert unquote(asked(connector)[0]) == f"/api/things(key='{seen}')"


@pytest.mark.parametrize(
    ("status", "body", "change", "error", "words"),
    [
        (412, b"{}", {"create": {"errors": {"412": "duplicate"}}}, Duplicate, "there already"),
        (409, b'{"code": "same"}', {"create": {"errors": {"same": "duplicate"}}}, Duplicate, "there already"),
        (409, b'{"code": "same"}', {"errors": {"same": "duplicate"}, "create": {"errors": {"same": "rejected"}}},
         Rejected, "refuses what we sent"),
        (400, b'{"code": "nowhere"}', {"errors": {"nowhere": "misconfigured"}}, Misconfigured, "what we call it by"),
        (300, b'["/a", "/b"]', {}, Rejected, "several records hold the key"),
        (300, b"{}", {"errors": {"300": "outdated"}}, Outdated, "was changed"),
        (400, b'[{"code": "locked"}, {"code": "same"}]', {"errors": {"locked": "throttled"}}, Throttled, "locked"),
    ],
)  # fmt: skip
def test_what_an_error_means_for_a_call(
    talking: Any, status: int, body: bytes, change: Any, error: Any, words: str
) -> None:
    def lay(thing: Any, _: Any) -> None:
        for name, more in change.items():
            thing[name] = {**thing[name], **more}

    with pytest.raises(error, match=words):
        talking(lay, status, body).deliver("Thing", {"at": AT}, key="k")


def test_an_updates_errors_are_its_own(talking: Any) -> None:
    def change(thing: Any, _: Any) -> None:
        thing["create"]["errors"] = {"412": "duplicate"}

    with pytest.raises(Outdated):
        talking(change, 412, b"{}").deliver("Thing", {"id": "a", "at": AT}, key="k", id="a", version="3")


@pytest.mark.parametrize(
    ("headers", "after"), [(JSON, 900.0), ({**JSON, "Retry-After": "7"}, 7.0)], ids=["untold", "told"]
)
def test_a_wait_that_the_system_does_not_tell_is_the_profiles(talking: Any, headers: Any, after: float) -> None:
    def change(thing: Any, _: Any) -> None:
        thing["errors"]["limit"] = "throttled"
        thing["waits"] = {"limit": "PT15M"}

    with pytest.raises(Throttled) as caught:
        talking(change, 403, b'[{"code": "limit"}]', headers).deliver("Thing", {"at": AT}, key="k")
    assert caught.value.after == after


@pytest.mark.parametrize(("body", "gone"), [(b'{"code": ""}', True), (b"{}", False), (b"<html>", False)])
def test_a_404_with_an_empty_code_is_the_systems_own(talking: Any, body: bytes, gone: bool) -> None:
    connector = talking(lambda *_: None, 404, body)
    if gone:
        assert connector.fetch("Thing", "a") is None
        with pytest.raises(NotThere):
            connector.deliver("Thing", {"id": "a", "at": AT}, key="k", id="a", version="3")
    else:
        with pytest.raises(Misconfigured):
            connector.fetch("Thing", "a")


def joined(thing: Any, _: Any) -> None:
    thing["joined"] = {"tags": ";", "inner/tags": ","}
    thing["create"].pop("our_key")


def test_a_text_of_several_values_is_a_list_to_us_and_a_text_to_them(talking: Any, openapi: Any) -> None:
    listed = {"type": ["array", "null"], "items": {"type": "string"}}
    shapes = openapi["components"]["schemas"]["Thing"]["properties"]
    shapes |= {"tags": listed, "inner": {"type": "object", "properties": {"tags": listed}}}
    told = {"id": "a", "at": AT, "tags": "x; y;;", "inner": {"tags": "p,q"}}
    connector = talking(joined, 200, json.dumps(told).encode())
    item = connector.fetch("Thing", "a")
    assert (item.record["tags"], item.record["inner"]["tags"]) == (["x", "y"], ["p", "q"])
    assert json.loads(item.raw) == told, "the bytes stay as they came"
    assert connector.parse("Thing", item.raw, id="a").record == item.record
    sent = {"id": "a", "at": AT, "tags": ["x", "y"], "inner": {"tags": ["p", "q"], "n": 1}}
    connector.deliver("Thing", sent, key="k")
    body = json.loads(connector.server.calls[-1].body)
    assert (body["tags"], body["inner"]) == ("x;y", {"tags": "p,q", "n": 1})
    assert sent["tags"] == ["x", "y"], "the caller's record is left alone"
    connector.deliver("Thing", {"at": AT, "tags": [], "inner": None}, key="k")
    assert json.loads(connector.server.calls[-1].body)["tags"] is None
    for bad in (["x;y"], [""], [7], [None], [["x"]]):
        count = len(connector.server.calls)
        with pytest.raises(Rejected, match="nothing was sent"):
            connector.deliver("Thing", {"at": AT, "tags": bad}, key="k")
        assert len(connector.server.calls) == count


def test_what_is_no_text_there_is_judged_by_the_interface(talking: Any, openapi: Any) -> None:
    listed = {"type": "array", "items": {"type": "string"}}
    openapi["components"]["schemas"]["Thing"]["properties"]["tags"] = listed
    connector = talking(joined)
    kept = connector.parse("Thing", json.dumps({"id": "a", "at": AT, "tags": 7}).encode(), id="a")
    assert isinstance(kept, UnreadableItem)
    assert "at tags" in kept.reason


def test_the_new_id_is_read_where_the_answer_holds_it(talking: Any) -> None:
    def change(thing: Any, _: Any) -> None:
        thing["create"]["id"] = "result/number"

    connector = talking(change, 201, b'{"id": "not this", "result": {"number": "n7"}}')
    assert connector.deliver("Thing", {"at": AT}, key="k").id == "n7"


def test_a_version_that_is_a_moment_is_sent_as_http_writes_dates(talking: Any) -> None:
    def change(thing: Any, _: Any) -> None:
        thing["update"]["check"] = {"header": "If-Unmodified-Since", "value": "{version}", "as": "http-date"}

    connector = talking(change)
    told = "2026-07-01T10:15:07.250+0100"
    connector.deliver("Thing", {"id": "a", "at": AT}, key="k", id="a", version=told)
    assert asked(connector)[2]["if-unmodified-since"] == "Wed, 01 Jul 2026 09:15:07 GMT"
    with pytest.raises(Outdated, match="no moment"):
        connector.deliver("Thing", {"id": "a", "at": AT}, key="k", id="a", version="W/3")


@pytest.mark.parametrize("name", ["Authorization", "cookie", "HOST", "Content-Type"])
def test_a_header_that_is_no_business_of_a_profile_is_refused(talking: Any, name: str) -> None:
    with pytest.raises(ProfileFaults, match="not set by a profile"):
        talking(lambda thing, _: thing["create"].update(headers={name: "x"}))
