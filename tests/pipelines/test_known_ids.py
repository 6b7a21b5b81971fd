"""The ids that the ledger holds links to, and a town whose contact centre tells no changes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipelines.known_ids import KnownIds
from tests.pipelines.sources import Shelf, walk

pytest_plugins = ("tests.pipelines.pieces",)

ROOT = Path(__file__).resolve().parents[2]


def test_linked_records_are_told_in_order_and_no_others(bench: Any) -> None:
    walk(bench, Shelf(bench, 7))
    known = KnownIds(bench.plant.ledger, "torfaen", "contact")
    assert list(known("Request", "", 3)) == ["C-0", "C-1", "C-2"]
    assert list(known("Request", "C-4", 9)) == ["C-5", "C-6"]
    assert list(known("Referral", "", 9)) == []
    assert list(KnownIds(bench.plant.ledger, "blaenau-gwent", "contact")("Request", "", 9)) == []


def test_a_contact_centre_that_tells_no_changes_is_read_again(town: Any, rebuild: Callable[[], None]) -> None:
    asked = town.ask()
    town.rest()
    profile = (ROOT / "connectors/profiles/contact.yaml").read_text(encoding="utf-8")
    told, count = re.subn(r"    changes:\n(      .*\n)+", "    changes: {feed: known-ids, a_run: 50}\n", profile)
    assert count == 1
    (town.site / "profiles").mkdir(exist_ok=True)
    (town.site / "profiles/contact.yaml").write_text(told, encoding="utf-8")
    rebuild()
    later = town.ask()
    town.change("torfaen", "contact", asked["id"], priority="urgent")
    town.rest()
    cases = town.records("torfaen", "casework")
    assert [case["Priority"] for case in cases] == ["P2"]
    contact = town.plant.councils["torfaen"].wired["contact"]
    assert contact.known is not None
    assert list(contact.known("Request", "", 9)) == [asked["id"]]
    assert later["id"] not in contact.known("Request", "", 9)  # new ones come another way
