"""A bench for the pipelines' tests: the example site in a folder of its own, on a real ledger and a real key store.

Nothing is sent: records are handed to the intake as a connector would have shown them, and what a target said is
written down by `outcomes.write`, as the worker does. Only the clock is moved by hand. Test files load this as a plugin.
"""

import copy
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from connectors.port import Item
from pipelines import composition, outcomes, overview, tables
from pipelines import facts as fact_store
from pipelines.clock import SECOND, to_instant, to_time
from pipelines.decision import Decision, Do
from pipelines.intake import Intake, Taken
from pipelines.jobs import Job
from pipelines.sending import Result
from tests.found import as_asked

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2026, 7, 2, 11, 0, tzinfo=UTC)
SYSTEMS = {"contact": "Request", "form": "Request", "casework": "Referral"}
#: Nothing is asked of any system in these tests, so any words will do.
ENVIRONMENT = {
    f"{council}_{name}": "invented-words"
    for council in ("TORFAEN", "BLAENAU_GWENT", "NEATH_PORT_TALBOT")
    for name in ("CONTACT_SECRET", "CASEWORK_PASSWORD", "NOTIFY_KEY")
}

REQUEST: dict[str, Any] = {
    "id": "C-1", "version": 1, "changed_at": "2026-07-02T11:00:00Z", "external_reference": None,
    "public_reference": None, "status": "new", "status_reason": None, "status_changed_at": None,
    "category": "referral", "priority": "routine", "received_at": "2026-07-02T10:14:00+01:00", "channel": "phone",
    "reason": {"code": "FALLS", "text": "Cwympodd ddwywaith."}, "team": "adults", "worker": None, "visit_on": None,
    "outcome": None, "case_number": None,
    "customer": {
        "first_names": ["Siân"], "last_name": "Llŷr", "title": None, "known_as": None, "date_of_birth": "1941-02-28",
        "gender": "F", "nhs_number": None, "ethnicity": None,
        "address": {"uprn": None, "lines": ["Tŷ Gwyn"], "town": "Cwmbrân", "postcode": "NP44 1AA"},
        "contacts": [{"type": "mobile", "value": "07700 900123", "ok_to_text": True}],
    },
    "language": {"letters": "cy", "speech": "cy", "interpreter": False},
    "updates": {"opted_in": True, "asked_at": "2026-07-02T09:14:00Z"},
    "referred_by": {"kind": "self", "name": None, "relationship": None, "organisation": None, "mobile": None,
                    "wants_updates": None, "customer_agrees": None},
    "needs": [{"code": "bathing", "note": None}],
    "flags": {"safeguarding": False, "restricted": False}, "transport_needs": None, "internal_notes": None,
}  # fmt: skip

CASE: dict[str, Any] = {
    "ReferralId": "881", "Version": "1", "LastChanged": "2026-07-02T12:30:00",
    "Received": "2026-07-02T10:14:00", "Kind": "REF", "Status": "NEW", "Priority": "P3",
    "Subject": {"Forename": "Siân", "Surname": "Llŷr", "DOB": "1941-02-28", "Gender": "2",
                "Mobile": "07700 900123", "SafeToText": "true", "PreferredLanguage": "W"},
    "Safeguarding": "false", "Restricted": "false",
}  # fmt: skip

MOBILE = "person.telecom[system=phone,use=mobile].value"


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = to_time(NOON + timedelta(hours=1))

    def now(self) -> int:
        return self.at

    def instant(self) -> datetime:
        return to_instant(self.at)

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.pass_by(seconds)
        return event.is_set()

    def pass_by(self, seconds: float) -> None:
        """Let so many seconds go by."""
        self.at += int(seconds * SECOND)


class Bench:
    """One site, and short words for what the tests do with it."""

    def __init__(self, folder: Path, council: str = "torfaen") -> None:
        self.folder = folder
        self.clock = HandClock()
        self.council_code = council
        self.begin()

    def begin(self) -> None:
        """Start, or start again, from the files as they stand."""
        site = composition.load(self.folder)
        self.plant = composition.build(site, clock=self.clock, environment=ENVIRONMENT)

    def restart(self) -> None:
        """End the process and begin a new one on the same ledger."""
        self.plant.close()
        self.begin()

    def end(self) -> None:
        """Close it; whatever the test did, everything is in exactly one state and the sums agree (R10)."""
        agree = overview.look(self.plant).sums_agree
        self.plant.close()
        assert agree

    @property
    def council(self) -> Any:
        """The council most tests are about."""
        return self.plant.councils[self.council_code]

    @property
    def vault(self) -> Any:
        """The plant's vault."""
        return self.plant.vault

    def request(self, id: str = "C-1", *, minute: int = 0, our_key: str = "", **changes: Any) -> Item:
        """A contact-centre request, stamped so many minutes after noon; `customer__last_name=` reaches inwards."""
        record = _changed(REQUEST, changes)
        version = record["version"] = changes.get("version", minute + 1)
        record["id"] = id
        stamp = NOON + timedelta(minutes=minute)
        record["changed_at"] = stamp.strftime("%Y-%m-%dT%H:%M:%SZ")
        return Item(id, record, json.dumps(record).encode(), str(version), stamp, our_key)

    def case(self, id: str = "881", *, minute: int = 30, our_key: str = "", **changes: Any) -> Item:
        """A casework referral, stamped so many minutes after noon. A change to `...` leaves the element out."""
        record = _changed(CASE, changes)
        record["ReferralId"] = id
        if our_key:
            record["ClientReference"] = our_key
        version = record["Version"] = str(changes.get("Version", minute))
        return Item(id, record, json.dumps(record).encode(), version, NOON + timedelta(minutes=minute), our_key)

    def take(self, *items: Any, to: str = "", council: str = "", **options: Any) -> Taken:
        """Hand records of one connection to the intake, as one page."""
        name = to or ("contact" if "customer" in items[0].record else "casework")
        place = self.plant.councils[council or self.council_code]
        wired = place.wired[name]
        return Intake(self.plant, place).take(wired, wired.kinds[SYSTEMS[name]], items, **options)

    def states(self, *items: Any, **options: Any) -> list[str]:
        """Take one page and say what came of it."""
        taken = self.take(*items, **options)
        return [state.value for state, count in taken.states.items() for _ in range(count)] + ["repeat"] * taken.repeats

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """A connection for reading."""
        with self.plant.ledger.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """One write transaction."""
        with self.plant.ledger.writing() as connection:
            yield connection

    def rows(self, table: str, **where: Any) -> list[Any]:
        """All rows of a table that fit, the oldest first."""
        held = getattr(tables, table)
        order = [*held.primary_key.columns]
        with self.reading() as connection:
            return list(connection.execute(select(held).filter_by(**where).order_by(*order)).all())

    def row(self, table: str, **where: Any) -> Any:
        """The only row that fits."""
        [row] = self.rows(table, **where)
        return row

    def facts(self, referral: Any = None) -> dict[str, Any]:
        """The merged facts of the one referral, or of this one, without who gave them."""
        row = referral or self.row("referral")
        with self.reading() as connection:
            held = self.row("referral", id=row.id)
            return fact_store.plain(fact_store.load(connection, self.vault, held.council, held.facts))

    def deliveries(self, target: str = "", **where: Any) -> list[str]:
        """The states of the deliveries to one connection, the oldest first."""
        named = {"connection": target} if target else {}
        return [row.state for row in self.rows("delivery", **named, **where)]

    def lease(self, lane: str, owner: str = "boot-1/1") -> Job | None:
        """Lease a lane and what is due in it; None if somebody holds it or nothing is due."""
        code, target = lane.split("/")[:2]
        with self.writing() as connection:
            found = outcomes.lease(connection, self.plant, self.plant.councils[code], target, owner, only=lane)
        return found[0] if found else None

    def job(self, lane: str, owner: str = "boot-1/1") -> Job:
        """Lease a lane in which something must be due."""
        job = self.lease(lane, owner)
        assert job is not None
        return job

    def write(self, result: Result) -> bool:
        """Write down what became of a try; give the lane back."""
        with self.writing() as connection:
            return not outcomes.write(connection, self.plant, self.council, [result])

    def arrived(
        self, lane: str, number: str, *, minute: int | None = None, how: str = "created", version: str = "1",
        expected: dict[str, Any] | None = None,
    ) -> Job:  # fmt: skip
        """Lease what is due and let it arrive under this number, stamped by the target."""
        job = self.job(lane)
        modified = None if minute is None else to_time(NOON + timedelta(minutes=minute))
        result = Result(
            job, how=how, external_id=number, version=version, modified=modified, revision=self._revision(job)
        )
        result.expected = expected or {}
        assert self.write(result)
        return job

    def no_answer(self, lane: str, after: float = 0.0) -> Job:
        """Lease what is due, and hear nothing of what became of it."""
        job = self.job(lane)
        result = Result(job, error="Unknown", words="no answer", decision=Decision(Do.NOT_SURE, after))
        assert self.write(result)
        return job

    def _revision(self, job: Job) -> int:
        return int(self.row("referral", id=job.row.referral_id).revision)

    def plain_delivery(self, lane: str, **values: Any) -> int:
        """Put one delivery straight into a lane, for tests of the lane alone. Returns its id."""
        now = self.clock.now()
        row: dict[str, Any] = {
            "key": f"k{len(self.rows('delivery'))}", "council": lane.split("/")[0], "connection": lane.split("/")[1],
            "route": "contact-to-casework", "kind": "Referral", "carries": "event", "revision": 1, "lane": lane,
            "state": "waiting", "due": now, "at": now, "changed_at": now, **values,
        }  # fmt: skip
        with self.writing() as connection:
            made: int = connection.execute(
                insert(tables.delivery).values(**row).returning(tables.delivery.c.id)
            ).scalar()
        return made


def _changed(record: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    record = copy.deepcopy(record)
    for path, value in changes.items():
        *way, last = path.split("__")
        inner = record
        for name in way:
            inner = inner.setdefault(name, {})
        if value is ...:
            inner.pop(last, None)
        else:
            inner[last] = value
    return record


@pytest.fixture
def site_folder(tmp_path: Path) -> Iterator[Path]:
    """The example site, copied to where it can be changed before the bench opens it."""
    folder = Path(shutil.copytree(ROOT / "config" / "example", tmp_path / "site"))
    with as_asked(folder):
        yield folder


@pytest.fixture
def bench(site_folder: Path) -> Iterator[Bench]:
    """A bench on the example site, for Torfaen unless another council is named."""
    made = Bench(site_folder)
    yield made
    made.end()


@pytest.fixture
def bench_with(site_folder: Path) -> Iterator[Callable[..., Bench]]:
    """Change words in Torfaen's file first: (old, new) pairs, each of which must be there."""
    made: list[Bench] = []

    def build(*changes: tuple[str, str]) -> Bench:
        file = site_folder / "config" / "councils" / "torfaen.yaml"
        text = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        file.write_text(text, encoding="utf-8")
        made.append(Bench(site_folder))
        return made[-1]

    yield build
    for one in made:
        one.end()
