"""Fetching a live interface: from the connection's own host alone, logged in, bounded; what came could be pinned."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from connectors.errors import ConnectorError, Misconfigured, Unauthorised, Unknown
from connectors.live import MOST_FILES, NotOffered, fetch, is_called, operations_of, operations_used
from connectors.pinned_files import pinned_files

WSDL = """<wsdl:definitions xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<wsdl:types><xs:schema><xs:import namespace="urn:t" schemaLocation="{}"/></xs:schema></wsdl:types>
<wsdl:portType name="P"><wsdl:operation name="Get"/></wsdl:portType></wsdl:definitions>"""
XSD = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t">{}</xs:schema>'
Files = Mapping[str, str | tuple[int, str]]


@pytest.fixture
def serve(small: Any, answer: Any) -> Callable[[Files], Any]:
    """Serve files by their path and query; everything else is a 404."""

    def start(files: Files) -> Any:
        def said(call: Any) -> Any:
            found = files.get(call.path, (404, ""))
            status, body = (200, found) if isinstance(found, str) else found
            headers = {"Location": body} if status in (301, 302, 307, 308) else {}
            return answer(status, body.encode(), headers)

        return small(said)

    return start


def ask(shipped: Any, url: str, system: str = "casework", **connect: Any) -> dict[str, bytes]:
    settings = {"url": f"{url}/soap", "timeout_seconds": 5, **connect}
    return dict(fetch(shipped(system), settings, secret=lambda _: "cyfrinach").files)


def test_what_a_wsdl_imports_is_fetched_and_renamed_so_that_it_could_be_pinned(serve: Any, shipped: Any) -> None:
    server = serve({
        "/soap?wsdl": WSDL.format("?xsd=1"),
        "/soap?xsd=1": XSD.format('<xs:include schemaLocation="../types/more.xsd"/>'),
        "/types/more.xsd": XSD.format('<xs:include schemaLocation="/soap?xsd=1"/>'),
    })  # fmt: skip
    login = {"basic": {"username": "dolen", "password": "env:S"}}
    files = ask(shipped, server.url, login=login)
    assert list(files) == ["interfaces/casework.wsdl", "interfaces/casework-1.xsd", "interfaces/casework-2.xsd"]
    assert b'schemaLocation="casework-1.xsd"' in files["interfaces/casework.wsdl"]
    assert b'schemaLocation="casework-2.xsd"' in files["interfaces/casework-1.xsd"]
    assert b'schemaLocation="casework-1.xsd"' in files["interfaces/casework-2.xsd"]
    told = "Basic " + base64.b64encode(b"dolen:cyfrinach").decode()
    assert {call.headers["authorization"] for call in server.calls} == {told}
    profile = {**shipped("casework")}
    assert dict(pinned_files(profile, files.__getitem__)) == files


@pytest.mark.parametrize("place", ["http://127.0.0.1:9/x.xsd", "https://example.org/x.xsd", "file:///x.xsd", "//x/y"])
def test_an_import_from_elsewhere_is_refused(serve: Any, shipped: Any, place: str) -> None:
    server = serve({"/soap?wsdl": WSDL.format(place)})
    with pytest.raises(Misconfigured, match="another host, which is never fetched"):
        ask(shipped, server.url)
    assert len(server.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(serve: Any, shipped: Any, status: int) -> None:
    other = serve({"/soap?wsdl": WSDL.format("?xsd=1")})
    server = serve({"/soap?wsdl": (status, f"{other.url}/soap?wsdl")})
    with pytest.raises(ConnectorError, match="redirect"):
        ask(shipped, server.url)
    assert other.calls == []


def test_another_host_in_the_settings_is_not_asked(serve: Any, shipped: Any) -> None:
    other, server = serve({"/soap?wsdl": WSDL.format("?xsd=1")}), serve({})
    with pytest.raises(Misconfigured, match="only the connection's own host is asked"):
        ask(shipped, server.url, interface_url=f"{other.url}/soap?wsdl")
    assert other.calls == server.calls == []


@pytest.mark.parametrize(
    ("found", "fault", "words"),
    [
        ((404, ""), NotOffered, "shows no interface there"),
        ((405, ""), NotOffered, "shows no interface there"),
        ((401, ""), Unauthorised, "may not read the interface"),
        ((403, ""), Unauthorised, "may not read the interface"),
        ((503, ""), Unknown, "did not show its interface"),
        ("<html><body>Sign in</body></html>", NotOffered, "no WSDL 1.1"),
        ("hello", NotOffered, "no WSDL"),
        ("<a>", Unknown, "not well-formed"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><a/>', Unknown, "DOCTYPE"),
    ],
)
def test_what_is_no_interface_is_said(serve: Any, shipped: Any, found: Any, fault: type[Exception], words: str) -> None:
    with pytest.raises(fault, match=words):
        ask(shipped, serve({"/soap?wsdl": found}).url)


def test_endless_imports_and_endless_files_end(serve: Any, shipped: Any) -> None:
    chain: dict[str, Any] = {"/soap?wsdl": WSDL.format("?xsd=0")}
    for number in range(MOST_FILES + 5):
        chain[f"/soap?xsd={number}"] = XSD.format(f'<xs:include schemaLocation="?xsd={number + 1}"/>')
    server = serve(chain)
    with pytest.raises(Unknown, match=f"more than {MOST_FILES} files"):
        ask(shipped, server.url)
    assert len(server.calls) <= MOST_FILES
    long = serve({"/soap?wsdl": WSDL.format("?xsd=1").replace("Get", "G" * 30_000)})
    # The whole look has one deadline and each file the connection's own cap.
    with pytest.raises(Unknown, match="longer than max_reply_bytes"):
        ask(shipped, long.url, max_reply_bytes=10_000)


def test_a_rest_system_is_asked_where_its_profile_says(serve: Any, shipped: Any) -> None:
    text = "openapi: 3.0.3\npaths:\n  /requests/{id}:\n    get: {}\n    x-note: {}\n"
    server = serve({"/soap/openapi.yaml": text, "/elsewhere": text})
    assert ask(shipped, server.url, "contact") == {"interfaces/contact.openapi.yaml": text.encode()}
    assert ask(shipped, server.url, "contact", interface_url=f"{server.url}/elsewhere")
    for other in ("swagger: '2.0'\n", "- a\n", "a: [\n", ""):
        with pytest.raises(NotOffered, match="no OpenAPI 3 file"):
            ask(shipped, serve({"/soap/openapi.yaml": other}).url, "contact")


def test_a_profile_that_does_not_say_where_offers_none(shipped: Any) -> None:
    profile = {key: value for key, value in shipped("contact").items() if key != "interface_url"}
    with pytest.raises(NotOffered, match="does not say where"):
        fetch(profile, {"url": "http://127.0.0.1:9/api"}, secret=str)
    with pytest.raises(NotOffered, match="no interface that a machine could fetch"):
        fetch(shipped("by-hand"), {}, secret=str)


def test_operations_are_told_by_name_or_by_method_and_path(shipped: Any, interfaces: Any) -> None:
    casework = operations_of(interfaces("interfaces/casework.wsdl"))
    assert casework == {"FindReferrals", "GetReferral", "FindByClientReference", "CreateReferral", "UpdateReferral",
                        "CheckReferral", "GetCodeList", "AddDocument", "FindDocuments"}  # fmt: skip
    contact = operations_of(interfaces("interfaces/contact.openapi.yaml"))
    for system, offered in (("casework", casework), ("contact", contact)):
        called = {name for _, name in operations_used(shipped(system))}
        assert called
        assert all(any(is_called(one, name) for one in offered) for name in called), system
    assert not is_called("GET /api/requests/{}", "PUT /requests/{}")
    assert not is_called("FindReferralsByName", "FindReferrals")
