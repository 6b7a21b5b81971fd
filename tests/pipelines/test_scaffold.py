"""A new system begun from its interface: what is guessed, how much of it is right, and what is never guessed.

The measure is our own hand-made mappings: the interfaces that are shipped are scaffolded under their own names, and a
row of the shipped mapping counts as found when the draft has it in force with the right path and converter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from config.documents import read_yaml
from config.findings import Finding, errors
from config.scaffold import new_site
from connectors.drafts import NoDraft
from connectors.errors import Misconfigured
from mappings.guesses import is_dangerous
from pipelines import check, mapping_bench
from pipelines.scaffold import CannotScaffold, Scaffold, scaffold

ROOT = Path(__file__).parents[2]
WSDL = ROOT / "connectors/interfaces/casework.wsdl"
OPENAPI = ROOT / "connectors/interfaces/contact.openapi.yaml"
TUTORIAL = ROOT / "docs/connect-a-system/cynefin.wsdl"
SHIPPED = {"casework": (WSDL, "referral"), "contact": (OPENAPI, "request")}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    new_site(tmp_path / "site")
    return tmp_path / "site"


def rows(path: Path) -> dict[str, dict[str, Any]]:
    return {row["ours"]: row for row in read_yaml(path).data["fields"]}


def left_to_decide(found: Iterable[Finding]) -> list[str]:
    """The errors of a draft that are not a person's to decide: dangerous rows not in force, codes like none of ours."""
    theirs = ("found no row that writes", "which does not read", "has no row in force that reads")
    return [str(one) for one in errors(found) if not any(words in str(one) for words in theirs)]


@pytest.mark.parametrize("system", SHIPPED)
def test_six_rows_in_ten_are_found_and_none_that_is_sure_is_wrong(site: Path, system: str) -> None:
    source, name = SHIPPED[system]
    made = scaffold(site, system, [source])
    hand, drafted = rows(ROOT / f"mappings/shipped/{system}/{name}.yaml"), rows(site / f"mappings/{system}/{name}.yaml")
    alike = {
        ours
        for ours, row in drafted.items()
        if ours in hand
        and all(row.get(key) == hand[ours].get(key) for key in ("theirs", "as"))
        and ("codes" in row) == ("codes" in hand[ours])
    }
    sure = {one.ours for one in made.kinds[0].guesses if one.active and one.sure == "sure"}
    print(f"{system}: {len(alike)} of {len(hand)} rows right, {len(drafted) - len(alike)} not")  # noqa: T201 - the figure
    assert len(alike) >= 0.6 * len(hand)
    assert sure - alike == set()


@pytest.mark.parametrize("source", [WSDL, OPENAPI, TUTORIAL])
def test_a_draft_passes_check_and_its_own_pair(site: Path, source: Path) -> None:
    made = scaffold(site, "case-a", [source])
    assert f"mappings/{made.kinds[0].mapping.partition('/')[0]}/golden" in " ".join(made.written)
    assert left_to_decide(check.check(site)) == []
    tried = {one.mapping: one for one in mapping_bench.run_golden(site)}[made.kinds[0].mapping]
    assert (tried.well, tried.pairs) == (True, 1)


@pytest.mark.parametrize("source", [WSDL, OPENAPI, TUTORIAL])
def test_a_connection_can_be_opened_with_the_draft_as_it_is(site: Path, source: Path) -> None:
    made = scaffold(site, "case-a", [source])
    login = "basic: {username: dolen, password: env:NOT_SET}"
    council = site / "config/councils/my-council.yaml"
    connection = (
        "\n  case-a:\n    profile: case-a\n    owner: {name: Team, phone: '01632 960003'}\n    supplier: desk\n"
        f"    connect: {{url: 'https://case-a.example.org', login: {{{login}}}}}\n"
        f"    records: {{{made.kinds[0].record}: {{mapping: {made.kinds[0].mapping}}}}}\n\nroutes:\n"
    )
    council.write_text(council.read_text(encoding="utf-8").replace("\nroutes:\n", connection, 1), encoding="utf-8")
    assert [one for one in left_to_decide(check.check(site)) if "case-a" in one] == []


def test_the_profile_that_was_made_by_hand_is_guessed_again(site: Path) -> None:
    scaffold(site, "casework", [WSDL])
    drafted = read_yaml(site / "profiles/casework.yaml").data
    hand = read_yaml(ROOT / "connectors/profiles/casework.yaml").data
    for use in ("item", "fetch", "create", "update", "find", "errors"):
        assert drafted["records"]["Referral"][use] == hand["records"]["Referral"][use], use
    changes = hand["records"]["Referral"]["changes"]
    assert drafted["records"]["Referral"]["changes"] == {key: changes[key] for key in changes if key != "overlap"}


@pytest.mark.parametrize("source", [WSDL, OPENAPI, TUTORIAL])
def test_what_would_do_harm_is_never_in_force(site: Path, source: Path) -> None:
    made = scaffold(site, "case-a", [source])
    text = (site / f"mappings/{made.kinds[0].mapping}.yaml").read_text(encoding="utf-8")
    dangerous = [one for one in made.kinds[0].guesses if is_dangerous(one.ours)]
    assert {"status", "priority"} <= {one.ours for one in dangerous}
    assert not any(one.active for one in dangerous)
    for one in dangerous:
        assert re.search(rf"^  # - {{ours: \"?{re.escape(one.ours)}\"?, ", text, re.MULTILINE), one.ours


def test_putting_a_row_in_force_is_taking_one_sign_away(site: Path) -> None:
    scaffold(site, "case-a", [TUTORIAL])
    path = site / "mappings/case-a/servicecase.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("# - {ours: status,", "- {ours: status,"), encoding="utf-8")
    assert "status" in rows(path)
    found = [str(one) for one in check.check(site)]
    assert any("missing: status" in one for one in found), found  # the pair has none yet


def test_a_second_scaffold_writes_nothing_over(site: Path) -> None:
    scaffold(site, "case-a", [TUTORIAL])
    before = {path: path.read_bytes() for path in site.rglob("*") if path.is_file()}
    with pytest.raises(CannotScaffold, match=r"already .*profiles/case-a\.yaml"):
        scaffold(site, "case-a", [TUTORIAL])
    with pytest.raises(CannotScaffold, match=r"taking away profiles/case-a\.yaml, mappings/case-a and codes/case-a-"):
        scaffold(site, "case-a", [TUTORIAL])
    assert {path: path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
    assert scaffold(site, "case-b", [TUTORIAL]).written  # the pinned files are there already, and the same


def test_the_files_that_a_wsdl_imports_are_pinned_beside_it_and_never_fetched(site: Path, tmp_path: Path) -> None:
    made = scaffold(site, "case-a", [TUTORIAL])
    assert {"interfaces/cynefin.wsdl", "interfaces/cynefin-types.xsd"} <= set(made.written)
    alone = tmp_path / "alone.wsdl"
    alone.write_bytes(TUTORIAL.read_bytes())
    with pytest.raises(Misconfigured, match=r"cynefin-types\.xsd"):
        scaffold(site, "case-b", [alone])
    afar = TUTORIAL.read_bytes().replace(b"cynefin-types.xsd", b"http://supplier.example.org/types.xsd")
    alone.write_bytes(afar)
    with pytest.raises(Misconfigured, match="never fetched"):
        scaffold(site, "case-b", [alone])
    assert not (site / "profiles/case-b.yaml").exists()


def test_samples_give_types_and_are_never_sure(site: Path, tmp_path: Path) -> None:
    csv = tmp_path / "cases.csv"
    text = "CaseRef,Surname,DOB,Sex,Notes\nA1,Ŵynne,03/04/1950,F,hi\nA2,Môn,13/04/1951,M,there\n"
    csv.write_text(text, encoding="utf-8")
    made = scaffold(site, "sheet", [csv])
    found = rows(site / f"mappings/{made.kinds[0].mapping}.yaml")
    assert found["person.date_of_birth"] == {
        "ours": "person.date_of_birth", "theirs": "DOB", "as": "date", "options": {"format": "DD/MM/YYYY"},
        "lossy": "a year or a month alone cannot be written",
    }  # fmt: skip
    assert made.kinds[0].sureness["sure"] == 0
    written = "".join(path.read_text(encoding="utf-8") for path in (site / name for name in made.written))
    assert not re.search("Ŵynne|Môn|there", written)  # the samples may be of somebody


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("records.json", '{"cases": [{"surname": "Tŵr", "dateOfBirth": "1950-01-02"}, {"surname": null}]}'),
        ("records.xml", "<Cases><Case><Surname>A</Surname></Case><Case><Surname>B</Surname></Case></Cases>"),
        ("schema.json", '{"$schema": "x", "type": "object", "properties": {"surname": {"type": "string"}}}'),
    ],
)
def test_records_and_schemas_are_read_in_every_language(site: Path, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    made = scaffold(site, "sample", [tmp_path / name])
    assert "person.name.family" in rows(site / f"mappings/{made.kinds[0].mapping}.yaml")
    assert left_to_decide(check.check(site)) == []


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.wsdl", "<definitions", "not well-formed"),
        ("a.wsdl", "", "is empty"),
        ("a.html", "<html><body>Log in</body></html>", "is a web page"),
        ("a.xsd", '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', "without operations"),
        ("a.json", '{"swagger": "2.0"}', "older OpenAPI"),
        ("a.yaml", "openapi: 3.0.0\npaths: {}\n", "no path that brings a record"),
        ("a.json", "[1, 2]", "hold no record"),
        ("a.json", "{", "neither XML nor JSON"),
        ("a.csv", "Surname\n", "at least one record"),
        ("a.csv", b"Surname\n\xff\n", "not UTF-8"),
        ("a.json", '{"colour": "red"}', "looks like anything in a referral"),
        ("a.wsdl", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
    ],
)
def test_nonsense_is_refused_in_one_line_and_nothing_is_written(
    site: Path, tmp_path: Path, name: str, text: str | bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    before = sorted(site.rglob("*"))
    with pytest.raises((NoDraft, CannotScaffold, Misconfigured)) as caught:
        scaffold(site, "nonsense", [tmp_path / name])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(site.rglob("*")) == before


def test_what_the_profile_cannot_say_is_a_comment_with_the_candidates(site: Path, tmp_path: Path) -> None:
    poor = TUTORIAL.read_text(encoding="utf-8").replace('name="HasMore"', 'name="Total"')
    (tmp_path / "poor.wsdl").write_text(poor, encoding="utf-8")
    (tmp_path / "cynefin-types.xsd").write_bytes(TUTORIAL.with_name("cynefin-types.xsd").read_bytes())
    scaffold(site, "case-a", [tmp_path / "poor.wsdl"])
    text = (site / "profiles/case-a.yaml").read_text(encoding="utf-8")
    assert re.search(r"^    # changes: +# incomplete: whether there are more", text, re.MULTILINE)
    assert left_to_decide(check.check(site)) == []


def test_pairs_can_be_accepted_and_shipped_ones_stay(site: Path) -> None:
    made: Scaffold = scaffold(site, "case-a", [TUTORIAL])
    pair = site / made.written[-1]
    data = json.loads(pair.read_text(encoding="utf-8"))
    data["read"]["record"]["ServiceUser"]["Surname"] = "Hopcyn"
    pair.write_text(json.dumps(data), encoding="utf-8")
    tried = {one.mapping: one for one in mapping_bench.run_golden(site)}["case-a/servicecase"]
    places = dict(zip([one.path for one in tried.differences], tried.rows, strict=True))
    line = next(number for number, text in enumerate((site / "mappings/case-a/servicecase.yaml").read_text(
        encoding="utf-8").splitlines(), 1) if "person.name.family" in text)  # fmt: skip
    row = f"mappings/case-a/servicecase.yaml:{line}"
    assert places == {"person.name.family": row}
    assert mapping_bench.accept(site, "case-a/servicecase") == ["mappings/case-a/golden/servicecase.first.json"]
    assert json.loads(pair.read_text(encoding="utf-8"))["read"]["facts"]["person.name.family"] == "Hopcyn"
    assert mapping_bench.accept(site, "casework/referral") == []


def test_a_name_that_nobody_could_guess_is_not_asked_for_as_a_code(site: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"postcode": "ZZ1 1ZZ", "colour": "red"}', encoding="utf-8")
    made = scaffold(site, "case-a", [tmp_path / "a.json"])
    text = (site / f"mappings/{made.kinds[0].mapping}.yaml").read_text(encoding="utf-8")
    assert "`person.name.family`: give it the value below that holds the name." in text
    assert "code list that gives every code of it the same person" not in text
