"""A profile whose `documents` name what its pinned interface does not have is told so in its own line, by the check."""

from __future__ import annotations

import shutil
from pathlib import Path

from config.findings import Severity
from pipelines.check import check

ROOT = Path(__file__).resolve().parents[2]
WRONG = {
    "casework": ("operation: AddDocument", "operation: FileDocument", "no operation FileDocument"),
    "health": ("subject: Patient}  #", "subject: Patient, says: {typ: {text: x}}}  #", "no element typ in DocumentRef"),
}


def test_what_the_pinned_interface_does_not_have_is_told_in_its_line(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(ROOT / "config" / "example", site)
    (site / "profiles").mkdir(exist_ok=True)
    lines = {}
    for name, (old, new, _) in WRONG.items():
        shipped = (ROOT / "connectors" / "profiles" / f"{name}.yaml").read_text(encoding="utf-8")
        assert old in shipped
        changed = shipped.replace(old, new)
        (site / "profiles" / f"{name}.yaml").write_text(changed, encoding="utf-8")
        lines[name] = changed[: changed.index(new)].count("\n") + 1
    found = [one for one in check(site) if one.severity is Severity.ERROR]
    assert len(found) == len(WRONG), "\n".join(map(str, found))
    for name, (_, _, words) in WRONG.items():
        assert any(f"profiles/{name}.yaml:{lines[name]}:" in str(one) and words in str(one) for one in found), found
