"""Marked values of one person and marked secrets go through every path; nothing that we own shows one in clear.

About fifty of them stand in every field that a source can fill, in what systems answer when they fail, and in reasons
that officers type; logging is at its loudest. They are looked for in all output, in every file that the running site
writes, in the terminal output of every command, in the arguments of every process, in the metrics and in what a process
leaves behind when it is killed. Seen red: with the reason of a pause among a log's listed fields, and with the words of
an error of PostgreSQL as the driver gives them.
"""

from __future__ import annotations

import contextlib
import io
import logging
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from console.main import app
from pipelines import desk, logs
from pipelines.tables import delivery, version
from tests.servers import PostgreSQL

pytest_plugins = ["tests.pipelines.pieces", "tests.on_servers"]
ROOT = Path(__file__).parents[2]

#: By where it stands in a contact record. Each is nobody's, and like nothing else in the tree.
NAMES = (
    "first", "second", "last", "title", "known", "line1", "line2", "town", "reason", "need", "referrer", "relation",
    "notes", "outcome", "email", "national", "why", "fault", "header",
)  # fmt: skip
TEXTS = {name: f"Canari{number:02d}-{name}" for number, name in enumerate(NAMES)}
NUMBERS = {"mobile": "07700 900765", "referrers": "07700 900764", "nhs": "9990000026", "born": "1917-11-29",
           "uprn": "100100917123", "insurance": "QQ917654C", "postcode": "NP91 7QX"}  # fmt: skip
#: As they may be written elsewhere too: without the space, as a sealed body never is, and by their last digits.
SHAPES = [*TEXTS.values(), *NUMBERS.values(), "07700900765", "+447700900765", "7700900764", "29/11/1917", "NP917QX"]


#: In a field of codes: seven digits are no code of anybody's, so that even the list of unmapped codes shows nothing.
NOT_A_CODE = "7-Canari-917654"
SHAPES.append(NOT_A_CODE)


def customer(asked: dict[str, Any]) -> dict[str, Any]:
    """The whole record, filled with marked values wherever it takes one."""
    return {
        "customer": {
            **asked["customer"],
            "first_names": [TEXTS["first"], TEXTS["second"]], "last_name": TEXTS["last"], "title": TEXTS["title"],
            "known_as": TEXTS["known"], "date_of_birth": NUMBERS["born"], "nhs_number": NUMBERS["nhs"],
            "address": {"uprn": NUMBERS["uprn"], "lines": [TEXTS["line1"], TEXTS["line2"]], "town": TEXTS["town"],
                        "postcode": NUMBERS["postcode"]},
            "contacts": [{"type": "mobile", "value": NUMBERS["mobile"], "ok_to_text": True},
                         {"type": "email", "value": f"{TEXTS['email']}@example.org", "ok_to_text": False}],
        },
        "reason": {"code": "FALLS", "text": f"{TEXTS['reason']} {NUMBERS['insurance']} {TEXTS['national']}"},
        "needs": [{"code": "bathing", "note": TEXTS["need"]}],
        "internal_notes": TEXTS["notes"],
        "updates": {"opted_in": True, "asked_at": None},
        "referred_by": {"kind": "family", "name": TEXTS["referrer"], "relationship": TEXTS["relation"],
                        "organisation": None, "mobile": NUMBERS["referrers"], "wants_updates": True,
                        "customer_agrees": True},
    }  # fmt: skip


def marked() -> dict[str, Any]:
    """The same, as `Bench.request` takes changes."""
    return {
        f"{part}__{name}" if name else part: value
        for part, fields in customer({"customer": {}}).items()
        for name, value in (fields.items() if isinstance(fields, dict) else [("", fields)])
    }


def secrets(environment: dict[str, str]) -> list[str]:
    """Every secret that the site was given: passwords, client secrets and keys of all three councils."""
    ends = ("_SECRET", "_PASSWORD", "_KEY")
    return [value for name, value in environment.items() if name.endswith(ends) and len(value) > 7]


def hits(where: str, content: str | bytes, marks: list[str]) -> list[str]:
    """Which marks stand in something."""
    told = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
    return [f"{where}: {mark[:14]}" for mark in marks if mark in told]


def written(folder: Path) -> Iterator[tuple[str, str | bytes]]:
    """Every file that the running site wrote, its logs and journals, database and spool included, and each name."""
    for file in sorted(folder.rglob("*")):
        yield "a name", str(file.relative_to(folder))
        if file.is_file():
            yield file.name, file.read_bytes()


def arguments() -> Iterator[tuple[str, bytes]]:
    """The arguments of every process of this machine that we may look at."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            yield f"arguments of {folder.name}", (folder / "cmdline").read_bytes()


#: Commands that start other things or run for ever, that are there to show values to whoever may see them, that need a
#: second system or a sign-in, or whose parts are paths of their own elsewhere.
NOT_RUN = {
    "run", "work", "schedule", "serve", "sandbox", "demo", "new", "bench", "page", "mapping", "interface", "links",
    "routes", "services", "questions", "conform", "match", "join", "part", "schema", "dpia", "settle", "person",
    "purge", "keys", "unmask", "text", "sight", "token", "backup", "restore", "go-on", "site",
    "support-bundle",  # has a test of its own of this kind
}  # fmt: skip
#: A name that is no command yet must be put here or there, so that none is forgotten.
RUN: dict[str, list[str]] = {
    "check": [], "doctor": [], "sync": [], "status": [], "trace": ["{reference}"], "attention": [],
    "where": ["{reference}"], "whoami": [], "confirm": [],
    "codes": ["unmapped"], "show": ["{stopped}"], "replay": ["{stopped}", "--dry-run"], "close": ["{stopped}"],
    "pause": ["torfaen/casework"], "resume": ["torfaen/casework"], "audit": ["verify"],
    "reconcile": ["contact-to-casework", "--council", "torfaen"],
    "capacity": [], "handover": [], "task": ["list"], "outcomes": [], "alerts": [], "certificates": ["list"],
    "shadow": ["report", "--no-read"],
}  # fmt: skip


def told_by(arguments: list[str], said: str) -> str:
    """Run a command in this process as a shell would; return all that it showed."""
    out = io.StringIO()
    was, sys.stdin = sys.stdin, io.StringIO(said)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out), contextlib.suppress(SystemExit):
            app(arguments, standalone_mode=True)
    finally:
        sys.stdin = was
    return out.getvalue()


def fail_in_every_way(town: Any) -> None:
    """Each fault of the pretend systems once, on every system, with the record on its way."""
    for system, faults in (
        (
            "contact",
            ("expired_token", "html_before", "error_after", "truncated", "reset_after", "throttle", "broken_record"),
        ),
        ("casework", ("error_before", "html_after", "error_after", "truncated", "reset_before", "broken_record")),
    ):
        for fault in faults:
            town.faults("torfaen", system, **{fault: {"times": 2}})
            town.read("torfaen")
            town.push(61)
            town.deliver()
            town.well("torfaen", system)


@pytest.mark.timeout(300)
def test_canaries(town: Any, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    logs.configure("debug", "json")
    loud = logging.StreamHandler()
    for name in ("", "urllib3", "requests", "zeep", "sqlalchemy", "kombu", "amqp", "tenacity", "uvicorn"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(loud)
    try:
        asked = town.ask()
        town.change("torfaen", "contact", asked["id"], **customer(asked))
        stopped = town.ask()
        town.change(
            "torfaen",
            "contact",
            stopped["id"],
            **customer(stopped),
            priority=NOT_A_CODE,
        )
        fail_in_every_way(town)
        town.rest()
        (held,) = [one for one in town.records("torfaen", "casework") if one["Subject"]["Surname"] == TEXTS["last"]]
        assert held["Subject"]["NHSNumber"] == NUMBERS["nhs"]  # they did travel
        town.change(
            "torfaen", "casework", held["ReferralId"], Status="ACC", Reason=f"{TEXTS['fault']} {TEXTS['header']}"
        )
        town.rest()
        with town.plant.ledger.reading() as connection:
            waits = (
                connection.execute(select(version.c.id).where(version.c.state == "needs attention")).scalars().first()
            )
            assert connection.execute(select(delivery.c.id)).first() is not None
        assert waits is not None
        assert desk.attention(town.plant)
        shown = {}
        for name, words in RUN.items():
            filled = [word.format(reference=asked["id"], stopped=f"v{waits}") for word in words]
            shown[name] = told_by([name, *filled, "--site", str(town.site)], f"{TEXTS['why']} {NUMBERS['insurance']}\n")
            assert "Traceback" not in shown[name]
    finally:
        logging.getLogger().removeHandler(loud)
    marks = SHAPES + secrets(town.environment)
    assert len(marks) > 35
    out, err = capfd.readouterr()
    found = hits("output", out + err, marks)
    for name, said in shown.items():
        found += hits(f"dolen {name}", said, marks)
    for where, content in (*written(town.site / "var"), *arguments()):
        found += hits(where, content, marks)
    assert found == []
    assert any(shown.values())
    assert "v" in shown["attention"]


def test_every_command_is_run_or_told_why_not() -> None:
    known = {one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands}
    known |= {one.name for one in app.registered_groups}
    assert known - NOT_RUN - set(RUN) == set(), "put its name into RUN with its arguments, or into NOT_RUN"


def test_marks_would_be_found(tmp_path: Path) -> None:
    """The searching itself, on what holds one."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.db-wal").write_bytes(b"\0\0" + TEXTS["last"].encode() + b"\0")
    (tmp_path / "deep" / f"{TEXTS['first']}.json").touch()
    found = [hit for where, content in written(tmp_path) for hit in hits(where, content, SHAPES)]
    assert [hit.partition(":")[0] for hit in found] == ["a name", "x.db-wal"]
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", TEXTS["last"]])
    try:
        found = []
        until = time.monotonic() + 10
        while not found and time.monotonic() < until:  # until the child is what it was started as
            found = [hit for where, content in arguments() for hit in hits(where, content, SHAPES)]
        assert found
    finally:
        child.kill()
        child.wait()


def test_a_process_that_is_killed_leaves_nothing_behind(town: Any, tmp_path: Path) -> None:
    """No core is written, and what Python says of a fatal signal names places in the code alone."""
    asked = town.ask()
    town.change("torfaen", "contact", asked["id"], **customer(asked))
    town.plant.close()
    command = [sys.executable, "-X", "faulthandler", "-m", "console", "run", "--site", str(town.site)]
    process = subprocess.Popen(
        command, env=town.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 60
    while not town.records("torfaen", "casework") and time.monotonic() < until:
        assert process.poll() is None
        time.sleep(0.2)
    limits = Path(f"/proc/{process.pid}/limits").read_text(encoding="utf-8")
    process.send_signal(signal.SIGABRT)
    out, err = process.communicate(timeout=30)
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert "Fatal Python error" in err
    marks = SHAPES + secrets(town.environment)
    assert hits("output", out + err, marks) == []
    assert [hit for where, content in written(town.site / "var") for hit in hits(where, content, marks)] == []
    assert not list(ROOT.glob("core*"))


@pytest.fixture
def site_folder(own_postgresql: PostgreSQL, tmp_path: Path) -> Path:
    """The bench's site, with its ledger on a PostgreSQL that logs everything that it can log."""
    import psycopg

    with psycopg.connect(own_postgresql.url, autocommit=True) as connection:
        for setting, value in (
            ("log_statement", "all"), ("log_min_duration_statement", "0"), ("log_error_verbosity", "verbose"),
            ("log_min_error_statement", "debug5"), ("log_parameter_max_length", "-1"),
            ("log_parameter_max_length_on_error", "-1"), ("debug_print_parse", "off"),
        ):  # fmt: skip
            connection.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        connection.execute("SELECT pg_reload_conf()")
    site = Path(shutil.copytree(ROOT / "config/example", tmp_path / "site"))
    (site / "url").write_text(own_postgresql.url, encoding="utf-8")
    (site / "url").chmod(0o600)
    file = site / "config/dolen.yaml"
    text = file.read_text(encoding="utf-8").replace('"sqlite:///ledger.db"', '"file:url"')
    file.write_text(text, encoding="utf-8")
    return site


def test_postgresql_writes_nobody_down(bench: Any, own_postgresql: PostgreSQL) -> None:
    """Every statement and every parameter is in the server's log: what is personal reached it sealed."""

    def log() -> str:
        return (own_postgresql.folder / "log").read_text(encoding="utf-8", errors="replace")

    bench.take(bench.request(**{f"customer__{name}": value for name, value in customer(_ASKED)["customer"].items()}))
    bench.take(bench.request("C-2", priority=TEXTS["outcome"], internal_notes=TEXTS["notes"]))
    bench.arrived(bench.row("delivery", connection="casework").lane, "881")
    bench.take(bench.case(minute=40, Subject__Surname=TEXTS["last"], Subject__Forename=TEXTS["first"]))
    with bench.writing() as connection, pytest.raises(Exception, match=r"IntegrityError|UniqueViolation") as told:
        for _ in range(2):
            connection.exec_driver_sql("INSERT INTO meta (name, value) VALUES (%s, %s)", (TEXTS["last"], TEXTS["why"]))
    assert TEXTS["last"] not in str(told.value) + repr(told.value.__cause__)
    until = time.monotonic() + 10
    while "INSERT INTO payload" not in log() and time.monotonic() < until:
        time.sleep(0.1)
    said = log()
    assert "INSERT INTO payload" in said
    mine = [mark for mark in SHAPES if mark not in (TEXTS["last"], TEXTS["why"])]  # those two we wrote in clear, above
    assert hits("PostgreSQL's log", said, mine) == []


_ASKED: dict[str, Any] = {"customer": {"gender": "F", "ethnicity": None}}
