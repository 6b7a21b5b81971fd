"""References to secrets: where they lead, and what is said when they lead nowhere."""

import os
from pathlib import Path

import pytest

from config.secrets import SecretMissing, references, resolve, unusable, written_out


def test_the_environment() -> None:
    assert resolve("env:A_KEY", environment={"A_KEY": "hunter2"}) == "hunter2"


def test_the_environment_is_the_processs_own_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOLEN_TEST_SECRET", "hunter2")
    assert resolve("env:DOLEN_TEST_SECRET") == "hunter2"


def test_a_file_beside_the_site_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xef\xbb\xbfhunter2\r\n")
    assert resolve("file:key", beside=tmp_path) == "hunter2"
    assert resolve(f"file:{tmp_path / 'key'}") == "hunter2"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("hunter2", "must be written as env:NAME or file:PATH"),
        ("env:MISSING", "the environment variable MISSING is not set"),
        ("env:EMPTY", "the environment variable EMPTY is not set"),
        ("file:missing", "there is no file at file:missing"),
        ("file:.", "there is no file at"),
        ("file:empty", "is empty"),
        ("file:huge", "larger than 64 kB"),
        ("file:binary", "not text in UTF-8"),
    ],
)
def test_what_leads_nowhere(tmp_path: Path, reference: str, words: str) -> None:
    (tmp_path / "empty").write_bytes(b"\n")
    (tmp_path / "huge").write_bytes(b"x" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff\xfehunter2")
    with pytest.raises(SecretMissing) as caught:
        resolve(reference, beside=tmp_path, environment={"EMPTY": ""})
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_failed_resolution_can_be_raised_inside_a_validator() -> None:
    assert issubclass(SecretMissing, ValueError)


def test_every_reference_is_found() -> None:
    data = {"url": "env:URL", "login": {"basic": {"password": "file:p"}}, "list": ["env:X", "plain", 5, None]}
    assert dict(references(data)) == {
        ("url",): "env:URL",
        ("login", "basic", "password"): "file:p",
        ("list", 0): "env:X",
    }


def test_secrets_written_out_are_found_and_not_shown() -> None:
    data = {
        "login": {"api_key": {"header": "X-Key", "key": "hunter2"}, "basic": {"username": "u", "password": 12345}},
        "notify": {"api_key": "hunter2"},
        "proxy": "http://u:hunter2@proxy.example.org",
        "good": {"password": "env:P", "api_key": {"key": "file:k"}},
    }
    found = list(written_out(data, ("connect",)))
    assert [problem.path[1:] for problem in found] == [
        ("login", "api_key", "key"),
        ("login", "basic", "password"),
        ("notify", "api_key"),
        ("proxy",),
    ]
    assert "hunter2" not in str(found)
    assert "12345" not in str(found)


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permission bits")
def test_a_secret_that_others_can_read_is_warned_about(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hunter2", encoding="utf-8")
    path.chmod(0o644)
    (problem,) = unusable({"key": "file:key"}, beside=tmp_path)
    assert problem.severity == "warning"
    assert "chmod 600" in problem.remedy
    path.chmod(0o600)
    assert list(unusable({"key": "file:key"}, beside=tmp_path)) == []
