"""Any web form: a request is taken once, with our reference; what is wrong is told by field and rule, not by value."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from jsonschema import Draft202012Validator

from console.listener.server import Listener
from mappings.form import form_bytes, form_schema
from pipelines import composition, desk
from pipelines.check import check
from pipelines.plant import Plant
from pipelines.tables import pushed, referral, version
from pipelines.worker import Worker
from tests.found import as_asked
from tests.pipelines.conftest import HandClock
from tests.rig.pushing import form_signed, lay_out_form, push, said
from tests.rig.systems import Web

ROOT = Path(__file__).parents[2]
PLACE = "alder/form/Referral"
REQUEST: dict[str, Any] = json.loads((ROOT / "mappings/shipped/web-form/golden/referral.full.json").read_bytes())[
    "read"
]["record"]


class Form:
    """A site with a form, and what stands behind it."""

    def __init__(self, folder: Path) -> None:
        self.web = Web()
        self.care = self.web.add("alder", "care", "A")
        self.site = lay_out_form(folder, self.web.url)
        self._around = as_asked(self.site)
        self._around.__enter__()
        loaded = composition.load(self.site)
        self.plant: Plant = composition.build(loaded, clock=HandClock())
        assert loaded.settings.listener is not None
        self._listener, self._stop = Listener(self.plant, loaded.settings.listener), threading.Event()
        self.address = self._listener.address
        self._thread = threading.Thread(target=self._listener.run, args=(self._stop,))
        self._thread.start()

    def send(self, request: Any, key: str) -> Any:
        body = json.dumps(request).encode()
        return push(self.address, PLACE, body, form_signed(body, key))

    def rows(self, table: Any) -> list[Any]:
        with self.plant.ledger.reading() as connection:
            return list(connection.execute(table.select()).all())

    def close(self) -> None:
        self._stop.set()
        self._thread.join()
        self.plant.close()
        self._around.__exit__(None, None, None)
        self.web.close()


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """Where the site lies, whose ledger is the one that was asked for."""
    return tmp_path


@pytest.fixture
def form(site_folder: Path) -> Iterator[Form]:
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    made = Form(site_folder)
    yield made
    made.close()
    structlog.reset_defaults()


def test_a_request_is_taken_once_and_answered_with_our_reference(form: Form) -> None:
    request = {**REQUEST, "type": "referral"}  # the only one that the rig knows
    about = [finding for finding in check(form.site) if "form" in f"{finding.file} {finding.key}"]
    assert about == []
    first = form.send(request, "k-0123456789-abcdef")
    assert first.status == 202
    told = said(first)
    (row,) = form.rows(referral)
    assert told["reference"] == row.citizen_reference
    assert row.citizen_reference in told["show"]["cy"]
    assert row.citizen_reference in told["show"]["en"]
    assert told["repeated"] is False
    again = form.send(request, "k-0123456789-abcdef")
    assert (again.status, said(again)) == (202, {**told, "repeated": True})
    assert len(form.rows(referral)) == len(form.rows(version)) == 1
    other = {**request, "priority": "routine"}
    refused = form.send(other, "k-0123456789-abcdef")
    assert refused.status == 422
    assert refused.getheader("Content-Type") == "application/problem+json"
    # Somebody who asks a second time in the same words, under a new key, asks a second time.
    assert said(form.send(request, "k-0123456789-zzzzzz"))["reference"] != told["reference"]
    worker = Worker(form.plant, "test")
    while worker.drain(form.plant.councils["alder"], "care", probe=True):
        pass
    assert [case.body["person"]["last_name"] for case in form.care.cases.values()] == ["O'Llŷr-Ŵyn"] * 2
    assert desk.attention(form.plant) == []


def test_what_is_wrong_is_told_by_field_and_rule_and_never_by_value(form: Form) -> None:
    wrong = json.loads(json.dumps(REQUEST))
    wrong["priority"] = "CYFRINACH"
    wrong["person"]["name"] = {"given": ["CYFRINACH"]}
    wrong["person"]["telecom"] = [{"system": "phone", "use": "mobile", "value": ""}]
    wrong["person"]["CYFRINACH"] = 1
    wrong["needs"] = "CYFRINACH"
    wrong["person"]["date_of_birth"] = "1941-02-30"
    wrong["received_at"] = "CYFRINACH"
    wrong["reason"] = {"text": "CYFRINACH" * 1000}
    del wrong["safeguarding_flag"]
    answer = form.send(wrong, "k-0123456789-abcdef")
    assert answer.status == 422
    assert b"CYFRINACH" not in answer.said
    told = said(answer)
    assert {(one["field"], one["rule"]) for one in told["errors"]} == {
        ("priority", "enum"),
        ("person.name.family", "required"),
        ("person.telecom.0.value", "minLength"),
        ("person", "additionalProperties"),
        ("needs", "type"),
        ("person.date_of_birth", "format"),
        ("received_at", "pattern"),
        ("reason.text", "maxLength"),
        ("safeguarding_flag", "required"),
    }
    by_field = {one["field"]: one for one in told["errors"]}
    assert by_field["person.name.family"]["pointer"] == "#/person/name/family"
    assert by_field["reason.text"]["en"].endswith("no more than 4000 characters")
    assert by_field["priority"]["cy"].endswith("dewiswch un o'r rhestr")
    assert set(told["show"]) == {"cy", "en"}
    assert form.rows(pushed) == []


def test_a_key_that_is_none_and_a_caller_who_is_nobody(form: Form) -> None:
    body = json.dumps(REQUEST).encode()
    for key in ("short", "x" * 129, "with spaces in the middle", "n\u00f4l-0123456789-abc"):
        assert push(form.address, PLACE, body, form_signed(body, key)).status in (400, 401)
    headers = form_signed(body, "k-0123456789-abcdef")
    forged = push(form.address, PLACE, body, {**headers, "Idempotency-Key": "k-0123456789-abcdeg"})
    assert forged.status == 401
    assert said(forged)["show"]["en"] == "The form could not be sent."
    assert form.rows(pushed) == []


def test_the_shipped_schema_is_the_one_that_is_made_from_the_referral() -> None:
    shipped = ROOT / "connectors/interfaces/web-form.schema.json"
    assert shipped.read_bytes() == form_bytes(), "python -m mappings.form connectors/interfaces/web-form.schema.json"
    Draft202012Validator.check_schema(form_schema())
    assert list(Draft202012Validator(form_schema()).iter_errors(REQUEST)) == []


def test_every_field_of_the_schema_is_read_by_the_mapping(form: Form) -> None:
    """What a form may send and nobody reads would be lost without a word."""
    mapping = form.plant.councils["alder"].wired["form"].kinds["Referral"].mapping
    facts = mapping.read(REQUEST).facts

    def leaves(schema: Any, path: str) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            below = inner.get("items", inner)
            if "properties" in below:
                yield from leaves(below, f"{path}{name}.")
            else:
                yield f"{path}{name}"

    read = {path.partition("[")[0] + ("." + path.rpartition("].")[2] if "]." in path else "") for path in facts}
    selected = {"system", "use", "channel"}
    unread = {
        leaf
        for leaf in leaves(form_schema(), "")
        if leaf not in read and not leaf.startswith("needs.") and leaf.rpartition(".")[2] not in selected
    }
    assert unread == set()
