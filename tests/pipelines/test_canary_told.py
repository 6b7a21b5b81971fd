"""Alerts tell nobody's values: what marked people brought, and what a system said when it refused them, stays out of
each mail and each call, headers included. What is looked for is that of `test_canary.py`."""

from __future__ import annotations

from typing import Any

from pipelines import persons, restricting
from pipelines.alert_looks import Amiss
from pipelines.decision import Decision, Do
from pipelines.sending import Result
from tests.pipelines.pieces import ENVIRONMENT
from tests.pipelines.test_canary import NOT_A_CODE, SHAPES, TEXTS, hits, marked, secrets

pytest_plugins = ("tests.pipelines.pieces", "tests.pipelines.alerted")


def test_no_alert_shows_anybody(alerted: Any) -> None:
    bench = alerted.bench
    bench.take(*(bench.request(f"C-{number}", **marked(), priority=NOT_A_CODE) for number in (1, 2)))
    for number in (3, 4):
        bench.take(bench.request(f"C-{number}", **marked(), priority="urgent"))
        job = bench.job(bench.rows("delivery", connection="casework")[-1].lane)
        result = Result(job, error="Rejected", words="the date is missing", decision=Decision(Do.ATTENTION))
        result.request, result.reply = b"{}", f"no {TEXTS['fault']} {TEXTS['last']}".encode()
        assert bench.write(result)
    whose = persons.by_reference(bench.plant, "C-3")
    restricting.restrict(bench.plant, whose, who="dpo", why=f"{TEXTS['why']} objects")
    kinds = {Amiss.ATTENTION, Amiss.LATE, Amiss.RESTRICTED}
    alerted.look(kinds=kinds)
    alerted.look(seconds=5 * 3600, kinds=kinds)
    mails = [message.as_string() for _, message in alerted.mailbox.mails]
    calls = [f"{path}\n{headers}\n{body}" for path, headers, body in alerted.ear.heard]
    assert {one["kind"] for one in alerted.ear.told()} == {"attention", "late", "restricted"}
    assert mails
    marks = SHAPES + secrets(ENVIRONMENT)
    assert [hit for said in (*mails, *calls) for hit in hits("an alert", said, marks)] == []
