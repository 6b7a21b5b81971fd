"""docs/catalogue.md is whole and true: every entry is there and marked, and each test that it names exists.

That the commands and flags which it shows exist is looked at with those of all other pages, in `test_docs.py`.
"""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

ENTRIES = [f"Row {number}" for number in range(1, 34)] + [
    *(f"R{number}" for number in (1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12)), "L1", "L2", "D1",
]  # fmt: skip
MARKS = ("CI", "long", "not run here")
HEADING = re.compile(r"^### ([^:\n]+): (.+)$", re.MULTILINE)
BULLET = re.compile(r"^- \*([^*]+)\*: (.*(?:\n  .*)*)", re.MULTILINE)
NODE = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
#: The two whose proof is a whole bench or a whole file under another name; it is named in the entry.
SCENARIOS = {"R1": "dolen bench faults", "L1": "dolen bench pipeline", "L2": "test_fair_share.py"}


@pytest.fixture(scope="module")
def page(texts: dict[str, str]) -> str:
    return texts["docs/catalogue.md"]


@pytest.fixture(scope="module")
def entries(page: str) -> dict[str, str]:
    """Each entry by its number, with all that stands below its heading."""
    parts = re.split(r"^###? ", page, flags=re.MULTILINE)[1:]
    titles = [part.partition("\n")[0] for part in parts]
    return {
        title.partition(":")[0]: part.partition("\n")[2]
        for title, part in zip(titles, parts, strict=True)
        if ":" in title
    }


def collected_from(texts: dict[str, str], file: str) -> set[str]:
    """The names that pytest would collect from one file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(texts[file])):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in found if re.match(r"[Tt]est", name)}


def test_every_entry_is_there_once_and_in_order(page: str) -> None:
    assert [hit[1] for hit in HEADING.finditer(page)] == ENTRIES


def test_every_entry_is_marked_and_says_what_must_happen(entries: dict[str, str]) -> None:
    faults = []
    for name, body in entries.items():
        marks = [mark for mark, _ in BULLET.findall(body)]
        if not marks or set(marks) - set(MARKS) or len(marks) != len(set(marks)):
            faults.append(f"{name} is marked {marks}")
        if name.startswith("Row") and not re.match(r"\n[A-Z]", body):
            faults.append(f"{name} does not say what must happen")
        for mark, proof in BULLET.findall(body):
            if mark == "CI" and not NODE.search(proof):
                faults.append(f"{name} names no test that CI runs")
            if mark == "long" and not re.search(r"`[^`]*(dolen bench|run\.py test) [^`]*`", proof):
                faults.append(f"{name} shows no command for its long run")
            if mark == "not run here" and len(proof.split()) < 10:
                faults.append(f"{name} gives no reason why it is not run")
    assert faults == []


def test_every_test_named_exists(page: str, texts: dict[str, str]) -> None:
    named = NODE.findall(page)
    assert len(named) > 80
    assert [
        f"{file}::{test}" for file, test in named if file not in texts or test not in collected_from(texts, file)
    ] == []
    assert page.count("::") == len(named), "a test is named in a way that nobody would notice"


def test_every_entry_has_a_proof_that_carries_its_number(entries: dict[str, str]) -> None:
    without = []
    for name, body in entries.items():
        number = re.compile(rf"_{name.lower().replace(' ', '_')}_")
        carried = any(number.search(test) for _, test in NODE.findall(body))
        told = any(mark == "not run here" for mark, _ in BULLET.findall(body))
        if not carried and not told and SCENARIOS.get(name, "\0") not in body:
            without.append(name)
    assert without == ["R7"], "R7 is rows 5 to 8 together"


def test_every_file_of_a_long_run_exists(page: str, texts: dict[str, str]) -> None:
    shown = re.findall(r"run\.py test (tests/\S+\.py)(?: -k (\w+))?", page)
    assert len(shown) >= 5
    for file, only in shown:
        assert file in texts
        assert not only or any(only in test for test in collected_from(texts, file)), f"{file} -k {only} runs nothing"


def test_a_missing_test_or_mark_would_be_noticed() -> None:
    body = (
        "\nSomething.\n\n- *CI*: `tests/a/test_b.py::test_row_1_c` and\n  `tests/a/test_b.py::test_d`.\n- *never*: x\n"
    )
    assert [mark for mark, _ in BULLET.findall(body)] == ["CI", "never"]
    assert NODE.findall(body) == [("tests/a/test_b.py", "test_row_1_c"), ("tests/a/test_b.py", "test_d")]
    texts: Any = {"a.py": "def test_one(): ...\nTestTwo = Machine.TestCase\ndef other(): ...\n"}
    assert collected_from(texts, "a.py") == {"test_one", "TestTwo"}
