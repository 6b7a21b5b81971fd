"""What things were done with is kept as long as anything names it, can be run again, and is dropped in one place."""

import json
from typing import Any

import pytest
from sqlalchemy import update

from mappings.kept import CannotRun
from pipelines import artifacts, composition
from pipelines.artifacts import Sweeper
from pipelines.decision import Decision, Do
from pipelines.intake import Intake
from pipelines.sending import Sender
from pipelines.tables import version

pytest_plugins = ("tests.pipelines.pieces",)

DAY = 86_400


def kinds(bench: Any) -> dict[str, str]:
    return {row.digest: row.kind for row in bench.rows("artifact")}


def body(bench: Any, digest: str) -> bytes:
    with bench.reading() as connection:
        return artifacts.bodies(connection)(digest)


def sweep(bench: Any) -> None:
    Sweeper(bench.plant)(None)  # type: ignore[arg-type]  # it asks nothing of the runs


def lane(bench: Any, target: str = "casework") -> str:
    return str(bench.rows("delivery", connection=target)[-1].lane)


def test_a_version_names_what_it_was_read_with_and_all_of_it_is_kept(bench: Any) -> None:
    """Mapping, code lists, profile and interface, in the transaction of the version itself."""
    bench.take(bench.request())
    row, kept = bench.row("version"), kinds(bench)
    assert (kept[row.mapping], kept[row.profile]) == ("mapping", "profile")
    lists = json.loads(body(bench, row.mapping))["codes"]
    assert {kept[digest] for digest in lists.values()} == {"codes"}
    profile = json.loads(body(bench, row.profile))
    assert (profile["name"], profile["profile"]["system"]) == ("contact", "contact")
    [(file, digest)] = profile["interfaces"].items()
    assert kept[digest] == "interface"
    assert body(bench, digest) == composition.load(bench.folder).layers.read("interfaces", file)


def test_a_try_names_what_it_was_written_with_though_its_target_was_never_read(bench: Any) -> None:
    """Broken by keeping artifacts at intake alone: the case system's mapping was in no ledger."""
    bench.take(bench.request())
    bench.plant.councils["torfaen"].wired["casework"].close()
    job = bench.job(lane(bench))
    result = Sender(bench.plant, bench.council).send(job)  # nobody answers at that address
    result.decision = Decision(Do.ATTENTION)
    assert bench.write(result)
    tried, kept = bench.row("attempt"), kinds(bench)
    assert (kept[tried.mapping], kept[tried.profile]) == ("mapping", "profile")
    assert json.loads(body(bench, tried.mapping))["name"] == "casework/referral"
    assert set(json.loads(body(bench, tried.mapping))["codes"].values()) <= kept.keys()


def test_a_text_names_the_words_that_it_was_sent_by(bench: Any) -> None:
    rules = bench.council.texts["track-my-request"]
    assert json.loads(rules.body)["statuses"].keys() == rules.templates.keys()
    assert artifacts.digest_of(rules.body) == rules.digest


def test_what_is_kept_runs_again_without_the_site(bench: Any) -> None:
    bench.take(bench.request())
    digest = bench.row("version").mapping
    for file in bench.folder.rglob("*.csv"):
        file.unlink()
    found = bench.plant.kept.mapping(bench.plant.ledger, digest)
    live = bench.council.wired["contact"].kinds["Request"].mapping
    assert found is not live
    assert found.read(bench.request().record).facts == live.read(bench.request().record).facts
    with pytest.raises(CannotRun, match="nothing is kept"):
        bench.plant.kept.mapping(bench.plant.ledger, "0" * 64)


def test_a_page_that_is_rolled_back_has_kept_nothing_and_the_next_one_keeps_it(bench: Any) -> None:
    """Broken by remembering what was kept before the commit: the next page's version named nothing."""

    def away(_connection: Any) -> None:
        raise KeyboardInterrupt

    wired = bench.council.wired["contact"]
    intake = Intake(bench.plant, bench.council)
    with pytest.raises(KeyboardInterrupt):
        intake.take(wired, wired.kinds["Request"], [bench.request()], place=away)
    assert bench.rows("artifact") == bench.rows("version") == []
    intake.take(wired, wired.kinds["Request"], [bench.request()])
    assert bench.row("version").mapping in kinds(bench)


def test_only_what_nothing_names_is_dropped_and_not_before_a_day(bench: Any) -> None:
    """Broken by dropping what a mapping or profile names in turn, and by dropping what was kept a moment ago."""
    bench.take(bench.request())
    named = kinds(bench)
    with bench.writing() as connection:
        artifacts.keep(connection, {artifacts.digest_of(b"old"): ("text", b"old")}, bench.clock.now())
    sweep(bench)
    assert kinds(bench).keys() - named.keys() == {artifacts.digest_of(b"old")}
    bench.clock.pass_by(DAY + 60)
    sweep(bench)
    assert kinds(bench) == named


def test_what_a_process_still_uses_is_kept_anew(bench: Any) -> None:
    """A process that keeps a thing once and names it again weeks later: the sweep must see that it is in use."""
    bench.take(bench.request())
    digest = bench.row("version").mapping
    with bench.writing() as connection:
        connection.execute(update(version).values(mapping="", profile=""))
    bench.clock.pass_by(DAY + 60)
    intake_again = bench.states(bench.request("C-2"))
    assert intake_again == ["merged"]
    with bench.writing() as connection:
        connection.execute(update(version).values(mapping="", profile=""))
    bench.clock.pass_by(DAY // 2)
    sweep(bench)
    assert digest in kinds(bench)
    bench.clock.pass_by(DAY + 60)
    sweep(bench)
    assert digest not in kinds(bench)


def test_a_file_that_is_no_text_is_kept_byte_for_byte(bench: Any) -> None:
    for content in ("ŵ".encode("utf-16"), b"\xff\xfe\x00", b"base64:not", b"", "Llŷr".encode()):
        digest = artifacts.digest_of(content)
        with bench.writing() as connection:
            artifacts.keep(connection, {digest: ("interface", content)}, bench.clock.now())
        assert body(bench, digest) == content


def test_the_scheduler_sweeps_once_a_day(bench: Any) -> None:
    sweep(bench)
    swept = {row.name: row.value for row in bench.rows("meta")}[artifacts.SWEPT]
    bench.clock.pass_by(DAY // 2)
    sweep(bench)
    assert {row.name: row.value for row in bench.rows("meta")}[artifacts.SWEPT] == swept
    bench.clock.pass_by(DAY)
    sweep(bench)
    assert {row.name: row.value for row in bench.rows("meta")}[artifacts.SWEPT] != swept
