"""Services to refer on to: read into a copy with its age, and found in it without asking anybody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.conftest import Answer, Small
from tests.connectors.directory import Feed, entry


@pytest.fixture
def fed(torfaen: Any) -> Any:
    """A site with a directory of services."""
    feed = Feed(Answer)
    server = Small(feed)
    path = torfaen.folder / "config/councils/torfaen.yaml"
    text = path.read_text(encoding="utf-8")
    block = (
        "connections:\n  directory:\n    profile: open-referral-uk\n"
        "    owner: {name: Digital team, phone: 01632 960103}\n"
        f"    supplier: Family information service\n    connect: {{url: {server.url}/feed}}\n"
    )
    path.write_text(text.replace("connections:\n", block, 1), encoding="utf-8")
    torfaen.feed = feed
    yield torfaen
    server.close()


def test_services_are_read_and_found(fed: Any) -> None:
    fed.feed.services[7] = entry(7, status="open")
    done = fed.dolen("services", "refresh")
    assert done.returncode == 1
    assert "torfaen/directory: 11 services read" in done.stdout
    assert "left out: 1, service at status" in done.stderr
    asked = len(fed.feed.said)
    found = fed.dolen("services", "find", "ty", "llwyd")
    assert found.returncode == 0
    assert "Clwb Cinio Tŷ Llwyd, Cymdogion Cwm Afan" in found.stdout
    assert "From torfaen/directory (http://127.0.0.1:" in found.stdout
    listed = fed.json("services", "find", "lunch", "club")
    assert listed[0]["directory"]["services"] == 11
    assert len(fed.feed.said) == asked, "nobody's words were sent anywhere"


def test_where_there_is_no_directory_it_says_so(torfaen: Any) -> None:
    told = torfaen.dolen("services", "find", "galar")
    assert (told.returncode, "protocol: open-referral" in told.stderr) == (1, True)
