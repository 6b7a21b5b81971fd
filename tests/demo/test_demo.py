"""The whole journey, as anybody starts it: real processes, real systems over loopback, faults and kills.

The verdict is the sandbox's own. That it can turn red is shown by planting faults in the systems of a run that ended
well.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from console.demo.sandbox_desk import SandboxDesk

# A machine that is busy with other things needs longer than one that is not.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.xdist_group("demo")]

FAULTS = ("lost", "doubled", "stale", "wiped", "misdirected")


def demo(*arguments: str) -> tuple[int, dict[str, Any], str]:
    """Run `dolen demo --json`. Returns its exit code, its last line and what it told people."""
    command = [sys.executable, "-m", "console", "demo", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380, check=False)
    lines = done.stdout.splitlines()
    assert lines, done.stderr
    return done.returncode, json.loads(lines[-1]), done.stderr


@contextmanager
def systems(state: Path) -> Iterator[SandboxDesk]:
    """The sandbox again, with the state that a demo left."""
    command = [sys.executable, "-m", "sandbox", "serve", "--dir", str(state), "--until-stdin-closes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        desk = SandboxDesk(json.loads(process.stdout.readline())["url"])
        try:
            yield desk
        finally:
            desk.close()
            process.terminate()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, dict[str, Any], str, Path]:
    kept = tmp_path_factory.mktemp("demo") / "kept"
    return *demo("--referrals", "40", "--seed", "11", "--keep", str(kept)), kept


def test_a_demo_ends_well_and_says_so_in_json(run: tuple[int, dict[str, Any], str, Path]) -> None:
    code, end, told, _ = run
    assert code == 0, told
    assert {name: end[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0), end["examples"]
    assert end["referrals"] == 40
    assert end["sums_agree"] is True
    assert end["replayed"] >= 1, "the code that nobody had mapped was sent again"
    assert end["settled"] >= 1, "what belongs to a system no machine may enter was settled by hand"
    assert end["attention"] == 0
    assert set(end["texts"]) == {"cy", "en", "both"}
    assert all(end["texts"].values()), "texts in every language"
    assert end["delivered"] > 40
    assert {"versions", "superseded", "kills", "seconds"} <= end.keys()


def test_what_needed_attention_was_told_with_its_remedy(run: tuple[int, dict[str, Any], str, Path]) -> None:
    told = " ".join(run[2].split())
    assert "blaenau-gwent-priority-contact has no row for the code" in told
    assert "the owner of codes/blaenau-gwent-priority-contact.csv decides what the code means" in told
    assert "Torfaen's case system is down" in told


def test_no_process_of_a_demo_is_left(run: tuple[int, dict[str, Any], str, Path]) -> None:
    psutil = pytest.importorskip("psutil")
    kept = str(run[3])
    left = [process for process in psutil.process_iter(["cmdline"]) if kept in " ".join(process.info["cmdline"] or [])]
    assert not left


def _torfaen(desk: SandboxDesk) -> list[dict[str, Any]]:
    """Cases of Torfaen that came from its contact centre and that nobody typed in by hand."""
    cases = desk.get("torfaen/casework/records", limit="500")["records"]
    return [case for case in cases if case.get("ClientReference") and case.get("SourceReference")]


def _overwrite(desk: SandboxDesk, case: dict[str, Any]) -> None:
    desk._ask("PUT", f"torfaen/casework/records/{case['ReferralId']}", case, {"unchecked": "1"})


def drop_a_field(desk: SandboxDesk) -> None:
    case = _torfaen(desk)[0]
    del case["Needs"]
    _overwrite(desk, case)


def swap_two_persons(desk: SandboxDesk) -> None:
    one, other = _torfaen(desk)[:2]
    one["Subject"], other["Subject"] = other["Subject"], one["Subject"]
    _overwrite(desk, one)
    _overwrite(desk, other)


def show_an_old_status(desk: SandboxDesk) -> None:
    requests = desk.get("torfaen/contact/records", limit="500")["records"]
    request = next(each for each in requests if each["status"] not in ("new", "triage"))
    desk._ask("PUT", f"torfaen/contact/records/{request['id']}", {**request, "status": "triage"}, {"unchecked": "1"})


def lose_a_record(desk: SandboxDesk) -> None:
    desk._ask("DELETE", f"torfaen/casework/records/{_torfaen(desk)[0]['ReferralId']}", None, {})


def double_a_record(desk: SandboxDesk) -> None:
    case = _torfaen(desk)[0]
    desk.post("torfaen/casework/type-in", {key: value for key, value in case.items() if key != "ReferralId"})


@pytest.mark.parametrize(
    ("plant", "seen_as"),
    [
        (drop_a_field, "wiped"),
        (swap_two_persons, "stale"),
        (show_an_old_status, "stale"),
        (lose_a_record, "lost"),
        (double_a_record, "doubled"),
    ],
)
def test_a_planted_fault_turns_the_verdict_red(
    run: tuple[int, dict[str, Any], str, Path], tmp_path: Path, plant: Callable[[SandboxDesk], None], seen_as: str
) -> None:
    state = tmp_path / "systems"
    shutil.copytree(run[3] / "systems", state)
    with systems(state) as desk:
        before = desk.get("verdict")
        assert {name: before[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0)
        plant(desk)
        assert desk.get("verdict")[seen_as] >= 1


def test_kills_change_nothing(tmp_path: Path) -> None:
    code, end, told = demo("--referrals", "60", "--seed", "12", "--kills", "3", "--keep", str(tmp_path / "kept"))
    assert code == 0, told
    assert end["kills"] == 3
    assert {name: end[name] for name in FAULTS} == dict.fromkeys(FAULTS, 0), end["examples"]
    log = (tmp_path / "kept" / "dolen-run.log").read_text(encoding="utf-8")
    assert log.count('"event":"running"') >= 5, "once at first, once after each kill, once with the mended code list"
    assert "Traceback" not in log
