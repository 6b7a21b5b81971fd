"""A system is replaced on the command line: what the list and the switch say, and that both ask why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.pipelines.replaced import FILE, second


def test_from_the_list_to_the_switch(torfaen: Any, tmp_path: Path) -> None:
    path = torfaen.folder / FILE
    path.write_text(second(path.read_text(encoding="utf-8")), encoding="utf-8")
    listed = tmp_path / "moved.csv"
    listed.write_text("old,new\nR0000001,N-500001\n", encoding="utf-8")
    done = torfaen.dolen("links", "import", str(listed), "casework", "newcase")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "To be linked: 0; linked before: 0" in done.stdout
    assert "line 2: R0000001 = N-500001: no request is linked to this number of casework" in done.stdout
    planned = torfaen.dolen("routes", "switch", "casework", "newcase")
    assert planned.returncode == 0, planned.stderr
    assert "route contact-to-casework: `to` changes" in planned.stdout
    refused = torfaen.dolen("routes", "switch", "casework", "newcase", "--go")
    assert (refused.returncode, "a reason is needed" in refused.stderr) == (2, True)
    switched = torfaen.dolen("routes", "switch", "casework", "newcase", "--go", said="Newid system")
    assert switched.returncode == 0, switched.stderr
    assert "Start `dolen run` again" in switched.stdout
    assert "to: newcase" in path.read_text(encoding="utf-8")
