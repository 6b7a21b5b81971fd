"""The small parts of the REST family: places in a walk, addresses, strict JSON, and what a profile may not say."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import Misconfigured, PageUnreadable
from connectors.json_body import UnreadableBody, parse, read, sound
from connectors.registry import check_profile
from connectors.rest.addresses import Addresses, next_in
from connectors.rest.walk import Walk, as_text, later, since

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
)  # fmt: skip


@given(JSON)
def test_what_is_well_is_read_as_it_was_written(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode()
    assert read(body, "application/merge-patch+json; charset=UTF-8") == value
    assert json.loads(sound(value)) == value


@given(st.binary(max_size=200))
def test_whatever_comes_is_read_or_named(body: bytes) -> None:
    try:
        read(body, "application/json")
    except UnreadableBody as trouble:
        assert trouble.reason
    else:
        json.loads(body.removeprefix(b"\xef\xbb\xbf"))


def test_a_blemish_is_found_where_it_is() -> None:
    page = parse(b'[{"a": 1}, {"a": {"b": [1, NaN]}}]', "application/json")
    assert sound(page[0]) == b'{"a":1}'
    with pytest.raises(UnreadableBody, match="at a/b/1: a number"):
        sound(page[1])


@given(st.integers(0, 30), st.integers(1, 30))
def test_every_circle_is_noticed(lead: int, circle: int) -> None:
    walk, place, steps = Walk(), 0, 0
    with pytest.raises(PageUnreadable, match="given before"):
        while True:
            place = place + 1 if place < lead + circle else lead + 1
            walk = Walk.at(walk.step(f"t{place}", most_pages=10_000).cursor)
            steps += 1
    assert steps <= 4 * (lead + circle) + 4


@given(st.integers(1, 300))
def test_no_straight_walk_is_taken_for_a_circle(pages: int) -> None:
    walk = Walk()
    for page in range(pages):
        walk = walk.step(f"t{page}", most_pages=10_000)
    assert walk.page == pages + 1
    assert len(walk.cursor) < 100, "the place does not grow with the walk"


@given(st.lists(st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))))
def test_the_watermark_is_the_newest_stamp_and_never_goes_back(stamps: list[datetime]) -> None:
    walk = Walk()
    for stamp in stamps:
        walk = walk.saw(stamp, not_after=None)
    assert walk.newest == (as_text(max(stamps)) if stamps else "")
    before = as_text(datetime(2000, 1, 1, tzinfo=UTC))
    assert later(walk.newest, before) >= before
    assert later(walk.newest, "") == walk.newest


def test_since_is_whole_seconds_before_the_watermark() -> None:
    assert since("2026-03-29T01:30:00.999999+01:00", timedelta(minutes=1)) == "2026-03-29T00:29:00Z"
    assert later("", "2026-03-29T01:30:00+01:00") == "2026-03-29T00:30:00.000000+00:00"


def test_an_url_with_a_question_mark_is_named() -> None:
    with pytest.raises(Misconfigured, match="question mark"):
        Addresses("https://example.org/api?key=1")


@given(st.text(min_size=1, max_size=30))
def test_no_id_leaves_its_place(id: str) -> None:
    try:
        address = Addresses("https://example.org/api/").below("/requests/{id}", id=id)
    except Exception as error:
        assert "nothing was sent" in str(error)
    else:
        assert address.startswith("https://example.org/api/requests/")
        assert not set(address[len("https://example.org/api/requests/") :]) & set("/?#\\ ")
        assert Addresses("https://example.org/api").id_in(address, "/requests/{id}") == id


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ('<https://example.org/a?p=2>; rel="next"', "https://example.org/a?p=2"),
        ('</a?p=0>; rel="prev", </a?p=2>; rel=next', "/a?p=2"),
        ('</a?p=2>; title="x"; rel="last next"', "/a?p=2"),
        ('</a?p=2>; rel="nextish"', ""),
        ('</a?p=2>; rel="prev"; title="next"', ""),
        ("", ""),
    ],
)
def test_link_headers(header: str, found: str) -> None:
    assert next_in(header) == found


WRONG: list[tuple[str, Any, str]] = [
    ("fetch.path", "/requests/{name}", "cannot stand in this path"),
    ("fetch.path", "/requests/", "write {id}"),
    ("fetch.path", "/requests/{id}?x={id}", "below the connection's url"),
    ("fetch.path", "https://example.org/{id}", "below the connection's url"),
    ("fetch.path", "//example.org/{id}", "below the connection's url"),
    ("changes.path", "/../requests", "as a step"),
    ("changes.path", "/requests/{our_key}", "no placeholder"),
    ("changes.page.cursor", None, "cursor is missing"),
    ("changes.page.next", None, "next or next_header"),
    ("changes.overlap", "-PT5M", "duration"),
    ("changes.feed", "guess", "cursor"),
    ("item.modified", None, "item.modified"),
    ("fetch", None, "needs fetch"),
    ("find.by", "reference", "either in path"),
    ("update.check.value", "v", "pattern"),
    ("create.path", "/requests", "keeps_key needs a place"),
    ("errors", {"invalid": "ignored"}, "rejected"),
    ("if", "x", "not a setting"),
]


@pytest.mark.parametrize(("path", "value", "words"), WRONG)
def test_what_a_profile_may_not_say(shipped: Callable[[str], Any], path: str, value: Any, words: str) -> None:
    profile = copy.deepcopy(shipped("contact"))
    at = profile["records"]["Request"]
    *way, last = path.split(".")
    for step in way:
        at = at[step]
    at[last] = value
    with pytest.raises(Misconfigured) as caught:
        check_profile(profile)
    assert words in caught.value.reason, caught.value.reason


def test_the_shipped_profiles_are_well(shipped: Callable[[str], Any]) -> None:
    for name in ("contact", "notify", "by-hand"):
        check_profile(shipped(name))


def test_a_profile_that_leaves_the_folder_of_interfaces(shipped: Callable[[str], Any]) -> None:
    for name in ("../secret.yaml", "/etc/hostname", "https://example.org/x.yaml"):
        with pytest.raises(Misconfigured, match="pinned file"):
            check_profile({**shipped("contact"), "interface": name})
