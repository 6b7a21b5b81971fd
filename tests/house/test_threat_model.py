"""The threat model names a test for each attack, and each of them exists."""

import re

import pytest

NODE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@pytest.fixture(scope="module")
def page(texts: dict[str, str]) -> str:
    return texts["docs/threat-model.md"]


def rows(page: str) -> list[list[str]]:
    """The rows of all tables of attacks, as cells."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in found if row[0] != "attack"]


def test_every_test_named_exists(page: str, texts: dict[str, str]) -> None:
    named = NODE.findall(page)
    assert len(named) > 60
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in texts.get(file, "")] == []
    assert page.count("::") == len(named), "a test is named in a way that nobody would notice"


def test_every_attack_has_its_answer_and_its_proof(page: str) -> None:
    assert len(rows(page)) > 50
    assert [row for row in rows(page) if len(row) != 3 or not all(row)] == []
    assert [row[0] for row in rows(page) if not NODE.search(row[2]) and "pyproject" not in row[2]] == []


def test_a_row_without_a_proof_would_be_noticed() -> None:
    made = rows("| attack | what | test |\n|---|---|---|\n| one | two | three |\n")
    assert made == [["one", "two", "three"]]
    assert not NODE.search(made[0][2])
