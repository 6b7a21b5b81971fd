"""The watchman as a chore of the scheduler, and the heartbeat that stops when nobody can be told."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from pipelines import alert_checks, composition, watchman
from pipelines.runs import Runs
from pipelines.watchman import Watchman

pytest_plugins = ("tests.pipelines.pieces", "tests.pipelines.alerted")

HEART = "heartbeat: {{url: '{url}/heart', every: PT1M}}"


def turns(alerted: Any, chore: Watchman, until: Callable[[], bool], step: float = 16) -> None:
    """Turn the schedule, with time going by, until something is so."""
    runs = Runs(alerted.bench.plant, "boot-1")
    end = time.monotonic() + 30
    while not until():
        assert time.monotonic() < end
        chore(runs)
        for thread in (chore._thread, chore._heart):
            if thread is not None:
                thread.join()
        alerted.bench.clock.pass_by(step)


def hearts(alerted: Any) -> int:
    return sum(path == "/heart" for path, _, _ in alerted.ear.heard)


def test_the_heart_beats_while_all_is_well_and_stops_when_nobody_can_be_told(alerted_with: Any) -> None:
    alerted = alerted_with(HEART)
    object.__setattr__(alerted.rules.alerts.when, "attention", 1)
    chore = Watchman(alerted.bench.plant, alerted.rules)
    turns(alerted, chore, lambda: hearts(alerted) >= 2)
    assert alerted.mailbox.mails == []
    alerted.mailbox.refuses = True
    alerted.fail("C-1", priority="emergency")
    turns(alerted, chore, lambda: bool(alerted.untold()))
    before = hearts(alerted)
    turns(alerted, chore, lambda: not watchman.well(alerted.bench.plant, alerted.bench.clock.now()), step=90)
    turns(alerted, chore, lambda: not chore._well, step=16)
    after = hearts(alerted)
    assert after > before  # the first failure is tried again before anybody outside is woken
    for _ in range(6):
        turns(alerted, chore, iter([False, True]).__next__, step=61)
    assert hearts(alerted) == after
    alerted.mailbox.refuses = False
    turns(alerted, chore, lambda: hearts(alerted) > after, step=61)
    chore.close()


def test_a_turn_waits_for_nothing_that_the_watch_does(alerted: Any) -> None:
    alerted.mailbox.close()
    alerted.fail("C-1", "C-2")
    chore = Watchman(alerted.bench.plant, alerted.rules)
    chore(Runs(alerted.bench.plant, "boot-1"))
    begun = chore._thread
    chore(Runs(alerted.bench.plant, "boot-1"))
    assert chore._thread is begun
    chore.close()
    assert [row.kind for row in alerted.amiss()] == ["attention"]


def test_a_look_that_fails_closes_nothing_and_stops_no_other(alerted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    alerted.fail("C-1", "C-2")
    alerted.look()

    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setitem(watchman.QUICK, watchman.Amiss.ATTENTION, breaks)  # type: ignore[arg-type]
    alerted.look(600)
    assert "attention" in {row.kind for row in alerted.amiss()}


def found(folder: Any) -> list[str]:
    return [str(one) for one in alert_checks.check(composition.load(folder))]


def test_check_finds_whoever_no_alert_can_reach(alerted: Any) -> None:
    folder = alerted.bench.folder
    assert found(folder) == []
    file = folder / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8")
    without = "\n".join(line for line in text.splitlines() if not line.startswith("  mail:"))
    file.write_text(without, encoding="utf-8")
    words = found(folder)
    assert len(words) == 2
    assert "alerts.to: found addresses, and no mail server" in words[0]
    assert "config/dolen.yaml:" in words[0]
    assert "alerts.duty.email" in words[1]
    file.write_text(text.replace(", email: duty@example.org", ""), encoding="utf-8")
    assert "a duty contact whom no alert can reach" in found(folder)[0]


def test_a_live_site_names_somebody_on_duty_for_each_council(alerted: Any) -> None:
    folder = alerted.bench.folder
    file = folder / "config" / "dolen.yaml"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("residents_only_to")]
    text = "\n".join(kept).replace("stage: test", "stage: live")
    file.write_text(text, encoding="utf-8")
    assert found(folder) == []
    text = "\n".join(line for line in text.splitlines() if not line.startswith("  duty:"))
    file.write_text(text, encoding="utf-8")
    [words] = found(folder)
    assert "no duty contact for torfaen" in words
    own = folder / "config" / "councils" / "torfaen.yaml"
    duty = "\nalerts: {duty: {name: Duty, email: duty@example.org}}\n"
    own.write_text(own.read_text(encoding="utf-8") + duty, encoding="utf-8")
    assert found(folder) == []
