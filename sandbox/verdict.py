"""Compares what the systems hold with what staff really did: is anything lost, doubled, stale, wiped or misdirected?

It reads the pretend systems' stores and the truth, through the hand-written tables of `expected.py`, and knows nothing
of the programs that moved the records. Everything is named by ids alone. One request is looked at at a time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection as Names
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from sandbox import expected
from sandbox.health_judge import objections
from sandbox.life import safe_mobiles
from sandbox.notify_checks import plain_number
from sandbox.plan import Sort
from sandbox.sightings import Sightings, Text, sightings
from sandbox.store import Json, Store
from sandbox.truth import Account, Truth

FAULTS = ("lost", "doubled", "stale", "wiped", "misdirected")
EXAMPLES = 20
# How long a corrected number may still be texted: a text can be on its way when staff correct the number.
GRACE = timedelta(minutes=5)
NOTIFIABLE = {"ACC": "accepted", "INP": "in_progress", "CLO": "completed"}
_STATE_FIELDS = ("Status", "StatusReason", "Worker", "Outcome")
_FROM_CASEWORK = ("status", "status_reason", "status_changed_at", "worker", "outcome", "case_number")
# What a sandbox fault ("changed while paging") has staff add to the notes.
_RANG_AGAIN = " Rang again."


class Verdict:
    """The counting. `found()` is the whole answer."""

    def __init__(self, store: Store, *, leave_out: Names[str] = ()) -> None:
        self._store, self._leave_out = store, frozenset(leave_out)
        self._account = Account(store)
        self._counts: Counter[str] = Counter(dict.fromkeys(FAULTS, 0))
        self._examples: dict[str, list[str]] = {fault: [] for fault in FAULTS}

    def found(self) -> Json:
        """Look at everything. Counts by fault, texts by language, and the first examples of each fault."""
        referrals = 0
        with sightings(self._store, self._account) as seen:
            for truth in self._account.each():
                referrals += 1
                if not self._leave_out & {truth.name, truth.token, truth.contact_id, truth.case_id}:
                    self._judge(truth, seen)
            strangers, named = seen.strangers(EXAMPLES)
            self._counts["misdirected"] += strangers
            self._examples["misdirected"] = (self._examples["misdirected"] + named)[:EXAMPLES]
            languages = seen.languages()
        examples = {fault: named for fault, named in self._examples.items() if named}
        return {"referrals": referrals, **self._counts, "texts": languages, "examples": examples}

    def _note(self, fault: str, truth: Truth, words: str) -> None:
        self._counts[fault] += 1
        if len(self._examples[fault]) < EXAMPLES:
            self._examples[fault].append(f"{truth.name}: {words}")

    def _judge(self, truth: Truth, seen: Sightings) -> None:
        records: dict[str, list[str]] = {"contact": [], "casework": [], "health": []}
        for sighting in seen.of(truth):
            if sighting.tenant == truth.tenant:
                records[sighting.system].append(sighting.id)
            else:
                self._note("misdirected", truth, f"{sighting.id} in {sighting.system} of {sighting.tenant}")
        for system, ids in records.items():
            for extra in ids[1:]:
                self._note("doubled", truth, f"{ids[0]} and {extra} in {system}")
        contact = self._body(truth, "contact", truth.contact_id, records["contact"])
        case = self._body(truth, "casework", truth.case_id, records["casework"])
        for fault, words in objections(self._store, truth, records["health"]):
            self._note(fault, truth, words)
        if truth.sort == Sort.ELSEWHERE:
            self._judge_elsewhere(truth, case)
        else:
            for system, body in (("contact", contact), ("casework", case)):
                if body is None:
                    self._note("lost", truth, f"no record in {system}")
            self._judge_texts(truth, seen.texts(truth))
        if contact is not None and not truth.unreadable:
            self._judge_contact(truth, contact)
        if case is not None and truth.sort != Sort.ELSEWHERE:
            self._judge_case(truth, case)

    def _body(self, truth: Truth, system: str, known: str, ids: list[str]) -> Json | None:
        id = known if known in ids else next(iter(ids), "")
        held = self._store.collection(truth.tenant, system).get(id) if id else None
        return held.body if held else None

    def _judge_elsewhere(self, truth: Truth, case: Json | None) -> None:
        if case is not None:
            self._note("misdirected", truth, f"{case['ReferralId']} in casework, though for another team")
        if truth.typed is None:
            self._note("lost", truth, "not typed in by hand where its team works")

    def _judge_contact(self, truth: Truth, contact: Json) -> None:
        if truth.in_casework or truth.in_health:
            self._compare(
                truth,
                "contact",
                expected.of_request(truth.tenant, truth.wish),
                expected.of_request(truth.tenant, contact),
            )
            if contact.get("internal_notes"):
                self._note("wiped", truth, "internal_notes of contact were written by nobody there")
        else:
            ours = [name for name in truth.wish if name not in (*_FROM_CASEWORK, "public_reference")]
            changed = [name for name in ours if _known(contact.get(name)) != _known(truth.wish[name])]
            if changed:
                self._note("wiped", truth, f"contact's own {', '.join(changed)}")
        if truth.case_id and truth.sort != Sort.ELSEWHERE:
            wanted = {**expected.case_words(truth.case), "case_number": truth.case_id}
            found = expected.case_words_in(contact)
            if contact.get("case_number"):
                found["case_number"] = contact["case_number"]
            blank, other = expected.differences(wanted, found)
            if blank or other:
                self._note("stale", truth, f"contact's {', '.join(sorted({*blank, *other}))}")

    def _judge_case(self, truth: Truth, case: Json) -> None:
        wanted, found = expected.of_request(truth.tenant, truth.wish), expected.of_referral(truth.tenant, case)
        if truth.in_casework:
            blank, other = expected.differences(wanted, found)
            if blank or other:
                self._note("wiped", truth, f"casework's own {', '.join(sorted({*blank, *other}))}")
        else:
            if truth.typed is not None:
                # What the officer typed stands; only what was corrected after that must have been carried there.
                then = expected.of_request(truth.tenant, truth.typed["wish"])
                later = {name for name in {*wanted, *then} if wanted.get(name) != then.get(name)}
                later |= {"first_names", "last_name", "born"}
                wanted = {name: value for name, value in wanted.items() if name in later}
                found = {name: value for name, value in found.items() if name in later}
            self._compare(truth, "casework", wanted, found)
        theirs = [name for name in _STATE_FIELDS if (case.get(name) or None) != (truth.case.get(name) or None)]
        if (case.get("OfficerNotes") or "").removesuffix(_RANG_AGAIN) != truth.case.get("OfficerNotes", ""):
            theirs.append("OfficerNotes")
        if _elements(case.get("Extra")) != _elements(truth.case.get("Extra")):
            theirs.append("Extra")
        if theirs:
            self._note("wiped", truth, f"casework's own {', '.join(theirs)}")

    def _compare(self, truth: Truth, system: str, wanted: Json, found: Json) -> None:
        blank, other = expected.differences(wanted, found)
        if blank:
            self._note("wiped", truth, f"{', '.join(blank)} blank in {system}")
        if other:
            self._note("stale", truth, f"{', '.join(other)} differ in {system}")

    def _judge_texts(self, truth: Truth, texts: list[Text]) -> None:
        audience = _audience(truth)
        counts = Counter(text.status for text in texts)
        for status, count in counts.items():
            for _ in range(count - 1):
                self._note("doubled", truth, f"text {status!r} sent {count} times")
        reached = {NOTIFIABLE[status] for status, _ in truth.reached if status in NOTIFIABLE}
        status, at = truth.reached[-1] if truth.reached else ("", "")
        now = NOTIFIABLE.get(status)
        if audience.required and now is not None and not counts[now] and not _too_late(truth.textable_since, at):
            self._note("lost", truth, f"text {now!r} never sent")
        whose = truth.wish["referred_by"] if audience.family else truth.wish["language"]
        asked = whose.get("letters") or "unknown"  # their own, whatever the person asked for
        if audience.family and truth.in_casework:
            asked = "unknown"  # the case system has no place for the language of whoever referred
        language = "both" if asked == "unknown" else asked
        for text in texts:
            wrong = audience.objection(text)
            if not wrong and text.status not in reached:
                wrong = f"status {text.status!r} was not reached or is not for texts"
            if not wrong and text.language != language:
                wrong = f"language {text.language} instead of {language}"
            if wrong:
                self._note("misdirected", truth, f"text {text.id}: {wrong}")


class _Audience:
    """Who may be texted about a request and whether somebody must be: `numbers` with the moment each was given up."""

    def __init__(self, numbers: list[tuple[str, str | None]], *, required: bool, family: bool = False) -> None:
        self._numbers = numbers
        self.required = required
        self.family = family

    def objection(self, text: Text) -> str:
        """Why this text should not have gone where it went; "" if it may."""
        if not self._numbers:
            return "nobody had agreed to texts"
        for number, until in self._numbers:
            if number == text.number:
                if until is None or datetime.fromisoformat(text.created) <= datetime.fromisoformat(until) + GRACE:
                    return ""
                return "a number that had been corrected long before"
        return "a wrong number"


def _audience(truth: Truth) -> _Audience:
    wish = truth.wish
    referrer: Json = wish.get("referred_by") or {}
    flagged = wish["flags"]["restricted"] or wish["flags"]["safeguarding"]
    spoken_to = wish["language"].get("interpreter") is True  # through an interpreter: somebody rings, and nobody texts
    agrees = (wish.get("updates") or {}).get("opted_in") is True and not flagged and not spoken_to
    safe = safe_mobiles(wish)
    numbers: list[tuple[str, str | None]] = []
    if agrees and safe:
        numbers = [*((number, None) for number in safe), *((number, until) for number, until in truth.mobiles)]
    if truth.tenant != "neath-port-talbot" or referrer.get("kind") == "self":
        return _Audience(numbers, required=bool(numbers))
    family = referrer.get("kind") == "family" and referrer.get("wants_updates") and referrer.get("customer_agrees")
    if family and referrer.get("mobile"):
        # Of a flagged request the council's rule says nothing here: a text to the family is neither due nor wrong.
        return _Audience([(plain_number(referrer["mobile"]), None)], required=not flagged, family=True)
    # No family member to tell: the person may be told, if they agreed, and need not be.
    return _Audience(numbers, required=False)


def _too_late(textable_since: str, reached_at: str) -> bool:
    """Whether the number came so late that the text about a status may rightly not have been sent."""
    return bool(textable_since) and datetime.fromisoformat(reached_at) < datetime.fromisoformat(textable_since) + GRACE


def _known(value: Any) -> Any:
    """A value without the parts that are null: a system may leave those out or spell them out."""
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return value


def _elements(text: str | None) -> list[Any]:
    if not text:
        return []
    try:
        root = etree.fromstring(f"<extra>{text}</extra>", etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return [text]
    return [(element.tag, (element.text or "").strip(), dict(element.attrib)) for element in root.iter()][1:]
