"""The rooms stay rooms: who may import whom, whose names may be spoken where, and that our plain names are ours alone.

The packages are called `config`, `console` and so on at the top level; these tests are what makes that safe.
"""

import ast
import importlib
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOMS = ("connectors", "mappings", "pipelines", "config", "console", "sandbox")

# Words that say nothing about what a thing is for. A name that somebody else chose may stand here, with who chose it.
SAYS_NOTHING = {"manager", "processor", "handler", "service", "util", "helper", "common", "base"}
CHOSEN_ELSEWHERE = {
    "services": "Open Referral calls what an organisation offers a service",
    "Service": "the field service_requested of the canonical model: what the person asks for",
    "notify_service": "GOV.UK Notify calls the sender's account a service",
    "proxy_manager_for": "urllib3 calls this method on an adapter",
    "base": "the ledger's base: what we last saw and wrote in a record",
    "written_base": "the ledger's base: what we last saw and wrote in a record",
}

# A profile's name that is also a plain word of ours cannot be searched for; its wire words below still are.
ALSO_PLAIN_WORDS = {
    "contact": "a kind of request, and getting in touch",
    "notify": "a group of fields: whether the person wants updates",
    "by-hand": "a way of settling a delivery",
    "mail": "how alerts reach people",
}
# The demo starts the pretend systems and looks into them, and the connectors' bench plays some of them.
MAY_NAME_SYSTEMS = (
    "console/demo", "console/bench/bare.py", "console/bench/connectors.py", "console/bench/loopback",
    "console/bench/wire", "console/bench/back_fill.py",
)  # fmt: skip


def python_of(texts: dict[str, str], *rooms: str) -> dict[str, str]:
    return {name: text for name, text in texts.items() if name.endswith(".py") and name.split("/")[0] in rooms}


def words_of(name: str) -> set[str]:
    """Split a name as Python writes them, and take the plural off."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    return {word for part in parts for word in (part.lower(), part.lower().removesuffix("s"))}


@pytest.mark.parametrize("room", ROOMS)
def test_no_other_distribution_ships_a_package_of_our_name(room: str) -> None:
    owners = set(packages_distributions().get(room, [])) - {"dolen"}
    assert not owners, f"{room} is also shipped by {owners}: one of the two would hide the other"


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_loaded_from_beside_the_others(room: str, root: Path) -> None:
    module = importlib.import_module(room)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().parent == root / room


def test_imports_keep_the_contracts(root: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert " 0 broken" in result.stdout


def test_the_sandbox_names_no_room_even_inside_a_function(texts: dict[str, str]) -> None:
    strangers = {*ROOMS, "tests"} - {"sandbox"}
    found = []
    for name, text in python_of(texts, "sandbox").items():
        for node in ast.walk(ast.parse(text)):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
                imported = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            found += [f"{name}:{node.lineno}" for each in imported if str(each).split(".")[0] in strangers]
    assert found == []


def test_nobody_imports_the_console_or_the_tests(texts: dict[str, str]) -> None:
    found = [
        f"{name}: {line.strip()}"
        for name, text in python_of(texts, *ROOMS).items()
        for line in text.splitlines()
        if re.match(r"\s*(from|import) tests\b", line)
        or (not name.startswith("console/") and re.match(r"\s*(from|import) console\b", line))
    ]
    assert found == []


def test_the_movement_and_the_screens_know_no_supplier(texts: dict[str, str], root: Path) -> None:
    profiles = sorted((root / "connectors" / "profiles").glob("*.yaml"))
    names = {profile.stem for profile in profiles} - set(ALSO_PLAIN_WORDS)
    foreign = {word for profile in profiles for word in wire_words(profile.read_text(encoding="utf-8"))}
    assert names, "no profile left to look for"
    assert foreign, "no operation or path of a profile left to look for"
    spoken = re.compile(r"\b(" + "|".join(sorted(map(re.escape, names | foreign))) + r")\b")
    found = [
        f"{name}:{number}: {hit.group()}"
        for name, text in texts.items()
        if name.split("/")[0] in ("pipelines", "console") and not name.startswith(MAY_NAME_SYSTEMS)
        for number, line in enumerate(text.splitlines(), 1)
        if (hit := spoken.search(line))
    ]
    assert found == []


def wire_words(profile: str) -> set[str]:
    """Return the words of a profile that can only be a supplier's: names run together from capitalised words."""
    return set(re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", re.sub(r"#.*", "", profile)))


def test_a_name_says_what_the_thing_is_for(texts: dict[str, str]) -> None:
    found = []
    for name, text in python_of(texts, *ROOMS, "tests").items():
        module = Path(name).stem
        if words_of(module) & SAYS_NOTHING:
            found.append(f"{name}: the module itself")
        found += [
            f"{name}:{node.lineno}: {node.name}"
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.name.startswith("test_")  # a test is a sentence, and may say any word
            and words_of(node.name) & SAYS_NOTHING
            and node.name not in CHOSEN_ELSEWHERE
        ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [("RetryHandler", "handler"), ("queue_managers", "manager"), ("HTTPService", "service"), ("utils", "util")],
)
def test_empty_words_are_seen_however_they_are_written(name: str, expected: str) -> None:
    assert expected in words_of(name) & SAYS_NOTHING
