"""The documents tell the truth: every command, flag, setting and link that they show exists.

Commands are compared with the command line itself and settings with the schemas that check real files, so that a
document cannot promise what was renamed or never built.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from config.documents import parse_yaml
from config.findings import SiteFaults

FENCE = re.compile(r"^( *)(```+|~~~+)[ ]*([\w+-]*)[^\n]*\n(.*?)^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
LINK = re.compile(r"\[[^\]\n]*\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
COMMAND = re.compile(r"^\s*(?:\$ |> |PS> )?(?:[A-Z_]+=\S+\s+)*(dolen|py(?:thon3?)?(?: -[0-9.]+)? run\.py)(?:\s+(.*))?$")


@dataclass(frozen=True)
class Said:
    """Something that a document says, and where."""

    where: str
    text: str


def documents(texts: dict[str, str]) -> dict[str, str]:
    """Return the pages that people read: those in the root and under docs/; CHANGELOG tells of the past."""
    return {
        name: text
        for name, text in texts.items()
        if name.endswith(".md") and name != "CHANGELOG.md" and ("/" not in name or name.startswith("docs/"))
    }


def fenced(name: str, text: str) -> Iterator[tuple[str, Said]]:
    """Yield (language, block) of every fenced block."""
    for block in FENCE.finditer(text):
        line = text.count("\n", 0, block.start()) + 1
        yield block[3], Said(f"{name}:{line}", re.sub(rf"^{block[1]}", "", block[4], flags=re.MULTILINE))


def commands(name: str, text: str) -> Iterator[Said]:
    """Yield each command shown: a line of a fenced block, or the whole of an inline piece of code."""
    for _, block in fenced(name, text):
        for line in re.sub(r"[\\`^]\n\s*", " ", block.text).splitlines():
            if hit := COMMAND.match(line):
                yield Said(block.where, hit[0].strip())
    for number, line in enumerate(FENCE.sub(lambda block: "\n" * block[0].count("\n"), text).splitlines(), 1):
        for piece in INLINE.findall(line):
            if COMMAND.match(piece):
                yield Said(f"{name}:{number}", piece)


@cache
def command_line() -> Any:
    """Return the command line as the tree of commands that typer makes of it."""
    import typer

    import console.main

    app = next(value for value in vars(console.main).values() if isinstance(value, typer.Typer))
    return typer.main.get_command(app)


def wrong_with(command: str) -> str:
    """Return what does not exist in one shown command, or an empty string."""
    hit = COMMAND.match(command)
    assert hit is not None
    words = shlex.split(re.sub(r"[][()…]|\.\.\.", " ", hit[2] or ""), comments=True)
    words = [word for word in words if word not in ("/", "|")]
    if hit[1] != "dolen" and words[:1] == ["test"]:
        return ""  # what follows goes to pytest
    if any(word in (">", "<", "2>", "&&", ";") for word in words):
        words = words[: next(i for i, word in enumerate(words) if word in (">", "<", "2>", "&&", ";"))]
    node, path = command_line(), "dolen"
    known = set(flags_of(node))
    for word in words:
        if word.startswith("-") and word != "-":
            flag = word.split("=")[0]
            if flag not in known:
                return f"`{path}` has no {flag}"
        elif hasattr(node, "commands") and not re.fullmatch(r"[A-Z][A-Z_]*|<.*>|\{.*\}", word):
            if word not in node.commands:
                return f"`{path}` has no command {word}"
            node, path = node.commands[word], f"{path} {word}"
            known |= set(flags_of(node))
    return ""


def flags_of(node: Any) -> Iterator[str]:
    """Yield every flag of one command, with the two that all have."""
    yield from ("--help", "--install-completion", "--show-completion")
    for parameter in node.params:
        yield from (*parameter.opts, *parameter.secondary_opts)


def test_every_command_shown_exists(texts: dict[str, str]) -> None:
    found = [
        f"{said.where}: {wrong}  ({said.text})"
        for name, text in documents(texts).items()
        for said in commands(name, text)
        if (wrong := wrong_with(said.text))
    ]
    assert found == []


# --- Settings ---------------------------------------------------------------------------------------------------------


@cache
def schemas() -> list[dict[str, Any]]:
    """Return the JSON Schema of every kind of file and of every section in one, each able to stand alone."""
    from config.council import CouncilSettings
    from config.settings import SiteSettings
    from config.texts import Text
    from connectors.registry import FAMILIES, profile_model, settings_model
    from mappings.file import json_schema

    wholes = [model.model_json_schema() for model in (SiteSettings, CouncilSettings, Text)]
    wholes += [json_schema()]
    for protocol in FAMILIES:
        wholes += [profile_model(protocol).model_json_schema(), settings_model(protocol).model_json_schema()]
    return [{**part, "$defs": whole.get("$defs", {})} for whole in wholes for part in [whole, *parts_of(whole)]]


def parts_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from schema.get("$defs", {}).values()


def choices(schema: dict[str, Any], defs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the plain schemas that one schema may stand for."""
    if "$ref" in schema:
        yield from choices(defs[schema["$ref"].rsplit("/", 1)[-1]], defs)
        return
    several = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if not several:
        yield schema
        return
    for one in several:
        yield from choices(one, defs)


def unknown_keys(data: Any, schema: dict[str, Any], defs: dict[str, Any], at: str = "") -> list[str]:
    """Return the keys of `data` that the schema does not declare, by the reading that leaves fewest."""
    if not isinstance(data, dict | list):
        return []
    readings = []
    for choice in choices(schema, defs):
        if isinstance(data, list):
            items = choice.get("items", True if "type" not in choice else None)
            if items is None:
                continue
            below = [(item, items, f"{at}[]") for item in data]
        else:
            if "properties" not in choice and "additionalProperties" not in choice and "type" in choice:
                if choice["type"] == "object":
                    readings.append([])
                continue
            properties, rest = choice.get("properties", {}), choice.get("additionalProperties", True)
            below = [(value, properties.get(key, rest), f"{at}.{key}") for key, value in data.items()]
        strange = [place for _, deeper, place in below if deeper is False]
        for value, deeper, place in below:
            if isinstance(deeper, dict):
                strange += unknown_keys(value, deeper, defs, place)
        readings.append(strange)
    return min(readings, key=len, default=[at or "."])


def test_every_setting_shown_exists(texts: dict[str, str]) -> None:
    found = []
    for name, text in documents(texts).items():
        for language, block in fenced(name, text):
            if language in ("yaml", "yml") and "openapi:" not in block.text:
                found += [f"{block.where}: {wrong}" for wrong in wrong_settings(block.text)]
    assert found == []


def wrong_settings(block: str) -> list[str]:
    """Return the keys of a shown piece of YAML that no kind of file and no section of one declares."""
    from pathlib import Path

    try:
        data = parse_yaml(block.encode("utf-8"), Path("shown.yaml")).data
    except SiteFaults as faults:
        return [str(faults)]
    readings = [unknown_keys(data, schema, schema["$defs"]) for schema in schemas() if is_closed(schema)]
    if isinstance(data, list):
        readings = [[key for item in data for key in wrong_settings_of(item)]]
    return min(readings, key=len, default=["no schema to compare with"])


def wrong_settings_of(item: Any) -> list[str]:
    return min((unknown_keys(item, schema, schema["$defs"]) for schema in schemas() if is_closed(schema)), key=len)


def is_closed(schema: dict[str, Any]) -> bool:
    """Tell whether a schema refuses what it does not know; comparing with any other would prove nothing."""
    return "properties" in schema and schema.get("additionalProperties") is False


# --- Links ------------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """Return the anchors that a page's headings make, the way code hosts write them."""
    titles = re.findall(r"^#{1,6}\s+(.*?)\s*#*$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_link_to_a_file_leads_somewhere(texts: dict[str, str], files: list[Any], root: Any) -> None:
    there = {path.relative_to(root).as_posix() for path in files}
    there |= {parent.as_posix() for name in list(there) for parent in (root / name).relative_to(root).parents}
    found = []
    for name, text in documents(texts).items():
        for target in LINK.findall(FENCE.sub("", text)):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue  # another site's pages are not ours to promise, and tests stay off the net
            path, _, anchor = target.partition("#")
            aimed = (root / name).parent.joinpath(path).resolve() if path else root / name
            aimed_name = aimed.relative_to(root).as_posix() if aimed.is_relative_to(root) else ""
            if aimed_name not in there:
                found.append(f"{name}: {target}")
            elif anchor and aimed_name.endswith(".md") and anchor not in anchors(texts[aimed_name]):
                found.append(f"{name}: {target} (no such heading)")
    assert found == []


# --- The README -------------------------------------------------------------------------------------------------------


def test_the_readme_shows_both_commands_of_a_bare_machine(texts: dict[str, str]) -> None:
    shown = {said.text for said in commands("README.md", texts["README.md"])}
    assert {"python run.py demo", "python run.py test"} <= shown


# --- The rules themselves, tried on what they are meant to catch ------------------------------------------------------


def test_commands_are_found_where_people_read_them() -> None:
    page = "Say `dolen status --json`, not `dolen` aloud.\n\n"
    page += "```bash\n$ python run.py demo   # now\nls\nA=b dolen check\n```\n"
    assert [said.text for said in commands("page.md", page)] == [
        "$ python run.py demo   # now",
        "A=b dolen check",
        "dolen status --json",
        "dolen",
    ]


CLOSED = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "named": {"type": "object", "additionalProperties": {"$ref": "#/$defs/One"}},
        "several": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/One"}}, {"type": "null"}]},
        "free": {"type": "object"},
    },
}
DEFS = {"One": {"type": "object", "additionalProperties": False, "properties": {"url": {"type": "string"}}}}


@pytest.mark.parametrize(
    ("data", "strange"),
    [
        ({"named": {"any name": {"url": "x"}}}, []),
        ({"named": {"any name": {"ulr": "x"}}}, [".named.any name.ulr"]),
        ({"several": [{"url": "x"}, {"ulr": "x"}]}, [".several[].ulr"]),
        ({"free": {"anything": {"at": "all"}}}, []),
        ({"nmaed": {}}, [".nmaed"]),
    ],
)
def test_a_setting_that_does_not_exist_would_be_noticed(data: Any, strange: list[str]) -> None:
    assert unknown_keys(data, CLOSED, DEFS) == strange
