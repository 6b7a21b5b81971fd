"""Which file and line each row, and each key that a file changed, came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.mapping_origin import Where, origins

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "example"
ROOT = EXAMPLE.parents[1]
OWN, SHIPPED = "mappings/blaenau-gwent/referral.yaml", "mappings/casework/referral.yaml (shipped)"


def line_of(file: Path, text: str) -> int:
    return next(number for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if text in line)


def test_every_row_has_the_line_that_it_stands_on() -> None:
    shipped = ROOT / "mappings" / "shipped" / "casework" / "referral.yaml"
    rows = {row.ours: row for row in origins(EXAMPLE, "blaenau-gwent/referral")}
    for ours in ("citizen_reference", "person.address.town", "person.date_of_birth"):
        assert (rows[ours].file, rows[ours].line) == (SHIPPED, line_of(shipped, f"ours: {ours}"))
        assert rows[ours].changed == ()
    own = rows["extensions.blaenau-gwent.transport_needs"]
    assert (own.file, own.line) == (OWN, line_of(EXAMPLE / OWN, "transport_needs"))
    needs = rows["needs"]
    assert [(row.ours, row.line) for row in needs.each] == [
        ("code", line_of(shipped, "theirs: \"@code\"")), ("text", line_of(shipped, 'theirs: "."')),
    ]  # fmt: skip


def test_a_row_laid_over_another_says_which_keys_are_whose() -> None:
    [row] = [row for row in origins(EXAMPLE, "blaenau-gwent/referral") if row.ours == "priority"]
    assert row.file == OWN
    assert row.changed == (Where("codes", OWN, line_of(EXAMPLE / OWN, "ours: priority")),)
    assert {one.key: one.file for one in row.keys} == {
        "ours": SHIPPED, "theirs": SHIPPED, "codes": OWN, "needed": SHIPPED,
    }  # fmt: skip


def test_a_name_that_is_not_there_is_answered_with_one_that_is() -> None:
    with pytest.raises(LookupError, match="casework/referral"):
        origins(EXAMPLE, "casework/referal")
