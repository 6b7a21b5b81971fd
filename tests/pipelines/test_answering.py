"""Caseworkers are told in their own system what became of a referral: taken, refused and why, waiting since.

Against the sandbox's contact system, which has a record for it; Neath Port Talbot's route says what is told.
"""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from config.site import Site
from pipelines import answering
from pipelines.tables import delivery, record

NPT = "neath-port-talbot"


def replies(town: Any) -> list[tuple[str, str | None, str | None]]:
    """What NPT's contact centre was told, the oldest first: kind, field, number."""
    found = []
    for row in sorted(rows(town, delivery, route="tell-the-caseworker"), key=lambda one: one.id):
        wired = town.plant.councils[NPT].wired["contact"]
        (item,) = wired.connector.find("Reply", row.key) or [None]
        if item is not None:
            held = item.record
            found.append((held["kind"], held.get("field"), held.get("number")))
            assert held["words_cy"] != held["words_en"]
    return found


def rows(town: Any, table: Any, **where: Any) -> list[Any]:
    with town.plant.ledger.reading() as connection:
        return list(connection.execute(select(table).filter_by(**where)).all())


def test_a_caseworker_reads_that_it_waits_was_refused_and_was_taken(town: Any) -> None:
    town.faults(NPT, "casework", dead={"seconds": 0})
    town.ask(NPT, team="adults", referred_by={"kind": "self"})
    town.read(NPT)
    town.deliver()
    town.push(16 * 60)
    assert answering.overdue(town.plant) == 1
    assert answering.overdue(town.plant) == 0, "the same is not told again"
    town.deliver()
    assert [kind for kind, _, _ in replies(town)] == ["waiting"]
    town.well(NPT, "casework")
    town.rest()
    (case,) = town.records(NPT, "casework")
    assert replies(town)[-1] == ("accepted", None, case["ReferralId"])
    # A reply is no record of the referral's: its number is nobody's case number.
    assert {one.kind for one in rows(town, record, connection="contact")} == {"Request"}


def test_what_was_refused_names_the_field_to_mend(town: Any) -> None:
    asked = town.ask(NPT, team="adults", referred_by={"kind": "self"})
    customer = {**asked["customer"], "first_names": []}  # the case system needs one
    town.change(NPT, "contact", asked["id"], customer=customer)
    town.read(NPT)
    town.deliver()
    assert replies(town) == [("refused", "person.name.given", None)]
    town.change(NPT, "contact", asked["id"], customer={**customer, "first_names": ["Siân"]})
    town.rest()
    assert [kind for kind, _, _ in replies(town)] == ["refused", "accepted"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("replies_to: [contact-to-casework]", "replies_to: [contact-to-caseworks]", "did you mean"),
        ("replies_to: [contact-to-casework]", "replies_to: [health-to-casework]", "a route from contact to casework"),
        ("    replies_to: [contact-to-casework]\n", "", "an event that says nothing of its cause"),
    ],
)
def test_what_a_reply_may_be_about_is_checked(
    load_example: Callable[..., Site], old: str, new: str, words: str
) -> None:
    found = load_example(old, new).findings
    assert any(words in str(one) for one in found), [str(one) for one in found]


@pytest.fixture
def load_example(tmp_path: Any) -> Callable[..., Site]:
    import shutil

    from pipelines import composition
    from tests.pipelines.conftest import ROOT

    def load(old: str, new: str) -> Site:
        site = shutil.copytree(ROOT / "config/example", tmp_path / "site")
        path = site / "config/councils" / f"{NPT}.yaml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return composition.load(site)

    return load
