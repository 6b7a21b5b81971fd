"""Main keys from a key service, asked over a real socket; each refusal is a sentence and shows no key."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from config.keys import Keys, RemoteKeys
from pipelines import remote_keys
from pipelines.wrapping import KeyFault

KEY = "ab" * 32


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A service that gives one answer; what it was asked stands in `serve.asked`."""
    started: list[HTTPServer] = []
    asked: list[tuple[str, str, str]] = []

    def begin(status: int, body: str) -> str:
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                token = self.headers.get("X-Vault-Token") or self.headers.get("Authorization") or ""
                asked.append((self.path, token, self.headers.get("Accept", "")))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Answer)
        started.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    begin.asked = asked  # type: ignore[attr-defined]
    yield begin
    for one in started:
        one.shutdown()
        one.server_close()


def hashicorp(url: str) -> RemoteKeys:
    login = {"api_key": {"header": "X-Vault-Token", "key": "env:TOKEN"}}
    return RemoteKeys(kind="hashicorp", connect={"url": f"{url}/v1/secret/data", "login": login})


def test_vault_is_asked_in_its_own_words(serve: Callable[..., str]) -> None:
    url = serve(200, json.dumps({"data": {"data": {"key": KEY}, "metadata": {"version": 3}}}))
    assert remote_keys.read(hashicorp(url), "dolen-main", lambda _reference: "s.invented") == KEY
    assert serve.asked == [("/v1/secret/data/dolen-main", "s.invented", "application/json")]  # type: ignore[attr-defined]


def test_azure_is_asked_in_its_own_words(serve: Callable[..., str]) -> None:
    url = serve(200, json.dumps({"value": KEY, "id": "https://x/secrets/dolen-main/1"}))
    service = RemoteKeys(kind="azure", connect={"url": url})
    assert remote_keys.read(service, "dolen-main", lambda reference: reference) == KEY
    assert serve.asked[0][0] == "/secrets/dolen-main?api-version=7.4"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, "", "it refuses our login"),
        (403, "", "our login may not read it"),
        (404, "", "it holds none of that name"),
        (500, KEY, "it answered with status 500"),
        (200, "no json", "there is no text at data.data.key"),
        (200, json.dumps({"data": {"data": {"other": KEY}}}), "there is no text at data.data.key"),
        (302, "", "redirect"),
    ],
)
def test_what_the_service_refuses_is_a_sentence(serve: Callable[..., str], status: int, body: str, words: str) -> None:
    with pytest.raises(KeyFault, match=words) as raised:
        remote_keys.read(hashicorp(serve(status, body)), "dolen-main", lambda _reference: "s.invented")
    assert KEY not in str(raised.value)
    assert "s.invented" not in str(raised.value)


def test_a_service_that_is_away_loses_nothing() -> None:
    with pytest.raises(KeyFault, match="nothing is lost, start again when it answers"):
        remote_keys.read(hashicorp("http://127.0.0.1:9"), "dolen-main", lambda _reference: "s.invented")


def test_a_reference_to_a_service_that_is_not_described_is_refused() -> None:
    with pytest.raises(ValueError, match="service:NAME without `service`"):
        Keys(main="service:dolen-main")
