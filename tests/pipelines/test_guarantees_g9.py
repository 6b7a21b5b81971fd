"""The guarantee G9 by its number: what cannot work against the systems' own interfaces is found beforehand."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from config.findings import Severity
from pipelines import composition
from pipelines.check import check

EXAMPLE = Path(__file__).resolve().parents[2] / "config" / "example"
SHIPPED = composition.shipped_folders()
CASEWORK, CONTACT = "mappings/casework/referral.yaml", "mappings/contact/request.yaml"

_LETTERS = "theirs: language/letters\n    codes: contact-language\n    default: {write: not-asked}"
#: What is planted: the file, what stands there, what is written instead, and a word of the finding at that line.
FAULTS = {
    "a path": (CASEWORK, "theirs: Subject/Surname", "theirs: Subject/Surnam", "Subject/Surname"),
    "a type": (CASEWORK, "theirs: Received, as: local-time", "theirs: Received, as: time", "local-time"),
    "a length": (CONTACT, "customer/last_name, max_length: 35", "customer/last_name, max_length: 70", "35"),
    "a number of items": (CONTACT, "max_items: 20", "max_items: 200", "20 items"),
    "a code": ("codes/contact-gender.csv", "M,male", "Male,male", "'Male'"),
    "a code list": (CONTACT, "codes: contact-referrer", "codes: contact-channel", "contact-channel"),
    "a filter": (CONTACT, "contacts[type=mobile]/ok_to", "contacts[type=mobil]/ok_to", "phone, mobile, email"),
    "emptiness": (CONTACT, _LETTERS + "\n    empty: default", _LETTERS, "never null"),
    "a route": ("config/councils/torfaen.yaml", "to: casework", "to: caseworks", "casework"),
}  # fmt: skip


def _planted(root: Path, file: str, old: str, new: str) -> int:
    """Write the fault into the site's own copy of the file; return its line."""
    path = root / file
    if not path.exists():
        kind, _, name = file.partition("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(SHIPPED[kind]) / name, path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


@pytest.mark.parametrize("fault", FAULTS)
def test_g9_checked_before_live(fault: str, tmp_path: Path) -> None:
    """Each fault alone, in a copy of the example site: an error in its own line, and no error without it.

    Broken by leaving `interface_checks` out of `check`: all but the code list and the route went unnoticed.
    """
    root = Path(shutil.copytree(EXAMPLE, tmp_path / "site"))
    file, old, new, word = FAULTS[fault]
    line = _planted(root, file, old, new)
    wrong = [one for one in check(root, environment={}) if one.severity is Severity.ERROR]
    at = [one for one in wrong if (one.file, one.line) == (file, line)]
    assert at, "\n".join(map(str, wrong))
    assert word in "\n".join(map(str, at))
    assert all(one.remedy for one in wrong)


def test_g9_a_required_element_that_nothing_fills(tmp_path: Path) -> None:
    """A row that is taken out in a council's own overlay: the mapping is named, and the element."""
    root = Path(shutil.copytree(EXAMPLE, tmp_path / "site"))
    overlay = root / "mappings" / "blaenau-gwent" / "referral.yaml"
    overlay.write_text(overlay.read_text(encoding="utf-8") + "  - {ours: priority, drop: true}\n", encoding="utf-8")
    wrong = [str(one) for one in check(root, environment={}) if one.severity is Severity.ERROR]
    assert any("mappings/blaenau-gwent/referral.yaml" in one and "`Priority`" in one for one in wrong), wrong


def test_g9_what_the_interface_itself_changes_is_found(tmp_path: Path) -> None:
    """The supplier's next version: an element renamed in the pinned WSDL, found at the row that names the old one."""
    root = Path(shutil.copytree(EXAMPLE, tmp_path / "site"))
    _planted(root, "interfaces/casework.wsdl", 'name="KnownAs"', 'name="PreferredName"')
    wrong = [str(one) for one in check(root, environment={}) if one.severity is Severity.ERROR]
    assert len(wrong) == 1, wrong
    assert "mappings/casework/referral.yaml (shipped)" in wrong[0]
    assert "Subject/KnownAs" in wrong[0]
