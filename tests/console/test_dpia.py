"""`dolen dpia`: what a council pastes into its assessment is what its routes do, and the page tells what is not said.

Meant to catch fields that another system gave, left out of a flow (the case system's own reason of the outcome).
"""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import html5lib
import pytest
from lxml import etree

from console.cells import cell
from console.dpia import page, picture, table
from mappings.meta import Sensitivity
from pipelines.dpia import SHADOW, Pack, flows_of, packs

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config/example"


@pytest.fixture(scope="module")
def torfaen() -> Pack:
    return packs(EXAMPLE, "torfaen")[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dpia")
    command = [sys.executable, "-m", "console", "dpia", str(folder / "new"), "--site", str(EXAMPLE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=90)
    assert (done.returncode, done.stdout) == (0, f"21 files written to {folder / 'new'}.\n")
    return folder / "new"


def test_each_route_is_a_flow_with_every_field_that_the_target_is_sent(torfaen: Pack) -> None:
    routes = [flow.route for flow in torfaen.flows]
    assert routes == ["contact-to-casework", "casework-to-contact", "tell-the-resident"]
    there = {one.ours: one for one in torfaen.flows[0].fields}
    number = there["person.nhs_number"]
    assert (number.from_, number.to) == ("customer/nhs_number", "Subject/NHSNumber")
    assert there["needs[].code"].sensitivity is Sensitivity.SPECIAL
    assert there["outcome_reason"].from_ == ""  # the case system's own word comes back through us
    assert torfaen.flows[0].strictest is Sensitivity.SPECIAL
    assert {one.ours for one in torfaen.flows[2].fields} == {
        "citizen_reference", "language.correspondence", "person.telecom[system=phone,use=mobile].value", "status",
    }  # fmt: skip


def test_what_is_sent_and_what_is_written_down_are_the_same(torfaen: Pack) -> None:
    """Against the golden pair of the target: each element that it writes from a field of ours has its line."""
    pair = json.loads((ROOT / "mappings/shipped/casework/golden/referral.full.json").read_bytes())

    def leaves(value: Any, at: str = "") -> set[str]:
        if isinstance(value, dict):
            return {leaf for key, inner in value.items() for leaf in leaves(inner, f"{at}/{key}".lstrip("/"))}
        if isinstance(value, list):
            return {leaf for inner in value for leaf in leaves(inner, at)}
        return {at}

    told = {one.to.replace("/.", "") for one in torfaen.flows[0].fields}
    ours = {"SourceReference", "ClientReference", "CorrelationId", "ResidentReference", "SourceSystem"}
    unlisted = {leaf for leaf in leaves(pair["write"]["record"]) if leaf.replace("/.", "") not in told} - ours
    assert unlisted == set()


def test_pages_in_both_languages(written: Path, torfaen: Pack) -> None:
    for language, heading in (("en", "Lawful basis"), ("cy", "Sail gyfreithlon")):
        text = (written / f"torfaen-dpia.{language}.html").read_text(encoding="utf-8")
        html5lib.HTMLParser(strict=True).parse(text)
        assert f'<html lang="{language}">' in text
        markdown = (written / f"torfaen-dpia.{language}.md").read_text(encoding="utf-8")
        for content in (text, markdown):
            assert heading in content
            assert "ISP-T-2026-1" in content
            assert "P90D" in content
        assert not re.search(r"(src|href)=", text)  # nothing is fetched
    assert "Welsh checker" not in (written / "torfaen-dpia.en.md").read_text(encoding="utf-8")


def test_the_picture_is_a_picture_and_runs_nothing(written: Path) -> None:
    for file in written.glob("*.svg"):
        root = etree.fromstring(file.read_bytes())
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert {etree.QName(one).localname for one in root.iter()} <= {
            "svg", "title", "desc", "defs", "marker", "path", "rect", "line", "text",
        }  # fmt: skip
        assert "contact-to-casework" in "".join(root.itertext())


def test_the_table_has_a_line_a_field(written: Path, torfaen: Pack) -> None:
    rows = list(csv.DictReader(io.StringIO((written / "torfaen-flows.csv").read_text(encoding="utf-8-sig"))))
    assert len(rows) == sum(len(flow.fields) for flow in torfaen.flows)
    assert {row["Owner / Perchennog"] for row in rows} == {"Head of Adult Services", "Head of Customer Services"}
    assert all(all(row.values()) for row in rows)


def test_a_shadow_has_a_line_of_its_own_behind_the_others(torfaen: Pack) -> None:
    pack = replace(torfaen, flows=(replace(torfaen.flows[0], mode=SHADOW), *torfaen.flows[1:]))
    assert [flow.route for flow in flows_of(pack)][-1] == "contact-to-casework"
    assert "sent to nobody" in page.markdown_of(pack, "en", "x.svg")
    assert "ni anfonir at neb" in page.html_of(pack, "cy")
    assert "stroke-dasharray" in picture.svg_of(pack, "en")
    assert f",{SHADOW}," in table.csv_of(pack)


def test_what_is_not_said_is_named(tmp_path: Path) -> None:
    site = Path(shutil.copytree(EXAMPLE, tmp_path / "site"))
    file = site / "config/councils/torfaen.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("    agreement: ISP-T-2026-1\n", "", 1), encoding="utf-8")
    (pack,) = packs(site, "torfaen")
    assert [flow.unsaid for flow in pack.flows] == [("agreement",), (), ()]
    assert "NOT SAID" in page.markdown_of(pack, "en", "x.svg")
    assert "HEB EI DDWEUD" in page.html_of(pack, "cy")


def test_a_council_s_own_words_change_nothing_but_words(torfaen: Pack) -> None:
    """What stands in a council's file is text, also where it looks like HTML, Markdown or a formula."""
    evil = '=HYPERLINK("http://x.example")<script>alert(1)</script>|[x](javascript:x)'
    pack = replace(torfaen, flows=(replace(torfaen.flows[0], purpose=evil, route=evil), *torfaen.flows[1:]))
    for content in (page.html_of(pack, "en"), picture.svg_of(pack, "en"), page.markdown_of(pack, "en", "x.svg")):
        assert "<script>" not in content
    assert "[x](" not in page.markdown_of(pack, "en", "x.svg")
    rows = list(csv.reader(io.StringIO(table.csv_of(pack).removeprefix("\ufeff"))))
    assert not [one for row in rows for one in row if one.startswith(("=", "+", "-", "@", "\t", "\r"))]


FORMULAE = ["=1+1", "+44 7700", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "\uff1d1", "\0\0=1", "\x0b=1"]


@pytest.mark.parametrize("value", FORMULAE)
def test_no_cell_begins_a_formula(value: str) -> None:
    assert cell(value).startswith("'")


def test_a_cell_that_is_harmless_stays_as_it_is() -> None:
    assert [cell(value) for value in ("O'Neill", "a=b", 3, "Tŷ Gwyn")] == ["O'Neill", "a=b", "3", "Tŷ Gwyn"]


def test_wrong_use() -> None:
    for arguments in ([], ["x", "--json"]):
        command = [sys.executable, "-m", "console", "dpia", *arguments, "--site", str(EXAMPLE)]
        assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60).returncode == 2
