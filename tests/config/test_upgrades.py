"""From an older format to today's: values and comments stay, what only a person knows is told, nothing is half done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from config.editing import CannotChange, entries_replaced
from config.findings import Severity, SiteFaults, errors
from config.settings import SCHEMA_VERSION
from config.site import Site, load_site
from config.upgrades.upgrade import STEPS, Plan, plan, with_upgrades, write

ON = date(2026, 11, 30)
SITE_FILE, COUNCIL_FILE = "config/dolen.yaml", "config/councils/torfaen.yaml"
ALERTS = "alerts:\n  webhook: env:DOLEN_ALERT_URL   # the chat\n  attention_after: PT2H\n"


def planned(site: Path) -> Plan:
    return plan(site, author="A. Officer", reason="a new Dolen", on=ON)


@pytest.fixture
def old(site: Path) -> Path:
    """The example site as it was written in format 1."""
    file = site / SITE_FILE
    text = re.sub(r"(?m)^alerts: .*\n", ALERTS, file.read_text(encoding="utf-8"))
    file.write_text(text.replace("schema_version: 2", "schema_version: 1  # ours"), encoding="utf-8")
    file = site / COUNCIL_FILE
    text = file.read_text(encoding="utf-8")
    new = "    recipients:\n      - {who: person}\n"
    assert new in text
    file.write_text(text.replace(new, "    recipient: person  # who asked\n"), encoding="utf-8")
    return site


def test_there_is_a_step_from_each_older_format() -> None:
    assert sorted(STEPS) == list(range(1, SCHEMA_VERSION))


def test_an_old_site_is_brought_up_to_date(old: Path) -> None:
    one = planned(old)
    assert one.version == 1
    assert [file.name for file in one.files] == [COUNCIL_FILE, SITE_FILE], "the number of the format is written last"
    lines = [line for file in one.files for line in file.difference() if line[:1] in "+-" and line[:3] not in "+++---"]
    said = "# 2026-11-30 A. Officer: a new Dolen"
    assert lines == [
        "-    recipient: person  # who asked",
        f"+    {said}",
        "+    recipients: [{who: person}]  # who asked",
        "-schema_version: 1  # ours",
        f"+{said}",
        "+schema_version: 2  # ours",
        "-  webhook: env:DOLEN_ALERT_URL   # the chat",
        "-  attention_after: PT2H",
        f"+  {said}",
        '+  webhooks: [{url: "env:DOLEN_ALERT_URL"}]   # the chat',
        f"+  {said}",
        "+  when: {attention_after: PT2H}",
    ]
    write(one)
    site = load_site(old)
    assert not errors(site.findings)
    assert site.settings.alerts.webhooks[0].url == "env:DOLEN_ALERT_URL"
    assert site.settings.alerts.when.attention_after.total_seconds() == 7200
    assert [row.who for route in site.councils["torfaen"].settings.routes for row in route.recipients] == ["person"]
    assert not planned(old).files


def test_one_that_was_cut_off_goes_on(old: Path) -> None:
    whole = planned(old)
    write(Plan(1, whole.files[:1], ()))
    assert [file.name for file in planned(old).files] == [SITE_FILE]
    write(planned(old))
    assert not errors(load_site(old).findings)


def test_what_only_a_person_knows_stops_all_of_it(old: Path) -> None:
    file = old / SITE_FILE
    before = file.read_text(encoding="utf-8")
    file.write_text(before + "  mail_server: mail.example.org:25\n" if before.endswith(ALERTS) else before.replace(
        ALERTS, f"{ALERTS}  mail_server: mail.example.org:25\n"), encoding="utf-8")  # fmt: skip
    one = planned(old)
    (said,) = one.by_hand
    assert (said.file, said.key) == (SITE_FILE, "alerts.mail_server")
    assert "mail_server" in file.read_text(encoding="utf-8").splitlines()[said.line - 1]
    assert "mail: {host:" in said.remedy
    with pytest.raises(CannotChange, match="by hand first"):
        write(one)
    assert "webhook: env" in file.read_text(encoding="utf-8")


def test_an_old_key_beside_its_new_one_is_for_a_person(old: Path, spoil: Callable[[str, str, str], None]) -> None:
    spoil(COUNCIL_FILE, "    recipient: person", "    recipients: [{who: family}]\n    recipient: person")
    assert [one.key for one in planned(old).by_hand] == ["routes[2].recipient"]


def test_check_tells_what_is_old_once_and_how_to_mend_it(old: Path) -> None:
    with pytest.raises(SiteFaults) as refused:
        load_site(old)
    found = with_upgrades(old, refused.value.findings)
    told = {(one.file, one.key): one.severity for one in found}
    assert told == {
        (SITE_FILE, "schema_version"): Severity.WARNING,
        (SITE_FILE, "alerts.webhook"): Severity.ERROR,
        (SITE_FILE, "alerts.attention_after"): Severity.ERROR,
        (COUNCIL_FILE, "routes[2].recipient"): Severity.ERROR,
    }
    assert all(one.remedy == "run: dolen site upgrade" and one.line for one in found)


def test_a_site_of_today_is_left_alone(site: Path, load: Callable[[], Site]) -> None:
    assert not planned(site).files
    assert with_upgrades(site, load().findings) == list(load().findings)


def test_a_newer_site_is_refused_in_a_sentence(site: Path, spoil: Callable[[str, str, str], None]) -> None:
    spoil(SITE_FILE, "schema_version: 2", "schema_version: 7\nholograms: true")
    with pytest.raises(CannotChange, match="format 7, of a newer Dolen"):
        planned(site)
    with pytest.raises(SiteFaults) as refused:
        load_site(site)
    (said,) = [one for one in refused.value.findings if one.file == SITE_FILE]
    assert "format 7, of a newer Dolen" in str(said)
    assert (said.key, said.found) == ("schema_version", "format 7, of a newer Dolen")


def test_a_file_that_changed_meanwhile_is_not_written_over(old: Path, spoil: Callable[[str, str, str], None]) -> None:
    one = planned(old)
    spoil(SITE_FILE, "PT2H", "PT3H")
    with pytest.raises(CannotChange, match="at the same time"):
        write(one)
    assert "PT3H" in (old / SITE_FILE).read_text(encoding="utf-8")


@pytest.mark.parametrize("ends", [b"\n", b"\r\n"])
def test_line_ends_and_the_mark_of_windows_stay(ends: bytes) -> None:
    raw = b"\xef\xbb\xbfa: {b: 'x', c: 2}  # why" + ends + b"d: 1" + ends
    made = entries_replaced(
        raw, Path("f.yaml"), {("a", "b"): ("e", [{"f": "x y"}])}, author="A", reason="r", on=ON
    )
    assert made == (
        b"\xef\xbb\xbf# 2026-11-30 A: r" + ends + b'a: {e: [{f: "x y"}], c: 2}  # why' + ends + b"d: 1" + ends
    )


@pytest.mark.parametrize("text", ["a: {b: 1}\n", "a: [1]\n", "a: |\n  many\n  lines\n", "a: 1\nb: 2\n"])
def test_what_is_not_one_value_is_not_touched(text: str) -> None:
    with pytest.raises(CannotChange, match="by hand"):
        entries_replaced(text.encode(), Path("f.yaml"), {("a",): ("b", 1)}, author="A", reason="r", on=ON)
