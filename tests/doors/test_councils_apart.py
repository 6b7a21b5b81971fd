"""One council's staff at every door of the desk, with the other's ids in their hands: nothing is shown, nothing moves.

Whoever serves several councils hands the desk a plant that holds the officer's own (`Plant.councils`); so the attacker
here is a plant with Blaenau Gwent alone, on the one ledger and key store in which Torfaen's referrals are. Seen red:
`dolen trace d12` found a delivery of a council that the plant does not hold, and attention told another council's
causes where it was asked for them by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select, update

from pipelines import (
    attention,
    choosing,
    code_desk,
    control,
    desk,
    joining,
    looking,
    overview,
    previewing,
    releasing,
    replaying,
    sheets,
    showing,
    story,
    unmapped,
)  # fmt: skip
from pipelines.choosing import Chooser
from pipelines.keystore import KeyFault
from pipelines.looking import NotPossible
from pipelines.plant import Plant
from pipelines.tables import metadata, payload, person_identifier
from pipelines.vault import PayloadGone

pytest_plugins = ["tests.pipelines.pieces"]

MOBILE = "person.telecom[system=phone,use=mobile].value"
OURS, THEIRS = "blaenau-gwent", "torfaen"
SAID = {"who": "attacker", "why": "curious"}


@dataclass
class Attack:
    """The attacker's plant, and what is known of the other council: ids of everything that it has."""

    bench: Any
    plant: Plant
    referral: Any
    delivery: str
    version: str
    conflict: int

    @property
    def references(self) -> list[str]:
        return [self.referral.id, self.referral.citizen_reference, "C-1", "881", self.delivery, self.version]


@pytest.fixture
def attack(bench: Any) -> Iterator[Attack]:
    """Torfaen has a referral with a delivery that waits, a version that needs attention, and a conflict."""
    bench.take(bench.request())
    bench.take(bench.request("C-2", priority="whenever"))
    bench.arrived(bench.row("delivery", connection="casework").lane, "881")
    bench.take(bench.request(minute=5, customer__last_name="Llwyd"))
    bench.take(bench.case(minute=40, Subject__Surname="Lloyd", Safeguarding="true"))
    waiting = bench.rows("delivery", connection="casework", state="waiting")[-1]
    stopped = bench.row("version", state="needs attention")
    kept = bench.rows("conflict")
    yield Attack(
        bench, replace(bench.plant, councils={OURS: bench.plant.councils[OURS]}),
        bench.row("referral", id=waiting.referral_id), f"d{waiting.id}", f"v{stopped.id}", kept[0].id if kept else 0,
    )  # fmt: skip


def state(bench: Any) -> dict[str, list[Any]]:
    """The whole ledger, row by row."""
    with bench.reading() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key.columns)).all())
            for table in metadata.sorted_tables
        }


def refused(door: Callable[..., Any], *given: Any, **more: Any) -> None:
    with pytest.raises((NotPossible, LookupError)):
        door(*given, **more)


#: Each function of the desk that takes a plant, and what it does for somebody who has only the other's ids.
ATTACKS: dict[Callable[..., Any], Callable[[Attack], None]] = {
    desk.settle: lambda a: [
        refused(desk.settle, a.plant, a.delivery, how=how, number="940", **SAID)
        for how in ("arrived", "by-hand", "not-arrived")
    ],
    desk.close: lambda a: [
        refused(desk.close, a.plant, id, **SAID) for id in (a.delivery, a.version, f"c{a.conflict}")
    ],
    desk.settle_conflict: lambda a: refused(desk.settle_conflict, a.plant, a.conflict, **SAID),
    replaying.replay: lambda a: nothing_replayed(a),
    previewing.preview: lambda a: refused(previewing.preview, a.plant, a.delivery),
    previewing.preview_version: lambda a: refused(
        lambda: previewing.preview_version(a.plant, a.version, Chooser(a.plant))
    ),
    looking.find_referral: lambda a: equal([looking.find_referral(a.plant, one) for one in a.references], [[]] * 6),
    looking.delivery_of: lambda a: refused(looking.delivery_of, a.plant, a.delivery),
    looking.version_of: lambda a: refused(looking.version_of, a.plant, a.version),
    looking.council_of: lambda a: refused(looking.council_of, a.plant, THEIRS),
    story.council_of: lambda a: equal(story.council_of(a.plant, a.referral.id), None),
    replaying.confirm: lambda a: refused(replaying.confirm, a.plant, "q1", yes=True, why="curious"),
    story.tell: lambda a: refused(story.tell, a.plant, a.referral.id),
    story.last_read: lambda a: equal([one for one in story.last_read(a.plant) if one["council"] != OURS], []),
    showing.show: lambda a: [refused(showing.show, a.plant, id) for id in (a.delivery, a.version)],
    sheets.sheet: lambda a: refused(sheets.sheet, a.plant, a.delivery, language="en", **SAID),
    joining.join: lambda a: refused(joining.join, a.plant, a.referral.id, "C-2", **SAID),
    joining.part: lambda a: refused(joining.part, a.plant, a.referral.id, **SAID),
    attention.attention: lambda a: equal([attention.attention(a.plant, who) for who in ((), (THEIRS,))], [[], []]),
    attention.open_conflicts: lambda a: equal(
        [attention.open_conflicts(a.plant, who) for who in ((), (THEIRS,))], [[], []]
    ),
    unmapped.unmapped: lambda a: equal([unmapped.unmapped(a.plant, who) for who in ((), (THEIRS,))], [[], []]),
    unmapped.piles: lambda a: equal([unmapped.piles(a.plant, who) for who in ((), (THEIRS,))], [[], []]),
    unmapped.waiting_for: lambda a: equal(list(unmapped.waiting_for(a.plant, (THEIRS,))), []),
    code_desk.release: lambda a: equal(
        code_desk.release(a.plant, "contact-priority", (THEIRS,), **SAID).stopped, []
    ),
    releasing.ask: lambda a: equal(releasing.ask(a.plant, "contact-priority", (THEIRS,), **SAID), []),
    releasing.left: lambda a: equal(list(releasing.left(a.plant, THEIRS, "contact-priority", "")), []),
    overview.links: lambda a: equal({one.council for one in overview.links(a.plant)}, {OURS}),
    control.connections: lambda a: [
        refused(control.connections, a.plant, words, council)
        for words, council in ((f"{THEIRS}/contact", ""), ("contact", THEIRS))
    ],
    control.one_connection: lambda a: refused(control.one_connection, a.plant, f"{THEIRS}/contact"),
    control.to_replay: lambda a: [
        refused(control.to_replay, a.plant, (), fingerprint=a.bench.row("cause").fingerprint, route=""),
        refused(control.to_replay, a.plant, (), fingerprint="", route="contact-to-casework"),
    ],
    overview.look: lambda a: equal(
        (sum(overview.look(a.plant).deliveries.values()), {one.council for one in overview.look(a.plant).links}),
        (0, {OURS}),
    ),
}  # fmt: skip

#: What takes no id of anybody's: it is handed a row or a connection that was found by one of the above, it changes the
#: site's own files, or it tells yes or no of the whole site. Eyes (`Plant.sight`) have tests of their own.
NO_DOOR = {
    control.pause, control.resume, control.sync, control.ask, code_desk.map_code, code_desk.plan_import,
    code_desk.carry_out_import, overview.is_quiet, looking.referral_of, looking.sees_version, looking.seen_of,
    looking.sees_one_of_many, unmapped.opened, code_desk.complete, code_desk.completed, code_desk.known, releasing.one,
}  # fmt: skip
DOORS: tuple[ModuleType, ...] = (
    desk, replaying, previewing, looking, story, showing, sheets, joining, attention, unmapped, code_desk, control,
    overview, choosing, releasing,
)  # fmt: skip


def equal(found: Any, expected: Any) -> None:
    assert found == expected


def nothing_replayed(a: Attack) -> None:
    done = replaying.replay(a.plant, [a.delivery, a.version], **SAID)
    assert (done.done, len(done.not_done)) == ([], 2)
    for named in ({"fingerprint": a.bench.row("cause").fingerprint}, {"route": "contact-to-casework"}):
        refused(replaying.replay, a.plant, [], **SAID, **named)
    refused(replaying.replay, a.plant, [], route="contact-to-casework", council=THEIRS, **SAID)


def doors() -> set[Callable[..., Any]]:
    """Every public function of the desk whose first parameter is a plant."""
    found = set()
    for module in DOORS:
        for name, one in vars(module).items():
            if not name.startswith("_") and inspect.isfunction(one) and one.__module__ == module.__name__:
                first = next(iter(inspect.signature(one).parameters), "")
                if first == "plant":
                    found.add(one)
    return found


def test_no_door_of_the_desk_is_without_its_attack() -> None:
    missing = {f"{one.__module__}.{one.__name__}" for one in doors() - set(ATTACKS) - NO_DOOR}
    assert missing == set(), "say in ATTACKS what another council's staff get from it"


def test_nothing_of_another_council_is_shown_or_moved(attack: Attack) -> None:
    """Every attack, on one ledger, which is the same to the last row afterwards."""
    assert looking.find_referral(attack.bench.plant, attack.delivery)  # the ids are good for those who may
    assert attention.attention(attack.bench.plant)
    before = state(attack.bench)
    for door, attempt in ATTACKS.items():
        try:
            attempt(attack)
        except (AssertionError, pytest.fail.Exception) as fault:
            raise AssertionError(f"{door.__module__}.{door.__name__} let somebody in") from fault
    assert state(attack.bench) == before


def test_keys_of_one_council_open_nothing_of_another(attack: Attack) -> None:
    """By the vault's own door, with the row written over to another council, and with the key's row as well."""
    vault, bench = attack.bench.vault, attack.bench
    with bench.reading() as connection:
        sealed = connection.execute(select(payload).where(payload.c.council == THEIRS).limit(1)).one()
        with pytest.raises(PayloadGone):
            vault.get(connection, OURS, sealed.id)
    with pytest.raises(KeyFault):
        vault.unseal(OURS, sealed.id, sealed.key_id, sealed.body)
    with bench.writing() as connection:
        connection.execute(update(payload).where(payload.c.id == sealed.id).values(council=OURS))
    with bench.reading() as connection, pytest.raises(KeyFault):
        vault.get(connection, OURS, sealed.id)
    with bench.writing() as connection:
        connection.execute(update(payload).where(payload.c.id == sealed.id).values(council=THEIRS))
    assert bench.plant.keys.council_key(OURS, "hash") != bench.plant.keys.council_key(THEIRS, "hash")


def test_a_hash_of_one_council_says_nothing_in_another(attack: Attack) -> None:
    vault = attack.bench.vault
    assert vault.hash(OURS, b"Llwyd") != vault.hash(THEIRS, b"Llwyd")
    assert vault.hash_value(OURS, MOBILE, "07700 900123") != vault.hash_value(THEIRS, MOBILE, "07700 900123")


def test_the_same_person_in_two_councils_is_never_matched(bench: Any) -> None:
    """One NHS number, one name, one case number: two referrals of two persons."""
    number = {"customer__nhs_number": "9990000018"}
    bench.take(bench.request(**number))
    bench.take(bench.request(**number), to="contact", council=OURS)
    found = bench.rows("referral")
    assert {row.council for row in found} == {OURS, THEIRS}
    assert len({row.person_id for row in found}) == 2
    marks = bench.rows("person_identifier")
    assert len({row.person_id for row in marks}) == 2
    assert len({row.hash for row in marks}) == len(marks)
    assert person_identifier.c.council.primary_key
