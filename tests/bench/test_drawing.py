"""Pictures of what benches print: what is no result is refused, and the same figures give the same bytes.

matplotlib is in no lock: where it is not installed, what is looked at is that the command says so.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from console.bench import curves, drawing
from console.bench.pipeline import flood

TOLD = {
    "wales": {"bench": "wales", "latency": {"p50": 0.4, "p95": 1.5, "p100": 3.0},
              "curve": [[0.0, 0.0, 100.0], [5.0, 0.4, 110.0], [10.0, 1.1, 111.0]]},
    "curves": {"bench": "curves",
               "sizes": [{"records": 100, "rate": 90.0, "mb": 120.0}, {"records": 1000, "rate": 95.0, "mb": 125.0}],
               "recovery": {"killed": 1.0, "again": 3.0, "curve": [[0.1, 5], [1.0, 50], [3.0, 51], [4.0, 100]]}},
}  # fmt: skip


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"bench": "faults"}'])
def test_what_is_no_result_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(drawing.NotDrawn, match=r"--json|pictures are drawn of: wales, curves"):
        drawing.draw(file, tmp_path)
    with pytest.raises(drawing.NotDrawn):
        drawing.draw(tmp_path / "nowhere.json", tmp_path)


@pytest.mark.parametrize("name", drawing.DRAWN)
def test_the_same_figures_give_the_same_pictures(name: str, tmp_path: Path) -> None:
    file = tmp_path / "told.json"
    file.write_text(json.dumps(TOLD[name]), encoding="utf-8")
    if importlib.util.find_spec("matplotlib") is None:
        with pytest.raises(drawing.NotDrawn, match="matplotlib is not installed"):
            drawing.draw(file, tmp_path)
        return
    once, again = drawing.draw(file, tmp_path / "a"), drawing.draw(file, tmp_path / "b")
    assert [one.name for one in once] == [f"bench-{picture}.svg" for picture in drawing.DRAWN[name]]
    assert [one.read_bytes() for one in once] == [one.read_bytes() for one in again]
    assert b"<text" in once[0].read_bytes()


def test_a_size_is_measured_on_a_ledger_of_its_own() -> None:
    with flood(0.0) as url:
        found = curves._Once(url).sized(60)
    assert found["records"] == 60
    assert found["rate"] > 0
    assert found["mb"] > 20
