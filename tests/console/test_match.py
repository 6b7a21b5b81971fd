"""The first day on the command line: a plan until somebody says go and why; and going live waits for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.roles_given import give

BOTH = ("contact", "casework")


#: What an officer who types a request in looks for in it, beside what the console's tests write.
MORE = {
    "updates": {"opted_in": None, "asked_at": None},
    "transport_needs": None,
    "language": {"letters": "cy", "speech": None, "interpreter": False},
    "referred_by": {
        "kind": "self", "name": None, "relationship": None, "organisation": None, "mobile": None, "wants_updates": None,
        "customer_agrees": None,
    },
}  # fmt: skip


@pytest.fixture
def old(live: Any, request_record: dict[str, Any]) -> Any:
    """Two requests that both systems hold from before, and one that only the contact centre has."""
    for letter in "ABC":
        one = json.loads(json.dumps(request_record | MORE))
        one["customer"]["last_name"] = f"O'Neill-{letter}"
        live.control("POST", "torfaen/contact/records", one)
    for number in ("C-000001", "C-000002"):
        live.control("POST", "torfaen/casework/type-in", {"from_contact": number})
    return live


def goes_live(site: Any) -> None:
    file = site.folder / "config" / "dolen.yaml"
    text = file.read_text(encoding="utf-8").replace("stage: test", "stage: live")
    text = text.replace('residents_only_to: ["+447700900*"]\n', "")
    duty = "alerts: {duty: {name: Duty desk, webhook: {url: http://127.0.0.1:9/duty}}}\n"
    file.write_text(re.sub(r"(?m)^alerts:.*\n(?:  .*\n)*", "", text) + duty, encoding="utf-8")
    give(site.folder)
    words = site.folder / "texts" / "track-my-request.yaml"
    checked = "channel: text\nwelsh_checked: {by: A. Checker, on: 2026-11-30}\n"
    read = words.read_text(encoding="utf-8").replace("channel: text\n", checked)
    words.write_text(read, encoding="utf-8")


def test_from_the_first_look_to_going_live(old: Any) -> None:
    found = old.json("match", *BOTH)
    assert [(pair["one"], pair["other"]) for pair in found["pairs"]] == [
        ("C-000001", "R0000001"), ("C-000002", "R0000002"),
    ]  # fmt: skip
    assert [line["number"] for line in found["alone"]] == ["C-000003"]
    assert old.json("status")["referrals"] == 0

    goes_live(old)
    refused = old.dolen("run")
    assert refused.returncode == 2
    assert "dolen match torfaen/contact torfaen/casework" in refused.stderr
    assert any("dolen match" in one["remedy"] for one in old.json("check", code=1))

    unexplained = old.dolen("match", *BOTH, "--go")
    assert unexplained.returncode == 2
    assert "a reason is needed" in unexplained.stderr
    done = old.dolen("match", *BOTH, "--go", said="y diwrnod cyntaf")
    assert done.returncode == 0, done.stderr
    assert "2 pairs written" in done.stdout
    assert "going live no longer waits" in done.stdout
    assert not any(name in done.stdout for name in ("O'Neill", "Siân"))

    assert not any("dolen match" in one["remedy"] for one in old.json("check"))
    with old.running():
        old.until_arrived(2)  # the one that was alone, and its number on the way back
    assert len(old.control("GET", "torfaen/casework/records")["records"]) == 3
    assert len(old.control("GET", "torfaen/contact/records")["records"]) == 3
    assert old.dolen("sync", "contact").returncode == 0  # what we wrote there last may not have been read yet
    (proved,) = old.json("reconcile", "contact-to-casework")
    assert (proved["agrees"], proved["compared"]) == (True, 3)


def test_a_list_pairs_by_hand(old: Any, tmp_path: Path) -> None:
    for number in ("R0000001", "R0000002"):
        old.control("PATCH", f"torfaen/casework/records/{number}", {"SourceReference": None})
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("casework,contact\nR0000001,C-000001\nR0000002,C-9\n", encoding="utf-8")
    found = old.json("match", *BOTH, "--csv", str(pairs), code=1)
    assert [(pair["one"], pair["other"]) for pair in found["pairs"]] == [("C-000001", "R0000001")]
    assert [line["number"] for line in found["unknown"]] == ["C-9"]
    done = old.json("match", *BOTH, "--csv", str(pairs), "--go", said="rhestr y tîm", code=1)
    assert (done["written"]["paired"], done["written"]["complete"]) == (1, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("contact", "contact"), "two different connections"),
        ((*BOTH, "--go", "--dry-run"), "one of --go and --dry-run"),
        ((*BOTH, "--rest-is-apart"), "belongs to --go"),
        ((*BOTH, "--by", "person.name.family"), "no exact identifier"),
        (("contact", "texts"), "cannot be walked through"),
        (("contact", "nobody"), "No connection has that name"),
        ((*BOTH, "--csv", "nowhere.csv"), "The file system refused"),
    ],
)
def test_what_cannot_be_matched_is_one_sentence(torfaen: Any, arguments: tuple[str, ...], words: str) -> None:
    done = torfaen.dolen("match", *arguments)
    assert done.returncode in (1, 2)
    assert words in done.stderr


def test_a_site_of_which_one_council_is_not_ready_runs_the_others(bare: Any, replaced: Any) -> None:
    """Going live is each council's own: one that has not matched is left out, and says so."""
    goes_live(bare)
    replaced(bare.folder, "    carries: state\n", "    carries: state\n    first_day: nothing-to-match\n")
    replaced(bare.folder, "every: PT2S", 'cron: "0 0 1 1 *"')
    process = bare.start("run")
    try:
        assert process.stdout is not None
        assert "1 council" in process.stdout.readline()
    finally:
        process.terminate()
        _, told = process.communicate(timeout=60)
    assert "blaenau-gwent cannot go live" in told
    assert "neath-port-talbot cannot go live" in told
    assert "torfaen cannot go live" not in told
