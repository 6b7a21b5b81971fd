"""Reading YAML: what it means, where it stood, and what is refused."""

import random
from pathlib import Path

import pytest

from config import documents
from config.documents import LARGEST_FILE, Document, parse_yaml, read_yaml
from config.findings import SiteFaults
from config.quick import quick_tree

ROOT = Path(__file__).parents[2]
ROOMS = ("config", "connectors", "mappings", "console", "sandbox")
SHIPPED = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.yaml"))
#: What tears a YAML file up: signs that mean something in it, and ends and beginnings of lines.
TEARS = [*" \n\t:-?#,[]{}'\"|>&*!%@`~0é\\/=<.", "\n  ", "- ", ": ", " #", "---\n", "<<: ", "? ", "{a: b:c}", "|+\n"]


def read(text: str | bytes) -> Document:
    return parse_yaml(text.encode() if isinstance(text, str) else text, Path("site.yaml"))


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(SiteFaults) as caught:
        read(text)
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("0", 0),
        ("0123", "0123"),
        ("01632960100", "01632960100"),
        ("12:30", "12:30"),
        ("12:30:00", "12:30:00"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("1.5", 1.5),
        ("2026-01-01", "2026-01-01"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("9999999999999999999999", "9999999999999999999999"),
    ],
)
def test_unquoted_values_mean_what_a_reader_sees(written: str, meant: object) -> None:
    value = read(f"key: {written}").data["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_keys_are_texts_as_they_were_written() -> None:
    assert read("1: a\nno: b\n07: c\nnull: d").data == {"1": "a", "no": "b", "07": "c", "null": "d"}


def test_every_key_and_item_has_its_place() -> None:
    document = read("a:\n  b: 1\n  c: [x, {d: 2}]\n")
    assert document.where(("a",)) == (1, 1)
    assert document.where(("a", "b")) == (2, 3)
    assert document.where(("a", "c", 1)) == (3, 10)
    assert document.where(("a", "c", 1, "d")) == (3, 11)


def test_what_is_not_there_stands_where_its_nearest_ancestor_does() -> None:
    document = read("a:\n  b: 1\n")
    assert document.where(("a", "missing", "deeper")) == (1, 1)
    assert document.where(("nowhere",)) == (1, 1)
    assert document.where(("a", "b", 7)) == (2, 3)


def test_a_byte_order_mark_means_nothing() -> None:
    assert read(b"\xef\xbb\xbfkey: 1").data == {"key": 1}


def test_windows_line_ends_mean_nothing() -> None:
    document = read("a: 1\r\nb:\r\n  c: 2\r\n")
    assert document.data == {"a": 1, "b": {"c": 2}}
    assert document.where(("b", "c")) == (3, 3)


def test_windows_1252_is_named_with_its_place_and_remedy() -> None:
    (finding,) = refused("name: Môn\ntown: ".encode() + "Môn".encode("cp1252"))
    assert finding.startswith(
        "site.yaml:2:8: found the byte 0xF4, which is not UTF-8 (the file looks like Windows-1252)"
    )
    assert "encoding UTF-8" in finding


def test_utf_16_is_named() -> None:
    (finding,) = refused("a: 1".encode("utf-16"))
    assert "UTF-16" in finding


def test_everything_that_hides_meaning_is_refused_at_once() -> None:
    findings = refused("a: &x 1\nb: *x\nc: !!str 2\na: 3\n? [1]\n: 4\n<<: {d: 1}\n")
    assert [finding.split(": found ")[0] for finding in findings] == [
        "site.yaml:1:4 a",
        "site.yaml:2:4 b",
        "site.yaml:3:4 c",
        "site.yaml:4:1 a",
        "site.yaml:5:3",
    ]
    assert "it stands already in line 1" in findings[3]


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\tb: 1", "site.yaml:2:1", "a tab"),
        ("a: \tb", "site.yaml:1:4", "a tab"),
        ("a: b: c", "site.yaml:1:5", "second colon"),
        ("a: 'b", "site.yaml:1:6", "never closed"),
        ("a: [1, 2", "site.yaml:1:9", "never closed"),
        ("a: {b: 1", "site.yaml:1:9", "never closed"),
        ("a: 1\n b: 2", "site.yaml:2:3", "second colon"),
        ("a: 1\nb\nc: 2", "site.yaml:", "without a colon"),
        ("a: @x", "site.yaml:1:4", "cannot begin a value"),
        ('a: "\\q"', "site.yaml:1:6", "backslash"),
        ("a: 1\n---\nb: 2", "site.yaml:2:1", "second document"),
        ("%YAML 1.1\n---\na: no", "site.yaml:2:1", "%YAML"),
        ("a: \x1b[31m", "site.yaml:1:4", "U+001B"),
        ("a: pay\u202eyap", "site.yaml:1:7", "U+202E"),
        ("a: \x00", "site.yaml:1:4", "U+0000"),
    ],
)
def test_a_slip_is_named_with_its_place(text: str, place: str, words: str) -> None:
    (finding, *_) = refused(text)
    assert finding.startswith(place)
    assert words in finding


def test_the_parsers_snippet_of_the_file_is_never_shown() -> None:
    assert "hunter2" not in "\n".join(refused("password: hunter2: x\nother: 'hunter2"))


@pytest.mark.parametrize("open_bracket", ["[", "{a: ", "- "])
def test_deep_nesting_is_refused_before_it_costs(open_bracket: str) -> None:
    (finding, *_) = refused(open_bracket * 50_000)
    assert "more than 24 levels" in finding


def test_an_alias_bomb_is_refused() -> None:
    rows = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    assert any("an alias" in finding for finding in refused("\n".join(rows)))


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    with path.open("wb") as stream:
        stream.truncate(3 * LARGEST_FILE)
    with pytest.raises(SiteFaults, match="2 MB at most"):
        read_yaml(path)


def test_no_file_a_folder_and_an_impossible_name(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "not a file"),
        (Path("a\0b"), "no such file"),
    ):
        with pytest.raises(SiteFaults, match=words):
            read_yaml(path, name="x.yaml")


def test_an_empty_file_is_nothing() -> None:
    assert read("").data is None
    assert read("# only a comment\n").data is None


def test_most_of_what_is_shipped_is_read_quickly() -> None:
    quick = [path for path in SHIPPED if quick_tree(path.read_text(encoding="utf-8"), path.name) is not None]
    assert len(quick) > len(SHIPPED) / 2


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_is_read_quickly_is_what_the_slow_parser_reads(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file itself, and pieces of it torn at random: data, places and findings are the same, whichever read it."""
    draw = random.Random(path.name)
    whole = path.read_text(encoding="utf-8")
    texts = [whole]
    for _ in range(60):
        at = draw.randrange(len(whole))
        text = whole[max(0, at - draw.randrange(400)) : at + draw.randrange(400)]
        for _ in range(draw.randrange(4)):
            place = draw.randrange(len(text) + 1)
            text = text[:place] + draw.choice(TEARS) + text[place + draw.randrange(2) :]
        texts.append(text)

    def of(text: str) -> object:
        try:
            document = read(text)
        except SiteFaults as faults:
            return [str(finding) for finding in faults.findings]
        return document.data, document.places

    as_it_is = [of(text) for text in texts]
    monkeypatch.setattr(documents, "quick_tree", lambda _text, _name: None)
    assert as_it_is == [of(text) for text in texts]
