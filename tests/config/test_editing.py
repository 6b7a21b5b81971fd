"""Changing one value: nothing else changes, and whatever goes wrong the file stays whole."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.documents import read_yaml
from config.editing import CannotChange, rewrite, set_value
from config.findings import SiteFaults
from config.site import Site, reload

ON = date(2026, 11, 23)
WHO: Any = {"author": "A. Officer", "reason": "supplier asked us to wait", "on": ON}

FILE = """\
# A file that people care for.
top: old   # why it is so

connections:
  contact:
    # The address.
    url: 'http://old'
    limits: {at_once: 4, calls: 2}
  casework: {}
list: [a, b]
many:
  - one
  - name: two
    size: 3
block: |
  several
  lines
folded: >-
  several
  lines
empty:
last: "x"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "site.yaml"
    path.write_bytes(FILE.encode())
    return path


def changed_lines(path: Path) -> tuple[list[str], list[str]]:
    """Return the lines that went and those that came."""
    before, after = FILE.splitlines(), path.read_text(encoding="utf-8").splitlines()
    return [line for line in before if line not in after], [line for line in after if line not in before]


COMMENT = "# 2026-11-23 A. Officer: supplier asked us to wait"


@pytest.mark.parametrize(
    ("key_path", "value", "went", "came"),
    [
        (("top",), "new", ["top: old   # why it is so"], [COMMENT, "top: new   # why it is so"]),
        (
            ("connections", "contact", "url"),
            "http://n",
            ["    url: 'http://old'"],
            ["    " + COMMENT, '    url: "http://n"'],
        ),
        (
            ("connections", "contact", "limits", "at_once"),
            8,
            ["    limits: {at_once: 4, calls: 2}"],
            ["    " + COMMENT, "    limits: {at_once: 8, calls: 2}"],
        ),
        (("list", 1), True, ["list: [a, b]"], [COMMENT, "list: [a, true]"]),
        (("many", 0), None, ["  - one"], ["  " + COMMENT, "  - null"]),
        (("many", 1, "size"), 4, ["    size: 3"], ["    " + COMMENT, "    size: 4"]),
        (("empty",), "NO", ["empty:"], [COMMENT, "empty: NO"]),
        (("last",), "true", ['last: "x"'], [COMMENT, 'last: "true"']),
        (("connections", "contact", "paused"), True, [], ["    " + COMMENT, "    paused: true"]),
        (
            ("connections", "casework", "paused"),
            True,
            ["  casework: {}"],
            ["  " + COMMENT, "  casework: {paused: true}"],
        ),
        (
            ("connections", "contact", "limits", "wait"),
            1.5,
            ["    limits: {at_once: 4, calls: 2}"],
            ["    " + COMMENT, "    limits: {wait: 1.5, at_once: 4, calls: 2}"],
        ),
        (("many", 1, "note"), "ŵ: x", ["  - name: two"], ["  - " + COMMENT, '    note: "ŵ: x"', "    name: two"]),
    ],
)
def test_only_the_value_changes(file: Path, key_path: Any, value: Any, went: list[str], came: list[str]) -> None:
    assert set_value(file, key_path, value, **WHO) is True
    assert changed_lines(file) == (went, came)
    data = read_yaml(file).data
    for step in key_path:
        data = data[step]
    assert data == value


@pytest.mark.parametrize("key", ["block", "folded"])
def test_a_text_over_several_lines_is_replaced_as_a_whole(file: Path, key: str) -> None:
    set_value(file, (key,), "one line", **WHO)
    assert read_yaml(file).data == {**_data(FILE), key: "one line"}
    assert "top: old   # why it is so" in file.read_text(encoding="utf-8")


def _data(text: str) -> Any:
    from config.documents import parse_yaml

    return parse_yaml(text.encode(), Path("x.yaml")).data


@given(value=st.one_of(st.text(max_size=30), st.integers(-(10**17), 10**17), st.booleans(), st.none()))
def test_any_value_reads_back_or_nothing_is_written(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    path = tmp_path_factory.mktemp("any") / "site.yaml"
    path.write_bytes(FILE.encode())
    try:
        set_value(path, ("connections", "contact", "url"), value, **WHO)
    except (CannotChange, SiteFaults):
        assert path.read_bytes() == FILE.encode()
    else:
        assert read_yaml(path).data["connections"]["contact"]["url"] == value


@given(author=st.text(max_size=20), reason=st.text(max_size=40))
def test_no_author_and_no_reason_can_become_a_setting(
    tmp_path_factory: pytest.TempPathFactory, author: str, reason: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "site.yaml"
    path.write_bytes(FILE.encode())
    try:
        set_value(path, ("top",), "new", author=author, reason=reason, on=ON)
    except CannotChange:
        assert path.read_bytes() == FILE.encode()
    else:
        assert read_yaml(path).data == {**_data(FILE), "top": "new"}


def test_a_change_needs_a_reason(file: Path) -> None:
    with pytest.raises(CannotChange, match="author and a reason"):
        set_value(file, ("top",), "new", author="A", reason=" \n", on=ON)


def test_the_same_value_again_changes_nothing(file: Path) -> None:
    assert set_value(file, ("top",), "old", **WHO) is False
    assert file.read_bytes() == FILE.encode()


def test_one_is_not_true(file: Path) -> None:
    set_value(file, ("many", 1, "size"), True, **WHO)
    assert set_value(file, ("many", 1, "size"), 1, **WHO) is True
    assert "size: 1" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "key_path", [(), ("nowhere", "deep"), ("list",), ("connections",), ("list", 7), ("top", "x"), ("many", "x")]
)
def test_what_cannot_be_done_safely_is_refused(file: Path, key_path: Any) -> None:
    with pytest.raises(CannotChange, match="by hand"):
        set_value(file, key_path, "x", **WHO)
    assert file.read_bytes() == FILE.encode()


def test_windows_line_ends_and_mark_are_kept(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    set_value(file, ("top",), "new", **WHO)
    raw = file.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n")


def test_a_change_that_would_spoil_the_site_is_not_written(site: Path) -> None:
    path = site / "config" / "councils" / "torfaen.yaml"
    before = path.read_bytes()
    from config.council import CouncilSettings
    from config.validation import validated

    with pytest.raises(SiteFaults, match="settle_seconds"):
        set_value(
            path,
            ("connections", "contact", "settle_seconds"),
            -1,
            check=lambda document: document.locate(validated(CouncilSettings, document.data)[1]),
            **WHO,
        )
    assert path.read_bytes() == before


def test_a_pause_from_the_console_is_seen_by_the_next_reload(site: Path, load: Callable[[], Site]) -> None:
    first = load()
    set_value(site / "config" / "councils" / "torfaen.yaml", ("connections", "casework", "paused"), True, **WHO)
    second = reload(first)
    assert second.findings == ()
    assert second.councils["torfaen"].settings.connections["casework"].paused is True


def test_a_file_that_somebody_saved_meanwhile_is_left_to_them(file: Path) -> None:
    def meddle(before: bytes) -> bytes:
        file.write_bytes(b"theirs: 1\n")
        return before + b"ours: 1\n"

    with pytest.raises(CannotChange, match="somebody else changed"):
        rewrite(file, meddle)
    assert file.read_bytes() == b"theirs: 1\n"
    assert list(file.parent.iterdir()) == [file]


def test_a_file_that_is_not_there_begins_with_the_shipped_one(tmp_path: Path) -> None:
    path = tmp_path / "codes" / "need.csv"
    rewrite(path, lambda before: before + b"x,y\n", start=b"theirs,ours\n")
    assert path.read_bytes() == b"theirs,ours\nx,y\n"
    with pytest.raises(CannotChange, match="could not be written"):
        rewrite(tmp_path / "none.csv", lambda before: before)


def test_a_change_that_fails_leaves_no_trace(file: Path) -> None:
    def fail(_: bytes) -> bytes:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        rewrite(file, fail)
    assert file.read_bytes() == FILE.encode()
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permission bits")
def test_permissions_are_kept(file: Path) -> None:
    file.chmod(0o640)
    set_value(file, ("top",), "new", **WHO)
    assert file.stat().st_mode & 0o777 == 0o640
