"""Sending again with another mapping: what was chosen is used, told and kept, and order stays as it was."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.findings import SiteFaults
from pipelines import audit, desk, showing, story
from pipelines.choosing import ORIGINAL, Chooser
from pipelines.decision import Decision, Do
from pipelines.looking import NotPossible
from pipelines.previewing import preview_version
from pipelines.sending import Result, Sender

pytest_plugins = ("tests.pipelines.pieces",)

WHO = {"who": "ann", "why": "agreed with the practice lead"}
ROOT = Path(__file__).parents[2]
PRIORITIES = ROOT / "mappings/shipped/codes/contact-priority.csv"
#: A case mapping that writes no reason, and reads nothing otherwise.
CANDIDATE = "extends: casework/referral\nfields:\n  - {ours: reason.text, drop: true}\n"


def priorities(folder: Path, *more: str) -> Path:
    """The code list of priorities with rows more, as a file that is not live."""
    file = folder / "contact-priority.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(PRIORITIES.read_text(encoding="utf-8") + "".join(f"{row}\n" for row in more), encoding="utf-8")
    return file


def candidate(folder: Path, text: str = CANDIDATE) -> str:
    file = folder / "proposed.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def lane(bench: Any) -> str:
    return str(bench.rows("delivery", connection="casework")[-1].lane)


def stopped(bench: Any, **changes: Any) -> str:
    bench.take(bench.request(priority="tomorrow", **changes))
    return f"v{bench.rows('version')[-1].id}"


def refused(bench: Any, minute: int = 0, **changes: Any) -> str:
    """A delivery that casework refused; its try is written with the case mapping of that moment."""
    bench.take(bench.request(minute=minute, **changes))
    job = bench.job(lane(bench))
    result = Sender(bench.plant, bench.council).send(job)  # nobody answers at that address
    assert result.request
    result.decision, result.error, result.words = Decision(Do.ATTENTION), "Rejected", "the reason is too long"
    assert bench.write(result)
    return f"d{job.row.id}"


def sent_with(bench: Any) -> tuple[dict[str, Any], str]:
    """What a worker would send now, as another process would: from the ledger alone. And the mapping's digest."""
    bench.restart()
    sender, job = Sender(bench.plant, bench.council), bench.job(lane(bench), "boot-2/1")
    (known,) = sender.prepare([job])
    result = sender.send(job, replace(known, asked_before=False))  # as if the target said that it is not there
    result.decision = Decision(Do.ATTENTION)
    bench.write(result)
    return json.loads(result.request), result.mapping


def told(bench: Any) -> str:
    return " ".join(line.words for line in story.tell(bench.plant, bench.row("referral").id).lines)


class TestVersions:
    def test_a_code_list_that_is_not_live_lets_one_record_through(self, bench: Any, tmp_path: Path) -> None:
        id = stopped(bench)
        file = priorities(tmp_path / "proposed", "tomorrow,urgent,read,,,,,")
        chooser = Chooser(bench.plant, str(file))
        seen = preview_version(bench.plant, id, chooser)
        assert ("priority", "newly carried") in seen.differs
        assert bench.row("version").state == "needs attention"
        assert desk.replay(bench.plant, [id], chooser=chooser, **WHO).done == [id]
        row = bench.row("version")
        assert row.state == "merged"
        assert bench.facts()["priority"] == "urgent"
        live = bench.council.wired["contact"].kinds["Request"].mapping.digest
        assert row.mapping != live
        assert row.mapping in {kept.digest for kept in bench.rows("artifact")}
        [line] = bench.rows("audit")
        assert line.action == f"send again (candidate mapping {row.mapping[:12]})"
        assert line.detail == {"mapping": row.mapping}
        assert audit.verify(bench.plant.ledger, bench.vault) is None
        assert "ann: send again (candidate mapping" in told(bench)
        assert f"mapping {row.mapping[:12]}" in told(bench)
        assert showing.show(bench.plant, id).mapping == row.mapping
        assert bench.states(bench.request("C-2", priority="tomorrow")) == ["needs attention"]  # live it is not

    def test_original_reads_as_it_was_read_then(self, bench: Any) -> None:
        """Broken by compiling today's files under the old name."""
        id = stopped(bench)
        priorities(bench.folder / "codes", "tomorrow,urgent,read,,,,,")
        bench.restart()
        original = Chooser(bench.plant, ORIGINAL)
        assert desk.replay(bench.plant, [id], chooser=original, **WHO).done == [id]
        assert bench.row("version").state == "needs attention"
        assert desk.replay(bench.plant, [id], **WHO).done == [id]
        assert bench.row("version").state == "merged"
        asked = [row.action.partition(" mapping")[0] for row in bench.rows("audit")]
        assert asked == ["send again (original", "send again"]

    def test_an_older_version_stays_behind_a_newer_one_whatever_it_is_read_with(
        self, bench: Any, tmp_path: Path
    ) -> None:
        id = stopped(bench)
        assert bench.states(bench.request(minute=5, customer__last_name="Pugh")) == ["merged"]
        chooser = Chooser(bench.plant, str(priorities(tmp_path / "proposed", "tomorrow,urgent,read,,,,,")))
        done = desk.replay(bench.plant, [id], chooser=chooser, **WHO)
        assert done.done == []
        assert "replaced" in done.not_done[0][1]
        assert bench.facts()["person.name.family"] == "Pugh"


class TestDeliveries:
    def test_a_candidate_is_sent_by_whoever_works_next(self, bench: Any, tmp_path: Path) -> None:
        """Broken by keeping the choice in the memory of the process that was asked."""
        id = refused(bench)
        chooser = Chooser(bench.plant, candidate(tmp_path))
        seen = desk.preview(bench.plant, id, chooser)
        assert ("Reason", "no longer carried") in seen.differs
        assert seen.against == "what was sent before"
        assert desk.replay(bench.plant, [id], chooser=chooser, **WHO).done == [id]
        assert dict(desk.preview(bench.plant, id).fields).get("Reason") is None
        shown = showing.show(bench.plant, id)
        assert shown.chosen
        record, digest = sent_with(bench)
        assert "Reason" not in record
        assert digest == shown.mapping == bench.row("delivery", id=int(id[1:])).mapping
        assert f"; mapping {digest[:12]}" in told(bench)
        # The next time without a word: today's mapping, and what was refused before goes along again.
        assert desk.replay(bench.plant, [id], **WHO).done == [id]
        record, _ = sent_with(bench)
        assert record["Reason"]

    def test_original_is_what_it_was_written_with_though_the_site_has_another_today(self, bench: Any) -> None:
        id = refused(bench)
        own = bench.folder / "mappings" / "casework" / "referral.yaml"
        own.parent.mkdir(parents=True)
        text = (ROOT / "mappings/shipped/casework/referral.yaml").read_text(encoding="utf-8")
        own.write_text(text.replace("theirs: Reason,", "direction: read, theirs: Reason,"), encoding="utf-8")
        bench.restart()
        assert "Reason" not in dict(desk.preview(bench.plant, id).fields)
        assert desk.preview(bench.plant, id, Chooser(bench.plant, ORIGINAL)).against == "it is what was sent before"
        assert desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, ORIGINAL), **WHO).done == [id]
        record, digest = sent_with(bench)
        assert record["Reason"]
        assert digest != bench.council.wired["casework"].kinds["Referral"].mapping.digest

    def test_a_newer_revision_takes_its_place_and_goes_with_todays_mapping(self, bench: Any, tmp_path: Path) -> None:
        """Broken by carrying a person's choice over to what she never saw."""
        id = refused(bench)
        desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, candidate(tmp_path)), **WHO)
        bench.take(bench.request(minute=3, customer__last_name="Pugh"))
        assert bench.deliveries("casework") == ["replaced", "waiting"]
        record, digest = sent_with(bench)
        assert record["Subject"]["Surname"] == "Pugh"
        assert record["Reason"]
        assert digest == bench.council.wired["casework"].kinds["Referral"].mapping.digest

    def test_a_choice_that_cannot_be_run_any_more_needs_attention_and_is_not_guessed(
        self, bench: Any, tmp_path: Path
    ) -> None:
        from sqlalchemy import delete

        from pipelines.tables import artifact

        id = refused(bench)
        desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, candidate(tmp_path)), **WHO)
        with bench.writing() as connection:
            connection.execute(delete(artifact).where(artifact.c.digest == bench.rows("delivery")[-1].mapping))
        bench.restart()
        result = Sender(bench.plant, bench.council).send(bench.job(lane(bench)))
        assert not result.request
        assert result.decision is not None
        assert result.decision.do is Do.ATTENTION
        assert "nothing is kept under" in result.words
        assert bench.write(result)
        with pytest.raises(NotPossible, match="nothing is kept under"):
            desk.preview(bench.plant, id)


class TestWhatCannotBeChosen:
    def test_what_was_never_tried_has_no_original(self, bench: Any) -> None:
        bench.take(bench.request())
        job = bench.job(lane(bench))
        assert bench.write(Result(job, error="Rejected", words="no", decision=Decision(Do.ATTENTION)))
        done = desk.replay(bench.plant, [f"d{job.row.id}"], chooser=Chooser(bench.plant, ORIGINAL), **WHO)
        assert "was never mapped" in done.not_done[0][1]
        assert bench.deliveries() == ["needs attention"]

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("extends: contact/request\nfields:\n  - {ours: reason.text, drop: true}\n", "is about contact Request"),
            (None, "there is no file"),
        ],
    )
    def test_a_file_about_something_else_is_refused(
        self, bench: Any, tmp_path: Path, text: str | None, why: str
    ) -> None:
        id = refused(bench)
        file = candidate(tmp_path, text) if text else str(tmp_path / "gone.yaml")
        done = desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, file), **WHO)
        assert why in done.not_done[0][1]
        assert bench.deliveries() == ["needs attention"]

    def test_a_list_that_the_mapping_does_not_use_is_refused(self, bench: Any, tmp_path: Path) -> None:
        id = refused(bench)
        chooser = Chooser(bench.plant, str(priorities(tmp_path)))
        done = desk.replay(bench.plant, [id], chooser=chooser, **WHO)
        assert "uses no code list contact-priority" in done.not_done[0][1]

    @pytest.mark.parametrize(
        ("name", "text", "line"),
        [
            ("proposed.yaml", "extends: casework/referral\nfields:\n  - {ours: reason.txt, theirs: Reason}\n", 3),
            ("proposed.yaml", "extends: casework/referral\nfields: [\n", 3),
            ("casework-priority.csv", "theirs,ours\nP1,urgent\nP1,routine\n", 3),
        ],
    )
    def test_what_is_wrong_with_a_file_is_told_by_its_line(
        self, bench: Any, tmp_path: Path, name: str, text: str, line: int
    ) -> None:
        id = refused(bench)
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SiteFaults) as faults:
            desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, str(file)), **WHO)
        assert (faults.value.findings[0].file, faults.value.findings[0].line) == (name, line)
        assert bench.deliveries() == ["needs attention"]
        assert bench.rows("audit") == []

    def test_a_file_that_says_what_is_live_is_todays(self, bench: Any, tmp_path: Path) -> None:
        id = refused(bench)
        text = (ROOT / "mappings/shipped/casework/referral.yaml").read_text(encoding="utf-8")
        desk.replay(bench.plant, [id], chooser=Chooser(bench.plant, candidate(tmp_path, text)), **WHO)
        assert bench.rows("delivery")[-1].mapping == ""
        assert bench.rows("audit")[-1].action == "send again"
