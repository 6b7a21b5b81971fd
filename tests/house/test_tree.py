"""What no file of the project may hold: somebody's machine, somebody's person, or an encoding left to chance.

Personal data is looked for by shape: everything that reads as an NHS number, a telephone or an email address must come
from the ranges that are set aside for invented people.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

LONGEST_FILE = 400  # lines; a longer one has more than one reason to change

# Written in two pieces, so that this file does not find itself.
MACHINE = re.compile(r"(/wor" r"k/|/far" r"m/|/roo" r"t/|/hom" r"e/[a-z]|/User" r"s/[A-Za-z]|[A-Z]:\\User" r"s)")
REGISTRY = re.compile(r"pythonhoste" r"d|pyp" r"i\.org|registry\.npmj" r"s|deb\.debia" r"n|files\.pytho" r"n")
MERGE = re.compile(r"^(<{7} |={7}$|>{7} |\|{7} )", re.MULTILINE)

# Hashes and keys are long runs of digits by chance; nothing personal is written in these files.
MACHINE_MADE = re.compile(r"\.lock$|\.svg$")

TEN_DIGITS = re.compile(r"(?<![\w.+-])(\d{10}|\d{3}[ -]\d{3}[ -]\d{4})(?![\w-]|\.\d)")
# Numbers as people write them: spaces or hyphens, with or without the country; counted in digits after the match.
TELEPHONE = re.compile(r"(?<![\w.+/-])(?!\d\d-\d\d-\d{4})(?:\+44[ -]?(?:\(0\))?|0)[127](?:[ -]?\d){8,9}(?![\w-]|\.\d)")
INVENTED_TELEPHONE = re.compile(r"^(07700900\d{3}|01632960\d{3}|02079460\d{3}|08081570\d{3}|02920180\d{3})$")
EMAIL = re.compile(r"[\w.+%-]+@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})\b")
# OData writes what links two rows as lookup@odata.bind, which only looks like an address.
INVENTED_DOMAIN = re.compile(r"(^|\.)(example\.(org|com|net)|example|invalid|test)$|^odata\.bind$")

TEXT_BY_DEFAULT = {"open", "read_text", "write_text", "fdopen"}
OPENS = TEXT_BY_DEFAULT | {"NamedTemporaryFile", "TemporaryFile"}


def lines(texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (file:line, text) of everything that a person wrote."""
    for name, text in texts.items():
        if not MACHINE_MADE.search(name):
            for number, line in enumerate(text.splitlines(), 1):
                yield f"{name}:{number}", line


def is_nhs_number(digits: str) -> bool:
    """Tell whether ten digits pass the check digit of an NHS number."""
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check % 11 == int(digits[9]) and check != 10


def national(number: str) -> str:
    """Write a telephone number the national way, digits alone."""
    digits = re.sub(r"\D", "", number.replace("(0)", ""))
    return "0" + digits[2:] if number.startswith("+44") else digits


def real_people(line: str) -> list[str]:
    """Return what could reach or name a real person in one line."""
    found = []
    for hit in TEN_DIGITS.finditer(line):
        digits = re.sub(r"\D", "", hit.group())
        if is_nhs_number(digits) and not digits.startswith("999"):
            found.append("an NHS number that may be somebody's")
    for hit in TELEPHONE.finditer(line):
        if not INVENTED_TELEPHONE.match(national(hit.group())):
            found.append("a telephone number that may be somebody's")
    for hit in EMAIL.finditer(line):
        if not INVENTED_DOMAIN.search(hit.group(1).lower()):
            found.append("an email address that may be somebody's")
    return found


def test_no_path_of_one_machine_and_no_registry(texts: dict[str, str]) -> None:
    found = [
        f"{name}:{number}"
        for name, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line) or REGISTRY.search(line)
    ]
    assert found == []


def test_no_merge_was_left_half_done(texts: dict[str, str]) -> None:
    assert [name for name, text in texts.items() if MERGE.search(text)] == []


def test_nobody_real_is_in_the_tree(texts: dict[str, str]) -> None:
    # The values themselves are not shown: if one is real, a CI log is no place for it.
    assert [f"{place}: {what}" for place, line in lines(texts) for what in real_people(line)] == []


def test_no_python_file_is_too_long(texts: dict[str, str]) -> None:
    sizes = {name: len(text.splitlines()) for name, text in texts.items() if name.endswith(".py")}
    assert {name: size for name, size in sizes.items() if size > LONGEST_FILE} == {}


def test_every_file_is_opened_with_its_encoding(texts: dict[str, str]) -> None:
    found = [
        f"{name}:{line}"
        for name, text in texts.items()
        if name.endswith(".py")
        for line in opened_by_chance(ast.parse(text))
    ]
    assert found == [], "Windows would read these in its own code page; say encoding='utf-8', or open the bytes"


def opened_by_chance(tree: ast.AST) -> Iterator[int]:
    """Yield the lines on which a file is opened as text without saying in which encoding."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else called.id if isinstance(called, ast.Name) else ""
        if name not in OPENS or ast.unparse(called) in ("os.open", "webbrowser.open", "self.open", "tarfile.open"):
            continue
        given = {keyword.arg for keyword in node.keywords}
        constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        constants += [keyword.value.value for keyword in node.keywords if isinstance(keyword.value, ast.Constant)]
        modes = [value for value in constants if isinstance(value, str) and re.fullmatch(r"[rwxabt+]{1,3}", value)]
        is_text = all("b" not in mode for mode in modes) if modes else name in TEXT_BY_DEFAULT
        positional = (name == "read_text" and node.args) or (name == "write_text" and len(node.args) > 1)
        if is_text and not positional and not {"encoding", None} & given:
            yield node.lineno


def test_folders_have_names_that_windows_can_hold(files: list[Path], root: Path) -> None:
    names = [path.relative_to(root).as_posix() for path in files]
    assert [name for name in names if re.search(r'[:?*"<>|\\]|[. ](/|$)', name)] == []
    lowered = [name.lower() for name in names]
    assert [name for name in names if lowered.count(name.lower()) > 1] == []


def test_every_package_is_whole(root: Path) -> None:
    for room in ("connectors", "mappings", "pipelines", "config", "console", "sandbox"):
        for folder in {path.parent for path in (root / room).rglob("*.py")}:
            assert (folder / "__init__.py").exists(), f"{folder.relative_to(root)} has no __init__.py"
        assert (root / room / "py.typed").exists()


# Each rule is tried on what it is meant to catch; the samples are put together here, so that the tree stays clean.
@pytest.mark.parametrize(
    "line",
    [
        "nhs_number: " + "943 476" + " 5919",
        "nhs_number=" + "94347" + "65919,",
        "call 079" + "11 123456",
        "+44 79" + "11 123 456",
        "phone: '029" + "20 644000'",
        "someone@" + "council.gov.uk",
    ],
)
def test_a_real_person_would_be_noticed(line: str) -> None:
    assert len(real_people(line)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "nhs_number: 999 000 0018",
        "9990000018, and 1234567890 which is none",
        "07700 900123, +447700900123 and 01632 960100",
        "gwen@example.org, it@team.example.com",
        "sha256:0123456789abcdef0123456789 port 1000000000 t=1700000000.5",
        "2026-01-15T10:00:00Z 0001-01-01 01-02-2026 10:30",
    ],
)
def test_an_invented_person_is_let_through(line: str) -> None:
    assert real_people(line) == []


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("open(path)", True),
        ("open(path, 'w')", True),
        ("open(path, 'rb')", False),
        ("open(path, encoding='utf-8')", False),
        ("path.open('a')", True),
        ("path.read_text()", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text)", True),
        ("path.write_text(text, encoding='utf-8')", False),
        ("NamedTemporaryFile()", False),
        ("NamedTemporaryFile('w')", True),
        ("os.open(path, os.O_RDWR)", False),
    ],
)
def test_an_encoding_left_to_chance_would_be_noticed(code: str, caught: bool) -> None:
    assert bool(list(opened_by_chance(ast.parse(code)))) is caught
