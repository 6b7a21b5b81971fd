"""What is made from the declarations of mappings and profiles: the page of the format, and schemas for editors."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from config.documents import parse_yaml, read_yaml
from config.scaffold import new_site
from config.schemas import MODELS, write_schemas
from mappings import converters
from mappings.codes import CodeList
from mappings.compile import compile_mapping
from mappings.file import Default, ItemRow, MappingFile, Row
from mappings.page import mapping_page
from pipelines import composition
from pipelines.editors import main, schemas
from pipelines.library import Library

ROOT = Path(__file__).resolve().parents[2]
PAGE = "docs/reference/mapping-files.md"
MAPPINGS = sorted((ROOT / "mappings" / "shipped").glob("*/*.yaml"))
OWN_MAPPINGS = sorted((ROOT / "config" / "example" / "mappings").glob("*/*.yaml"))
PROFILES = sorted((ROOT / "connectors" / "profiles").glob("*.yaml"))


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", mapping_page(), re.DOTALL)


def no_codes(name: str) -> CodeList:
    raise LookupError(name)


def test_the_page_is_fresh() -> None:
    written = (ROOT / PAGE).read_text(encoding="utf-8")
    assert written == mapping_page(), f"run: python -m pipelines.editors {PAGE}"


def test_the_page_is_written_by_a_command(tmp_path: Path) -> None:
    assert main([str(tmp_path / "deep" / "page.md")]) == 0
    assert (tmp_path / "deep" / "page.md").read_bytes() == mapping_page().encode()
    assert main([]) == 2


def test_the_page_names_every_key_and_every_converter_with_law_and_options() -> None:
    page = mapping_page()
    for model in (MappingFile, Row, ItemRow, Default):
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in page
            assert field.examples, name
    for name in (*converters.NAMES, *converters.SEVERAL_NAMES):
        part = page.partition(f"#### `{name}`\n")[2].partition("####")[0]
        assert "- law: " in part, name
        for option in (converters.BUILT_IN.get(name) or converters.SEVERAL[name]).options:
            assert f"- option `{option}`: " in part


def test_the_pages_whole_example_compiles_and_goes_both_ways() -> None:
    data = parse_yaml(blocks("yaml")[0].encode(), Path("shown.yaml")).data
    mapping = compile_mapping("housing/enquiry", lambda _: (data, "shown.yaml"), no_codes, "Europe/London")
    record = {"State": "new", "Contact": {"Email": "a@example.org"}, "VisitDay": "2026-06-01", "VisitTime": "10:30:00"}
    reading = mapping.read(record)
    assert reading.facts["person.telecom[system=phone,use=home].value"] is None
    assert mapping.write(reading.facts).record == {**record, "EnteredBy": "DOLEN"}


@pytest.mark.parametrize("row", blocks("yaml")[2:])
def test_every_row_between_one_and_several_on_the_page_compiles(row: str) -> None:
    rows = parse_yaml(row.encode(), Path("shown.yaml")).data
    data = {"system": "s", "record": "R", "fields": rows}
    assert compile_mapping("shown", lambda _: (data, "shown.yaml"), no_codes, "Europe/London").rows


def test_the_pages_converter_in_python_works_as_it_stands(tmp_path: Path) -> None:
    site = Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))
    (site / "converters").mkdir()
    (site / "converters" / "wards.py").write_text(blocks("python")[0], encoding="utf-8")
    own = Library(composition.load(site).layers).own_converters()
    assert own.findings == ()
    assert list(own.converters) == ["ward"]


@pytest.mark.parametrize(
    ("kind", "path"),
    [("mapping", path) for path in [*MAPPINGS, *OWN_MAPPINGS]] + [("profile", path) for path in PROFILES],
    ids=lambda value: value if isinstance(value, str) else f"{value.parent.name}/{value.name}",
)
def test_every_file_is_valid_by_its_editors_schema(kind: str, path: Path) -> None:
    jsonschema.Draft202012Validator(schemas()[kind]).validate(read_yaml(path).data)


def marked(kind: str, data: Any) -> set[str]:
    return {error.json_path for error in jsonschema.Draft202012Validator(schemas()[kind]).iter_errors(data)}


def test_an_editor_marks_what_the_loader_refuses() -> None:
    data = read_yaml(MAPPINGS[0]).data
    data["fields"][0]["our"] = data["fields"][0].pop("ours")
    data["fields"][1]["direction"] = "up"
    data["choices"] = [["A"]]
    assert marked("mapping", data) >= {"$.fields[0]", "$.fields[1].direction"}
    assert any(path.startswith("$.choices") for path in marked("mapping", data))
    for path in PROFILES:
        data = read_yaml(path).data
        assert marked("profile", {**data, "clok": "UTC"}) == {"$"}
        assert marked("profile", {**data, "protocol": "sopa"}) == {"$.protocol"}
    assert marked("profile", {"system": "s"}) == {"$"}


def test_an_editor_offers_converters_and_fields_and_takes_others() -> None:
    row = schemas()["mapping"]["$defs"]["Row"]["properties"]
    assert {"date", "date-and-time"} <= set(row["as"]["anyOf"][0]["enum"])
    assert {"person.name.family", "needs"} <= set(row["ours"]["anyOf"][0]["enum"])
    own = {"system": "s", "record": "R", "fields": [{"ours": "extensions.a.b", "theirs": "A", "as": "ward"}]}
    assert marked("mapping", own) == set()


def test_the_schemas_are_sound_and_those_of_the_example_are_fresh(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path, schemas()):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_bytes()))
        kept = ROOT / "config" / "example" / "schemas" / path.name
        assert kept.read_bytes() == path.read_bytes(), "run: dolen schema --site-schemas config/example"
    there = {path.name for path in (ROOT / "config" / "example" / "schemas").iterdir()}
    assert there == {f"{name}.schema.json" for name in (*MODELS, *schemas())}


def test_a_mapping_of_the_example_and_the_starters_words_name_their_schema(tmp_path: Path) -> None:
    for path in OWN_MAPPINGS:
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=../../schemas/mapping.schema.json"
    new_site(tmp_path / "site", schemas())
    for kind in ("mapping", "profile"):
        words = (tmp_path / "site" / f"{kind}s" / "README.md").read_text(encoding="utf-8")
        [schema] = re.findall(r"\$schema=(\S+)", words)
        assert (tmp_path / "site" / f"{kind}s" / schema).resolve().is_file()
