"""Recovery: what becomes of the work of a worker that died, by what its journal shows and by the tier of its target.

Rule R9 of docs/data-model.md, and row 1 of the catalogue: what was never sent moves at once, what may have been sent
waits until it can no longer take effect, and a worker that was only asleep finds that its lease is gone.
"""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines import journal, outcomes, recovery, seats
from pipelines.clock import SECOND
from pipelines.jobs import Job
from pipelines.journal import Journal
from pipelines.sending import Result

pytest_plugins = ("tests.pipelines.pieces",)

ROOT = Path(__file__).parents[2]
PROFILE = ROOT / "connectors/profiles/casework.yaml"
#: What the example site says of casework: a call has 5 seconds, and 2 more to take effect.
DEADLINE_AND_SETTLING = 7 * SECOND


@pytest.fixture
def tier(site_folder: Path, bench_with: Callable[..., Any]) -> Callable[[str], Any]:
    """A bench whose casework is of this tier, by a profile of the site's own."""

    def made(which: str) -> Any:
        text = PROFILE.read_text(encoding="utf-8")
        if which == "A":
            text = text.replace("our_key: ClientReference      ", "keeps_key: true\n      our_key: ClientReference ")
        if which == "C":
            text = "".join(line for line in text.splitlines(True) if not line.startswith("    find:"))
        (site_folder / "profiles").mkdir()
        (site_folder / "profiles/casework.yaml").write_text(text, encoding="utf-8")
        bench = bench_with()
        assert bench.council.wired["casework"].connector.tier("Referral").value == which
        return bench

    return made


def dying(bench: Any, *, begun: bool, keeps_journal: bool = True) -> Job:
    """A worker leases the newest delivery, begins the call or not, and is killed."""
    book = Journal(bench.plant.journals, "dead")
    job: Job = bench.job(bench.rows("delivery")[-1].lane, "dead/1")
    if begun:
        book.sending(job.row.id, job.lease.fence)
    if not keeps_journal:
        journal.forget(bench.plant.journals, ["dead"])
    return job


def left(bench: Any) -> tuple[str, int | None, int]:
    """Where the newest delivery is, in how many microseconds it is due, and how many tries it has behind it."""
    row = bench.rows("delivery")[-1]
    return row.state, None if row.due is None else row.due - bench.clock.now(), row.tries


@pytest.mark.parametrize("which", "ABC")
def test_row_1_what_was_never_sent_waits_again_at_once_and_burns_no_try(tier: Any, which: str) -> None:
    bench = tier(which)
    bench.take(bench.request())
    dying(bench, begun=False)
    assert recovery.void(bench.plant, ["dead"]) == 1
    assert left(bench) == ("waiting", 0, 0)
    assert bench.rows("attempt") == []
    assert bench.lease(bench.row("lane").id, "alive/1") is not None


@pytest.mark.parametrize(
    ("which", "then"),
    [
        ("A", ("waiting", DEADLINE_AND_SETTLING, 1)),
        ("B", ("not sure", DEADLINE_AND_SETTLING, 1)),
        ("C", ("not sure", None, 1)),  # a person must say
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["begun", "no journal"])
def test_row_1_what_may_have_been_sent_waits_until_it_can_no_longer_take_effect(
    tier: Any, which: str, then: Any, known: bool
) -> None:
    bench = tier(which)
    bench.take(bench.request())
    dying(bench, begun=known, keeps_journal=known)
    recovery.void(bench.plant, ["dead"])
    assert left(bench) == then
    assert [(row.what, row.outcome) for row in bench.rows("attempt")] == [("send", "died")]
    lane = bench.row("lane").id
    assert bench.lease(lane, "alive/1") is None, "too early"
    bench.clock.pass_by(8)
    job = bench.lease(lane, "alive/1")
    assert (job is not None, bool(job and job.look_up)) == (which != "C", which == "B")


def test_an_update_that_is_checked_against_a_version_is_made_again_at_once(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.rows("delivery")[-1].lane, "881", minute=1)
    bench.take(bench.request(minute=5, customer__last_name="Llŷr-Jones"))
    dying(bench, begun=True)
    recovery.void(bench.plant, ["dead"])
    assert left(bench)[:2] == ("waiting", 0)


def test_a_look_up_that_died_is_made_again_and_counts_for_nothing(bench: Any) -> None:
    bench.take(bench.request())
    lane = bench.row("delivery").lane
    bench.no_answer(lane)
    bench.clock.pass_by(8)
    job = dying(bench, begun=False)
    assert job.look_up
    recovery.void(bench.plant, ["dead"])
    assert left(bench) == ("not sure", 0, 1)
    assert bench.row("delivery").look_ups == 0


def test_a_text_that_may_have_been_sent_is_looked_up(bench: Any) -> None:
    bench.take(bench.request())
    bench.arrived(bench.rows("delivery")[-1].lane, "881", minute=1)
    bench.take(bench.case(minute=40, Status="ACC", our_key=bench.row("referral").id))
    text = bench.rows("delivery", kind="Text")[-1]
    job = bench.job(text.lane, "dead/1")
    recovery.void(bench.plant, ["dead"])
    assert bench.row("delivery", id=job.row.id).state == "not sure"


def test_only_what_is_void_is_taken_back(bench: Any) -> None:
    bench.take(bench.request("C-1"), bench.request("C-2"))
    first, second = (row.lane for row in bench.rows("delivery"))
    bench.job(first, "dead/1")
    bench.job(second, "alive/1")
    assert recovery.void(bench.plant, ["dead"]) == 1
    assert [row.owner for row in bench.rows("lane")].count("alive/1") == 1
    assert recovery.void(bench.plant, ["dead"]) == 0
    assert recovery.void(bench.plant) == 1, "at a start, whatever is leased was leased by a process that is gone"


def test_row_1_a_worker_that_was_only_asleep_writes_nothing(bench: Any) -> None:
    """Broken by writing results without a look at who holds the lane."""
    bench.take(bench.request())
    job = dying(bench, begun=False)
    recovery.void(bench.plant, ["dead"])
    other = bench.job(job.lease.lane, "alive/1")  # being sent again, by somebody else
    assert bench.write(Result(job, how="created", external_id="881", revision=1)) is False
    assert (bench.rows("proof"), left(bench)[0]) == ([], "being sent")
    assert bench.write(Result(other, how="created", external_id="882", revision=1)) is True


def test_the_seats_of_the_dead_are_free_again(bench: Any) -> None:
    now = bench.clock.now()
    with bench.writing() as connection:
        for owner in ("dead/1", "dead/2", "alive/1"):
            assert seats.take(connection, "torfaen", "casework", owner, seats=3, now=now, until=now + SECOND)
        assert not seats.take(connection, "torfaen", "casework", "alive/2", seats=3, now=now, until=now + SECOND)
    recovery.void(bench.plant, ["dead"])
    assert sorted(str(row.owner) for row in bench.rows("seat")) == ["None", "None", "alive/1"]


# --- Seats ------------------------------------------------------------------------------------------------------------


def sit(bench: Any, owner: str, *, of: int, seconds: int = 60, target: str = "casework") -> bool:
    now = bench.clock.now()
    with bench.writing() as connection:
        return seats.take(connection, "torfaen", target, owner, seats=of, now=now, until=now + seconds * SECOND)


def test_there_are_as_many_seats_as_calls_at_once_and_a_drain_keeps_its_own(bench: Any) -> None:
    assert [sit(bench, f"w/{n}", of=2) for n in (1, 2, 3)] == [True, True, False]
    assert sit(bench, "w/1", of=2), "whoever sits stays"
    assert sit(bench, "w/3", of=2, target="contact"), "another connection has seats of its own"
    with bench.writing() as connection:
        seats.give_back(connection, "torfaen", "casework", "w/1")
        seats.give_back(connection, "torfaen", "casework", "w/1")
    assert sit(bench, "w/3", of=2)


def test_a_seat_falls_when_its_time_is_over_and_its_first_holder_gets_no_second_one(bench: Any) -> None:
    assert sit(bench, "w/1", of=1, seconds=10)
    bench.clock.pass_by(11)
    assert sit(bench, "w/2", of=1)
    with bench.writing() as connection:
        seats.give_back(connection, "torfaen", "casework", "w/1")
    assert not sit(bench, "w/1", of=1)


def test_fewer_seats_by_a_new_setting_hold_for_whoever_comes_next(bench: Any) -> None:
    assert [sit(bench, f"w/{n}", of=3) for n in (1, 2, 3)] == [True, True, True]
    assert not sit(bench, "w/4", of=1)
    with bench.writing() as connection:
        seats.give_back(connection, "torfaen", "casework", "w/1")
    assert sit(bench, "w/4", of=1)


# --- The journal ------------------------------------------------------------------------------------------------------


def test_the_journal_tells_what_was_begun_under_which_lease(tmp_path: Path) -> None:
    book = Journal(tmp_path, "boot")
    assert journal.begun(tmp_path, "boot") == frozenset()
    book.sending(12, 1)
    book.sending(12, 3)
    assert journal.begun(tmp_path, "boot") == {(12, 1), (12, 3)}
    book.close()
    assert journal.begun(tmp_path, "boot") is None


def test_an_earlier_try_of_the_same_delivery_is_not_this_one(bench: Any) -> None:
    """Broken by noting the delivery alone: a try that was never begun counted as sent."""
    bench.take(bench.request())
    lane = bench.row("delivery").lane
    book = Journal(bench.plant.journals, "dead")
    first = bench.job(lane, "dead/1")
    book.sending(first.row.id, first.lease.fence)
    with bench.writing() as connection:
        outcomes.write(connection, bench.plant, bench.council, [], [first])
    bench.job(lane, "dead/2")
    recovery.void(bench.plant, ["dead"])
    assert left(bench) == ("waiting", 0, 0)


def test_a_journal_that_is_not_whole_tells_nothing(tmp_path: Path) -> None:
    """Killed while the file was being made: nobody can know."""
    Journal(tmp_path, "boot").sending(12, 1)
    written = (tmp_path / "boot.sent").read_bytes()
    (tmp_path / "boot.sent").write_bytes(written[:-1])
    assert journal.begun(tmp_path, "boot") is None


def test_what_a_killed_process_noted_is_there(tmp_path: Path) -> None:
    """The notes lie in memory that outlives the process: nothing is closed and nothing is flushed."""
    killed = "import os, pathlib, signal, sys; from pipelines.journal import Journal; "
    killed += "Journal(pathlib.Path(sys.argv[1]), 'boot').sending(12, 7); os.kill(os.getpid(), signal.SIGKILL)"
    ended = subprocess.run([sys.executable, "-c", killed, str(tmp_path)], check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    assert journal.begun(tmp_path, "boot") == {(12, 7)}


def test_a_journal_counts_only_while_the_machine_has_not_been_started_anew(tmp_path: Path) -> None:
    """After a power cut the end of the file may be missing, so that nobody can know what was begun."""
    book = Journal(tmp_path, "boot")
    book.sending(12, 1)
    written = (tmp_path / "boot.sent").read_bytes()
    shutil.copy(tmp_path / "boot.sent", tmp_path / "other.sent")
    assert journal.begun(tmp_path, "other") == {(12, 1)}
    (tmp_path / "other.sent").write_bytes(b"another-start-of-this-machine\n" + written.partition(b"\n")[2])
    assert journal.begun(tmp_path, "other") is None
    (tmp_path / "other.sent").write_bytes(b"")
    assert journal.begun(tmp_path, "other") is None, "killed before its first line was written"


def test_the_oldest_notes_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for far more than a process can have leased; the file never grows."""
    monkeypatch.setattr(journal, "_ROOM", 4)
    book = Journal(tmp_path, "boot")
    for delivery in range(1, 7):
        book.sending(delivery, 1)
    assert journal.begun(tmp_path, "boot") == {(3, 1), (4, 1), (5, 1), (6, 1)}
    book.close()
