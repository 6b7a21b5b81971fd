"""Keys, retention, people's rights and the audit, as they are typed; identifiers and reasons on standard input."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import structlog
import trustme
from sqlalchemy import update
from typer.testing import CliRunner

from console.main import app
from console.person_page import page
from pipelines import logs
from pipelines.tables import delivery
from tests.roles_given import give
from tests.siem import collecting, secure

pytest_plugins = ("tests.pipelines.pieces",)

NHS = "9990000018"


@pytest.fixture
def typed(bench: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Types a command at a site of one closed referral; gives its exit code and what it said."""
    bench.take(bench.request(customer__nhs_number=NHS, customer__last_name="<script>Llŷr"))
    with bench.writing() as connection:
        connection.execute(update(delivery).values(state="closed"))
    bench.plant.close()
    give(bench.folder, "data-protection")
    monkeypatch.setenv("DOLEN_SITE", str(bench.folder))
    monkeypatch.setenv("DOLEN_USER", "A. Swyddog")

    def run(*words: str, said: str = "") -> tuple[int, str]:
        done = CliRunner().invoke(app, list(words), input=said)
        return done.exit_code, done.output

    yield run
    structlog.reset_defaults()  # a command sets up the log of its process, which is ours here
    logs._least = logging.INFO
    bench.begin()


def test_a_persons_rights_from_the_command_line(typed: Any, tmp_path: Path) -> None:
    code, said = typed("person", "export", "--out", str(tmp_path), said=f"{NHS}\na subject access request\n")
    assert code == 0, said
    assert NHS not in said
    [html], [written] = tmp_path.glob("*.html"), tmp_path.glob("*.json")
    assert html.stat().st_mode & 0o077 == 0
    assert json.loads(written.read_bytes())["referrals"][0]["facts"]["person.nhs_number"] == NHS
    assert "&lt;script&gt;Llŷr" in html.read_text(encoding="utf-8")
    assert "<script" not in html.read_text(encoding="utf-8")
    code, said = typed("person", "restrict", "C-1", said="she objects")
    assert (code, "Restricted: 1 referral" in said) == (0, True), said
    code, said = typed("person", "unrestrict", "C-1", said="settled")
    assert code == 0, said
    code, said = typed("person", "erase", "C-1", "--ground", "because", said="asked")
    assert (code, "consent-withdrawn" in said) == (2, True)
    code, said = typed("person", "erase", "C-1", "--ground", "objection", "--json", said="asked")
    assert code == 0, said
    id = json.loads(said)["certificate"]
    code, said = typed("certificates", "show", id)
    assert (code, json.loads(said)["holds"], json.loads(said)["body"]["ground"]) == (0, True, "objection")
    assert typed("certificates", "list")[0] == 0
    code, said = typed("person", "export", "--out", str(tmp_path), said=f"{NHS}\nagain\n")
    assert (code, "obody is known" in said, NHS in said) == (1, True, False)


def test_keys_retention_and_the_audit_from_the_command_line(typed: Any) -> None:
    code, said = typed("keys", "status", "--json")
    before = json.loads(said)["main"]
    assert code == 0
    code, said = typed("keys", "rotate", "--json", said="the yearly change")
    assert (code, json.loads(said)["rows_left"], json.loads(said)["main"] != before) == (0, 0, True), said
    assert typed("keys", "rotate", said="")[0] == 2, "without a reason"
    code, said = typed("purge", "--dry-run")
    assert (code, "nothing was let go of" in said) == (0, True), said
    assert typed("purge")[0] == 0
    code, said = typed("status", "--json")
    assert json.loads(said)["data_protection"]["oldest"], "the effect of retention is measured by a purge"
    assert "Oldest payload held" in typed("status")[1]
    code, said = typed("audit", "verify")
    assert (code, "one is written now" in said) == (0, True)
    assert typed("audit", "verify") == (0, "The audit is whole.\n")
    code, said = typed("audit", "export")
    assert "keys rotated" in [json.loads(line)["action"] for line in said.splitlines()]
    assert typed("audit", "export", "--syslog", "nowhere")[0] == 2
    assert typed("audit", "export", "--syslog", "localhost:1", "--ca-bundle", "ca.pem")[0] == 2, "not in clear"


def test_the_audit_goes_to_a_siem_over_tls_and_the_next_run_sends_what_is_new(typed: Any, tmp_path: Path) -> None:
    authority, ca, strange = trustme.CA(), tmp_path / "ca.pem", tmp_path / "strange.pem"
    authority.cert_pem.write_to_path(str(ca))
    trustme.CA().cert_pem.write_to_path(str(strange))
    assert typed("keys", "rotate", said="the yearly change")[0] == 0
    with collecting(secure(authority)) as siem:
        to = ("audit", "export", "--syslog", f"tls://localhost:{siem.port}", "--ca-bundle")
        code, said = typed(*to, str(strange))
        assert (code, "is not accepted" in said, siem.heard) == (1, True, [])
        code, said = typed(*to, str(ca))
        assert (code, " rows sent; tls://localhost:" in said) == (0, True), said
        siem.done.acquire()
        siem.done.acquire()
        assert '"action":"keys rotated"' in "".join(siem.heard)
        code, said = typed(*to, str(ca))
        assert (code, said.startswith("0 rows sent; ")) == (0, True), said



def test_a_page_shows_nothing_as_markup() -> None:
    shown = page({"council": "x", "referrals": [{"a": "<b>", "yes": True}], "audit": [], "odd": {"<i>": None, "n": 1}})
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown
    assert "<i>" not in shown
