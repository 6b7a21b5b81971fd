"""Alerts at the command line: a killed Dolen is told by a second process, and the duty officer answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.rig.receivers import SECRET, Ear


@pytest.fixture
def told(torfaen: Any) -> Iterator[tuple[Any, Ear]]:
    """A site whose alerts go to a web address."""
    ear = Ear()
    file = torfaen.folder / "config" / "dolen.yaml"
    kept = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("alerts:")]
    webhook = f'{{url: "{ear.url}/all", secret: env:ALERT_SECRET}}'
    alerts = f"alerts:\n  webhooks: [{webhook}]\n  duty: {{name: Duty team, webhook: {webhook}}}\n  language: both\n"
    file.write_text("\n".join(kept) + "\n" + alerts, encoding="utf-8")
    torfaen.environment["ALERT_SECRET"] = SECRET
    yield torfaen, ear
    ear.close()


def test_a_killed_dolen_is_told_by_another_process_and_answered(told: tuple[Any, Ear]) -> None:
    site, ear = told
    process = site.start("run")
    assert "Dolen runs" in process.stdout.readline()
    for _ in range(50):
        if site.json("status")["last_seen"]:
            break
    process.kill()
    process.communicate(timeout=20)
    done = site.dolen("alerts", "look")
    assert done.returncode == 1, done.stderr
    down = [one for one in ear.told() if one["kind"] == "down"]
    assert {one["words"]["en"].split(": ")[-1] for one in down} == {"nothing is sent", "nothing is read"}
    assert all(one["urgent"] and "Nid yw Dolen yn rhedeg" in one["words"]["cy"] for one in down)
    listed = site.json("alerts", code=1)["alerts"]
    id = next(one["id"] for one in listed if one["kind"] == "down")
    shown = site.dolen("alerts").stdout
    assert f"NOT ANSWERED: dolen alerts answer {id}" in shown
    assert "start it: dolen run, or its service" in shown
    done = site.dolen("alerts", "answer", id, said="I start it again\n")
    assert done.stdout.startswith(f"{id} is answered by A. Swyddog")
    assert "answered by A. Swyddog" in site.dolen("alerts").stdout
    assert site.dolen("alerts", "answer", "a999", said="why\n").returncode == 1
    with site.running():
        pass  # and it does not begin to tell again what was answered
    assert len([one for one in ear.told() if one["kind"] == "down" and one["state"] == "opened"]) == len(down)


def test_the_test_button_and_a_site_that_names_nobody(told: tuple[Any, Ear]) -> None:
    site, ear = told
    done = site.dolen("alerts", "test", "--council", "torfaen")
    assert (done.returncode, done.stdout) == (0, "site/webhook-1: told\nsite/duty-webhook: told\n")
    assert [one["kind"] for one in ear.told()] == ["test", "test"]
    del site.environment["ALERT_SECRET"]
    done = site.dolen("alerts", "test")
    assert done.returncode == 1
    assert "site/webhook-1: NOT told: the environment variable ALERT_SECRET is not set" in done.stdout
    file = site.folder / "config" / "dolen.yaml"
    file.write_text(file.read_text(encoding="utf-8").partition("alerts:")[0], encoding="utf-8")
    done = site.dolen("alerts", "test")
    assert done.returncode == 1
    assert "Nobody is named whom an alert could reach" in done.stderr
