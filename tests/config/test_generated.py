"""What is made from the declarations: the reference page, the schemas for editors, the starter site."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import jsonschema
import pytest
from pydantic import BaseModel

from config.documents import read_yaml
from config.reference import main, settings_page
from config.scaffold import NotEmpty, new_site
from config.schemas import MODELS, json_schema, write_schemas
from config.site import load_site
from config.validation import bare

PAGE = "docs/reference/settings.md"


def test_the_reference_page_is_fresh(root: Path) -> None:
    written = (root / PAGE).read_text(encoding="utf-8")
    assert written == settings_page(), f"run: python -m config.reference {PAGE}"


def test_the_page_is_written_by_a_command(tmp_path: Path) -> None:
    assert main([str(tmp_path / "deep" / "page.md")]) == 0
    assert (tmp_path / "deep" / "page.md").read_bytes() == settings_page().encode()
    assert main([]) == 2


def sections() -> Iterator[type[BaseModel]]:
    waiting = list(MODELS.values())
    seen = set(waiting)
    while waiting:
        model = waiting.pop()
        yield model
        for field in model.model_fields.values():
            inner = bare(field.annotation)
            while getattr(inner, "__args__", None) and not (isinstance(inner, type) and issubclass(inner, BaseModel)):
                inner = bare(inner.__args__[-1])
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in seen:
                seen.add(inner)
                waiting.append(inner)


@pytest.mark.parametrize("model", list(sections()), ids=lambda model: model.__name__)
def test_every_setting_has_a_description_and_an_example(model: type[BaseModel]) -> None:
    assert model.__doc__
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.examples, name
    assert model.model_config.get("extra") == "forbid"


def test_the_page_names_every_setting() -> None:
    page = settings_page()
    for model in sections():
        for name, field in model.model_fields.items():
            assert f"| `{field.alias or name}` |" in page


@pytest.mark.parametrize("place", ["config/example", "config/starter"])
def test_every_file_is_valid_by_its_editors_schema(root: Path, place: str) -> None:
    checked = set()
    for path in (root / place).rglob("*.yaml"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        match = re.fullmatch(r"# yaml-language-server: \$schema=(?:\.\./)+schemas/(\w+)\.schema\.json", first)
        if match is None:
            assert "mappings" in path.parts
            continue
        if match[1] not in MODELS:
            continue  # tests/pipelines/test_editors.py knows the files of other rooms
        jsonschema.Draft202012Validator(json_schema(match[1])).validate(read_yaml(path).data)
        checked.add(match[1])
    assert checked >= {"dolen", "council"}


def test_an_editor_marks_what_the_loader_refuses(root: Path) -> None:
    data = read_yaml(root / "config" / "example" / "config" / "councils" / "torfaen.yaml").data
    data["routes"][0]["fron"] = data["routes"][0].pop("from")
    data["connections"]["contact"]["schedule"] = {"every": "2 seconds"}
    found = {error.json_path for error in jsonschema.Draft202012Validator(json_schema("council")).iter_errors(data)}
    assert "$.routes[0]" in found
    assert any(path.startswith("$.connections.contact.schedule") for path in found)


def test_the_schemas_are_sound_and_written_where_the_files_look(tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_bytes()))
    assert {path.name for path in (tmp_path / "schemas").iterdir()} == {f"{name}.schema.json" for name in MODELS}


def test_the_examples_schemas_are_fresh(root: Path, tmp_path: Path) -> None:
    for path in write_schemas(tmp_path):
        kept = root / "config" / "example" / "schemas" / path.name
        assert kept.read_bytes() == path.read_bytes(), "run: dolen schema --site-schemas config/example"


def test_a_new_site_loads_as_it_is(tmp_path: Path, shipped: Mapping[str, Path]) -> None:
    folder = tmp_path / "new" / "site"
    written = new_site(folder)
    site = load_site(folder, shipped=shipped)
    assert [str(finding) for finding in site.findings] == []
    assert list(site.councils) == ["my-council"]
    assert site.settings.stage == "test"
    assert all(path.is_file() for path in written)
    assert "/var/" in (folder / ".gitignore").read_text(encoding="utf-8")
    for path in folder.rglob("*.yaml"):
        (schema,) = re.findall(r"\$schema=(\S+)", path.read_text(encoding="utf-8"))
        assert (path.parent / schema).resolve().is_file()


def test_a_new_site_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NotEmpty, match="nothing was written"):
        new_site(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    with pytest.raises(NotEmpty):
        new_site(tmp_path / "kept.txt")
