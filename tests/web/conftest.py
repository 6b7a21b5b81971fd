"""The desk that the pages' tests share, one for each file of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.found import as_asked
from tests.pipelines.pieces import ROOT, Bench
from tests.web.desk import Desk, everybody, lay_out, torn


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk on the example site, with something of everything at Torfaen."""
    folder = Path(shutil.copytree(ROOT / "config" / "example", tmp_path_factory.mktemp("desk") / "site"))
    council = folder / "config" / "councils" / "torfaen.yaml"
    matched = council.read_text(encoding="utf-8").replace(
        "{mapping: contact/request}", "{mapping: contact/request, match: [person.nhs_number]}"
    )
    council.write_text(matched, encoding="utf-8")
    with as_asked(folder):
        bench = Bench(folder)
        try:
            lay_out(bench)
            torn(bench)
            made = Desk(bench)
            try:
                yield made
            finally:
                made.close()
        finally:
            bench.end()


@pytest.fixture(autouse=True)
def _everybody_again(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "desk" in request.fixturenames:
        request.getfixturevalue("desk").holds(everybody())
