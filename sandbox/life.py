"""Plays the staff of the councils: they take requests, correct them, and move cases along, as a plan says.

Everything it has still to do stands in the store, one row a thing with the time it is due, so that a sandbox that is
killed goes on where it was. Each deed and its entry in the truth are one transaction, and staff write only fields
that are theirs, onto what the record holds at that moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import people
from sandbox.casework import Casework
from sandbox.casework_words import as_referral
from sandbox.contact import Contact
from sandbox.notify_checks import plain_number
from sandbox.plan import Errand, Plan, Sort, awkward_by_size, correction, councils_of
from sandbox.store import Collection, Document, Json, Store
from sandbox.truth import SYSTEM, Account, Truth

# What waits for a request to turn up in the case system, and why it may take longer.
ARRIVAL, CODE, MENDING = "to arrive in casework", "for a code that is not mapped", "to be mended at its source"
_BATCH = 200  # deeds in one go, so that a caller of the systems never waits long for the store
_LOOK_BACK_SECONDS = 2  # stamps of the case system count seconds, and a second can still fill up behind us
_OF_CASE_STAFF = ("Status", "StatusReason", "Worker", "Outcome", "OfficerNotes", "Extra")
_UNREADABLE = {"customer": "see paper file", "received_at": "yesterday"}


class Refused(ValueError):
    """Life cannot be told that now; the words say why."""


class Life:
    """The staff. `tick()` does what is due; `begin()` has a thread do so until `stop()`."""

    def __init__(self, store: Store, contact: Contact, casework: Casework, clock: Callable[[], datetime]) -> None:
        self._store, self._contact, self._casework, self._clock = store, contact, casework, clock
        self.account = Account(store)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._plan: Plan | None = None

    def begin(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._live, daemon=True, name="sandbox-life")
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def start(self, wanted: Json) -> Json:
        """Begin a story of so many `referrals`, with `seed` and `pace` (requests a second).

        `councils`, `pause` (stretches every pause of staff), `same_day` and `unreadable` may be given too.
        Returns the progress. Raises Refused where a story is still going on or a number makes no sense.
        """
        with self._store.transaction():
            if self._story() is not None and not self.progress()["quiet"]:
                raise Refused("A story is still going on; wait until GET /control/life says quiet.")
            story = _story(wanted)
            held = self._of("story").get(f"{story['seed']}")
            if held is not None:
                raise Refused("There has been a story with this seed in this sandbox; choose another seed.")
            story["started_at"] = self._now()
            self._of("story").put(f"{story['seed']}", story, version=1, changed=story["started_at"])
            self._plan = None
            return self.progress()

    def progress(self) -> Json:
        """How far the story is. `quiet` means that staff have done all that they can do by now."""
        story = self._story()
        if story is None:
            return {"planned": 0, "started": 0, "done": 0, "waiting": {}, "quiet": True}
        with self._store.transaction():
            due = self._of("due").count()
            waiting = {why: len(self._of("awaiting").by_key(why, 1_000_000)) for why in (CODE, MENDING)}
            waiting[ARRIVAL] = self._of("awaiting").count() - sum(waiting.values())
        return {
            "seed": story["seed"],
            "planned": story["referrals"],
            "started": story["born"],
            "done": story["deeds"],
            "deeds_due": due,
            "refused": story["refused"],
            "waiting": waiting,
            "quiet": story["born"] == story["referrals"] and due == 0 and waiting[ARRIVAL] == 0,
        }

    def mend_source(self) -> int:
        """Staff mend the unreadable requests where they stand, which makes new versions. Returns how many."""
        mended = 0
        for held in self._of("awaiting").by_key(MENDING, 1_000_000):
            with self._store.transaction():
                truth = self.account.get(held.body["tenant"], held.id)
                if truth is None:
                    continue
                self._contact.staff_put(truth.tenant, truth.contact_id, truth.wish)
                truth.unreadable = False
                self.account.keep(truth)
                self._await(truth, ARRIVAL)
                self._count(deeds=1)
            mended += 1
        return mended

    def typed(self, tenant: str, contact_id: str, number: str) -> Json:
        """Write down that an officer typed this request in by hand, in whichever system, under `number`."""
        with self._store.transaction():
            truth = self.account.begun_as(tenant, contact_id)
            if truth is None:
                raise Refused("No request of a story began under that contact id in that council.")
            truth.typed = {"number": number, "at": self._now(), "wish": truth.wish}
            self.account.keep(truth)
            there = self._casework_records(tenant).get(number)
            if there is not None:
                self._arrived(truth, there)
        return {"tenant": tenant, "contact_id": contact_id, "number": number}

    def tick(self) -> int:
        """Do what is due now. Returns how many things were done."""
        story = self._story()
        if story is None:
            return 0
        return self._take_requests(story) + self._look_for_arrivals() + self._do_what_is_due()

    def _live(self) -> None:
        while not self._stopping.wait(0.02 if self.tick() >= _BATCH else 0.1):
            pass

    def _take_requests(self, story: Json) -> int:
        plan = self._planned(story)
        gone = (self._clock() - datetime.fromisoformat(story["started_at"])).total_seconds()
        born: int = story["born"]
        until = min(plan.referrals, int(gone * story["pace"]) + 1, born + _BATCH)
        for number in range(born, until):
            with self._store.transaction():
                self._take(plan, plan.errand(number))
                self._count(born=1, deeds=1)
        return max(0, until - born)

    def _take(self, plan: Plan, errand: Errand) -> None:
        wish = plan.request(errand)
        truth = Truth(
            tenant=errand.tenant,
            token=people.token(plan.seed, errand.number),
            seed=plan.seed,
            number=errand.number,
            sort=errand.sort,
            in_casework=errand.in_casework,
            wish=wish,
        )
        if errand.in_casework:
            made = self._casework.staff_put(errand.tenant, "", as_referral(errand.tenant, wish))
            truth.case_id = made["ReferralId"]
            truth.case, truth.reached = _of_case_staff(made), [[made["Status"], self._now()]]
            self._due(truth, "case", errand.case, 0)
        else:
            if errand.sort is Sort.UNREADABLE:
                made = self._contact.write_unchecked(errand.tenant, "", {**wish, **_UNREADABLE})
                truth.unreadable = True
            else:
                made = self._contact.staff_put(errand.tenant, "", wish)
            truth.contact_id = made["id"]
            self._due(truth, "contact", errand.contact, 0)
        self.account.keep(truth)
        if not errand.in_casework and errand.sort is not Sort.ELSEWHERE:
            self._await(truth, {Sort.SAME_DAY: CODE, Sort.UNREADABLE: MENDING}.get(errand.sort, ARRIVAL))

    def _look_for_arrivals(self) -> int:
        found = 0
        if not self._of("awaiting").count():
            return 0
        for tenant in self.account.tenants():
            mark = self._of("mark").get(tenant)
            since = mark.body["since"] if mark else ""
            place: tuple[str, str] | None = None
            while page := self._casework_records(tenant).changed_since(since, limit=500, after=place):
                place = (page[-1].changed, page[-1].id)
                found += sum(self._greet(tenant, each) for each in page)
            if place is not None:
                back = datetime.fromisoformat(place[0]) - timedelta(seconds=_LOOK_BACK_SECONDS)
                body = {"since": back.strftime("%Y-%m-%dT%H:%M:%SZ")}
                if mark is None or mark.body != body:
                    self._of("mark").put(tenant, body, version=1, changed="")
        return found

    def _greet(self, tenant: str, record: Document) -> bool:
        reason, reference = record.body.get("Reason"), record.body.get("SourceReference")
        token = people.token_in(reason)
        if token is not None and self._of("awaiting").get(token) is None:
            return False  # seen before, which is by far the most frequent
        with self._store.transaction():
            truth = self.account.recognise(tenant, reason, reference)
            return truth is not None and self._arrived(truth, record)

    def _arrived(self, truth: Truth, record: Document) -> bool:
        if truth.case_id or not self._of("awaiting").delete(truth.token):
            return False
        truth.case_id = record.id
        truth.case, truth.reached = _of_case_staff(record.body), [[record.body["Status"], self._now()]]
        self.account.keep(truth)
        self._due(truth, "case", self._plan_of(truth).errand(truth.number).case, 0)
        return True

    def _do_what_is_due(self) -> int:
        now = self._now()
        due = [each for each in self._of("due").changed_since("", limit=_BATCH) if each.changed <= now]
        for each in due:
            with self._store.transaction():
                self._do(each)
        return len(due)

    def _do(self, due: Document) -> None:
        tenant, token, where, place = (due.body[name] for name in ("tenant", "token", "where", "place"))
        self._of("due").delete(due.id)
        truth = self.account.get(tenant, token)
        if truth is None:
            return
        errand = self._plan_of(truth).errand(truth.number)
        steps = errand.contact if where == "contact" else errand.case
        try:
            if where == "contact":
                self._correct(truth, steps[place].what)
            else:
                self._move_on(truth, steps[place].change)
        except ValueError:
            # The screens refuse what a program has left in the record; the verdict will say what is wrong with it.
            self._count(refused=1)
        self.account.keep(truth)
        self._count(deeds=1)
        self._due(truth, where, steps, place + 1)

    def _correct(self, truth: Truth, what: str) -> None:
        held = self._contact.requests(truth.tenant).get(truth.contact_id)
        if held is None:
            return
        change = correction(truth.seed, truth.number, truth.tenant, what, truth.wish)
        if what == "mobile":
            before = safe_mobiles(truth.wish)
            truth.mobiles += [[number, self._now()] for number in before]
            truth.textable_since = truth.textable_since if before else self._now()
        self._contact.staff_put(truth.tenant, truth.contact_id, {**held.body, **change})
        truth.wish = {**truth.wish, **change}

    def _move_on(self, truth: Truth, change: Json) -> None:
        held = self._casework_records(truth.tenant).get(truth.case_id)
        if held is None:
            return
        kept = self._casework.staff_put(truth.tenant, truth.case_id, {**held.body, **change})
        truth.case = {**truth.case, **{name: kept[name] for name in change}}
        truth.reached = [*truth.reached, [change["Status"], self._now()]]

    def _await(self, truth: Truth, why: str) -> None:
        self._of("awaiting").put(truth.token, {"tenant": truth.tenant}, version=1, changed="", key=why)

    def _due(self, truth: Truth, where: str, steps: Any, place: int) -> None:
        if place >= len(steps):
            return
        at = _stamp(self._clock() + timedelta(seconds=steps[place].pause))
        body = {"tenant": truth.tenant, "token": truth.token, "where": where, "place": place}
        self._of("due").put(f"{truth.token}/{where}", body, version=1, changed=at)

    def _plan_of(self, truth: Truth) -> Plan:
        held = self._of("story").get(f"{truth.seed}")
        assert held is not None
        return self._planned(held.body)

    def _planned(self, story: Json) -> Plan:
        if self._plan is None or self._plan.seed != story["seed"]:
            names = ("seed", "referrals", "same_day", "unreadable", "pause")
            self._plan = Plan(councils=tuple(story["councils"]), **{name: story[name] for name in names})
        return self._plan

    def _story(self) -> Json | None:
        stories = self._of("story").changed_since("", limit=1000)
        return stories[-1].body if stories else None

    def _count(self, **more: int) -> None:
        story = self._story()
        assert story is not None
        counted = {**story, **{name: story[name] + number for name, number in more.items()}}
        self._of("story").put(f"{story['seed']}", counted, version=1, changed=story["started_at"])

    def _casework_records(self, tenant: str) -> Collection:
        return self._store.collection(tenant, self._casework.name)

    def _of(self, kind: str) -> Collection:
        return self._store.collection("", SYSTEM, kind)

    def _now(self) -> str:
        return _stamp(self._clock())


def safe_mobiles(request: Json) -> list[str]:
    """The mobile numbers at which the person may safely be texted, as digits alone."""
    contacts = request["customer"]["contacts"]
    return [plain_number(each["value"]) for each in contacts if each["type"] == "mobile" and each["ok_to_text"]]


def _of_case_staff(record: Json) -> Json:
    return {name: record[name] for name in _OF_CASE_STAFF if name in record}


def _story(wanted: Json) -> Json:
    referrals, seed, pace = wanted.get("referrals"), wanted.get("seed", 1), wanted.get("pace", 20)
    if not isinstance(referrals, int) or isinstance(referrals, bool) or referrals < 1:
        raise Refused("`referrals` must be a whole number from 1.")
    if not isinstance(seed, int) or isinstance(seed, bool) or seed < 0:
        raise Refused("`seed` must be a whole number, not negative.")
    same_day, unreadable = awkward_by_size(referrals)
    story = {
        "seed": seed,
        "referrals": referrals,
        "councils": list(councils_of(wanted.get("councils"))),
        "pace": pace,
        "pause": wanted.get("pause", 1.0),
        "same_day": wanted.get("same_day", same_day),
        "unreadable": wanted.get("unreadable", unreadable),
        "born": 0,
        "deeds": 0,
        "refused": 0,
    }
    for name in ("pace", "pause", "same_day", "unreadable"):
        value = story[name]
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0 or (name == "pace" and not value):
            raise Refused(f"`{name}` must be a number, not negative.")
    unknown = sorted(set(wanted) - story.keys())
    if unknown:
        raise Refused(f"Life takes no {unknown[0]!r}.")
    return story


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
