"""A mapping held against the shipped snapshot of FHIR R4: what does not fit is found in its own line (G9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.findings import Severity
from config.layers import Layers
from pipelines.library import Library
from tests.pipelines.fitting_site import FittingSite, expect

FILE = "interfaces/fhir-r4/resources.json"
SNAPSHOT = Path(__file__).resolve().parents[2] / "connectors" / FILE
PROFILE = f"""system: t
protocol: rest
interface: {FILE}
clock: Europe/London
records:
  Case:
    component: ServiceRequest
    item: {{id: id}}
    leave_out: [id]
    fetch: {{path: "/ServiceRequest/{{id}}"}}
    create: {{method: POST, path: /ServiceRequest}}
"""
FITS = {
    "resourceType": "- {theirs: resourceType, constant: ServiceRequest}",
    "intent": "- {theirs: intent, constant: order}",
    "status": "- {theirs: status, constant: active}",
    "subject": "- {ours: referral_id, theirs: subject/identifier/value, direction: write, needed: true}",
    "priority": "- {ours: priority, theirs: priority, codes: urgency}",
    "authoredOn": "- {ours: received_at, theirs: authoredOn, as: time, lossy: the offset}",
    "reason": '- {ours: reason.text, theirs: "note[authorString=Dolen]/text", lead: true}',
}
CODES = "stat,emergency,both,\nurgent,urgent,both,\nasap,urgent,read,\nroutine,routine,both,"
#: The row that is written instead, and what is said about it.
WRONG = {
    "unknown path": ("authoredOn", "theirs: authoredAt, as: time", "did you mean `authoredOn`"),
    "code not in the enumeration": ("status", "theirs: status, constant: open", "one of draft, active"),
    "wrong resource": ("resourceType", "theirs: resourceType, constant: Patient", "one of ServiceRequest"),
    "a list where one thing stands": ("reason", "ours: person.name.given, theirs: patientInstruction", "stands there"),
    "one thing where a list stands": ("reason", "ours: reason.text, theirs: instantiatesUri", "which is a list"),
    "through a list": ("reason", "ours: reason.text, theirs: note/text, needed: true", "goes through the list `note`"),
    "no offset": ("authoredOn", "ours: received_at, theirs: authoredOn, as: local-time, lossy: yes", "the pattern"),
    "closed list": ("priority", "ours: priority, theirs: priority", "add `codes`"),
    "text onto a number": ("reason", "ours: reason.text, theirs: quantityQuantity/value", "number"),
}


@pytest.fixture
def site(tmp_path: Path) -> FittingSite:
    made = FittingSite(tmp_path)
    made.write("profiles/t.yaml", PROFILE)
    made.write(FILE, SNAPSHOT.read_text(encoding="utf-8"))
    made.codes("urgency", CODES)
    return made


def test_a_mapping_that_fits_a_service_request_has_no_finding(site: FittingSite) -> None:
    site.mapping("\n".join(FITS.values()))
    assert Library(Layers(site.root, {})).mapping("t/case", "Europe/London")  # what does not compile is not looked at
    assert site.found() == []


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_a_service_request_is_found_in_its_line(site: FittingSite, name: str) -> None:
    replaced, row, words = WRONG[name]
    begins = "" if "ours:" in row or "constant:" in row else "ours: received_at, lossy: the offset, "
    site.mapping("\n".join((FITS | {replaced: f"- {{{begins}{row}}} #!"}).values()))
    expect(site, Severity.ERROR, words)


@pytest.mark.parametrize("name", ["resourceType", "intent", "status", "subject"])
def test_a_new_service_request_without_what_it_must_have(site: FittingSite, name: str) -> None:
    site.mapping("\n".join(row for key, row in FITS.items() if key != name))
    (one,) = site.found()
    assert f"no row that writes `{name}`" in one.found
    assert FILE in one.expected


def test_a_code_that_fhir_does_not_have(site: FittingSite) -> None:
    site.codes("urgency", CODES.replace("stat,", "now,") + "\nstat,emergency,read,")
    site.mapping("\n".join(FITS.values()))
    (one,) = site.found()
    assert (one.file, one.line) == ("codes/urgency.csv", 2)
    assert "one of routine, urgent, asap, stat" in one.expected


def test_two_members_of_a_choice(site: FittingSite) -> None:
    first = '- {ours: "appointments[kind=visit].start", theirs: occurrencePeriod/start, as: when, lossy: the offset} #!'
    second = '- {ours: "appointments[kind=visit].end", theirs: occurrenceDateTime, as: when, lossy: the offset}'
    site.mapping("\n".join([*FITS.values(), first, second]))
    expect(site, Severity.ERROR, "`occurrencePeriod` beside `occurrenceDateTime`")
