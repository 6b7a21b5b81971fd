"""`dolen bench connectors`, run small: what it prints, that both sides give the same, and memory through each feed."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from typing import Any

import pytest

from console.bench import connectors as bench
from console.bench import wire_site
from console.bench.bare import BareSoap
from console.bench.loopback import SPACE, Store
from console.bench.loopback_feeds import PAGE

KEYS = {"name", "ours", "against", "theirs", "ratio", "unit", "runs", "our_cpu", "their_cpu"}


def run(*arguments: str) -> Any:
    command = [sys.executable, "-m", "console", "bench", "connectors", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=90, text=True).stdout


def test_it_prints_what_benches_print() -> None:
    result = json.loads(run("--json", "--runs", "1"))
    assert result["bench"] == "connectors"
    assert [one["name"] for one in result["results"]] == ["rest deliver", "soap read", "soap create"]
    assert all(set(one) == KEYS and one["ratio"] > 0 for one in result["results"])


#: Of each way in which the loopback server, the disk or a database answers, one; the others are run by hand.
@pytest.mark.parametrize("feed", ["inbox", "queue", "mailbox", "last-updated", "sql whole"])
def test_a_back_fill_reads_everything(feed: str) -> None:
    told = bench._filled(feed, 1_150)
    assert told["name"] == f"back-fill {feed}"
    assert told["ours"] < bench.MOST_GROWN


def test_both_sides_must_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    with bench.served(PAGE) as url, closing(wire_site.soap(url)) as soap:
        bare = BareSoap(url, str(wire_site.interface_file("interfaces/casework.wsdl")), SPACE, "x")
        with closing(bare):
            bench._same_page(soap, bare)
            plain = bare.plain(bare.read(PAGE))
            plain["Referral"][7]["Subject"]["Surname"] = "another"
            monkeypatch.setattr(bare, "plain", lambda _: plain)
            with pytest.raises(bench.Disagreed, match="/Subject/Surname"):
                bench._same_page(soap, bare)
            plain["Referral"].pop()
            with pytest.raises(bench.Disagreed, match="100 records"):
                bench._same_page(soap, bare)


def test_the_records_of_the_server_are_told_apart() -> None:
    store = Store(250)
    first, last = (store.answer("GET", f"/api/requests?cursor={page}", b"")[1] for page in (0, 2))
    assert len({one["id"] for one in json.loads(first)["requests"]}) == PAGE
    assert len(json.loads(last)["requests"]) == 50
    assert json.loads(last)["next"] is None
