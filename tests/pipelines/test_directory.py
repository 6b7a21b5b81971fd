"""Copies of directories of services: what is kept of them, how they are searched, and how old they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.open_referral import About, item_of
from pipelines import directory
from pipelines.looking import NotPossible
from pipelines.plant import Wired
from tests.connectors.directory import entry

pytest_plugins = ("tests.pipelines.pieces",)


class Feed:
    """A directory that was read; its connector is tested over a real socket elsewhere."""

    def __init__(self) -> None:
        self.services_ = [entry(at, contacts=[{"id": "x", "name": "Somebody"}]) for at in range(10)]

    def about(self) -> About:
        return About("3.0", "")

    def entries(self) -> Iterator[Any]:
        yield from map(item_of, self.services_)

    def close(self) -> None:
        """Nothing is held."""


@pytest.fixture
def fed(bench: Any) -> Any:
    """A bench whose council has a directory."""
    feed = Feed()
    wired = Wired(
        council="torfaen", name="directory", kinds={}, open_connector=lambda *_: feed, timeout_seconds=5,
        settle_seconds=5, at_once=1, polls=False, overlay={"protocol": "open-referral"},
    )  # fmt: skip
    bench.council.wired["directory"] = wired
    bench.feed = feed
    return bench


def refresh(bench: Any) -> directory.Copy:
    return directory.refresh(bench.plant, bench.council.wired["directory"], "https://services.example.org/feed")


def names(bench: Any, words: str, **more: Any) -> list[str]:
    return [one.service["name"] for one in directory.find(bench.plant, words, **more)]


def test_a_copy_says_where_it_came_from_and_names_nobody(fed: Any) -> None:
    with pytest.raises(NotPossible, match="dolen services refresh"):
        names(fed, "lunch")
    fed.feed.services_[3] = entry(3, status="open")
    copy = refresh(fed)
    assert (len(copy.services), sum(copy.left_out.values()), copy.standard) == (9, 1, "3.0")
    fed.clock.pass_by(3 * 86_400)
    kept = directory.kept(fed.plant, fed.council.wired["directory"])
    assert kept is not None
    assert kept.age(fed.clock.instant()).days == 3
    assert kept.source == "https://services.example.org/feed"
    assert not any("contacts" in one for one in kept.services)


def test_words_are_found_without_accents_and_as_beginnings(fed: Any) -> None:
    fed.feed.services_[6] = entry(6, status="defunct")
    refresh(fed)
    assert names(fed, "ty llw") == ["Clwb Cinio Tŷ Llwyd"] * 2
    assert names(fed, "GRWP galar") == ["Grŵp Galar Cwm Afan"] * 2
    assert names(fed, "lunch") == ["Lunch club"]
    assert names(fed, "lunch", all_statuses=True) == ["Lunch club"] * 2
    assert names(fed, "lunch", age=17) == []
    assert names(fed, "cymdogion befriending") == ["Telephone befriending"] * 2
    assert names(fed, "lunch nothing") == []


def test_a_directory_that_lists_nothing_any_more_keeps_its_copy(fed: Any) -> None:
    refresh(fed)
    fed.feed.services_ = []
    with pytest.raises(NotPossible, match="the copy stays"):
        refresh(fed)
    assert names(fed, "lunch")


def test_a_spoilt_copy_is_no_copy(fed: Any) -> None:
    refresh(fed)
    [path] = (fed.plant.lock_file.parent / "directories").rglob("*.json")
    path.write_text("{", encoding="utf-8")
    with pytest.raises(NotPossible, match="dolen services refresh"):
        names(fed, "lunch")
