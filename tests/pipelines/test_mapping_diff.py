"""What another mapping changes for real records is told before it goes live: read and written by both, by field."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from pipelines import mapping_diff, tables
from pipelines.looking import NotPossible
from pipelines.mapping_diff import Compared, Scope

pytest_plugins = ("tests.pipelines.pieces",)

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "mappings/shipped"
CASES = (
    "extends: casework/referral\n"
    "fields:\n"
    "  - {ours: reason.text, max_length: 10}\n"
    "  - {ours: person.gender, drop: true}\n"
    "  - {ours: priority, codes: contact-priority}\n"
)
REQUESTS = (
    "extends: contact/request\n"
    "fields:\n"
    "  - {ours: reason.text, drop: true}\n"
    "  - {ours: priority, codes: casework-priority}\n"
)


def proposed(folder: Path, text: str, name: str = "proposed.yaml") -> str:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def compared(bench: Any, before: str, after: str, **scope: Any) -> dict[tuple[str, str], Compared]:
    """By connection and direction."""
    found = mapping_diff.compare(bench.plant, before, after, Scope(["torfaen"], **scope))
    return {(one.connection, one.direction): one for one in found}


def lines(one: Compared) -> dict[tuple[str, str], mapping_diff.Field]:
    return {(line.how, line.path): line for line in one.fields}


def live(bench: Any, file: str, old: str, new: str) -> None:
    """The site puts a mapping of its own live."""
    own = bench.folder / "mappings" / file
    own.parent.mkdir(parents=True)
    text = (SHIPPED / file).read_text(encoding="utf-8")
    assert old in text
    own.write_text(text.replace(old, new), encoding="utf-8")
    bench.restart()


def test_both_directions_are_told_by_field_with_examples_and_no_value(bench: Any, tmp_path: Path) -> None:
    bench.take(*(bench.request(f"C-{n}") for n in range(3)))
    before = len(bench.rows("version")), bench.deliveries()
    [read, back] = compared(bench, "current", proposed(tmp_path, REQUESTS), connection="contact").values()
    assert (read.looked, read.differ, back.looked) == (3, 3, 0)
    assert lines(read)["newly stopped", "priority"].count == 3
    assert lines(read)["no longer carried", "reason.text"].count == 3
    assert all(id.startswith("v") for id in lines(read)["newly stopped", "priority"].examples)
    assert read.fields[0].how == "newly stopped"  # the worst first
    found = compared(bench, "current", proposed(tmp_path, CASES))
    assert set(found) == {("casework", "read"), ("casework", "write")}
    written = found["casework", "write"]
    assert (written.looked, written.differ) == (3, 3)
    assert lines(written)["newly left out", "Reason"].count == 3
    assert lines(written)["no longer carried", "Subject/Gender"].count == 3
    assert lines(written)["changed", "Priority"].count == 3
    assert all(id.startswith("d") for id in lines(written)["changed", "Priority"].examples)
    told = [text for one in (read, written) for line in one.fields for text in (*line.before, *line.after)]
    assert "a text of 19 characters" in told
    assert not any("Cwympodd" in text or "Llŷr" in text for text in told)
    assert "Cwympodd" not in repr((read, written))
    assert (len(bench.rows("version")), bench.deliveries()) == before
    assert compared(bench, "current", proposed(tmp_path, CASES), most=1)["casework", "write"].looked == 1


def test_a_side_may_be_what_was_live_before(bench: Any) -> None:
    """By `original`, `current~1` and a digest; broken by asking today's files for yesterday's mapping."""
    bench.take(*(bench.request(f"C-{n}") for n in range(3)))
    before = bench.rows("version")[0].mapping
    live(bench, "contact/request.yaml", "{ours: reason.text,", "{ours: reason.text, direction: write,")
    for side in ("original", "current~1", before[:12], before):
        one = compared(bench, side, "current", connection="contact")["contact", "read"]
        assert lines(one)["no longer carried", "reason.text"].count == 3, side
    assert not compared(bench, "current", "current", connection="contact")["contact", "read"].differ
    with pytest.raises(NotPossible, match="no connection that was asked for uses both"):
        compared(bench, "current~2", "current", connection="contact")


def test_a_code_list_is_a_side(bench: Any, tmp_path: Path) -> None:
    bench.take(bench.request())
    rows = (SHIPPED / "codes/contact-need.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    file = proposed(tmp_path, "".join(row for row in rows if not row.startswith("bathing,")), "contact-need.csv")
    one = compared(bench, "current", file)["contact", "read"]
    assert [line.how for line in one.fields] == ["newly left out"]


def test_values_are_shown_to_who_asks_and_the_audit_knows(bench: Any, tmp_path: Path) -> None:
    bench.take(bench.request())
    file = proposed(tmp_path, "extends: contact/request\nfields:\n  - {ours: reason.text, drop: true}\n")
    found = mapping_diff.compare(bench.plant, "current", file, Scope(["torfaen"], reveal=True))
    assert [line.before for line in lines(found[0]).values()] == [["Cwympodd ddwywaith."]]
    mapping_diff.note_revealed(bench.plant, found, who="ann", why="to see what is lost")
    [row] = bench.rows("audit")
    assert (row.action, row.subject, row.council) == ("mappings compared, values shown", "contact", "torfaen")


def test_what_expired_cannot_be_read_or_run_is_counted_and_said(bench: Any, tmp_path: Path) -> None:
    bench.take(*(bench.request(f"C-{n}") for n in range(3)))
    file = proposed(tmp_path, "extends: contact/request\nfields:\n  - {ours: reason.text, drop: true}\n")
    first, second, _ = bench.rows("version")
    with bench.writing() as connection:
        connection.execute(update(tables.payload).where(tables.payload.c.id == first.raw).values(body=None))
        connection.execute(update(tables.version).where(tables.version.c.id == second.id).values(mapping="f" * 64))
    one = compared(bench, "original", file)["contact", "read"]
    assert (one.looked, one.gone, one.cannot_run, one.differ) == (3, 1, 1, 1)


def test_facts_that_were_erased_are_counted_on_the_way_out_too(bench: Any, tmp_path: Path) -> None:
    bench.take(bench.request())
    facts = bench.row("referral").facts
    with bench.writing() as connection:
        connection.execute(update(tables.payload).where(tables.payload.c.id == facts).values(body=None))
    one = compared(bench, "current", proposed(tmp_path, CASES))["casework", "write"]
    assert (one.looked, one.gone, one.differ) == (1, 1, 0)


@pytest.mark.parametrize(
    ("side", "words"),
    [
        ("nowhere.yaml", "there is no file nowhere.yaml"),
        ("abcdef0", "no kept mappings have a digest that begins with abcdef0"),
        ("", "there is no file"),
        ("current~0", "there is no file current~0"),
    ],
)
def test_a_side_that_is_none_is_one_sentence(bench: Any, side: str, words: str) -> None:
    with pytest.raises(NotPossible, match=words):
        compared(bench, "current", side)
