"""A route in shadow on the command line: the report, the list before going live, and the way back at once."""

from __future__ import annotations

from typing import Any

from tests.pipelines.replaced import FILE

#: What the connector of Notify takes for a key: a name, the service's id and a secret, each invented.
KEY = "pretend-11111111-2222-3333-4444-555555555555-11111111-2222-3333-4444-555555555555"


def test_from_shadow_to_live_and_back(torfaen: Any) -> None:
    torfaen.environment["TORFAEN_NOTIFY_KEY"] = KEY
    none = torfaen.dolen("shadow", "report")
    assert (none.returncode, "o route is in shadow" in none.stderr) == (1, True), none.stderr
    put = torfaen.dolen("routes", "shadow", "contact-to-casework", said="Mae'n anfon gormod")
    assert put.returncode == 0, put.stderr
    assert "sends nothing from its next batch on" in put.stdout
    text = (torfaen.folder / FILE).read_text(encoding="utf-8")
    assert "mode: shadow" in text
    told = torfaen.dolen("shadow", "report", "--no-read")
    assert told.returncode == 0, told.stderr
    assert "torfaen contact-to-casework (contact to casework), in shadow, nothing yet: 0 referrals" in told.stdout
    listed = torfaen.dolen("routes", "live", "contact-to-casework", "--no-read", "--go", said="Popeth yn iawn")
    assert listed.returncode == 1
    assert "NOT YET cases: the cases that contact and casework both hold are not paired" in listed.stdout
    assert "stays in shadow" in listed.stderr
    text = text.replace("    mode: shadow\n", "    mode: shadow\n    first_day: nothing-to-match\n")
    (torfaen.folder / FILE).write_text(text, encoding="utf-8")
    live = torfaen.dolen("routes", "live", "contact-to-casework", "--no-read", "--go", said="Popeth yn iawn")
    assert live.returncode == 0, live.stdout + live.stderr
    assert "sends from the next start on" in live.stdout
    assert "mode: live" in (torfaen.folder / FILE).read_text(encoding="utf-8")
