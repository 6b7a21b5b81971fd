"""The outline of a site, from which `dolen status` is shown: it says what the files say, or is as if it were not there.

Most tests show the same site twice, once from its files and once from what was kept of them. The clock alone is moved:
a file must be two seconds old before anything is kept of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from config.findings import SiteFaults
from console.main import app
from pipelines import composition, outline, overview
from pipelines.clock import SystemClock
from pipelines.onlooking import onlooking
from pipelines.plant import Plant
from pipelines.roles import account
from tests.pipelines.pieces import Bench
from tests.pipelines.pieces import bench as bench
from tests.pipelines.pieces import site_folder as site_folder
from tests.rig.pushing import lay_out_pushing

pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="nothing is kept on Windows")
ROOT, DAY = Path(__file__).parents[2], 86_400


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Move the clock by which files are old enough, for the whole test; a minute where nothing else is said."""
    real, by = time.time_ns, [60.0]
    monkeypatch.setattr(time, "time_ns", lambda: real() + int(by[0] * 1e9))

    def move(seconds: float) -> None:
        by[0] = seconds

    return move


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The example site, copied."""
    return Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site", ignore=shutil.ignore_patterns("var")))


def kept(site: Path) -> list[Path]:
    return sorted((site / "var").glob("outline-*"))


def from_outline(plant: Plant) -> bool:
    """Whether the files were not read: then there are no mappings."""
    return not any(wired.kinds for council in plant.whole.councils.values() for wired in council.wired.values())


def looked(site: Path) -> bool:
    """Look at the site once; whether that was from what was kept."""
    with closing(onlooking(site)) as plant:
        return from_outline(plant)


def status(site: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["status", *arguments], env={"DOLEN_SITE": str(site), "DOLEN_USER": "A. Swyddog"})


def twice(site: Path) -> tuple[Result, Result]:
    """What `dolen status --json` says from the files, and from what was kept of them."""
    for file in kept(site):
        file.unlink()
    first = status(site, "--json")
    assert kept(site)
    with closing(onlooking(site)) as plant:
        assert from_outline(plant)
    return first, status(site, "--json")


def settings(site: Path, more: str) -> None:
    file = site / "config" / "dolen.yaml"
    file.write_text(file.read_text(encoding="utf-8").rstrip() + "\n" + more, encoding="utf-8")


def test_both_ways_say_the_same(site: Path) -> None:
    first, again = twice(site)
    assert first.exit_code == again.exit_code == 0
    assert json.loads(first.stdout) == json.loads(again.stdout)
    assert json.loads(first.stdout)["connections"]
    assert status(site).stdout == status(site).stdout
    with closing(composition.build(composition.load(site))) as whole, closing(onlooking(site)) as shown:
        for name in ("root", "stage", "lock_file", "roles", "findings", "broker_url"):
            assert getattr(whole, name) == getattr(shown, name), name
        for code, council in whole.councils.items():
            other = shown.councils[code]
            assert (council.zone, council.name, council.gss) == (other.zone, other.name, other.gss)
            assert list(council.wired) == list(other.wired)
            for ours, theirs in zip(council.routes, other.routes, strict=True):
                shows = ("name", "source", "target", "kind", "carries", "text", "arrive_within")
                assert [getattr(ours, one) for one in shows] == [getattr(theirs, one) for one in shows]


def test_what_it_holds_is_for_its_account_alone_and_no_secret(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = site / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8")
    monkeypatch.setenv("HIDDEN_LEDGER", f"sqlite:///{site}/var/hidden-name.db")
    file.write_text(text.replace("sqlite:///ledger.db", "env:HIDDEN_LEDGER"), encoding="utf-8")
    assert not looked(site)
    [one] = kept(site)
    assert one.stat().st_mode & 0o777 == 0o600
    assert "hidden-name" not in one.read_text(encoding="utf-8")
    assert looked(site)
    monkeypatch.setenv("HIDDEN_LEDGER", f"sqlite:///{site}/var/other.db")
    with closing(onlooking(site)) as plant:
        assert from_outline(plant)
        assert str(plant.ledger.engine.url).endswith("other.db"), "what a reference leads to is asked for each time"
    monkeypatch.delenv("HIDDEN_LEDGER")
    assert "HIDDEN_LEDGER is not set" in status(site).output


def test_nothing_is_kept_of_files_that_may_still_change(site: Path, later: Callable[[float], None]) -> None:
    later(0.0)
    assert not looked(site)
    assert kept(site) == []
    later(60.0)
    assert not looked(site)
    assert looked(site)


def _same_size_and_stamp(file: Path, old: str, new: str) -> None:
    seen = file.stat()
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert file.stat().st_size == seen.st_size


def _rename(site: Path) -> None:
    (site / "texts" / "track-my-request.yaml").rename(site / "texts" / "track-my-requesu.yaml")


CHANGES: dict[str, Callable[[Path], Any]] = {
    "a setting of the same length under its old stamp": lambda site: _same_size_and_stamp(
        site / "config" / "councils" / "torfaen.yaml", "Tor-faen", "Torfaen."
    ),
    "a council is gone": lambda site: (site / "config" / "councils" / "blaenau-gwent.yaml").unlink(),
    "a new mapping": lambda site: (site / "mappings" / "new.yaml").write_text("system: new\n", encoding="utf-8"),
    "a code list": lambda site: next((site / "codes").rglob("*.csv")).write_bytes(b""),
    "a file's name": _rename,
    "half of it": lambda site: kept(site)[0].write_bytes(kept(site)[0].read_bytes()[:-20]),
    "something else": lambda site: kept(site)[0].write_text('{"stamp": 1}', encoding="utf-8"),
    "not JSON": lambda site: kept(site)[0].write_text("stamp: 1", encoding="utf-8"),
    "others may read it": lambda site: kept(site)[0].chmod(0o644),
    "others may write it": lambda site: kept(site)[0].chmod(0o620),
    "a link to it": lambda site: kept(site)[0].symlink_to(kept(site)[0].rename(site / "var" / "elsewhere")),
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Path]]:
    """A site, built once; calling it keeps an outline of its files as they are, and gives its folder."""
    root = tmp_path_factory.mktemp("outline").resolve() / "site"
    shutil.copytree(ROOT / "config" / "example", root, ignore=shutil.ignore_patterns("var"))
    laid = composition.load(root)
    with closing(composition.build(laid)) as plant:

        def keep() -> Path:
            for file in kept(root):
                file.unlink()
            outline.keep(laid, plant, outline.stamp(root))
            assert outline.read(root, outline.stamp(root)) is not None
            return root

        yield keep


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_changed_it_is_not_believed(built: Callable[[], Path], what: str) -> None:
    root = built()
    CHANGES[what](root)
    assert outline.read(root, outline.stamp(root)) is None


def test_another_account_s_is_not_believed(built: Callable[[], Path]) -> None:
    root = built()
    if os.geteuid() == 0:
        os.chown(kept(root)[0], 12345, -1)
        assert outline.read(root, outline.stamp(root)) is None
    else:  # nobody else can give a file away; this one is root's
        with pytest.raises(ValueError, match="another account's"):
            outline._own_bytes(Path("/etc/passwd"))


def test_what_changes_while_the_files_are_read_is_not_kept_as_what_they_say(built: Callable[[], Path]) -> None:
    root = built()
    before = outline.stamp(root)
    laid = composition.load(root)
    for file in kept(root):
        file.unlink()
    next((root / "codes").rglob("*.csv")).touch()
    with closing(composition.build(laid)) as plant:
        outline.keep(laid, plant, before)
    assert kept(root) == []


def test_the_address_of_a_server_is_not_kept_for_it_may_hold_a_login(site: Path) -> None:
    laid = composition.load(site)
    with closing(composition.build(laid)) as plant:
        for store in ("postgresql://dolen:word@127.0.0.1/keys", "postgresql://127.0.0.1/keys?password=word"):
            keys = laid.settings.keys.model_copy(update={"store": store})
            other = replace(laid, settings=laid.settings.model_copy(update={"keys": keys}))
            outline.keep(other, plant, outline.stamp(laid.root))
            assert kept(site) == []
        outline.keep(laid, plant, outline.stamp(laid.root))
    assert len(kept(site)) == 1


def test_tomorrow_the_files_are_read_again(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not looked(site)
    assert looked(site)
    now = SystemClock.now
    monkeypatch.setattr(SystemClock, "now", lambda self: now(self) + DAY * 1_000_000)
    assert not looked(site), "what is in force may be other rows"
    assert looked(site)


def test_a_reference_that_leads_nowhere_any_more_is_told_as_always(site: Path) -> None:
    (site / "clamd").write_text("tcp://127.0.0.1:3310", encoding="utf-8")
    settings(site, 'scanner: {clamd: "file:clamd"}\n')
    assert not looked(site)
    assert looked(site)
    (site / "clamd").unlink()
    root = site.resolve()
    assert outline.read(root, outline.stamp(root)) is None


def test_a_council_that_is_kept_out_is_told_each_time(site: Path) -> None:
    file = site / "config" / "councils" / "torfaen.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("mapping: ", "mapping: no-such-", 1), encoding="utf-8")
    first, again = twice(site)
    assert "torfaen" not in {one["council"] for one in json.loads(again.stdout)["connections"]}
    assert first.stderr == again.stderr
    assert "config/councils/torfaen.yaml:" in again.stderr


def test_whoever_s_role_was_taken_sees_nothing_from_that_moment(site: Path) -> None:
    file = site / "config" / "dolen.yaml"
    before = file.read_text(encoding="utf-8")
    role = "access: {{roles: [{{role: viewer, councils: [{0}], accounts: [{1}]}}]}}\n"
    file.write_text(before + role.format("torfaen", account()), encoding="utf-8")
    first, again = twice(site)
    assert {one["council"] for one in json.loads(again.stdout)["connections"]} == {"torfaen"}
    assert first.stdout == again.stdout
    file.write_text(before + role.format("blaenau-gwent", account()), encoding="utf-8")
    assert {one["council"] for one in json.loads(status(site, "--json").stdout)["connections"]} == {"blaenau-gwent"}
    file.write_text(before + role.format("torfaen", "somebody-else"), encoding="utf-8")
    for _ in range(2):  # from the files, and from what was kept
        refused = status(site)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert "it takes a role for that council" in refused.stderr
    assert looked(site)


def test_restricted_referrals_are_counted_for_nobody_who_may_not_see_them(bench: Bench) -> None:
    site = bench.folder
    settings(site, f"access: {{roles: [{{role: operator, councils: [torfaen], accounts: [{account()}]}}]}}\n")
    bench.take(bench.request("C-1"), bench.request("C-9", flags__restricted=True, customer__last_name="Cudd"))
    bench.take(bench.request("B-1"), council="blaenau-gwent")
    assert overview.look(bench.plant).referrals == 3
    first, again = twice(site)
    told = json.loads(again.stdout)
    assert told["referrals"] == 1
    assert told["deliveries"] == {"waiting": 1}
    assert told["late"] == json.loads(first.stdout)["late"]
    assert json.loads(first.stdout) == told


def test_a_live_site_that_would_speak_in_clear_is_refused_all_the_same(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKER", "memory://")
    file = site / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8").replace("stage: test", "stage: live", 1).replace("memory://", "env:BROKER")
    file.write_text(re.sub("(?m)^residents_only_to:.*$", "", text), encoding="utf-8")
    with closing(onlooking(site)) as plant:
        assert plant.stage == "live"
    assert looked(site)
    monkeypatch.setenv("BROKER", "amqp://broker.example.org/dolen")
    with pytest.raises(SiteFaults, match="a broker on another machine"):
        onlooking(site)


def test_whose_system_may_call_us_is_told_both_ways(tmp_path: Path) -> None:
    site = lay_out_pushing(tmp_path / "rig", {"alder": "A"}, "http://127.0.0.1:9", port=0, carries="record")
    file = site / "config" / "dolen.yaml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join("data: var" if one.startswith("data:") else one for one in lines), encoding="utf-8")
    first, again = twice(site)
    calls = json.loads(first.stdout)["calls"]
    assert [(one["council"], one["connection"], one["last"]) for one in calls] == [("alder", "desk", None)]
    assert json.loads(again.stdout) == json.loads(first.stdout)
