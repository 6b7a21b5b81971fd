"""The overview: counts, what is late, what is paused, and that the sums agree."""

from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from pipelines import guards, overview, pauses
from pipelines.sending import Result
from pipelines.tables import delivery, proof

pytest_plugins = ("tests.pipelines.pieces",)


def look(bench: Any) -> overview.Overview:
    return overview.look(bench.plant)


def link(bench: Any, name: str, council: str = "torfaen") -> overview.Link:
    [found] = [one for one in look(bench).links if (one.council, one.connection) == (council, name)]
    return found


def test_an_empty_site(bench: Any) -> None:
    seen = look(bench)
    assert (seen.referrals, seen.versions, seen.deliveries, seen.late, seen.open) == (0, {}, {}, 0, 0)
    assert seen.sums_agree
    assert len(seen.links) == sum(len(council.wired) for council in bench.plant.councils.values())
    assert overview.is_quiet(bench.plant)


def test_every_version_and_delivery_is_counted_once(bench: Any) -> None:
    bench.take(bench.request("C-1"), bench.request("C-2", priority="tomorrow"), bench.request("C-3"))
    bench.take(bench.request("C-1", minute=1, internal_notes="x"))
    seen = look(bench)
    assert seen.versions == {"merged": 2, "needs attention": 1, "no change": 1}
    assert sum(seen.versions.values()) == len(bench.rows("version"))
    assert seen.deliveries == {"waiting": 2}
    assert (seen.referrals, seen.open, seen.attention) == (2, 2, 1)
    assert not overview.is_quiet(bench.plant)


def test_what_arrived_has_a_proof_and_the_sums_agree(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.row("delivery").lane, "881", minute=1)
    assert look(bench).deliveries["arrived"] == len(bench.rows("proof")) == 1
    assert look(bench).sums_agree


@pytest.mark.parametrize("spoilt", ["no proof", "no arrival"])
def test_sums_that_do_not_agree_are_said(bench: Any, spoilt: str) -> None:
    bench.take(bench.request())
    bench.arrived(bench.row("delivery").lane, "881", minute=1)
    held = dict(bench.row("proof")._mapping)
    arrived = bench.row("delivery", state="arrived").id
    with bench.writing() as connection:
        guards.take_down(connection)  # somebody with the database at hand
        if spoilt == "no proof":
            connection.execute(delete(proof))
        else:
            connection.execute(update(delivery).where(delivery.c.id == arrived).values(state="closed"))
    assert not look(bench).sums_agree
    with bench.writing() as connection:  # put it back: the bench looks at the sums at its end
        if spoilt == "no proof":
            connection.execute(insert(proof).values(**{str(name): value for name, value in held.items()}))
        else:
            connection.execute(update(delivery).where(delivery.c.id == arrived).values(state="arrived"))


def test_a_proof_too_few_and_one_too_many_do_not_make_up_for_each_other(bench: Any) -> None:
    for minute, (source, number) in enumerate((("C-1", "881"), ("C-2", "882")), 1):
        bench.take(bench.request(source))
        bench.arrived(bench.rows("delivery")[-1].lane, number, minute=minute)
    held = dict(bench.rows("proof")[0]._mapping)
    first, second = (row.id for row in bench.rows("delivery", state="arrived"))
    with bench.writing() as connection:
        guards.take_down(connection)
        connection.execute(delete(proof).where(proof.c.delivery_id == first))
        connection.execute(update(delivery).where(delivery.c.id == second).values(state="closed"))
    assert not look(bench).sums_agree
    with bench.writing() as connection:
        connection.execute(update(delivery).where(delivery.c.id == second).values(state="erased"))
    assert not look(bench).sums_agree
    with bench.writing() as connection:  # the proof of what was erased stays
        connection.execute(insert(proof).values(**{str(name): value for name, value in held.items()}))
    assert look(bench).sums_agree
    with bench.writing() as connection:
        connection.execute(update(delivery).where(delivery.c.id == second).values(state="arrived"))


def test_late_is_what_is_open_beyond_its_routes_promise(bench: Any) -> None:
    bench.take(bench.request())
    bench.clock.pass_by(15 * 60)
    assert look(bench).late == 0
    bench.clock.pass_by(1)
    assert look(bench).late == 1
    bench.arrived(bench.row("delivery").lane, "881", minute=1)
    assert bench.deliveries("casework") == ["arrived"]
    assert look(bench).late == 0


def test_a_link_says_what_waits_and_since_when(bench: Any) -> None:
    began = bench.clock.now()
    bench.take(bench.request("C-1"))
    bench.clock.pass_by(10)
    bench.take(bench.request("C-2"))
    assert (link(bench, "casework").waiting, link(bench, "casework").oldest) == (2, began)
    bench.no_answer(bench.rows("delivery")[0].lane)
    seen = link(bench, "casework")
    assert (seen.waiting, seen.not_sure, seen.attention, seen.paused) == (1, 1, 0, "")
    assert link(bench, "casework", "neath-port-talbot").waiting == 0


def test_what_is_being_sent_is_waiting_to_an_officer(bench: Any) -> None:
    bench.take(bench.request())
    job = bench.job(bench.row("delivery").lane)
    assert link(bench, "casework").waiting == 1
    assert not overview.is_quiet(bench.plant)
    assert bench.write(Result(job, rule="a rule"))
    assert look(bench).deliveries == {"not sent": 1}
    assert overview.is_quiet(bench.plant)


def test_a_pause_is_shown_with_its_reason(bench: Any) -> None:
    until = bench.clock.now() + 5
    with bench.writing() as connection:
        pauses.set_pause(
            connection, "torfaen", "casework", why=pauses.BY_PERSON, words="upgrade", who="ann",
            now=bench.clock.now(), until=until,
        )  # fmt: skip
    assert (link(bench, "casework").paused, link(bench, "casework").paused_until) == ("by a person", until)
    assert link(bench, "contact").paused == ""


def test_a_councils_rows_that_the_site_no_longer_has_are_not_counted(bench: Any) -> None:
    bench.take(bench.request(), council="neath-port-talbot")
    (bench.folder / "config" / "councils" / "neath-port-talbot.yaml").unlink()
    bench.restart()
    seen = look(bench)
    assert (seen.referrals, seen.deliveries) == (0, {})
