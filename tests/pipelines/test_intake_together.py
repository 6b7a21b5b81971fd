"""One record's fault is nobody else's, and two intakes that meet on one person or number lose and double nothing.

G7, and rows 22 and 25 of docs/catalogue.md as far as intake answers for them.
"""

import threading
from dataclasses import replace
from typing import Any

import pytest

from connectors.port import Item
from pipelines import desk, overview
from pipelines.intake import Intake

pytest_plugins = ("tests.pipelines.pieces",)

NUMBERS = ("9990000018", "9990000026", "9990000034")


@pytest.fixture(params=["sqlite", "postgresql"])
def on_either(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Any:
    """A bench on a ledger of each kind."""
    monkeypatch.setenv("DOLEN_TEST_LEDGER", request.param)
    return request.getfixturevalue("bench")


def test_g7_a_record_over_which_the_mapping_stumbles_holds_up_nobody(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wired = bench.council.wired["contact"]
    kind, moved = wired.kinds["Request"], []
    read = type(kind.mapping).read

    def stumbles(mapping: Any, record: Any) -> Any:
        if record["id"] == "C-2":
            raise RuntimeError("a converter with a fault")
        return read(mapping, record)

    with monkeypatch.context() as broken:
        broken.setattr(type(kind.mapping), "read", stumbles)
        page = [bench.request(f"C-{n}") for n in (1, 2, 3)]
        taken = Intake(bench.plant, bench.council).take(wired, kind, page, place=lambda _: moved.append(1))
    assert {state.value: count for state, count in taken.states.items()} == {"merged": 2, "needs attention": 1}
    assert moved == [1]
    (group,) = desk.attention(bench.plant)
    assert group.words == "Dolen stumbled over this record (RuntimeError)"
    # It is kept as it came, and taken once the fault is mended.
    assert desk.replay(bench.plant, [f"v{group.versions[0]}"], who="ann", why="mended").not_done == []
    assert {row.external_id for row in bench.rows("record")} == {"C-1", "C-2", "C-3"}
    assert desk.attention(bench.plant) == []


def test_g7_a_record_over_which_dolen_stumbles_when_it_is_taken_again_needs_attention_still(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its officer is told so, and met an error of ours before."""
    from pipelines import revisions

    begin = revisions.begin

    def stumbles(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(revisions, "begin", stumbles)
        assert bench.states(bench.request("C-1")) == ["needs attention"]
        asked = desk.replay(bench.plant, ["v1"], who="ann", why="it may be mended")
        assert (asked.done, bench.row("version").state) == (["v1"], "needs attention")
    assert revisions.begin is begin
    assert desk.replay(bench.plant, ["v1"], who="ann", why="mended").done == ["v1"]
    assert bench.row("version").state == "merged"
    assert [row.action for row in bench.rows("audit")] == ["send again", "send again"]


def test_g7_a_record_over_which_merging_stumbles_holds_up_nobody(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault shows itself within the transaction: the page is redone, and that record alone needs attention."""
    from pipelines import revisions

    begin = revisions.begin

    def stumbles(batch: Any, **values: Any) -> Any:
        if values["number"] == "C-2":
            raise ZeroDivisionError
        return begin(batch, **values)

    monkeypatch.setattr(revisions, "begin", stumbles)
    assert bench.states(*(bench.request(f"C-{n}") for n in (1, 2, 3))) == ["merged", "merged", "needs attention"]
    assert len(bench.rows("referral")) == 2
    assert len(bench.rows("payload")) == 5, "nothing is left of the page that was given up"


@pytest.mark.parametrize(
    "text",
    ["a\x00b", "\x01", "\ufeffPugh", "\U0001f9d3", "\u202ePugh", "e\u0301", "Ã¢", "\u200d", "'", '"; DROP TABLE'],
)
def test_row_25_whatever_stands_in_a_text_is_kept_or_named_and_stops_nobody(on_either: Any, text: str) -> None:
    bench = on_either
    states = bench.states(bench.request("C-1", customer__last_name=text), bench.request("C-2"))
    assert states[-1] in ("merged", "needs attention")
    assert "merged" in states
    if states == ["merged", "merged"]:
        assert text.strip() in {bench.facts(row)["person.name.family"] for row in bench.rows("referral")}
    assert len(bench.rows("version")) == 2
    assert all(text not in row.words for row in bench.rows("cause"))


def test_row_25_half_a_character_stops_one_record_by_name(on_either: Any) -> None:
    """No connector hands one over; if one ever did, it would be that record's fault alone."""
    bench = on_either
    odd = bench.request("C-1", customer__last_name="\ud800")
    assert sorted(bench.states(replace(odd, raw=b"{}"), bench.request("C-2"))) == ["merged", "needs attention"]
    assert overview.look(bench.plant).sums_agree


def test_row_22_what_nobody_mapped_yet_is_no_news_and_what_is_missing_is_named(bench: Any) -> None:
    bench.take(bench.request("C-1"))
    assert bench.states(bench.request("C-1", minute=1, brand_new_field="x", customer__another="y")) == ["no change"]
    bench.take(bench.request("C-2", priority=...), bench.request("C-3", received_at="yesterday"))
    fields = sorted(group.field for group in desk.attention(bench.plant))
    assert fields == ["priority", "received_at"]


def together(bench: Any, *pages: list[Item]) -> None:
    """Take pages of the contact centre at once, each on a thread of its own, until all of them are taken."""
    wired = bench.council.wired["contact"]
    begin, faults = threading.Barrier(len(pages)), []

    def take(page: list[Item]) -> None:
        intake = Intake(bench.plant, bench.council)
        begin.wait()
        for _ in range(20):
            try:
                intake.take(wired, wired.kinds["Request"], page)
                return
            except Exception as fault:  # the walk would stop here, and read the page again
                faults.append(fault)
        raise AssertionError(faults)

    threads = [threading.Thread(target=take, args=(page,)) for page in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert len(faults) <= len(pages), "each page that met another one is redone, and goes through"


def test_intakes_that_meet_on_one_person_make_one_person(on_either: Any) -> None:
    bench = on_either
    pages = [
        [bench.request(f"C-{page}{n:02d}", customer__nhs_number=NUMBERS[n % 3]) for n in range(30)] for page in range(4)
    ]
    together(bench, *pages[:2], *(list(reversed(page)) for page in pages[2:]))
    assert len(bench.rows("person_identifier")) == 3
    assert len({row.person_id for row in bench.rows("referral")}) == 3
    assert len(bench.rows("referral")) == len(bench.rows("version", state="merged")) == 120
    assert desk.attention(bench.plant) == []


def test_intakes_that_meet_on_the_same_records_take_each_once(on_either: Any) -> None:
    bench = on_either
    page = [bench.request(f"C-{n:02d}") for n in range(40)]
    together(bench, page, list(reversed(page)), page[20:] + page[:20])
    assert len(bench.rows("referral")) == len(bench.rows("record")) == len(bench.rows("version")) == 40
    assert len(bench.rows("delivery")) == 40
